/**
 * The transfer engines beside their floor: one core's time for the same bytes hashed, coded, masked and anchored, each
 * step alone at its best. The miners are fakes without latency that check nothing, so what is measured is the engines.
 * `node bench/transfer.ts [MiB]`
 */
import { createHash } from 'node:crypto';
import { loadNodeKernel } from '#shared/codec/node-kernel.ts';
import { encodeRows, shardBytesOf, splitSegment } from '#shared/codec/reed-solomon.ts';
import { SEGMENT_BYTES } from '#shared/codec/segment.ts';
import { anchorOf } from '#shared/proof/anchor.ts';
import { maskShard } from '#shared/proof/mask.ts';
import { createTransferWorld, fetchSegmentsOf, type TransferWorld, testBytes } from '#shared/testing/transfer-world.ts';
import { fetchSegments } from '#shared/transfer/fetch-segments.ts';
import { DEFAULT_PACE } from '#shared/transfer/pace.ts';
import { storeSegments } from '#shared/transfer/store-segments.ts';

const kernel = loadNodeKernel();
const MIB = 2 ** 20;
const ROUNDS = 3;
const sha256 = (bytes: Uint8Array) => new Uint8Array(createHash('sha256').update(bytes).digest());

interface Step {
  readonly name: string;
  readonly ms: number;
}

/** Best of some rounds, in milliseconds of wall time. */
async function best(name: string, work: () => unknown): Promise<Step> {
  let ms = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const startedMs = performance.now();
    await work();
    ms = Math.min(ms, performance.now() - startedMs);
  }
  return { name, ms };
}

async function floor(
  file: Uint8Array,
  k: number,
  n: number,
): Promise<{ store: readonly Step[]; fetch: readonly Step[] }> {
  const segment = file.subarray(0, SEGMENT_BYTES);
  const data = splitSegment(segment, k);
  const parity = Array.from({ length: n - k }, (_, i) => k + i);
  const shards = [...data, ...encodeRows(kernel, data, k, parity)];
  const scale = file.length / SEGMENT_BYTES;
  const key = new Uint8Array(32);
  const scaled = async (name: string, work: () => unknown) => {
    const step = await best(name, work);
    return { name, ms: step.ms * scale };
  };
  const hash = await scaled('hash', () => sha256(segment));
  const mask = (of: readonly Uint8Array[]) => Promise.all(of.map((shard) => maskShard(key, shard)));
  const anchor = (of: readonly Uint8Array[]) => of.map((shard) => anchorOf(kernel, shard));
  return {
    store: [
      hash,
      await scaled('code', () => encodeRows(kernel, data, k, parity)),
      await scaled('mask', () => mask(shards)),
      await scaled('anchor', () => anchor(shards)),
    ],
    fetch: [hash, await scaled('unmask', () => mask(data)), await scaled('anchor', () => anchor(data))],
  };
}

async function* segmentsOf(file: Uint8Array): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < file.length; at += SEGMENT_BYTES) yield file.subarray(at, at + SEGMENT_BYTES);
}

async function store(world: TransferWorld, file: Uint8Array): Promise<void> {
  world.stored.length = 0;
  for (const miner of world.miners.miners) miner.held.clear();
  const request = world.storeRequest(file.length);
  const outcome = await storeSegments(world.ports, request, segmentsOf(file), world.onStored, world.onStrays);
  if (!outcome.ok) throw new Error(outcome.failure.message);
}

async function fetchAll(world: TransferWorld): Promise<void> {
  const { coding, budget, abort, miners } = world;
  const peers = new Map(miners.peers.map((peer) => [peer.number, peer]));
  const request = { coding, budget, peers, signal: abort.signal };
  for await (const part of fetchSegments(world.ports, request, fetchSegmentsOf(world.stored), () => undefined)) {
    if (!part.ok) throw new Error(part.failure.message);
    part.value.release();
  }
}

function print(title: string, fileBytes: number, steps: readonly Step[], measured: Step, world: TransferWorld): void {
  const floorMs = steps.reduce((sum, { ms }) => sum + ms, 0);
  const rate = (ms: number) => `${(fileBytes / 1000 / ms).toFixed(0)} MB/s`;
  const parts = steps.map(({ name, ms }) => `${name} ${((100 * ms) / measured.ms).toFixed(0)} %`).join(', ');
  const rest = ((100 * (measured.ms - floorMs)) / measured.ms).toFixed(0);
  console.log(
    `${title}: ${rate(measured.ms)}, floor ${rate(floorMs)}, ratio ${(floorMs / measured.ms).toFixed(2)}` +
      ` — of the engine's time: ${parts}, rest ${rest} %; budget peak ${(world.budget.peak / MIB).toFixed(1)} MiB`,
  );
}

const file = testBytes(Number(process.argv[2] ?? 64) * MIB);
for (const { k, n, miners } of [
  { k: 4, n: 10, miners: 12 },
  { k: 16, n: 40, miners: 42 },
]) {
  const steps = await floor(file, k, n);
  const options = { kernel, miners, k, n, checksAnchors: false, pace: DEFAULT_PACE, sha256 };
  const world = createTransferWorld(options);
  const stored = await best('store', () => store(world, file));
  const shardMib = (n * shardBytesOf(SEGMENT_BYTES, k)) / MIB;
  console.log(`(${k}, ${n}), ${file.length / MIB} MiB, ${shardMib} MiB of shards a segment`);
  print('  store', file.length, steps.store, stored, world);
  const fetched = await best('fetch', () => fetchAll(world));
  print('  fetch', file.length, steps.fetch, fetched, world);
}
