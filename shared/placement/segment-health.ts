/**
 * How a stored segment stands: what is left of it, what it can still lose, and whether that counts as stored. Pure;
 * asked by the store engine (when is a segment stored?), the edge's `status`, and repair (which segments first?).
 */
import { type Redundancy, repairThreshold } from '#shared/codec/redundancy.ts';
import type { MinerNumber } from '#shared/primitives/ids.ts';

export interface SegmentHealth {
  /** Shards that their miners can be expected to serve. */
  readonly healthy: number;
  readonly largestGroup: number;
  /** Single miners that can still be lost; negative when the segment is lost. */
  readonly survivesMiners: number;
  /**
   * Whole groups that can still be lost at worst. Groups that overlap are counted in full each, so that the figure errs
   * only towards too few.
   */
  readonly survivesGroups: number;
}

/** Health of a segment from the groups of each miner that holds a healthy shard of it. */
export function healthOf(k: number, holders: readonly { readonly groups: readonly string[] }[]): SegmentHealth {
  const sizes = new Map<string, number>();
  for (const holder of holders) {
    for (const group of new Set(holder.groups)) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  }
  const descending = [...sizes.values()].sort((a, b) => b - a);
  const spare = holders.length - k;
  let lost = 0;
  let survivesGroups = 0;
  for (const size of descending) {
    lost += size;
    if (lost > spare) break;
    survivesGroups++;
  }
  return {
    healthy: holders.length,
    largestGroup: descending[0] ?? 0,
    survivesMiners: spare,
    survivesGroups: spare < 0 ? 0 : survivesGroups,
  };
}

/** Health of a recorded segment; `alive` answers the groups of a miner that can be reached, undefined for any other. */
export function segmentHealth(
  k: number,
  record: { readonly slots: readonly { readonly miner: MinerNumber; readonly state: string }[] },
  alive: (miner: MinerNumber) => readonly string[] | undefined,
): SegmentHealth {
  const holders: { groups: readonly string[] }[] = [];
  for (const slot of record.slots) {
    const groups = slot.state === 'stored' ? alive(slot.miner) : undefined;
    if (groups) holders.push({ groups });
  }
  return healthOf(k, holders);
}

/** The rule of a stored segment: enough for the repair threshold, and k left when the largest group goes. */
export const countsAsStored = (redundancy: Redundancy, health: SegmentHealth): boolean =>
  health.healthy >= repairThreshold(redundancy) && health.healthy - health.largestGroup >= redundancy.k;
