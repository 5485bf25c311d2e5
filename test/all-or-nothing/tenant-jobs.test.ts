import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { testBytes } from '#shared/testing/transfer-world.ts';
import { CHIEF_FAULTS, EffectGate } from './effect-gate.ts';
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

const [kept, deleted, expired, broken] = [1, 2, 3, 4].map(testBytes) as [
  Uint8Array,
  Uint8Array,
  Uint8Array,
  Uint8Array,
];
const unanswered = () => undefined;

it.each(CHIEF_FAULTS.filter((fault) => fault !== 'index-stumbles'))(
  'the tenant’s jobs take away what has to go, in the end, whatever happens to them (%s)',
  async (fault) => {
    const points = await atEveryPoint(world, fault, {
      expires: true,
      async prepare({ owner, clock }) {
        const worker = world.worker();
        await worker.store(owner, kept, { name: 'kept' });
        await worker.store(owner, deleted);
        await worker.remove(owner, cidOfBytes(deleted));
        await worker.store(owner, expired, { expiresAtMs: clock.nowMs() + 1000 });
        // One upload whose Worker died, and one that was given up in order.
        await world.worker(new EffectGate('worker-dies-before', 10)).store(owner, broken).catch(unanswered);
        await world.worker(new EffectGate('index-gone', 6)).store(owner, broken).catch(unanswered);
        await world.settled();
        world.passAllHolds();
      },
      async act(_, gate) {
        await world.runJobs(world.tenant(gate)).catch(unanswered);
        return [
          { bytes: kept, is: 'there', states: [{ name: 'kept' }] },
          { bytes: deleted, is: 'gone' },
          { bytes: expired, is: 'gone' },
          { bytes: broken, is: 'gone' },
        ];
      },
    });
    expect(points).toBeGreaterThanOrEqual(9);
  },
);
