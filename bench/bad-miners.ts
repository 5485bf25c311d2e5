/**
 * What bad miners cost a transfer: 1, 3 and 6 of 12 made slow (ten times), hanging after their headers, dead, or corrupt,
 * against the same transfer with all good, at simulated round trips. `cold` knows no miner yet, `warm` has done one
 * transfer before. Extra round trips: most often that one shard was placed anew (store), or how many requests more than
 * the k of all good were needed one after the other (fetch). `node bench/bad-miners.ts [round trips in ms, by commas]`
 */
import { loadNodeKernel } from '#shared/codec/node-kernel.ts';
import type { FakeMiner, MinerFault } from '#shared/testing/fake-miners.ts';
import {
  createTransferWorld,
  fetchSegmentsOf,
  segmentsOf,
  type TransferWorld,
  testBytes,
} from '#shared/testing/transfer-world.ts';
import { fetchSegments } from '#shared/transfer/fetch-segments.ts';
import { DEFAULT_PACE } from '#shared/transfer/pace.ts';
import { storeSegments } from '#shared/transfer/store-segments.ts';

const kernel = loadNodeKernel();
const ROUNDS = 3;
const FILE = testBytes(5 * 2 ** 20);
/** Least latency of a slow miner: ten times next to nothing would be no fault. */
const SLOW_AT_LEAST_MS = 1000;

type Bad = MinerFault | 'slow';

function spoil(miner: FakeMiner, bad: Bad, roundTripMs: number): void {
  if (bad === 'slow') miner.latencyMs = Math.max(SLOW_AT_LEAST_MS, 10 * roundTripMs);
  else miner.fault = bad;
}

function newWorld(roundTripMs: number): TransferWorld {
  const world = createTransferWorld({ kernel, miners: 12, k: 4, n: 10, pace: DEFAULT_PACE, checksAnchors: false });
  for (const miner of world.miners.miners) miner.latencyMs = roundTripMs;
  return world;
}

interface Run {
  readonly ms: number;
  readonly extra: number;
  readonly failed?: string;
}

async function store(world: TransferWorld): Promise<Run> {
  world.stored.length = 0;
  const request = { ...world.storeRequest(FILE.length), order: crypto.randomUUID().replaceAll('-', '') as never };
  const startedMs = performance.now();
  const outcome = await storeSegments(world.ports, request, segmentsOf(FILE), world.onStored, world.onStrays);
  const ms = performance.now() - startedMs;
  const placements = world.stored.flatMap(({ record }) => record.slots.map(({ placement }) => placement));
  return { ms, extra: Math.max(0, ...placements), ...(outcome.ok ? {} : { failed: outcome.failure.code }) };
}

async function fetchAll(world: TransferWorld): Promise<Run> {
  const before = requests(world);
  const peers = new Map(world.miners.peers.map((peer) => [peer.number, peer]));
  const { coding, budget, abort } = world;
  const startedMs = performance.now();
  let failed: string | undefined;
  const request = { coding, budget, peers, signal: abort.signal };
  for await (const part of fetchSegments(world.ports, request, fetchSegmentsOf(world.stored), () => undefined)) {
    if (part.ok) part.value.release();
    else failed = part.failure.code;
  }
  const ms = performance.now() - startedMs;
  return { ms, extra: requests(world) - before - coding.k, ...(failed === undefined ? {} : { failed }) };
}

const requests = ({ miners }: TransferWorld): number =>
  miners.miners.reduce((sum, miner) => sum + (miner.requests.get('readShards') ?? 0), 0);

const median = (runs: readonly Run[]): Run => [...runs].sort((a, b) => a.ms - b.ms)[runs.length >> 1] as Run;

async function storeCase(bad: Bad, count: number, roundTripMs: number): Promise<readonly Run[]> {
  const world = newWorld(roundTripMs);
  for (const miner of world.miners.miners.slice(0, count)) spoil(miner, bad, roundTripMs);
  return [await store(world), await store(world)];
}

/** The bad ones are holders, those of data shards first. */
async function fetchCase(bad: Bad, count: number, roundTripMs: number): Promise<readonly Run[]> {
  const world = newWorld(roundTripMs);
  await store(world);
  const holders = world.stored[0]?.record.slots.map(({ miner }) => miner) ?? [];
  for (const number of holders.slice(0, count)) spoil(world.miners.of(number), bad, roundTripMs);
  return [await fetchAll(world), await fetchAll(world)];
}

async function measure(run: () => Promise<readonly Run[]>): Promise<readonly Run[]> {
  const rounds: (readonly Run[])[] = [];
  for (let round = 0; round < ROUNDS; round++) rounds.push(await run());
  return [0, 1].map((turn) => median(rounds.map((runs) => runs[turn] as Run)));
}

const cell = (run: Run, good: Run): string =>
  run.failed
    ? `${run.failed} after ${run.ms.toFixed(0)} ms`
    : `${run.ms.toFixed(0)} ms (${run.ms - good.ms >= 0 ? '+' : ''}${(run.ms - good.ms).toFixed(0)}, ${run.extra} extra)`;

const STORE_FAULTS: readonly Bad[] = ['slow', 'hangs', 'dead', 'corrupt-receipts'];
const FETCH_FAULTS: readonly Bad[] = ['slow', 'dead', 'wrong-bytes'];

for (const roundTripMs of (process.argv[2] ?? '0,100').split(',').map(Number)) {
  for (const [what, faults, run] of [
    ['store', STORE_FAULTS, storeCase],
    ['fetch', FETCH_FAULTS, fetchCase],
  ] as const) {
    const [cold, warm] = (await measure(() => run('none', 0, roundTripMs))) as [Run, Run];
    console.log(
      `${what}, round trip ${roundTripMs} ms, all good: cold ${cold.ms.toFixed(0)} ms, warm ${warm.ms.toFixed(0)} ms`,
    );
    for (const bad of faults) {
      for (const count of [1, 3, 6]) {
        const [first, second] = (await measure(() => run(bad, count, roundTripMs))) as [Run, Run];
        console.log(
          `  ${bad.padEnd(16)} ${count} of 12: cold ${cell(first, cold).padEnd(34)} warm ${cell(second, warm)}`,
        );
      }
    }
  }
}
