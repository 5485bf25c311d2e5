import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { systemRandom } from '#shared/primitives/effects.ts';
import type { MinerNumber } from '#shared/primitives/ids.ts';
import { type Candidate, groupLimitOf, type PlacementRequest, placeShards } from './place-shards.ts';

interface Miner extends Candidate {
  readonly ms: number;
}

const miner = (number: number, owner: string, network: string, rest: Partial<Miner> = {}): Miner => ({
  number: number as MinerNumber,
  groups: [`coldkey:${owner}`, `net4:${network}`, `endpoint:${network}:${number}`],
  freeBytes: 1000,
  accepting: true,
  ms: 10,
  ...rest,
});

const place = (candidates: readonly Miner[], count: number, rest: Partial<PlacementRequest<Miner>> = {}) =>
  placeShards({
    ...{ candidates, count, shardBytes: 100, groupLimit: 1, expectedMs: (one: Miner) => one.ms, random: systemRandom },
    ...rest,
  });

const groupSizes = (miners: readonly Miner[]): number[] => {
  const sizes = new Map<string, number>();
  for (const group of miners.flatMap(({ groups }) => groups)) sizes.set(group, (sizes.get(group) ?? 0) + 1);
  return [...sizes.values()];
};
const largestGroup = (miners: readonly Miner[]): number => Math.max(0, ...groupSizes(miners));

const networks = fc
  .array(fc.record({ owner: fc.nat(4), network: fc.nat(4) }), { minLength: 1, maxLength: 9 })
  .map((rows) => rows.map(({ owner, network }, i) => miner(i + 1, `${owner}`, `${network}`)));

/** The smallest largest group over all choices of `count` miners, by trying each. */
function leastLargestGroup(miners: readonly Miner[], count: number): number {
  let least = Number.POSITIVE_INFINITY;
  for (let set = 0; set < 2 ** miners.length; set++) {
    const chosen = miners.filter((_, i) => (set >> i) & 1);
    if (chosen.length === count) least = Math.min(least, largestGroup(chosen));
  }
  return least;
}

/** A generator that repeats itself for the same seed. */
const seeded = (seed: number) => (bytes: number) => {
  let state = seed;
  return Uint8Array.from({ length: bytes }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    seed = state;
    return state >>> 24;
  });
};

describe('placeShards', () => {
  it('keeps every group under the limit where that is possible, and raises it no further than needed', () => {
    fc.assert(
      fc.property(networks, fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 4 }), (miners, count, limit) => {
        const wanted = Math.min(count, miners.length);
        const placement = place(miners, count, { groupLimit: limit });
        const least = leastLargestGroup(miners, wanted);
        expect(placement.miners).toHaveLength(wanted);
        expect(new Set(placement.miners).size).toBe(wanted);
        expect(placement.groupLimit).toBe(Math.max(limit, least));
        expect(largestGroup(placement.miners)).toBeLessThanOrEqual(placement.groupLimit);
        expect(placement.concentrated).toBe(least > limit);
      }),
    );
  });

  it('counts the holders of other shards in every group, and never gives them a second shard', () => {
    fc.assert(
      fc.property(networks, fc.nat(8), (miners, cut) => {
        const holders = miners.slice(0, cut);
        const placement = place(miners, 1, { holders, groupLimit: 2 });
        for (const one of placement.miners) expect(holders).not.toContain(one);
        expect(placement.miners).toHaveLength(Math.min(1, miners.length - holders.length));
        const free = miners
          .slice(cut)
          .some((one) => largestGroup([...holders, one]) <= Math.max(2, largestGroup(holders)));
        if (free && largestGroup(holders) <= 2)
          expect(largestGroup([...holders, ...placement.miners])).toBeLessThanOrEqual(2);
      }),
    );
  });

  it.each([
    { id: 'does not accept', spoil: { accepting: false } },
    { id: 'has too little room', spoil: { freeBytes: 99 } },
  ])('leaves out a miner that $id', ({ spoil }) => {
    const miners = [miner(1, 'a', 'a', spoil), miner(2, 'b', 'b')];
    expect(place(miners, 2).miners.map(({ number }) => number)).toEqual([2]);
  });

  it('leaves out a miner that was excluded', () => {
    const miners = [miner(1, 'a', 'a'), miner(2, 'b', 'b')];
    expect(place(miners, 2, { excluded: new Set([2 as MinerNumber]) }).miners.map(({ number }) => number)).toEqual([1]);
  });

  it('stays with preferred miners, however slow', () => {
    const miners = Array.from({ length: 12 }, (_, i) => miner(i + 1, `${i}`, `${i}`, { ms: i < 4 ? 900 : 10 }));
    const preferred = new Set([1, 2, 3, 4] as MinerNumber[]);
    const numbers = place(miners, 4, { preferred }).miners.map(({ number }) => number);
    expect(numbers.sort((a, b) => a - b)).toEqual([1, 2, 3, 4]);
  });

  it('prefers quick miners and starves nobody', () => {
    const miners = [miner(1, 'a', 'a', { ms: 100 }), miner(2, 'b', 'b', { ms: 10 })];
    const first = { quick: 0, slow: 0 };
    for (let seed = 0; seed < 2000; seed++) {
      const [chosen] = place(miners, 1, { random: seeded(seed * 7919) }).miners;
      if (chosen?.number === 2) first.quick++;
      else first.slow++;
    }
    expect(first.quick).toBeGreaterThan(10 * first.slow);
    expect(first.slow).toBeGreaterThan(10);
  });

  it('chooses the same again from the same randomness', () => {
    const miners = Array.from({ length: 30 }, (_, i) => miner(i + 1, `${i % 9}`, `${i % 7}`));
    const once = place(miners, 10, { random: seeded(5), groupLimit: 3 }).miners;
    expect(place(miners, 10, { random: seeded(5), groupLimit: 3 }).miners).toEqual(once);
  });

  it('finds nothing where there is nothing', () => {
    expect(place([], 3)).toEqual({ miners: [], groupLimit: 1, concentrated: false });
  });
});

describe('groupLimitOf', () => {
  it.each([
    [16, 40, 12],
    [8, 20, 6],
    [4, 10, 3],
    [2, 5, 1],
    [1, 5, 2],
    [1, 2, 1],
    [1, 1, 1],
  ])('(%d, %d) lets a group hold %d', (k, n, limit) => {
    expect(groupLimitOf(k, n)).toBe(limit);
  });
});
