import { describe, expect, it } from 'vitest';
import type { MinerNumber } from '#shared/primitives/ids.ts';
import { countsAsStored, healthOf, segmentHealth } from './segment-health.ts';

const holders = (...owners: string[]) => owners.map((owner, i) => ({ groups: [`c:${owner}`, `e:${i}`] }));

describe('healthOf', () => {
  it.each([
    { id: 'all apart', k: 2, owners: 'abcde', survivesMiners: 3, survivesGroups: 3, largestGroup: 1 },
    { id: 'one owner of two', k: 2, owners: 'aabcd', survivesMiners: 3, survivesGroups: 2, largestGroup: 2 },
    { id: 'one owner of most', k: 2, owners: 'aaaab', survivesMiners: 3, survivesGroups: 0, largestGroup: 4 },
    { id: 'just enough', k: 3, owners: 'abc', survivesMiners: 0, survivesGroups: 0, largestGroup: 1 },
    { id: 'too few', k: 4, owners: 'abc', survivesMiners: -1, survivesGroups: 0, largestGroup: 1 },
    { id: 'nothing', k: 1, owners: '', survivesMiners: -1, survivesGroups: 0, largestGroup: 0 },
  ])('knows what a segment survives: $id', ({ id: _, k, owners, ...expected }) => {
    expect(healthOf(k, holders(...owners))).toMatchObject(expected);
  });
});

describe('segmentHealth', () => {
  it('counts stored slots of miners that are alive, and nothing else', () => {
    const slots = ['stored', 'lost', 'stored', 'dropped', 'stored'].map((state, i) => ({
      miner: i as MinerNumber,
      state,
    }));
    const alive = (number: MinerNumber) => (number === 4 ? undefined : [`c:${number}`]);
    expect(segmentHealth(1, { slots }, alive)).toEqual({
      healthy: 2,
      largestGroup: 1,
      survivesMiners: 1,
      survivesGroups: 1,
    });
  });
});

describe('countsAsStored', () => {
  it.each([
    { k: 4, n: 10, owners: 'abcdefg', stored: true },
    { k: 4, n: 10, owners: 'abcdef', stored: false },
    { k: 4, n: 10, owners: 'aaabcde', stored: true },
    { k: 4, n: 10, owners: 'aaaabcd', stored: false },
    { k: 1, n: 2, owners: 'ab', stored: true },
    { k: 1, n: 2, owners: 'aa', stored: false },
    { k: 1, n: 1, owners: 'a', stored: false },
  ])('($k, $n) on $owners: $stored', ({ k, n, owners, stored }) => {
    expect(countsAsStored({ k, n }, healthOf(k, holders(...owners)))).toBe(stored);
  });
});
