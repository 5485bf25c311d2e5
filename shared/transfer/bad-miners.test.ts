/**
 * What slow, hanging, dead and corrupt miners cost a transfer, in simulated time. T is what a shard takes the good ones:
 * two trips to a miner whose stream has to be opened, one to read. The bounds are those of `store-patience.ts`.
 */
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { loadNodeKernel } from '#shared/codec/node-kernel.ts';
import type { OrderId } from '#shared/primitives/ids.ts';
import type { FakeMiner, MinerFault } from '#shared/testing/fake-miners.ts';
import { createSimulatedClock, type SimulatedClock, watchCrypto } from '#shared/testing/simulated-clock.ts';
import {
  createTransferWorld,
  falseSlots,
  fetchSegmentsOf,
  segmentsOf,
  type TransferWorld,
  testBytes,
  unaccounted,
} from '#shared/testing/transfer-world.ts';
import { fetchSegments } from './fetch-segments.ts';
import { DEFAULT_PACE } from './pace.ts';
import { storeSegments } from './store-segments.ts';

type Bad = MinerFault | 'slow';

const kernel = loadNodeKernel();
const GRACE_MS = DEFAULT_PACE.hedgeMinMs;
const FILE = testBytes(3000);
/** Which miners are asked first is drawn: so often is enough to see all of them asked. */
const ROUNDS = 5;
const SLOW_MS = 1500;

let open: () => number;
beforeAll(() => {
  open = watchCrypto();
});
afterAll(() => {
  vi.restoreAllMocks();
});

interface World extends TransferWorld {
  readonly time: SimulatedClock;
}

function newWorld(roundTripMs: number, miners = 12): World {
  const time = createSimulatedClock(open);
  const shape = { miners, k: 4, n: 10 };
  const world = createTransferWorld({ kernel, ...shape, clock: time.clock, pace: DEFAULT_PACE });
  for (const miner of world.miners.miners) miner.latencyMs = roundTripMs;
  return { ...world, time };
}

function spoil(miner: FakeMiner, bad: Bad): void {
  if (bad === 'slow') miner.latencyMs = SLOW_MS;
  else miner.fault = bad;
}

let orders = 1;
async function store(world: World) {
  const order = (orders++).toString(16).padStart(32, '0') as OrderId;
  const request = { ...world.storeRequest(FILE.length), order };
  const { value, ms } = await world.time.run(
    storeSegments(world.ports, request, segmentsOf(FILE), world.onStored, world.onStrays),
  );
  const slots = value.ok ? (world.stored.at(-1)?.record.slots ?? []) : [];
  return { outcome: value, ms, receipts: slots.filter(({ state }) => state === 'stored').length, slots };
}

async function fetchAll(world: World): Promise<number> {
  const { coding, budget, abort, ports } = world;
  const peers = new Map(world.miners.peers.map((peer) => [peer.number, peer]));
  const read = async () => {
    const request = { coding, budget, peers, signal: abort.signal };
    for await (const part of fetchSegments(ports, request, fetchSegmentsOf(world.stored), () => undefined)) {
      if (!part.ok) throw new Error(part.failure.message);
      expect(part.value.bytes).toEqual(FILE);
      part.value.release();
    }
  };
  return (await world.time.run(read())).ms;
}

/** What a holder is given that nobody's answer can be compared with: six times what is expected of an unknown one. */
const ALONE_MS = 310;

