/**
 * Level's decision: which shards of a segment lie too close together, or on a miner that is about to be full, and would
 * be better off elsewhere. Pure. A group (owner, network) may hold `groupLimitOf(k, n)` of a segment; what is beyond
 * that moves, as soon as there is a miner outside of full groups to take it.
 */
import type { Redundancy } from '#shared/codec/redundancy.ts';
import type { SegmentRecord } from '#shared/index/ports.ts';
import { groupLimitOf } from '#shared/placement/place-shards.ts';
import type { MinerNumber } from '#shared/primitives/ids.ts';

export interface Crowd {
  /** Undefined for a miner that cannot be asked. */
  groupsOf(miner: MinerNumber): readonly string[] | undefined;
  /** It is about to be full, while others have room. */
  isOverfull(miner: MinerNumber): boolean;
  /** Miners that take shards. */
  readonly candidates: readonly { readonly number: MinerNumber; readonly groups: readonly string[] }[];
}

/** Shard indices that shall move: never more than there is better room for. */
export function crowdedShards(redundancy: Redundancy, record: SegmentRecord, crowd: Crowd): readonly number[] {
  const limit = groupLimitOf(redundancy.k, redundancy.n);
  const sizes = new Map<string, number>();
  const held = record.slots.map((slot) => (slot.state === 'stored' ? crowd.groupsOf(slot.miner) : undefined));
  for (const groups of held) for (const group of groups ?? []) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  const size = (group: string): number => sizes.get(group) ?? 0;
  const holders = new Set(record.slots.map(({ miner }) => miner));
  const room = crowd.candidates.filter(
    ({ number, groups }) => !holders.has(number) && !crowd.isOverfull(number) && groups.every((g) => size(g) < limit),
  );
  const crowded: number[] = [];
  for (const [index, groups] of held.entries()) {
    const slot = record.slots[index];
    if (!slot || !groups || crowded.length >= room.length) continue;
    if (!groups.some((group) => size(group) > limit) && !crowd.isOverfull(slot.miner)) continue;
    crowded.push(index);
    for (const group of groups) sizes.set(group, size(group) - 1);
  }
  return crowded;
}
