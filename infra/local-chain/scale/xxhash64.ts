/**
 * XXH64 (https://github.com/Cyan4973/xxHash, specification 0.1.1) and the `twox` hashes of Substrate made of it: pallet
 * and item names in storage keys, and the keys of some maps. Not cryptographic.
 */
import { concatBytes } from '#shared/primitives/bytes.ts';

const MASK = (1n << 64n) - 1n;
const P1 = 0x9e3779b185ebca87n;
const P2 = 0xc2b2ae3d27d4eb4fn;
const P3 = 0x165667b19e3779f9n;
const P4 = 0x85ebca77c2b2ae63n;
const P5 = 0x27d4eb2f165667c5n;

const rotate = (value: bigint, bits: bigint): bigint => ((value << bits) | (value >> (64n - bits))) & MASK;
const round = (lane: bigint, input: bigint): bigint => (rotate((lane + input * P2) & MASK, 31n) * P1) & MASK;
const merge = (hash: bigint, lane: bigint): bigint => (((hash ^ round(0n, lane)) & MASK) * P1 + P4) & MASK;

function xxhash64(bytes: Uint8Array, seed: bigint): bigint {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  let at = 0;
  let hash: bigint;
  if (bytes.length >= 32) {
    const lanes = [(seed + P1 + P2) & MASK, (seed + P2) & MASK, seed, (seed - P1) & MASK] as [
      bigint,
      bigint,
      bigint,
      bigint,
    ];
    for (; at + 32 <= bytes.length; at += 32) {
      for (let lane = 0; lane < 4; lane++) {
        lanes[lane] = round(lanes[lane] as bigint, view.getBigUint64(at + 8 * lane, true));
      }
    }
    const [a, b, c, d] = lanes;
    hash = (rotate(a, 1n) + rotate(b, 7n) + rotate(c, 12n) + rotate(d, 18n)) & MASK;
    for (const lane of lanes) hash = merge(hash, lane);
  } else {
    hash = (seed + P5) & MASK;
  }
  hash = (hash + BigInt(bytes.length)) & MASK;
  for (; at + 8 <= bytes.length; at += 8) {
    hash = (rotate(hash ^ round(0n, view.getBigUint64(at, true)), 27n) * P1 + P4) & MASK;
  }
  if (at + 4 <= bytes.length) {
    hash = (rotate((hash ^ (BigInt(view.getUint32(at, true)) * P1)) & MASK, 23n) * P2 + P3) & MASK;
    at += 4;
  }
  for (; at < bytes.length; at++) hash = (rotate((hash ^ (BigInt(view.getUint8(at)) * P5)) & MASK, 11n) * P1) & MASK;
  hash = ((hash ^ (hash >> 33n)) * P2) & MASK;
  hash = ((hash ^ (hash >> 29n)) * P3) & MASK;
  return hash ^ (hash >> 32n);
}

function twox(bytes: Uint8Array, words: number): Uint8Array {
  const parts: Uint8Array[] = [];
  for (let seed = 0; seed < words; seed++) {
    const part = new Uint8Array(8);
    new DataView(part.buffer).setBigUint64(0, xxhash64(bytes, BigInt(seed)), true);
    parts.push(part);
  }
  return concatBytes(...parts);
}

export const twox64 = (bytes: Uint8Array): Uint8Array => twox(bytes, 1);
export const twox128 = (bytes: Uint8Array): Uint8Array => twox(bytes, 2);