describe.each([0, 50, 300])('at round trips of %d ms', (roundTripMs) => {
  const T = 2 * roundTripMs;
  /** Late miners are noticed so long after the good ones are done. */
  const NOTICED_MS = T / 2 + GRACE_MS;
  /** So long a miner gets that nobody can be asked instead of. */
  const DISTANT_MS = Math.max(DEFAULT_PACE.distantMs, 2 * T);

  describe.each<Bad>(['slow', 'hangs', 'no-receipt', 'silent', 'dead', 'corrupt-receipts', 'full'])(
    'storing with miners that are bad: %s',
    (bad) => {
      it.each([
        { count: 1, boundMs: NOTICED_MS + roundTripMs, receipts: 10 },
        { count: 3, boundMs: Math.max(NOTICED_MS + T + GRACE_MS, DISTANT_MS - T), receipts: 7 },
      ])('takes one round trip more with $count of 12', async ({ count, boundMs, receipts }) => {
        let askedAgain = 0;
        for (let round = 0; round < ROUNDS; round++) {
          const world = newWorld(roundTripMs);
          const good = (await store(newWorld(roundTripMs))).ms;
          expect(good).toBe(T);
          for (const miner of world.miners.miners.slice(0, count)) spoil(miner, bad);
          const first = await store(world);
          expect(first.outcome.ok).toBe(true);
          expect(first.ms - good).toBeLessThanOrEqual(boundMs);
          expect(first.receipts).toBeGreaterThanOrEqual(receipts);
          // One placing anew for a slot, at most: what is missing then is made by repair.
          const replaced = first.slots.filter(({ placement }) => placement > 0).length;
          expect(replaced).toBeLessThanOrEqual(2);
          // Who was bad is known now, if it was asked, and hardly ever drawn again.
          const wasAsked = world.miners.miners.slice(0, count).every(({ requests }) => requests.size > 0);
          const again = await store(world);
          expect(again.outcome.ok).toBe(true);
          if (wasAsked && again.ms > good) askedAgain++;
          expect(again.ms - good).toBeLessThanOrEqual(boundMs);
          expect(falseSlots(world)).toEqual([]);
          expect(unaccounted(world)).toEqual([]);
          expect(world.budget.peak).toBeLessThanOrEqual(24 * 2 ** 20);
        }
        if (count === 1) expect(askedAgain).toBeLessThan(ROUNDS / 2);
      });

      it('takes no longer than the slow ones that are needed with 6 of 12, or says that there are too few', async () => {
        const world = newWorld(roundTripMs);
        for (const miner of world.miners.miners.slice(0, 6)) spoil(miner, bad);
        const { outcome, ms } = await store(world);
        if (bad === 'slow') {
          expect(outcome.ok).toBe(true);
          expect(ms).toBeLessThanOrEqual(2 * SLOW_MS + NOTICED_MS);
        } else {
          expect(outcome).toMatchObject({ ok: false, failure: { code: 'not-stored', receipts: 6, needed: 7 } });
          expect(ms).toBeLessThanOrEqual(DEFAULT_PACE.replyMs + 4 * NOTICED_MS);
        }
        expect(falseSlots(world)).toEqual([]);
        expect(unaccounted(world)).toEqual([]);
      });
    },
  );

  describe.each<Bad>(['slow', 'hangs', 'silent', 'dead', 'wrong-bytes', 'forgets'])(
    'fetching from miners that are bad: %s',
    (bad) => {
      it.each([
        { count: 1, boundMs: roundTripMs / 2 + GRACE_MS + roundTripMs },
        // With one answer of four to compare with.
        { count: 3, boundMs: ALONE_MS + roundTripMs },
        // With none: they might all be far away.
        { count: 6, boundMs: 2 * DEFAULT_PACE.distantMs + ALONE_MS + 2 * roundTripMs },
      ])('takes little longer with $count of 10', async ({ count, boundMs }) => {
        const world = newWorld(roundTripMs);
        await store(world);
        const holders = world.stored[0]?.record.slots.map(({ miner }) => miner) ?? [];
        for (const number of holders.slice(0, count)) {
          spoil(world.miners.of(number), bad);
          if (bad === 'forgets') world.miners.of(number).held.clear();
        }
        expect(await fetchAll(world)).toBeLessThanOrEqual(roundTripMs + boundMs);
      });
    },
  );
});

describe('miners that are no worse than others', () => {
  it('keep their shards where there is nobody to ask instead', async () => {
    const world = newWorld(10, 10);
    const [distant] = world.miners.miners;
    if (!distant) throw new Error('no miner');
    distant.latencyMs = 140;
    for (let round = 0; round < ROUNDS; round++) {
      const { receipts, ms } = await store(world);
      expect(receipts).toBe(10);
      expect(ms).toBeLessThanOrEqual(300);
    }
  });

  it.each([
    ['all far away', () => 400],
    ['at all distances', (i: number) => 20 + 20 * i],
    ['near, with lines that take a while', (i: number) => 10 + 8 * i],
  ])('are not taken for late: %s', async (_, latencyOf) => {
    for (let round = 0; round < ROUNDS; round++) {
      const world = newWorld(0);
      for (const [i, miner] of world.miners.miners.entries()) miner.latencyMs = latencyOf(i);
      const { slots, receipts } = await store(world);
      expect(receipts).toBe(10);
      expect(slots.every(({ placement }) => placement === 0)).toBe(true);
      expect(world.strays).toEqual([]);
    }
  });

  it('go on being asked by an upload in which they were late only just, and those that were truly late do not', async () => {
    for (const [latencyMs, asked] of [
      [140, 6],
      [2000, 2],
    ] as const) {
      const world = newWorld(10);
      const [late] = world.miners.miners;
      if (!late) throw new Error('no miner');
      late.latencyMs = latencyMs;
      // With ten miners each one is needed.
      const peers = world.miners.peers.slice(0, 10);
      const request = { ...world.storeRequest(), peers };
      async function* slowly() {
        for (let i = 0; i < 6; i++) {
          await world.time.clock.sleep(500);
          yield FILE.slice();
        }
      }
      const stored = storeSegments(world.ports, request, slowly(), world.onStored, world.onStrays);
      expect((await world.time.run(stored)).value.ok).toBe(true);
      expect(late.held.size).toBeLessThanOrEqual(asked);
      if (latencyMs === 140) expect(late.held.size).toBe(asked);
      expect(falseSlots(world)).toEqual([]);
      expect(unaccounted(world)).toEqual([]);
    }
  });

  it('are not taken for late again once they are known to be further away', async () => {
    const world = newWorld(10);
    const [distant] = world.miners.miners;
    if (!distant) throw new Error('no miner');
    distant.latencyMs = 140;
    for (let i = 0; i < 9; i++) world.ports.latencies.note(distant.peer.number, 'store', 280, FILE.length / 4);
    // Preferred to all others: it is certainly asked.
    for (const { number } of world.miners.peers.slice(1, 4)) {
      for (let i = 0; i < 9; i++) world.ports.latencies.note(number, 'store', 1e6, FILE.length / 4);
    }
    const { slots, receipts } = await store(world);
    expect(receipts).toBe(10);
    expect(slots.some(({ miner, state }) => miner === distant.peer.number && state === 'stored')).toBe(true);
    expect(slots.every(({ placement }) => placement === 0)).toBe(true);
  });
});
