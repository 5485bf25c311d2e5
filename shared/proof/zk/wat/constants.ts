/** The constants of edwards25519 and ristretto255 (RFC 9496 §4.1), computed, and laid out as pairs. */
import { LIMBS, limbsOf, P } from './field.ts';
import { LAYOUT, PAIR_BYTES } from './layout.ts';
import { constant, range } from './text.ts';

const mod = (x: bigint): bigint => ((x % P) + P) % P;

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  let square = mod(base);
  for (let rest = exponent; rest > 0n; rest >>= 1n) {
    if (rest & 1n) result = mod(result * square);
    square = mod(square * square);
  }
  return result;
}
const invert = (x: bigint): bigint => power(x, P - 2n);
const nonNegative = (x: bigint): bigint => (x & 1n ? P - x : x);

/** 2 is no square, so 2^((p−1)/4) is a root of −1. */
const sqrtMinusOne = nonNegative(power(2n, (P - 1n) / 4n));
/** −121665/121666. */
const d = mod(-121_665n * invert(121_666n));

/** The non-negative square root (p = 5 mod 8). */
function sqrt(x: bigint): bigint {
  const root = power(x, (P + 3n) / 8n);
  return nonNegative(mod(root * root) === mod(x) ? root : mod(root * sqrtMinusOne));
}

const VALUES = {
  zero: 0n,
  one: 1n,
  d,
  twiceD: mod(2n * d),
  sqrtMinusOne,
  /** 1/√(a − d) with a = −1. */
  invSqrtAMinusD: nonNegative(invert(sqrt(-1n - d))),
};

type ConstantName = keyof typeof VALUES;
const NAMES = Object.keys(VALUES) as ConstantName[];

/** Addresses, as text. */
export const CONSTANTS = Object.fromEntries(
  NAMES.map((name, i) => [name, constant(LAYOUT.constants + i * PAIR_BYTES)]),
) as Record<ConstantName, string>;

/** The module's data segment. */
export function constantsWat(): string {
  const bytes = new Uint8Array(NAMES.length * PAIR_BYTES);
  const view = new DataView(bytes.buffer);
  NAMES.forEach((name, at) => {
    const limbs = limbsOf(VALUES[name]);
    for (const i of range(LIMBS)) {
      for (const lane of [0, 4]) view.setInt32(at * PAIR_BYTES + 8 * i + lane, limbs[i] as number, true);
    }
  });
  const escaped = Array.from(bytes, (byte) => `\\${byte.toString(16).padStart(2, '0')}`).join('');
  return `(data ${constant(LAYOUT.constants)} "${escaped}")`;
}
