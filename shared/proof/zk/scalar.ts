/**
 * Scalars of ristretto255: integers mod ℓ, 32 bytes little-endian on the wire, bigints inside. A handful of them per
 * leaf asked; what is done to every leaf of a shard never becomes a bigint. Not constant in time: a process that other
 * tenants can time to the nanosecond should not prove.
 */
import { ristretto255 } from '@noble/curves/ed25519.js';
import { sha512 } from '@noble/hashes/sha2.js';
import { invariant } from '#shared/primitives/failure.ts';

export const SCALAR_BYTES = 32;
/** ℓ = 2²⁵² + 27742317777372353535851937790883648493, the order of the group (RFC 9496 §4). */
export const ORDER: bigint = ristretto255.Point.Fn.ORDER;

const WORD_BITS = 64n;

/** A little-endian integer of any length. */
export function littleEndian(bytes: Uint8Array): bigint {
  let value = 0n;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = bytes.length;
  for (; at >= 8; at -= 8) value = (value << WORD_BITS) | view.getBigUint64(at - 8, true);
  for (; at > 0; at--) value = (value << 8n) | BigInt(view.getUint8(at - 1));
  return value;
}

/** The one encoding of a scalar. */
export function writeScalar(value: bigint, out: Uint8Array, at: number): void {
  invariant(value >= 0n && value < ORDER, 'a scalar lies in [0, ℓ)');
  const view = new DataView(out.buffer, out.byteOffset + at, SCALAR_BYTES);
  for (let word = 0; word < 4; word++) {
    view.setBigUint64(8 * word, BigInt.asUintN(64, value >> (WORD_BITS * BigInt(word))), true);
  }
}

/** The scalar that 32 bytes encode; undefined when they encode none, or one in a second way (≥ ℓ). */
export function readScalar(bytes: Uint8Array): bigint | undefined {
  if (bytes.length !== SCALAR_BYTES) return undefined;
  const value = littleEndian(bytes);
  return value < ORDER ? value : undefined;
}

/** 64 uniform bytes mod ℓ: the bias, 2⁻²⁵⁹, is nobody's. */
export function reduceScalar(bytes: Uint8Array): bigint {
  invariant(bytes.length === 64, 'a scalar is drawn from 64 bytes');
  return littleEndian(bytes) % ORDER;
}

/** S(x) = SHA-512(x) mod ℓ. */
export const hashToScalar = (preimage: Uint8Array): bigint => reduceScalar(sha512(preimage));

/** −x mod ℓ. */
export const negate = (x: bigint): bigint => (x === 0n ? 0n : ORDER - x);
