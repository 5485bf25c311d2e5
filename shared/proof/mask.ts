/**
 * Masks: after coding, each shard is XORed with a key stream of its own, so that no coalition of holders can compute
 * another holder's shard and no anchor id ever repeats (por/v1 §3). The engines derive the coding key once a file and
 * the shard key once a shard; a client that talks to miners itself is given a coding key, never the secret.
 */
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { ByteWriter, utf8 } from '#shared/primitives/bytes.ts';
import type { Random } from '#shared/primitives/effects.ts';
import { invariant } from '#shared/primitives/failure.ts';
import { type Hotkey, publicKeyOf } from '#shared/primitives/ids.ts';

const MASK_SECRET_BYTES = 32;
const CODING_ID_BYTES = 16;
const KEY_BYTES = 32;
const CODING_INFO = utf8('filetao/mask/v1/coding\0');
const SHARD_TAG = 'filetao/mask/v1/shard';
const BLIND_TAG = 'filetao/mask/v1/blind';
const CHECK_TAG = 'filetao/mask/v1/check';
const CHECK_BYTES = 16;
const COUNTER_ZERO = new Uint8Array(16);

/** The random id that the masks of a new coding are derived from. */
export const newCodingId = (random: Random): Uint8Array => random(CODING_ID_BYTES);

/** Where a shard goes. `placement` counts every placing of that shard index, hedges and repairs included. */
export interface ShardPlace {
  readonly segment: number;
  readonly shardIndex: number;
  readonly placement: number;
  readonly miner: Hotkey;
}

/** HKDF-SHA-256(ikm = secret of the mask epoch, salt = codingId, info = "filetao/mask/v1/coding\0"), 32 bytes. */
export function codingKeyOf(secret: Uint8Array, codingId: Uint8Array): Uint8Array {
  invariant(secret.length === MASK_SECRET_BYTES && codingId.length === CODING_ID_BYTES, 'secret₃₂ and codingId₁₆');
  return hkdf(sha256, secret, codingId, CODING_INFO, KEY_BYTES);
}

/**
 * HKDF-SHA-256(ikm = codingKey, salt = "", info = "filetao/mask/v1/shard\0" ‖ u32 segment ‖ u16 shardIndex ‖
 * u16 placement ‖ miner₃₂), 32 bytes.
 */
export const maskKeyOf = (codingKey: Uint8Array, place: ShardPlace): Uint8Array =>
  placeKeyOf(SHARD_TAG, codingKey, place);

/**
 * The blind key of a shard of anchor type 2 (zk/v1), as `maskKeyOf` with "filetao/mask/v1/blind\0": to the miner, and to
 * whoever does not know the coding key, it is random. Derived and not drawn, so that a reader can check a shard.
 */
export const blindKeyOf = (codingKey: Uint8Array, place: ShardPlace): Uint8Array =>
  placeKeyOf(BLIND_TAG, codingKey, place);

function placeKeyOf(tag: string, codingKey: Uint8Array, place: ShardPlace): Uint8Array {
  invariant(codingKey.length === KEY_BYTES, 'codingKey₃₂');
  const info = new ByteWriter(64)
    .tag(tag)
    .u32(place.segment)
    .u16(place.shardIndex)
    .u16(place.placement)
    .fixed(publicKeyOf(place.miner), 32);
  return hkdf(sha256, codingKey, undefined, info.finish(), KEY_BYTES);
}

/**
 * What an index keeps of a mask epoch, so that a wrong secret is refused before anything is stored with it: the first
 * 16 bytes of HKDF-SHA-256(ikm = secret, salt = "", info = "filetao/mask/v1/check\0" ‖ u16 epoch). Says nothing of any key.
 */
export function maskCheckOf(secret: Uint8Array, maskEpoch: number): Uint8Array {
  invariant(secret.length === MASK_SECRET_BYTES, 'secret₃₂');
  const info = new ByteWriter(32).tag(CHECK_TAG).u16(maskEpoch);
  return hkdf(sha256, secret, undefined, info.finish(), CHECK_BYTES);
}

/** XORs a shard with AES-256-CTR under its key, counter zero; masks and unmasks. Answers a new buffer. */
export async function maskShard(key: Uint8Array, shard: Uint8Array): Promise<Uint8Array> {
  const aes = await crypto.subtle.importKey('raw', key as BufferSource, 'AES-CTR', false, ['encrypt']);
  const algorithm = { name: 'AES-CTR', counter: COUNTER_ZERO, length: 128 };
  return new Uint8Array(await crypto.subtle.encrypt(algorithm, aes, shard as BufferSource));
}
