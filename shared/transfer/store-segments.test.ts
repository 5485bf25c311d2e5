import { describe, expect, it } from 'vitest';
import { loadNodeKernel } from '#shared/codec/node-kernel.ts';
import { SEGMENT_BYTES } from '#shared/codec/segment.ts';
import { concatBytes } from '#shared/primitives/bytes.ts';
import type { OrderId } from '#shared/primitives/ids.ts';
import { labelKeyOf, openLabel } from '#shared/proof/label.ts';
import type { MinerFault } from '#shared/testing/fake-miners.ts';
import {
  createTransferWorld,
  falseSlots,
  fetchSegmentsOf,
  PATIENT_PACE,
  QUICK_PACE,
  segmentsOf,
  type TransferWorld,
  testBytes,
  unaccounted,
} from '#shared/testing/transfer-world.ts';
import { createBudget, ISOLATE_BUDGET_BYTES, TRANSFER_BUDGET_BYTES } from './budget.ts';
import { fetchSegments } from './fetch-segments.ts';
import { storeSegments } from './store-segments.ts';

const KIB = 1024;
const kernel = loadNodeKernel();
/** Faults that show only by waiting. */
const SILENT: ReadonlySet<MinerFault> = new Set(['silent', 'hangs', 'no-receipt']);

/** For what is about miners and not about memory: segments that cost next to nothing. */
const SMALL_SEGMENT_BYTES = 64 * KIB;

const store = (world: TransferWorld, file: Uint8Array, expectedBytes?: number, segmentBytes = SEGMENT_BYTES) => {
  const request = world.storeRequest(expectedBytes);
  return storeSegments(world.ports, request, segmentsOf(file, segmentBytes), world.onStored, world.onStrays);
};

const receiptsOf = (world: TransferWorld) =>
  world.stored.map(({ record }) => record.slots.filter((slot) => slot.state === 'stored').length);

function expectHonest(world: TransferWorld): void {
  expect(falseSlots(world)).toEqual([]);
  expect(unaccounted(world)).toEqual([]);
  expect(world.budget.used).toBe(0);
  expect(world.budget.peak).toBeLessThanOrEqual(24 * 2 ** 20);
}

