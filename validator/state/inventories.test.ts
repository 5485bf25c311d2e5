import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AnchorId, hotkeyOf } from '#shared/primitives/ids.ts';
import { sha256 } from '#shared/primitives/sha256.ts';
import { Inventory } from '#shared/proof/inventory.ts';
import { selectShards } from '#shared/proof/sample.ts';
import { type Database, openMemoryDatabase } from './database.ts';
import { createInventories, type FrozenInventories } from './inventories.ts';
import { OWED_SCHEMA } from './owed-rows.ts';
import type { OwedShard } from './ports.ts';

const MINER = hotkeyOf(new Uint8Array(32).fill(1));
const OTHER = hotkeyOf(new Uint8Array(32).fill(2));

const shardOf = (number: number, bytes = 1024 * (1 + (number % 9))): OwedShard => ({
  anchorId: Buffer.from(sha256(Uint8Array.of(number & 255, number >> 8))).toString('hex') as AnchorId,
  anchorType: number % 5 === 0 ? 2 : 1,
  root: sha256(Uint8Array.of(7, number & 255)),
  bytes,
  place:
    number % 3 === 0
      ? undefined
      : { file: (2 ** 40 - 1 - number) as never, segment: number, shardIndex: 3, placement: 9 },
});

let db: Database;
let inventories: FrozenInventories;
beforeEach(() => {
  db = openMemoryDatabase([OWED_SCHEMA]);
  inventories = createInventories(db);
});
afterEach(() => db.close());

/** A change: shard `number` is added, or removed when it is there. */
const changes = fc.array(fc.integer({ min: 0, max: 30 }), { maxLength: 120 });

describe('the inventories of a validator', () => {
  it('are, step by step, the inventory of the specification', () => {
    fc.assert(
      fc.property(changes, (numbers) => {
        const fresh = openMemoryDatabase([OWED_SCHEMA]);
        const ours = createInventories(fresh);
        const model = new Inventory();
        for (const number of numbers) {
          const shard = shardOf(number);
          if (model.has(shard.anchorId)) {
            model.remove(shard.anchorId);
            expect(ours.remove(MINER, shard.anchorId)).toBe(true);
          } else {
            model.add(shard);
            expect(ours.add(MINER, shard)).toBe(true);
          }
          const head = ours.head(MINER);
          expect([head.inventory, head.leaves]).toEqual([model.hash, model.leaves]);
        }
        const view = ours.view(MINER);
        expect(view.classes.filter(({ shards }) => shards > 0)).toEqual(
          model.classes.filter(({ shards }) => shards > 0),
        );
        model.classes.forEach(({ shards }, s) => {
          for (let slot = 0; slot < shards; slot++) {
            expect(view.shardAt(s, slot)).toMatchObject(model.shardAt(s, slot));
          }
        });
        fresh.close();
      }),
      { numRuns: 40 },
    );
  });

  it('keep the frozen state through any changes, until it is frozen anew', () => {
    fc.assert(
      fc.property(changes, changes, changes, (before, between, after) => {
        const fresh = openMemoryDatabase([OWED_SCHEMA]);
        const ours = createInventories(fresh);
        const toggle = (number: number) => {
          const shard = shardOf(number);
          if (!ours.add(MINER, shard)) ours.remove(MINER, shard.anchorId);
        };
        const contentOf = (view: ReturnType<FrozenInventories['view']>) =>
          view.classes.map(({ shards }, s) => Array.from({ length: shards }, (_, slot) => view.shardAt(s, slot)));
        for (const numbers of [before, between]) {
          numbers.forEach(toggle);
          const expected = contentOf(ours.view(MINER));
          const { inventory, leaves } = ours.head(MINER);
          ours.freeze(MINER);
          after.forEach(toggle);
          const frozen = ours.frozen(MINER);
          expect(frozen && contentOf(frozen)).toEqual(expected);
          expect(frozen).toMatchObject({ inventory, leaves });
        }
        fresh.close();
      }),
      { numRuns: 30 },
    );
  });

  it('select what the specification selects', async () => {
    const model = new Inventory();
    for (let number = 0; number < 31; number++) {
      model.add(shardOf(number));
      inventories.add(MINER, shardOf(number));
    }
    const context = sha256(Uint8Array.of(5));
    expect(await selectShards(context, inventories.freeze(MINER), 30)).toEqual(await selectShards(context, model, 30));
  });

  it('give back everything that was put in', () => {
    for (const number of [0, 1, 3, 5]) {
      inventories.add(MINER, shardOf(number));
      expect(inventories.find(MINER, shardOf(number).anchorId)).toEqual(shardOf(number));
    }
    expect(inventories.find(OTHER, shardOf(1).anchorId)).toBeUndefined();
    expect(inventories.head(OTHER)).toEqual({ inventory: new Uint8Array(32), leaves: 0, shards: 0, bytes: 0 });
  });

  it('are kept apart by miner, and list miners that owe something', () => {
    inventories.add(MINER, shardOf(1));
    inventories.add(OTHER, shardOf(1));
    expect(inventories.miners()).toEqual([MINER, OTHER]);
    expect(inventories.remove(MINER, shardOf(1).anchorId)).toBe(true);
    expect(inventories.remove(MINER, shardOf(1).anchorId)).toBe(false);
    expect(inventories.miners()).toEqual([OTHER]);
    expect(inventories.head(OTHER).shards).toBe(1);
  });

  it('are walked page by page in class and slot order', () => {
    for (let number = 0; number < 25; number++) inventories.add(MINER, shardOf(number));
    const whole = inventories.list(MINER, undefined, 100).items;
    expect(whole).toHaveLength(25);
    const paged: OwedShard[] = [];
    for (let cursor: string | undefined, first = true; first || cursor; first = false) {
      const page = inventories.list(MINER, cursor, 4);
      paged.push(...page.items);
      cursor = page.next;
    }
    expect(paged).toEqual(whole);
    expect(whole.map(({ bytes }) => 31 - Math.clz32(bytes / 1024))).toEqual(
      whole.map(({ bytes }) => 31 - Math.clz32(bytes / 1024)).sort((a, b) => a - b),
    );
  });

  it('take back a change whose transaction fails', () => {
    const before = inventories.head(MINER);
    expect(() =>
      db.transaction(() => {
        inventories.add(MINER, shardOf(1));
        throw new Error('crash');
      }),
    ).toThrow('crash');
    expect(inventories.head(MINER)).toEqual(before);
    expect(inventories.add(MINER, shardOf(1))).toBe(true);
  });
});
