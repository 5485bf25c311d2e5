import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { testBytes } from '#shared/testing/transfer-world.ts';
import { FAULTS } from './effect-gate.ts';
import { atEveryPoint } from './every-point.ts';
import { cidOfBytes } from './invariants.ts';
import { World } from './world.ts';

/** Hundreds of changes a test: seconds, and more on a busy machine. */
vi.setConfig({ testTimeout: 120_000 });

let world: World;
beforeAll(async () => {
  world = await World.open(3);
});
afterAll(() => world?.close());

const bytes = testBytes(1000);
const others = testBytes(100);
const cid = cidOfBytes(bytes);
const unanswered = () => undefined;
/** A deletion and a change ask nothing of miners. */
const INDEX_FAULTS = FAULTS.filter((fault) => fault !== 'miner-gone');

describe.each(INDEX_FAULTS)('to which this happens at any point (%s),', (fault) => {
  const prepare = async ({ owner, clock }: World) => {
    await world.worker().store(owner, bytes, { name: 'a', expiresAtMs: clock.nowMs() + 1e9 });
    await world.worker().store(owner, others, { name: 'b' });
  };
  const kept = { bytes: others, is: 'there', states: [{ name: 'b' }] } as const;

  it('a deletion leaves the whole file or nothing', async () => {
    const points = await atEveryPoint(world, fault, {
      prepare,
      async act({ owner }, gate) {
        const gone = await world.worker(gate).remove(owner, cid).catch(unanswered);
        return [{ bytes, is: gone ? 'gone' : 'unknown' }, kept];
      },
    });
    expect(points).toBeGreaterThanOrEqual(4);
  });

  it('a deletion can be asked for again, and is done then', async () => {
    await atEveryPoint(world, fault, {
      prepare,
      async act({ owner }, gate) {
        await world.worker(gate).remove(owner, cid).catch(unanswered);
        await world.worker().remove(owner, cid);
        return [{ bytes, is: 'gone' }, kept];
      },
    });
  });

  it('a change of name and expiry is made whole or not at all', async () => {
    const points = await atEveryPoint(world, fault, {
      async prepare({ owner, clock }) {
        const before = { name: 'a', expiresAtMs: clock.nowMs() + 1e9 };
        await world.worker().store(owner, bytes, before);
        await world.worker().store(owner, others, { name: 'b' });
        return before;
      },
      async act({ owner, clock }, gate, before) {
        // The name of the other file: the newer owner of a name is found by it.
        const after = { name: 'b', expiresAtMs: clock.nowMs() + 2e9 };
        const changed = await world.worker(gate).change(owner, cid, after).catch(unanswered);
        return [{ bytes, is: 'there', states: changed ? [after] : [before, after] }, kept];
      },
    });
    expect(points).toBeGreaterThanOrEqual(4);
  });
});