describe('storeSegments', () => {
  it('places all n shards on n miners over one stream each', async () => {
    const world = createTransferWorld({ kernel, miners: 12, k: 4, n: 10 });
    const file = testBytes(9 * 2 ** 20);
    expect(await store(world, file, file.length)).toEqual({ ok: true, value: { segments: 3, bytes: file.length } });
    expect(receiptsOf(world)).toEqual([10, 10, 10]);
    expect(world.stored.flatMap(({ receipts }) => receipts)).toHaveLength(30);
    expect(world.strays).toEqual([]);
    const streams = world.miners.miners.map((miner) => miner.requests.get('openStream') ?? 0);
    expect(streams.filter((count) => count > 0)).toEqual(new Array(10).fill(1));
    expectHonest(world);
  });

  it('stores a part of a file under the file’s own segment numbers, with placings of its own', async () => {
    const world = createTransferWorld({ kernel, miners: 12, k: 4, n: 10 });
    const [slow] = world.miners.miners;
    if (slow) slow.fault = 'full';
    const request = {
      ...world.storeRequest(200_000),
      part: { firstSegment: 5, firstPlacement: 512, fileBytes: 900_000 },
    };
    const source = segmentsOf(testBytes(200_000), 100_000);
    const outcome = await storeSegments(world.ports, request, source, world.onStored, world.onStrays);
    expect(outcome).toEqual({ ok: true, value: { segments: 2, bytes: 200_000 } });
    const stored = world.stored.toSorted((a, b) => a.index - b.index);
    expect(stored.map(({ index }) => index)).toEqual([5, 6]);
    const placements = stored.flatMap(({ record }) => record.slots.map((slot) => slot.placement));
    expect(placements.every((placement) => placement >= 512 && placement < 522)).toBe(true);
    const { maskSecret, maskEpoch } = world.coding;
    const key = await labelKeyOf(maskSecret, maskEpoch);
    for (const miner of world.miners.miners) {
      for (const [anchorId, { frame }] of miner.held) {
        const opened = await openLabel(key, { anchorId, miner: miner.peer.hotkey }, frame.label);
        if (!opened.ok) throw new Error('a label that does not open');
        expect(opened.value.fileBytes).toBe(900_000);
        expect([5, 6]).toContain(opened.value.segment);
      }
    }
    const parts = fetchSegmentsOf(world.stored);
    const peers = new Map(world.miners.peers.map((peer) => [peer.number, peer]));
    const { coding, budget, abort } = world;
    const back: Uint8Array[] = [];
    for await (const each of fetchSegments(
      world.ports,
      { coding, peers, budget, signal: abort.signal },
      parts,
      () => 0,
    )) {
      if (!each.ok) throw new Error(each.failure.message);
      back.push(each.value.bytes.slice());
      each.value.release();
    }
    expect(concatBytes(...back)).toEqual(testBytes(200_000));
  });

  it('takes a source without segments for an empty file', async () => {
    const world = createTransferWorld({ kernel, miners: 5, k: 1, n: 5 });
    const nothing = (async function* () {})();
    const outcome = await storeSegments(world.ports, world.storeRequest(), nothing, world.onStored, world.onStrays);
    expect(outcome).toEqual({ ok: true, value: { segments: 1, bytes: 0 } });
    expectHonest(world);
  });

  it('refuses before a byte is sent when the miners belong to too few owners', async () => {
    const world = createTransferWorld({ kernel, miners: 12, k: 4, n: 10 });
    const peers = world.miners.peers.map((peer) => ({ ...peer, groups: ['coldkey:one', ...peer.groups.slice(1)] }));
    const request = { ...world.storeRequest(), peers };
    const outcome = await storeSegments(world.ports, request, segmentsOf(testBytes(1)), world.onStored, world.onStrays);
    expect(outcome).toMatchObject({ ok: false, failure: { code: 'too-few-miners' } });
    expect(world.miners.miners.every((miner) => miner.held.size === 0)).toBe(true);
    expectHonest(world);
  });

  describe.each<MinerFault>([
    'dead',
    'silent',
    'hangs',
    'no-receipt',
    'loses-answers',
    'swallows',
    'breaks-streams',
    'redirects',
    'full',
    'corrupt-receipts',
  ])('with miners whose fault is %s', (fault) => {
    it.each([1, 3, 6])('never lies with %d of 12', async (bad) => {
      const pace = SILENT.has(fault) ? QUICK_PACE : PATIENT_PACE;
      const world = createTransferWorld({ kernel, miners: 12, k: 4, n: 10, pace });
      for (const miner of world.miners.miners.slice(0, bad)) miner.fault = fault;
      const outcome = await store(world, testBytes(SMALL_SEGMENT_BYTES + 1000), undefined, SMALL_SEGMENT_BYTES);
      const works = fault === 'loses-answers' || fault === 'breaks-streams';
      const expected = works ? 10 : Math.min(10, 12 - bad);
      expect(outcome.ok).toBe(expected >= 7);
      if (!outcome.ok) expect(outcome.failure).toMatchObject({ code: 'not-stored', needed: 7 });
      else if (!SILENT.has(fault)) expect(receiptsOf(world)).toEqual([expected, expected]);
      for (const receipts of receiptsOf(world)) {
        expect(receipts).toBeGreaterThanOrEqual(7);
        expect(receipts).toBeLessThanOrEqual(expected);
      }
      expectHonest(world);
    });
  });

  it.each([1, 2, 3, 4, 5, 6])('gives slow miners’ shards to others, for one round trip more (%d)', async () => {
    const pace = { ...QUICK_PACE, stallMs: 4000 };
    const world = createTransferWorld({ kernel, miners: 12, k: 4, n: 10, pace });
    for (const miner of world.miners.miners.slice(0, 2)) miner.latencyMs = 10_000;
    const startedMs = performance.now();
    expect((await store(world, testBytes(64 * KIB))).ok).toBe(true);
    // One hedge, and not what a transport is given before it is aborted.
    expect(performance.now() - startedMs).toBeLessThan(pace.stallMs);
    expect(world.stored[0]?.record.slots.every(({ placement }) => placement <= 1)).toBe(true);
    // Where both came on one slot, one after the other, a third is not waited for: repair makes that shard.
    expect(receiptsOf(world)[0]).toBeGreaterThanOrEqual(9);
    expectHonest(world);
  });

  it.each<MinerFault>(['dead', 'corrupt-receipts', 'full'])(
    'places a shard anew in one plain request, and asks a miner that is %s nothing twice',
    async (fault) => {
      const world = createTransferWorld({ kernel, miners: 11, k: 4, n: 10 });
      const [bad] = world.miners.miners;
      if (!bad) throw new Error('no miner');
      bad.fault = fault;
      // Preferred to all others: it is certainly asked first.
      for (const { number } of world.miners.peers.slice(1)) world.ports.latencies.note(number, 'store', 1e6, 1000);
      expect((await store(world, testBytes(9000), 9000)).ok).toBe(true);
      expect(receiptsOf(world)).toEqual([10]);
      expect([...bad.requests.values()].reduce((sum, count) => sum + count, 0)).toBe(1);
      const spare = world.miners.miners.filter(({ requests }) => requests.has('putShard'));
      expect(spare.map(({ requests }) => requests.get('openStream') ?? 0)).toEqual([0]);
      expectHonest(world);
    },
  );

  it('does not wait for a second bad miner when enough is in', async () => {
    const pace = { ...QUICK_PACE, replyMs: 8000, stallMs: 8000 };
    const world = createTransferWorld({ kernel, miners: 12, k: 4, n: 10, pace });
    for (const miner of world.miners.miners.slice(0, 3)) miner.fault = 'hangs';
    expect((await store(world, testBytes(9000), 9000)).ok).toBe(true);
    // Now all three are known; nine good ones are left for ten shards.
    const again = { ...world.storeRequest(9000), order: '77'.repeat(16) as OrderId };
    const startedMs = performance.now();
    const stored = storeSegments(world.ports, again, segmentsOf(testBytes(9000)), world.onStored, world.onStrays);
    expect((await stored).ok).toBe(true);
    expect(performance.now() - startedMs).toBeLessThan(pace.stallMs / 2);
    expect(world.stored[1]?.record.slots.every(({ placement }) => placement <= 1)).toBe(true);
  });

  it('goes on with plain requests when streams break in the middle', async () => {
    const world = createTransferWorld({ kernel, miners: 10, k: 4, n: 10 });
    for (const miner of world.miners.miners) miner.fault = 'breaks-streams';
    const file = testBytes(3 * SMALL_SEGMENT_BYTES);
    expect((await store(world, file, file.length, SMALL_SEGMENT_BYTES)).ok).toBe(true);
    expect(receiptsOf(world)).toEqual([10, 10, 10]);
    for (const miner of world.miners.miners) {
      expect(miner.requests.get('openStream')).toBe(1);
      expect(miner.requests.get('putShard')).toBe(2);
    }
    expectHonest(world);
  });

  it('opens another stream when the reservation of an unknown length is used up', async () => {
    const world = createTransferWorld({ kernel, miners: 3, k: 1, n: 3 });
    const peers = world.miners.peers.map((peer) => ({ ...peer, freeBytes: 5 * 2 ** 20 }));
    const request = { ...world.storeRequest(), peers };
    const file = testBytes(3 * SEGMENT_BYTES);
    expect((await storeSegments(world.ports, request, segmentsOf(file), world.onStored, world.onStrays)).ok).toBe(true);
    expect(world.miners.miners.map((miner) => miner.requests.get('openStream'))).toEqual([3, 3, 3]);
    expectHonest(world);
  });

  it('labels every shard so that its tenant, and nobody else, can read what it is', async () => {
    const world = createTransferWorld({ kernel, miners: 12, k: 4, n: 10 });
    const file = testBytes(5000);
    await store(world, file, file.length);
    const key = await labelKeyOf(world.coding.maskSecret, world.coding.maskEpoch);
    const indices: number[] = [];
    for (const miner of world.miners.miners) {
      for (const { frame } of miner.held.values()) {
        const opened = await openLabel(key, { anchorId: frame.anchorId, miner: miner.peer.hotkey }, frame.label);
        expect(opened).toMatchObject({
          ok: true,
          value: { segment: 0, k: 4, n: 10, segmentBytes: 5000, fileBytes: 5000 },
        });
        if (opened.ok) indices.push(opened.value.shardIndex);
      }
    }
    expect(indices.sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
  });

  it('lets more uploads than fit take turns', async () => {
    const isolate = createBudget(ISOLATE_BUDGET_BYTES);
    const file = testBytes(SEGMENT_BYTES + 1);
    const uploads = Array.from({ length: 9 }, async () => {
      const world = createTransferWorld({ kernel, miners: 6, k: 2, n: 5, checksAnchors: false });
      const request = { ...world.storeRequest(), budget: createBudget(TRANSFER_BUDGET_BYTES, isolate) };
      return storeSegments(world.ports, request, segmentsOf(file), world.onStored, world.onStrays);
    });
    expect((await Promise.all(uploads)).map(({ ok }) => ok)).toEqual(new Array(9).fill(true));
    expect(isolate.used).toBe(0);
    expect(isolate.peak).toBeGreaterThan(48 * 2 ** 20);
    expect(isolate.peak).toBeLessThanOrEqual(ISOLATE_BUDGET_BYTES);
  });

  it('ends, and does not hang, when something of ours breaks', async () => {
    const world = createTransferWorld({ kernel, miners: 12, k: 4, n: 10 });
    const hashLeaves = () => {
      throw new Error('kernel broke');
    };
    const ports = { ...world.ports, kernel: { ...kernel, hashLeaves } };
    const outcome = storeSegments(
      ports,
      world.storeRequest(),
      segmentsOf(testBytes(9)),
      world.onStored,
      world.onStrays,
    );
    const startedMs = performance.now();
    await expect(outcome).rejects.toThrow('kernel broke');
    // Buffers that come back unused end the wait for them, too.
    expect(performance.now() - startedMs).toBeLessThan(PATIENT_PACE.stallMs / 2);
    expectHonest(world);
  });

  it('ends when the record cannot be kept', async () => {
    const world = createTransferWorld({ kernel, miners: 12, k: 4, n: 10 });
    const refuse = () => Promise.reject(new Error('index gone'));
    const outcome = storeSegments(world.ports, world.storeRequest(), segmentsOf(testBytes(9)), refuse, world.onStrays);
    await expect(outcome).rejects.toThrow('index gone');
    expect(world.budget.used).toBe(0);
  });

  it('ends when the source breaks, with everything accounted for', async () => {
    const world = createTransferWorld({ kernel, miners: 12, k: 4, n: 10 });
    const broken = (async function* () {
      yield testBytes(4 * 2 ** 20);
      throw new Error('client left');
    })();
    const outcome = storeSegments(world.ports, world.storeRequest(), broken, world.onStored, world.onStrays);
    await expect(outcome).rejects.toThrow('client left');
    expectHonest(world);
  });

  const large = testBytes(3 * SEGMENT_BYTES);
  it.each([0, 1, 5, 20, 50])('cancels cleanly after %d ms', async (ms) => {
    const world = createTransferWorld({ kernel, miners: 12, k: 4, n: 10 });
    for (const miner of world.miners.miners) miner.bytesPerMs = 30_000;
    setTimeout(() => world.abort.abort(), ms);
    const outcome = await store(world, large);
    expect(outcome).toMatchObject({ ok: false, failure: { code: 'cancelled' } });
    expectHonest(world);
  });
});
