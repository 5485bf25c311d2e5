/**
 * Scalars as signed digits, least first: what decides which multiples of a point are added up. A window of w bits and
 * the carry from below make u in [0, 2ʷ]; from 2ʷ⁻¹ on the digit is u − 2ʷ and one is carried, so that digits lie in
 * [−2ʷ⁻¹, 2ʷ⁻¹) and half the multiples are enough.
 */

/** u, of window `at` of the 32-byte little-endian scalar at `from`; at most 10 bits wide. */
export function windowOf(scalars: Uint8Array, from: number, at: number, bits: number, carry: number): number {
  const bit = at * bits;
  const byte = from + (bit >> 3);
  const end = from + 32;
  const low = scalars[byte] as number;
  const middle = byte + 1 < end ? (scalars[byte + 1] as number) : 0;
  const high = byte + 2 < end ? (scalars[byte + 2] as number) : 0;
  return (((low | (middle << 8) | (high << 16)) >> (bit & 7)) & ((1 << bits) - 1)) + carry;
}

export const carryOf = (u: number, bits: number): number => (u >= 1 << (bits - 1) ? 1 : 0);
