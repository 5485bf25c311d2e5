import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '#shared/primitives/bytes.ts';
import type { AnchorId } from '#shared/primitives/ids.ts';
import { sha256 } from '#shared/primitives/sha256.ts';
import { LEAF_BYTES, leafCount } from './anchor.ts';
import { chainInventory, classOf, EMPTY_INVENTORY, Inventory } from './inventory.ts';
import { pickMiners, Sampler, sampleLeaves, selectShards } from './sample.ts';

const seeds = fc.uint8Array({ minLength: 32, maxLength: 32 });
const anchorIdFor = (n: number): AnchorId => toHex(sha256(Uint8Array.of(n >> 8, n & 255))) as AnchorId;
const inventoryOf = (leafCounts: readonly number[]): Inventory => {
  const inventory = new Inventory();
  leafCounts.forEach((leaves, i) => {
    inventory.add({ anchorId: anchorIdFor(i), bytes: leaves * LEAF_BYTES - (i % 2) });
  });
  return inventory;
};

describe('Sampler', () => {
  it('stays in range, for every range', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 2 ** 48 }), (seed, range) => {
        const sampler = new Sampler('test', seed);
        for (let i = 0; i < 12; i++) {
          const value = sampler.draw(range);
          expect(Number.isSafeInteger(value) && value >= 0 && value < range).toBe(true);
        }
      }),
    );
  });

  it('takes a value of the stream for a range of 1 too', () => {
    const seed = new Uint8Array(32);
    const [a, b] = [new Sampler('test', seed), new Sampler('test', seed)];
    a.draw(1);
    b.draw(2 ** 48);
    expect(a.draw(2 ** 48)).toBe(b.draw(2 ** 48));
  });

  it('depends on tag and seed', () => {
    const drawn = (tag: string, byte: number) => new Sampler(tag, new Uint8Array(32).fill(byte)).draw(2 ** 48);
    expect(new Set([drawn('a', 0), drawn('b', 0), drawn('a', 1)]).size).toBe(3);
  });

  it('is uniform: no number of 16 strays 5 standard deviations from its share', () => {
    const sampler = new Sampler('test', new Uint8Array(32).fill(7));
    const counts = new Array<number>(16).fill(0);
    const draws = 16_000;
    for (let i = 0; i < draws; i++) {
      const value = sampler.draw(16);
      counts[value] = (counts[value] ?? 0) + 1;
    }
    for (const count of counts) expect(Math.abs(count - 1000)).toBeLessThan(5 * Math.sqrt(1000));
  });

  it.each([0, -1, 1.5, 2 ** 48 + 1, Number.NaN])('refuses a range of %d', (range) => {
    expect(() => new Sampler('test', new Uint8Array(32)).draw(range)).toThrow('invariant');
  });
});

describe('sampleLeaves', () => {
  it('gives different leaves of the shard, ascending, as many as asked or all', () => {
    fc.assert(
      fc.property(seeds, fc.integer({ min: 1, max: 3000 }), fc.integer({ min: 1, max: 40 }), (seed, leaves, count) => {
        const indices = sampleLeaves(seed, leaves, count);
        expect(indices).toHaveLength(Math.min(leaves, count));
        expect(indices.every((index, i) => index > (indices[i - 1] ?? -1) && index < leaves)).toBe(true);
      }),
    );
  });
});

describe('a shard with leaves missing', () => {
  // A miner answers only when every drawn leaf is there: C(n − m, K) / C(n, K), exact within one shard.
  const survival = (n: number, m: number, k: number): number => {
    let probability = 1;
    for (let i = 0; i < k; i++) probability *= (n - m - i) / (n - i);
    return probability;
  };
  it.each([
    { percent: 0, n: 1000 },
    { percent: 1, n: 1000 },
    { percent: 10, n: 1000 },
    { percent: 50, n: 1000 },
    { percent: 100, n: 1000 },
  ])('passes as often as the formula says: $percent % missing', ({ percent, n }) => {
    const missing = (n * percent) / 100;
    const rounds = 1500;
    let passed = 0;
    for (let round = 0; round < rounds; round++) {
      const seed = sha256(Uint8Array.of(percent, round >> 8, round & 255));
      if (sampleLeaves(seed, n, 30).every((leaf) => leaf >= missing)) passed++;
    }
    const expected = rounds * survival(n, missing, 30);
    expect(Math.abs(passed - expected)).toBeLessThanOrEqual(5 * Math.sqrt(expected * (1 - expected / rounds)) + 1);
  });
});

