/** Segments of 2 KiB instead of 4 MiB, so that files of many of them take no time. */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { testBytes } from '#shared/testing/transfer-world.ts';
import { CHIEF_FAULTS, FAULTS, type Fault } from './effect-gate.ts';
import { atEveryPoint } from './every-point.ts';
import { cidOfBytes } from './invariants.ts';
import { World } from './world.ts';

/** Hundreds of changes a test: seconds, and more on a busy machine. */
vi.setConfig({ testTimeout: 120_000 });

vi.mock('#shared/codec/segment.ts', async (original) => ({
  ...(await original<typeof import('#shared/codec/segment.ts')>()),
  SEGMENT_BYTES: 2048,
}));

let world: World;
beforeAll(async () => {
  world = await World.open(3);
});
afterAll(() => world?.close());

const bytes = testBytes(4000);
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

describe('a file whose segment records fill a chunk of the index before its commit', () => {
  /** At (16, 40) 16 segment records do. */
  const large = testBytes(17 * 2048);
  let wide: World;
  beforeAll(async () => {
    wide = await World.open(40);
  });
  afterAll(() => wide?.close());

  it.each<Fault>(['index-gone', 'index-restarts'])('is whole or absent (%s)', async (fault) => {
    const points = await atEveryPoint(wide, fault, {
      async act({ owner }, gate) {
        const redundancy = { k: 16, n: 40 };
        const file = await wide.worker(gate).store(owner, large, { redundancy }).catch(unanswered);
        return [{ bytes: large, is: file ? 'there' : 'unknown' }];
      },
    });
    expect(points).toBeGreaterThan(9);
  });
});
