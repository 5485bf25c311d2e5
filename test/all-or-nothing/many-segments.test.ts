/**
 * Segments of 2 KiB instead of 4 MiB, and two of them to a chunk of the index instead of a hundred: so that a file of
 * several, some of whose records are written before its commit, takes no time.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { testBytes } from '#shared/testing/transfer-world.ts';
import { CHIEF_FAULTS, FAULTS } from './effect-gate.ts';
import { atEveryPoint } from './every-point.ts';
import { cidOfBytes } from './invariants.ts';
import { World } from './world.ts';

/** Hundreds of changes a test: seconds, and more on a busy machine. */
vi.setConfig({ testTimeout: 120_000 });

vi.mock('#shared/codec/segment.ts', async (original) => ({
  ...(await original<typeof import('#shared/codec/segment.ts')>()),
  SEGMENT_BYTES: 2048,
}));

vi.mock('#shared/index/records.ts', async (original) => ({
  ...(await original<typeof import('#shared/index/records.ts')>()),
  segmentsPerChunk: () => 2,
}));

let world: World;
beforeAll(async () => {
  world = await World.open(3);
});
afterAll(() => world?.close());

const bytes = testBytes(3 * 2048 - 100);
const unanswered = () => undefined;

describe.each(FAULTS)('a file of several segments to which this happens at any point (%s)', (fault) => {
  it('is whole or absent', async () => {
    const points = await atEveryPoint(world, fault, {
      async act({ owner }, gate) {
        const file = await world.worker(gate).store(owner, bytes).catch(unanswered);
        return [{ bytes, is: file ? 'there' : 'unknown' }];
      },
    });
    expect(points).toBeGreaterThan(9);
  });
});

describe.each(CHIEF_FAULTS)('a file of several segments to which this happens at any point (%s)', (fault) => {
  it('and that was there before stays whole, and what was sent for it goes', async () => {
    await atEveryPoint(world, fault, {
      async prepare({ owner }) {
        await world.worker().store(owner, bytes, { name: 'a' });
      },
      async act({ owner }, gate) {
        await world.worker(gate).store(owner, bytes, { name: 'b' }).catch(unanswered);
        return [{ bytes, is: 'there', states: [{ name: 'a' }, { name: 'b' }] }];
      },
    });
  });

  it('and that is announced with its CID is known before its body', async () => {
    await atEveryPoint(world, fault, {
      async prepare({ owner }) {
        await world.worker().store(owner, bytes);
      },
      async act({ owner }, gate) {
        const announcedCid = cidOfBytes(bytes);
        await world.worker(gate).store(owner, bytes, { name: 'b', announcedCid }).catch(unanswered);
        return [{ bytes, is: 'there', states: [{}, { name: 'b' }] }];
      },
    });
  });
});
