import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { testBytes } from '#shared/testing/transfer-world.ts';
import { CHIEF_FAULTS, FAULTS } from './effect-gate.ts';
import { atEveryPoint } from './every-point.ts';
import { World } from './world.ts';

/** Hundreds of changes a test: seconds, and more on a busy machine. */
vi.setConfig({ testTimeout: 120_000 });

/** Six miners, where it is coded (2, 5); and three for copies, where fewer points meet all that there is to meet. */
let coded: World;
let world: World;
beforeAll(async () => {
  coded = await World.open(6);
  world = await World.open(3);
});
afterAll(async () => {
  await coded?.close();
  await world?.close();
});

const large = testBytes(20_000);
const bytes = testBytes(1000);
const unanswered = () => undefined;

describe.each(FAULTS)('an upload to which this happens at any point (%s)', (fault) => {
  it('leaves the whole file or nothing', async () => {
    const points = await atEveryPoint(coded, fault, {
      async act({ owner, clock }, gate) {
        const state = { name: 'n', expiresAtMs: clock.nowMs() + 1e9 };
        const file = await coded.worker(gate).store(owner, large, state).catch(unanswered);
        return [{ bytes: large, is: file ? 'there' : 'unknown', states: [state] }];
      },
    });
    expect(points).toBeGreaterThanOrEqual(9);
  });
});

describe.each(CHIEF_FAULTS)('an upload to which this happens at any point (%s)', (fault) => {
  it('can be sent again, and is there then', async () => {
    await atEveryPoint(world, fault, {
      async act({ owner }, gate) {
        await world.worker(gate).store(owner, bytes, { name: 'n' }).catch(unanswered);
        const again = await world.worker().store(owner, bytes, { name: 'n' });
        return [{ bytes, is: again ? 'there' : 'unknown', states: [{ name: 'n' }] }];
      },
    });
  });

  it('does not harm another upload of the same bytes at the same time', async () => {
    await atEveryPoint(world, fault, {
      async act({ owner }, gate) {
        const [, other] = await Promise.all([
          world.worker(gate).store(owner, bytes).catch(unanswered),
          world.worker().store(owner, bytes),
        ]);
        return [{ bytes, is: other ? 'there' : 'unknown', states: [{}] }];
      },
    });
  });
});
