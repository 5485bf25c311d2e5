/**
 * What makes a round unpredictable and binding (por/v1 §4): the commit that fixes salt and inventory a round ahead,
 * the context that fixes what is asked, and the seed of each shard's leaves, which nobody knows before the block.
 */
import { ByteWriter } from '#shared/primitives/bytes.ts';
import { type AnchorId, idBytes, publicKeyOf } from '#shared/primitives/ids.ts';
import { sha256 } from '#shared/primitives/sha256.ts';
import { type ChallengeRequest, MAX_ROUND_LEAVES, requestK } from './challenge-request.ts';
import type { Network } from './statement.ts';

/** What a validator binds itself to a round ahead. */
export type Commitment = Pick<ChallengeRequest, 'salt' | 'inventory' | 'inventoryLeaves'>;

/** H("filetao/por/v1/commit\0" ‖ salt₃₂ ‖ inv₃₂ ‖ u64 inventoryLeaves): the `nextCommit` of the request before. */
export function commitOf(next: Commitment): Uint8Array {
  const preimage = new ByteWriter(128)
    .tag('filetao/por/v1/commit')
    .fixed(next.salt, 32)
    .fixed(next.inventory, 32)
    .u64(next.inventoryLeaves);
  return sha256(preimage.finish());
}

/** H("filetao/por/v1/context\0" ‖ prevTranscript₃₂ ‖ salt₃₂ ‖ inv₃₂ ‖ u64 inventoryLeaves ‖ u16 K). */
export function contextOf(
  request: Commitment & Pick<ChallengeRequest, 'prevTranscript' | 'leaves' | 'sweep'>,
): Uint8Array {
  const preimage = new ByteWriter(160)
    .tag('filetao/por/v1/context')
    .fixed(request.prevTranscript, 32)
    .fixed(request.salt, 32)
    .fixed(request.inventory, 32)
    .u64(request.inventoryLeaves)
    .u16(requestK(request));
  return sha256(preimage.finish());
}

/** K of an ordinary round: min(30, inventory leaves). */
export const roundLeaves = (inventoryLeaves: number): number => Math.min(MAX_ROUND_LEAVES, inventoryLeaves);

/**
 * H("filetao/por/v1/seed\0" ‖ genesis₃₂ ‖ u32 netuid ‖ u64 block ‖ blockHash₃₂ ‖ u64 round ‖ anchorId₃₂ ‖ miner₃₂ ‖
 * validator₃₂ ‖ context₃₂).
 */
export function seedOf(
  network: Network,
  request: Pick<ChallengeRequest, 'block' | 'blockHash' | 'round' | 'miner' | 'validator'>,
  anchorId: AnchorId,
  context: Uint8Array,
): Uint8Array {
  const preimage = new ByteWriter(256)
    .tag('filetao/por/v1/seed')
    .fixed(network.genesis, 32)
    .u32(network.netuid)
    .u64(request.block)
    .fixed(request.blockHash, 32)
    .u64(request.round)
    .fixed(idBytes(anchorId), 32)
    .fixed(publicKeyOf(request.miner), 32)
    .fixed(publicKeyOf(request.validator), 32)
    .fixed(context, 32);
  return sha256(preimage.finish());
}
