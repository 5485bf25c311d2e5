/**
 * The name of a weights commit, as the chain computes it when it is revealed (subtensor `get_commit_hash`):
 * BLAKE2b-256(AccountId32 ‖ u16 storage index ‖ Vec<u16> uids ‖ Vec<u16> values ‖ Vec<u16> salt ‖ u64 version key),
 * SCALE encoded. The storage index of a subnet's main mechanism is its netuid.
 */
import { blake2b } from '@noble/hashes/blake2.js';
import { concatBytes, toHex } from '#shared/primitives/bytes.ts';
import { type Hotkey, publicKeyOf } from '#shared/primitives/ids.ts';
import type { WeightRow } from '../ports.ts';
import { littleEndian, vecU16 } from '../scale.ts';

export interface CommitPreimage {
  readonly hotkey: Hotkey;
  readonly netuid: number;
  readonly weights: readonly WeightRow[];
  readonly salt: readonly number[];
  readonly versionKey: bigint;
}

/** 64 hex digits. */
export function commitHash({ hotkey, netuid, weights, salt, versionKey }: CommitPreimage): string {
  const encoded = concatBytes(
    publicKeyOf(hotkey),
    littleEndian(netuid, 2),
    vecU16(weights.map(({ uid }) => uid)),
    vecU16(weights.map(({ value }) => value)),
    vecU16(salt),
    littleEndian(versionKey, 8),
  );
  return toHex(blake2b(encoded, { dkLen: 32 }));
}
