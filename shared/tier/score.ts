/**
 * A miner's score: how reliable its answers were in a window, corrected for how few they are. It is the midpoint of
 * the Wilson score interval at 50 % confidence, both ends clamped to [0, 1] (FileTAO calls it a lower bound, which it
 * is not). Source: E. B. Wilson, "Probable Inference", 1927; constants of FileTAO 3.0.0.
 *
 *   z = Φ⁻¹(0.75)   p = s/t   d = 1 + z²/t   c = p + z²/(2t)   a = √((p(1 − p) + z²/(4t)) / t)
 *   score = (max(0, (c − z·a)/d) + min(1, (c + z·a)/d)) / 2
 */
const Z = 0.674_489_750_196_081_7;

/** Where a miner stands that nobody has asked anything yet. */
const UNKNOWN = 0.5;

/**
 * @param successes answers of the window that passed, 0 … attempts
 * @param attempts answers of the window
 * @returns 0 to 1; 0.5 when there were none
 */
export function scoreOf(successes: number, attempts: number): number {
  if (attempts === 0) return UNKNOWN;
  const p = successes / attempts;
  const d = 1 + Z ** 2 / attempts;
  const c = p + Z ** 2 / (2 * attempts);
  const a = Math.sqrt((p * (1 - p) + Z ** 2 / (4 * attempts)) / attempts);
  return (Math.max(0, (c - Z * a) / d) + Math.min(1, (c + Z * a) / d)) / 2;
}