describe('selectShards', () => {
  const sizes = fc.array(fc.oneof(fc.integer({ min: 1, max: 8 }), fc.integer({ min: 1, max: 2000 })), {
    minLength: 1,
    maxLength: 30,
  });

  it('gives K leaves, never more of a shard than it has, ascending and unique', async () => {
    await fc.assert(
      fc.asyncProperty(seeds, sizes, async (context, leafCounts) => {
        const inventory = inventoryOf(leafCounts);
        const k = Math.min(30, inventory.leaves);
        const items = await selectShards(context, inventory, k);
        expect(items.reduce((sum, item) => sum + item.leaves, 0)).toBe(k);
        expect(items.every((item, i) => i === 0 || (items[i - 1]?.anchorId ?? '') < item.anchorId)).toBe(true);
        for (const { anchorId, leaves } of items) {
          const of = leafCounts.findIndex((_, i) => anchorIdFor(i) === anchorId);
          expect(leaves >= 1 && leaves <= (leafCounts[of] ?? 0)).toBe(true);
        }
      }),
    );
  });

  it('takes every leaf of an inventory that has no more than K', async () => {
    const inventory = inventoryOf([1, 2, 3, 7]);
    const items = await selectShards(new Uint8Array(32), inventory, 13);
    expect(items.map((item) => item.leaves).sort((a, b) => a - b)).toEqual([1, 2, 3, 7]);
  });

  it('samples bytes, not shards: shares follow leaves within 5 standard deviations', async () => {
    const leafCounts = [1, 5, 64, 64, 100, 300, 1000];
    const inventory = inventoryOf(leafCounts);
    const hits = new Map<AnchorId, number>();
    const rounds = 3000;
    for (let round = 0; round < rounds; round++) {
      const context = sha256(Uint8Array.of(round >> 8, round & 255));
      const [item] = await selectShards(context, inventory, 1);
      if (item) hits.set(item.anchorId, (hits.get(item.anchorId) ?? 0) + 1);
    }
    leafCounts.forEach((leaves, i) => {
      const share = leaves / inventory.leaves;
      const deviation = Math.sqrt(rounds * share * (1 - share));
      expect(Math.abs((hits.get(anchorIdFor(i)) ?? 0) - rounds * share)).toBeLessThan(5 * deviation + 1);
    });
  });

  it('ends with an error when the inventory contradicts its own counts', async () => {
    const lying = {
      leaves: 10,
      classes: [{ leaves: 10, shards: 1 }],
      shardAt: () => ({ anchorId: anchorIdFor(0), bytes: 1 }),
    };
    await expect(selectShards(new Uint8Array(32), lying, 5)).rejects.toThrow('contradicts');
    const hollow = { ...lying, classes: [{ leaves: 10, shards: 0 }] };
    await expect(selectShards(new Uint8Array(32), hollow, 1)).rejects.toThrow('contradicts');
    const uncounted = { ...lying, classes: [] };
    await expect(selectShards(new Uint8Array(32), uncounted, 1)).rejects.toThrow('contradicts');
  });
});

describe('pickMiners', () => {
  it('picks different ones, and all when there are no more', () => {
    const all = pickMiners(new Uint8Array(32), 5, 10);
    expect([...all].sort()).toEqual([0, 1, 2, 3, 4]);
    expect(pickMiners(new Uint8Array(32), 0, 10)).toEqual([]);
  });
});

describe('Inventory', () => {
  it.each([
    [0, 0],
    [1, 0],
    [1024, 0],
    [1025, 1],
    [3 * 1024, 1],
    [4 * 1024, 2],
    [64 * 1024 * 1024, 16],
    [2 ** 41, 31],
  ])('puts %d bytes into class %i', (bytes, s) => {
    expect(classOf(bytes)).toBe(s);
  });

  it('stays dense and counted through any additions and removals', () => {
    const steps = fc.array(fc.record({ add: fc.boolean(), id: fc.nat(20), leaves: fc.integer({ min: 1, max: 40 }) }), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(steps, (changes) => {
        const inventory = new Inventory();
        const model = new Map<AnchorId, number>();
        for (const { add, id, leaves } of changes) {
          const anchorId = anchorIdFor(id);
          const before = inventory.hash;
          if (add && !model.has(anchorId)) {
            model.set(anchorId, leaves);
            inventory.add({ anchorId, bytes: leaves * LEAF_BYTES });
            expect(inventory.hash).not.toEqual(before);
          } else if (!add) {
            expect(inventory.remove(anchorId)?.bytes).toBe(
              model.has(anchorId) ? (model.get(anchorId) ?? 0) * LEAF_BYTES : undefined,
            );
            expect(inventory.hash === before).toBe(!model.delete(anchorId));
          }
        }
        const found = new Map<AnchorId, number>();
        inventory.classes.forEach(({ leaves, shards }, s) => {
          let counted = 0;
          for (let slot = 0; slot < shards; slot++) {
            const shard = inventory.shardAt(s, slot);
            expect(classOf(shard.bytes)).toBe(s);
            counted += leafCount(shard.bytes);
            found.set(shard.anchorId, leafCount(shard.bytes));
          }
          expect(counted).toBe(leaves);
        });
        expect(found).toEqual(model);
        expect(inventory.leaves).toBe([...model.values()].reduce((sum, leaves) => sum + leaves, 0));
      }),
    );
  });

  it('has the hash of its changes, replayed', () => {
    const inventory = new Inventory();
    const changes = [3, 2, 3].map((leaves, i) =>
      inventory.add({ anchorId: anchorIdFor(i), bytes: leaves * LEAF_BYTES }),
    );
    const gap = inventory.remove(anchorIdFor(0));
    expect(gap?.slot).toBe(0);
    expect(inventory.shardAt(1, 0).anchorId).toBe(anchorIdFor(2));
    const replayed = [...changes, ...(gap ? [gap] : [])].reduce(chainInventory, EMPTY_INVENTORY);
    expect(replayed).toEqual(inventory.hash);
  });

  it('refuses an anchor id that is there already, and a removal of one that is not', () => {
    const inventory = inventoryOf([3]);
    expect(() => inventory.add({ anchorId: anchorIdFor(0), bytes: 9 })).toThrow('invariant');
    expect(inventory.remove(anchorIdFor(1))).toBeUndefined();
  });
});
