import { describe, expect, it } from 'vitest';
import { loadNodeKernel } from '#shared/codec/node-kernel.ts';
import { SEGMENT_BYTES } from '#shared/codec/segment.ts';
import { concatBytes, equalBytes } from '#shared/primitives/bytes.ts';
import type { MinerFault } from '#shared/testing/fake-miners.ts';
import {
  createTransferWorld,
  fetchSegmentsOf,
  PATIENT_PACE,
  QUICK_PACE,
  segmentsOf,
  type TransferWorld,
  testBytes,
} from '#shared/testing/transfer-world.ts';
import { fetchSegments } from './fetch-segments.ts';
import type { Pace } from './pace.ts';
import type { FetchFailure, FetchRequest, SlotComplaint } from './ports.ts';
import { storeSegments } from './store-segments.ts';

const kernel = loadNodeKernel();
const MIB = 2 ** 20;
/** For what is about miners and not about memory: segments that cost next to nothing. */
const SMALL_SEGMENT_BYTES = 64 * 1024;

async function worldWith(
  file: Uint8Array,
  shape: { miners: number; k: number; n: number },
  pace: Pace = PATIENT_PACE,
  segmentBytes = SEGMENT_BYTES,
): Promise<TransferWorld> {
  const world = createTransferWorld({ kernel, ...shape, pace });
  const request = world.storeRequest(file.length);
  const segments = segmentsOf(file, segmentBytes);
  const outcome = await storeSegments(world.ports, request, segments, world.onStored, world.onStrays);
  expect(outcome.ok).toBe(true);
  return world;
}

const fetchRequest = (world: TransferWorld): FetchRequest => ({
  coding: world.coding,
  peers: new Map(world.miners.peers.map((peer) => [peer.number, peer])),
  budget: world.budget,
  signal: world.abort.signal,
});

interface Fetched {
  readonly bytes: Uint8Array;
  readonly failure: FetchFailure | undefined;
  readonly complaints: readonly SlotComplaint[];
}

async function fetchAll(world: TransferWorld): Promise<Fetched> {
  const parts: Uint8Array[] = [];
  const complaints: SlotComplaint[] = [];
  let failure: FetchFailure | undefined;
  const segments = fetchSegmentsOf(world.stored);
  for await (const part of fetchSegments(world.ports, fetchRequest(world), segments, (one) => complaints.push(one))) {
    if (part.ok) {
      expect(part.value.index).toBe(parts.length);
      parts.push(part.value.bytes.slice());
      part.value.release();
    } else failure = part.failure;
  }
  expect(world.budget.used).toBe(0);
  expect(world.budget.peak).toBeLessThanOrEqual(24 * MIB);
  return { bytes: concatBytes(...parts), failure, complaints };
}

const SHAPES = [
  { miners: 42, k: 16, n: 40 },
  { miners: 22, k: 8, n: 20 },
  { miners: 12, k: 4, n: 10 },
  { miners: 6, k: 2, n: 5 },
  { miners: 5, k: 1, n: 5 },
  { miners: 3, k: 1, n: 3 },
];

describe('storing and fetching', () => {
  describe.each(SHAPES)('with (%o)', (shape) => {
    it.each([0, 1, 31, 16 * 1024, 100_001])('gives %d bytes back', async (bytes) => {
      const file = testBytes(bytes);
      const fetched = await fetchAll(await worldWith(file, shape));
      expect(fetched.failure).toBeUndefined();
      expect(equalBytes(fetched.bytes, file)).toBe(true);
      expect(fetched.complaints).toEqual([]);
    });
  });

  it.each([
    { bytes: SEGMENT_BYTES - 1, ...SHAPES[2] },
    { bytes: SEGMENT_BYTES, ...SHAPES[0] },
    { bytes: SEGMENT_BYTES + 1, ...SHAPES[3] },
    { bytes: SEGMENT_BYTES + 1, ...SHAPES[5] },
    { bytes: 3 * SEGMENT_BYTES + 12_345, ...SHAPES[2] },
  ])('gives several segments back ($bytes bytes, $k of $n)', async ({ bytes, miners = 0, k = 0, n = 0 }) => {
    const file = testBytes(bytes);
    const fetched = await fetchAll(await worldWith(file, { miners, k, n }));
    expect(fetched.failure).toBeUndefined();
    expect(equalBytes(fetched.bytes, file)).toBe(true);
  });

  it.each(SHAPES)('survives the loss of n − k holders, and says so honestly for one more (%o)', async (shape) => {
    const file = testBytes(30_000);
    const world = await worldWith(file, shape);
    const slots = world.stored[0]?.record.slots ?? [];
    // Data shards first: what is left has to be decoded.
    for (const slot of slots.slice(0, shape.n - shape.k)) world.miners.of(slot.miner).fault = 'dead';
    const fetched = await fetchAll(world);
    expect(equalBytes(fetched.bytes, file)).toBe(true);

    for (const slot of slots.slice(shape.n - shape.k).slice(0, 1)) world.miners.of(slot.miner).fault = 'dead';
    expect((await fetchAll(world)).failure).toMatchObject({
      code: 'unrecoverable',
      segment: 0,
      healthy: shape.k - 1,
      needed: shape.k,
    });
  });

  describe.each<{ fault: MinerFault; complaint: SlotComplaint['what'] }>([
    { fault: 'dead', complaint: 'unreachable' },
    { fault: 'silent', complaint: 'unreachable' },
    { fault: 'hangs', complaint: 'unreachable' },
    { fault: 'redirects', complaint: 'unreachable' },
    { fault: 'wrong-bytes', complaint: 'wrong' },
    { fault: 'forgets', complaint: 'absent' },
  ])('with miners whose fault is $fault', ({ fault, complaint }) => {
    it.each([1, 3, 6])('gives the bytes back with %d of 12', async (bad) => {
      const file = testBytes(SMALL_SEGMENT_BYTES + 7000);
      const waits = fault === 'silent' || fault === 'hangs';
      const pace = waits ? QUICK_PACE : PATIENT_PACE;
      const world = await worldWith(file, { miners: 12, k: 4, n: 10 }, pace, SMALL_SEGMENT_BYTES);
      const holders = world.stored[0]?.record.slots.map((slot) => slot.miner) ?? [];
      for (const number of holders.slice(0, bad)) {
        world.miners.of(number).fault = fault;
        if (fault === 'forgets') world.miners.of(number).held.clear();
      }
      const fetched = await fetchAll(world);
      expect(fetched.failure).toBeUndefined();
      expect(equalBytes(fetched.bytes, file)).toBe(true);
      for (const { what, slot } of fetched.complaints) {
        expect(what).toBe(complaint);
        if (!waits) expect(holders.slice(0, bad)).toContain(slot.miner);
      }
      if (!waits) expect(fetched.complaints.length).toBeGreaterThan(0);
    });
  });
});

