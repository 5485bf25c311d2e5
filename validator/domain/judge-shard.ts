/**
 * What collection may do with a shard that a miner lists: the one decision that could destroy data, so it is pure and
 * says why. A shard is garbage only if nothing explains it: no manifest (live, or deleted and not yet settled) names
 * this anchor on this miner, no upload is open that may still name it, and its own hold is long over.
 */
import type { AnchorId, MinerNumber } from '#shared/primitives/ids.ts';

/** A shard as a miner lists it. */
export interface HeldShard {
  readonly anchorId: AnchorId;
  /** Until when its upload asked that it be held, whatever becomes of the upload. */
  readonly holdUntilMs: number;
}

/** All that the index knows about the segment that the shard's `ref` points to. */
export interface SegmentFacts {
  /** Asked before the manifest was read: an upload that commits in between is found in one of the two. */
  readonly uploadOpen: boolean;
  /** The manifest's shards of that segment; undefined when there is no such file or segment. */
  readonly named: readonly { readonly anchorId: AnchorId; readonly miner: MinerNumber }[] | undefined;
}

export type ShardVerdict = 'named' | 'upload-open' | 'on-hold' | 'garbage';

/** @param graceMs how long after its hold a shard that nobody explains is still left alone (24 h; seconds locally) */
export function judgeShard(
  shard: HeldShard,
  miner: MinerNumber,
  facts: SegmentFacts,
  nowMs: number,
  graceMs: number,
): ShardVerdict {
  if (facts.named?.some((named) => named.anchorId === shard.anchorId && named.miner === miner)) return 'named';
  if (facts.uploadOpen) return 'upload-open';
  if (nowMs < shard.holdUntilMs + graceMs) return 'on-hold';
  return 'garbage';
}
