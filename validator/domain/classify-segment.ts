/**
 * What a segment needs, from its record and what is known of its miners: which shards have to be made anew, which only
 * have to move, and how soon. Pure; asked by the survey (is it worth a place in the queue?) and by repair (what is to be
 * done now?). Rule of time: `docs/architecture.md`, repair.
 */
import { type Redundancy, repairThreshold } from '#shared/codec/redundancy.ts';
import type { SegmentRecord, ShardSlot } from '#shared/index/ports.ts';
import type { MinerNumber } from '#shared/primitives/ids.ts';

/** well: serves · leaving: serves, and what it has is to lie elsewhere · gone: nothing can be had from it */
export type MinerCondition = 'well' | 'leaving' | 'gone';

export interface SegmentNeeds {
  /** Shards that their miners serve, those that are to move included. */
  readonly healthy: number;
  /** Shard indices to be made anew. */
  readonly missing: readonly number[];
  /** Shard indices that are served and shall lie elsewhere. */
  readonly moving: readonly number[];
  /** healthy − k: below 0 the segment cannot be rebuilt now. */
  readonly spare: number;
  /** Not to wait for: below the repair threshold, or a miner that leaves waits for us. */
  readonly urgent: boolean;
}

/**
 * @param crowded shard indices that level would have elsewhere (`crowded-shards.ts`)
 * @param isLost true when this very placing of a shard was reported lost, whatever its miner says
 */
export function classifySegment(
  redundancy: Redundancy,
  record: SegmentRecord,
  conditionOf: (miner: MinerNumber) => MinerCondition,
  isLost: (shardIndex: number, slot: ShardSlot) => boolean,
  crowded: readonly number[] = [],
): SegmentNeeds {
  const missing: number[] = [];
  const leaving: number[] = [];
  for (const [shardIndex, slot] of record.slots.entries()) {
    const condition = slot.state === 'stored' ? conditionOf(slot.miner) : 'gone';
    if (condition === 'gone' || isLost(shardIndex, slot)) missing.push(shardIndex);
    else if (condition === 'leaving') leaving.push(shardIndex);
  }
  const healthy = record.slots.length - missing.length;
  const taken = new Set([...missing, ...leaving]);
  const moving = [...leaving, ...crowded.filter((shardIndex) => !taken.has(shardIndex))];
  return {
    ...{ healthy, missing, moving },
    spare: healthy - redundancy.k,
    urgent: healthy < repairThreshold(redundancy) || leaving.length > 0,
  };
}
