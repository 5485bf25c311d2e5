import { afterAll, beforeAll, describe, it, vi } from 'vitest';
import { testBytes } from '#shared/testing/transfer-world.ts';
import { CHIEF_FAULTS } from './effect-gate.ts';
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
const cid = cidOfBytes(bytes);
const unanswered = () => undefined;

describe.each(CHIEF_FAULTS)('bytes that were stored before, to which this happens at any point (%s),', (fault) => {
  it('keep one file, with the later expiry and the new name or as it was', async () => {
    await atEveryPoint(world, fault, {
      async prepare({ owner, clock }) {
        const before = { name: 'a', expiresAtMs: clock.nowMs() + 1e9 };
        await world.worker().store(owner, bytes, before);
        return before;
      },
      async act({ owner }, gate, before) {
        const after = { name: 'b', expiresAtMs: before.expiresAtMs + 1e9 };
        const file = await world.worker(gate).store(owner, bytes, after).catch(unanswered);
        return [{ bytes, is: 'there', states: file ? [after] : [before, after] }];
      },
    });
  });

  it('are stored anew while their first file is on its way out', async () => {
    await atEveryPoint(world, fault, {
      async prepare({ owner }) {
        await world.worker().store(owner, bytes);
        await world.worker().remove(owner, cid);
      },
      async act({ owner }, gate) {
        const [file] = await Promise.all([
          world.worker(gate).store(owner, bytes).catch(unanswered),
          // The tenant has the first one's shards dropped at the same time.
          world.runJobs(),
        ]);
        return [{ bytes, is: file ? 'there' : 'unknown', states: [{}] }];
      },
    });
  });

  it('are stored after a deletion that broke off', async () => {
    await atEveryPoint(world, fault, {
      async prepare({ owner }) {
        await world.worker().store(owner, bytes);
      },
      async act({ owner }, gate) {
        const gone = await world.worker(gate).remove(owner, cid).catch(unanswered);
        const file = await world.worker().store(owner, bytes, { name: 'again' });
        const states = gone ? [{ name: 'again' }] : [{ name: 'again' }, {}];
        return [{ bytes, is: file ? 'there' : 'unknown', states }];
      },
    });
  });

  it('and deleted at the same time are whole or absent', async () => {
    await atEveryPoint(world, fault, {
      async prepare({ owner }) {
        await world.worker().store(owner, bytes);
      },
      async act({ owner }, gate) {
        const worker = world.worker(gate);
        await Promise.all([
          worker.remove(owner, cid).catch(unanswered),
          worker.store(owner, bytes).catch(unanswered),
          world.worker().store(owner, bytes),
        ]);
        // Which of them came last nobody can say: a second try does.
        const file = await world.worker().store(owner, bytes);
        return [{ bytes, is: file ? 'there' : 'unknown', states: [{}] }];
      },
    });
  });
});
