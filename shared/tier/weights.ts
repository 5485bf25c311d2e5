/**
 * From moving averages to the weights that a validator sets on the chain: negatives become 0, what is left is
 * normalized, limited as the subnet demands and scaled to 16 bits. Never NaN, and never all zero when someone earned.
 */
export interface Earner {
  readonly uid: number;
  /** Moving average of rewards. */
  readonly average: number;
}

export interface Weight {
  readonly uid: number;
  /** 1 to 65,535; the largest of a set is 65,535. */
  readonly value: number;
}

export interface WeightRules {
  /** Fewer weights than this are refused by the subnet. */
  readonly minCount: number;
  /** Largest share of one uid, 0 to 1. */
  readonly maxShare: number;
}

const U16_MAX = 65_535;

/** Shares that sum to 1 with none above `maxShare`: what is cut from the largest goes to the others in proportion. */
function limitShares(shares: readonly number[], maxShare: number): number[] {
  if (maxShare * shares.length <= 1) return shares.map(() => 1 / shares.length);
  let limited = shares.map(() => false);
  for (;;) {
    const free = shares.reduce((sum, share, i) => sum + (limited[i] ? 0 : share), 0);
    const room = 1 - maxShare * limited.filter(Boolean).length;
    const scaled = shares.map((share, i) => (limited[i] ? maxShare : (share * room) / free));
    const next = scaled.map((share, i) => limited[i] === true || share > maxShare);
    if (next.every((is, i) => is === limited[i])) return scaled;
    limited = next;
  }
}

/**
 * @param earners one row a uid; averages that are not finite count as 0
 * @returns rows in the order of the earners, zeros dropped; empty when nobody earned, or fewer than the subnet's least
 */
export function weightsOf(earners: readonly Earner[], { minCount, maxShare }: WeightRules): readonly Weight[] {
  const earned = earners.filter(({ average }) => Number.isFinite(average) && average > 0);
  const most = Math.max(...earned.map(({ average }) => average));
  const earning = earned.filter(({ average }) => average > most * Number.EPSILON);
  if (earning.length === 0 || earning.length < minCount) return [];
  const total = earning.reduce((sum, { average }) => sum + average / most, 0);
  const shares = limitShares(
    earning.map(({ average }) => average / most / total),
    maxShare,
  );
  const largest = Math.max(...shares);
  return earning
    .map(({ uid }, i) => ({ uid, value: Math.round(((shares[i] as number) / largest) * U16_MAX) }))
    .filter(({ value }) => value > 0);
}
