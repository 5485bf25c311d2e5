/**
 * Arithmetic in GF(2⁸) mod x⁸ + x⁴ + x³ + x² + 1 (0x11d), in which 2 generates every element but 0 (por/v1 §3).
 * For small matrices and tables only: bytes of shards go through the kernel.
 */
const POLYNOMIAL = 0x11d;

/** Powers of 2, twice over, so that a sum of two logarithms needs no reduction. */
const EXP = new Uint8Array(510);
const LOG = new Uint8Array(256);
for (let i = 0, x = 1; i < 255; i++) {
  EXP[i] = x;
  EXP[i + 255] = x;
  LOG[x] = i;
  x = x & 0x80 ? (x << 1) ^ POLYNOMIAL : x << 1;
}

export function gfMultiply(a: number, b: number): number {
  return a === 0 || b === 0 ? 0 : (EXP[(LOG[a] ?? 0) + (LOG[b] ?? 0)] ?? 0);
}

/** 1 / a; zero has no inverse and throws. */
export function gfInverse(a: number): number {
  if (a === 0) throw new RangeError('zero has no inverse');
  return EXP[255 - (LOG[a] ?? 0)] ?? 0;
}