describe('fetchSegments', () => {
  it('asks each miner once for a batch of segments, and only data shards when all are quick', async () => {
    const file = testBytes(2 * SEGMENT_BYTES);
    const world = await worldWith(file, { miners: 12, k: 4, n: 10 });
    expect(equalBytes((await fetchAll(world)).bytes, file)).toBe(true);
    const data = new Set(world.stored[0]?.record.slots.slice(0, 4).map((slot) => slot.miner));
    for (const { peer, requests } of world.miners.miners) {
      expect(requests.get('readShards') ?? 0).toBe(data.has(peer.number) ? 1 : 0);
    }
  });

  it('does not wait for a slow miner', async () => {
    const file = testBytes(3 * SMALL_SEGMENT_BYTES);
    const world = await worldWith(file, { miners: 12, k: 4, n: 10 }, QUICK_PACE, SMALL_SEGMENT_BYTES);
    const first = world.stored[0]?.record.slots[0];
    if (first) world.miners.of(first.miner).latencyMs = 15_000;
    const startedMs = performance.now();
    expect(equalBytes((await fetchAll(world)).bytes, file)).toBe(true);
    expect(performance.now() - startedMs).toBeLessThan(8000);
  });

  it('calls k right shards with a wrong hash our own defect', async () => {
    const world = await worldWith(testBytes(1000), { miners: 12, k: 4, n: 10 });
    const [stored] = world.stored;
    if (stored) world.stored[0] = { ...stored, record: { ...stored.record, hash: new Uint8Array(32) } };
    expect((await fetchAll(world)).failure).toMatchObject({ code: 'corrupt', fault: 'us' });
  });

  it('ends, and does not hang, when something of ours breaks', async () => {
    const world = await worldWith(testBytes(1000), { miners: 12, k: 4, n: 10 });
    const hashLeaves = () => {
      throw new Error('kernel broke');
    };
    const broken = { ...world, ports: { ...world.ports, kernel: { ...kernel, hashLeaves } } };
    await expect(fetchAll(broken)).rejects.toThrow('kernel broke');
    expect(world.budget.used).toBe(0);
  });

  it('counts a miner that the directory does not list as unreachable', async () => {
    const world = await worldWith(testBytes(1000), { miners: 12, k: 4, n: 10 });
    const request = { ...fetchRequest(world), peers: new Map([...fetchRequest(world).peers].slice(0, 3)) };
    const outcomes = [];
    for await (const one of fetchSegments(world.ports, request, fetchSegmentsOf(world.stored), () => undefined)) {
      outcomes.push(one);
    }
    expect(outcomes).toHaveLength(1);
    expect(outcomes[0]).toMatchObject({ ok: false, failure: { code: 'unrecoverable', needed: 4 } });
    expect(world.budget.used).toBe(0);
  });

  it('stops everything when the consumer leaves', async () => {
    const world = await worldWith(testBytes(3 * SEGMENT_BYTES), { miners: 12, k: 4, n: 10 });
    for await (const _ of fetchSegments(
      world.ports,
      fetchRequest(world),
      fetchSegmentsOf(world.stored),
      () => undefined,
    )) {
      break;
    }
    expect(world.budget.used).toBe(0);
  });

  it('stops at once when the consumer leaves while it waits', async () => {
    const world = await worldWith(testBytes(1000), { miners: 12, k: 4, n: 10 });
    for (const miner of world.miners.miners) miner.fault = 'silent';
    const all = fetchSegments(world.ports, fetchRequest(world), fetchSegmentsOf(world.stored), () => undefined);
    const iterator = all[Symbol.asyncIterator]();
    const pending = iterator.next();
    await iterator.return?.();
    await pending;
    expect(world.budget.used).toBe(0);
  });

  it.each([0, 1, 5, 15, 30])('cancels cleanly after %d ms', async (ms) => {
    const world = await worldWith(testBytes(2 * SEGMENT_BYTES), { miners: 12, k: 4, n: 10 });
    for (const miner of world.miners.miners) miner.bytesPerMs = 20_000;
    setTimeout(() => world.abort.abort(), ms);
    expect((await fetchAll(world)).failure).toMatchObject({ code: 'cancelled' });
  });
});
