import { describe, expect, it } from 'vitest';
import type { SegmentRecord } from '#shared/index/ports.ts';
import type { MinerNumber } from '#shared/primitives/ids.ts';
import { type Crowd, crowdedShards } from './crowded-shards.ts';

const REDUNDANCY = { k: 4, n: 10 };
const root = new Uint8Array(32);

/** Shard i lies on miner i + 1. */
const record = (n = 10): SegmentRecord => ({
  hash: root,
  slots: Array.from({ length: n }, (_, i) => ({ root, miner: (i + 1) as MinerNumber, placement: 0, state: 'stored' })),
});
const crowd = (owners: readonly string[], free: readonly string[], overfull: readonly number[] = []): Crowd => ({
  groupsOf: (miner) => {
    const owner = owners[miner - 1];
    return owner === undefined ? undefined : [`coldkey:${owner}`, `endpoint:${miner}`];
  },
  isOverfull: (miner) => overfull.includes(miner),
  candidates: free.map((owner, i) => ({ number: (100 + i) as MinerNumber, groups: [`coldkey:${owner}`] })),
});

describe('crowdedShards', () => {
  it.each<[string, readonly number[], Crowd]>([
    ['nothing moves while every group is within its limit', [], crowd([...'aaabbbcccd'], ['x', 'y'])],
    ['what is beyond the limit moves', [0, 1], crowd([...'aaaaabcdef'], ['x', 'y', 'z'])],
    ['no more than there is room for', [0], crowd([...'aaaaabcdef'], ['x'])],
    ['not into the very group that is full', [], crowd([...'aaaaabcdef'], ['a', 'a'])],
    ['a miner that is about to be full gives its shard away', [3], crowd([...'abcdefghij'], ['x'], [4])],
    ['not to another that is', [], crowd([...'abcdefghij'], ['x'], [4, 100])],
    ['a miner that cannot be asked is repair’s, not level’s', [], crowd([...'aaa'], ['x'])],
  ])('%s', (_, moved, seen) => {
    expect(crowdedShards(REDUNDANCY, record(), seen)).toEqual(moved);
  });

  it('is content with what it has moved', () => {
    const before = crowd([...'aaaaabcdef'], ['x', 'y', 'z']);
    const [first, second] = crowdedShards(REDUNDANCY, record(), before);
    const owners = [...'aaaaabcdef'];
    owners[first as number] = 'x';
    owners[second as number] = 'y';
    expect(crowdedShards(REDUNDANCY, record(), crowd(owners, ['z']))).toEqual([]);
  });
});
