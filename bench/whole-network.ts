/**
 * The whole network on loopback, all real processes, beside its floor: one 64 MiB file stored and retrieved, where the
 * time goes by process, and small files (its Worker's memory: `worker-memory.ts`).
 * `node bench/whole-network.ts [MiB]`
 */
import { createHash, randomFillSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalNetwork } from '#infra/local-network/local-network.ts';
import { storeFloor } from './floor.ts';
import { cpuSecondsOf } from './process-stats.ts';

const MIB = 2 ** 20;
const ROUNDS = 3;
/** Each of twelve miners sees a tenth of a store: their code is compiled after some of them, as it is in service. */
const WARM_UP_ROUNDS = 8;
const SMALL_BYTES = 64 * 1024;
const SMALL_FILES = 100;
const TINY_BYTES = 10 * 1024;
const TINY_FILES = 200;
const MINERS = 12;
const DAY_MS = 86_400_000;
/**
 * The local network lives fast, so that a person sees a round of challenges or a deletion within seconds; on two cores
 * that takes a tenth of them. Production's rounds (one in five minutes) and polls fall outside of a run this short.
 */
const UNHURRIED = {
  ...{ roundBlocks: 100_000, retrieveBlocks: 100_000, syntheticBlocks: 100_000, sweepMs: DAY_MS },
  ...{ minerChainMs: 300_000, publishMs: 60_000, monitorMs: 60_000, snapshotMs: DAY_MS },
};

const mib = Number(process.argv.find((argument) => /^\d+$/.test(argument)) ?? 64);
const cores = availableParallelism();
const stateDir = mkdtempSync(join(tmpdir(), 'filetao-bench-'));
const network = await LocalNetwork.start({ stateDir, edgePort: 0, miners: MINERS, times: UNHURRIED });
const { edgeUrl, apiKey } = network;
const headers = { authorization: `Bearer ${apiKey}` };
const [tenancy] = network.tenancies;
if (!tenancy) throw new Error('a network has a tenant');
const parts = {
  edge: [tenancy.edge.child.pid],
  index: [tenancy.index.child.pid],
  tenant: [tenancy.tenant.child.pid],
  miners: network.miners.map(({ run }) => run.child.pid),
};
type Part = keyof typeof parts;
const partNames = Object.keys(parts) as Part[];

const line = (name: string, value: string, note = ''): void =>
  console.log(`${name.padEnd(34)} ${value.padStart(12)}  ${note}`);
const percent = (share: number): string => `${(100 * share).toFixed(0)} %`;

async function store(body: Uint8Array<ArrayBuffer>): Promise<string> {
  const response = await fetch(`${edgeUrl}/v1/files`, { method: 'PUT', headers, body });
  if (response.status !== 201) throw new Error(`store: ${response.status} ${await response.text()}`);
  return ((await response.json()) as { cid: string }).cid;
}

/** @returns ms until the first byte, and the digest of all of them */
async function retrieve(cid: string): Promise<{ firstByteMs: number; sha256: string; bytes: number }> {
  const startedMs = performance.now();
  const response = await fetch(`${edgeUrl}/v1/files/${cid}`, { headers });
  if (response.status !== 200 || !response.body)
    throw new Error(`retrieve: ${response.status} ${await response.text()}`);
  const hash = createHash('sha256');
  let bytes = 0;
  let firstByteMs = 0;
  for await (const piece of response.body) {
    firstByteMs ||= performance.now() - startedMs;
    hash.update(piece);
    bytes += piece.length;
  }
  return { firstByteMs, sha256: hash.digest('hex'), bytes };
}

/** Runs `work` and says how long it took and which share of the cores each part of the network spent in it. */
async function profiled<T>(work: () => Promise<T>): Promise<{ value: T; ms: number; shares: Record<Part, number> }> {
  const before = partNames.map((name) => cpuSecondsOf(parts[name]));
  const startedMs = performance.now();
  const value = await work();
  const ms = performance.now() - startedMs;
  const spent = partNames.map((name, i) => cpuSecondsOf(parts[name]) - (before[i] as number));
  const shares = Object.fromEntries(partNames.map((name, i) => [name, (1000 * (spent[i] as number)) / ms / cores]));
  return { value, ms, shares: shares as Record<Part, number> };
}

const describeShares = (shares: Record<Part, number>): string =>
  partNames.map((name) => `${name} ${percent(shares[name])}`).join(', ');

/** Nothing is deleted in between: dropping a file is work of the miners' own, and not part of the next store. */
async function throughput(): Promise<void> {
  const floor = await storeFloor(mib * MIB, stateDir);
  line(
    'floor',
    `${floor.mbPerSecond.toFixed(0)} MB/s`,
    floor.steps.map(({ name, ms }) => `${name} ${ms.toFixed(0)} ms`).join(', '),
  );
  for (let round = 0; round < WARM_UP_ROUNDS; round++) {
    const cid = await store(randomFillSync(new Uint8Array(mib * MIB)));
    await retrieve(cid);
  }
  let best: { store: number; retrieve: number; storeShares: string; retrieveShares: string } | undefined;
  for (let round = 0; round < ROUNDS; round++) {
    const body = randomFillSync(new Uint8Array(mib * MIB));
    const stored = await profiled(() => store(body));
    const fetched = await profiled(() => retrieve(stored.value));
    if (fetched.value.sha256 !== createHash('sha256').update(body).digest('hex')) throw new Error('not the same bytes');
    const rate = (ms: number): number => (mib * MIB) / 1000 / ms;
    const now = {
      store: rate(stored.ms),
      retrieve: rate(fetched.ms),
      storeShares: describeShares(stored.shares),
      retrieveShares: describeShares(fetched.shares),
    };
    console.log(`  round ${round + 1}: store ${now.store.toFixed(1)} MB/s, retrieve ${now.retrieve.toFixed(1)} MB/s`);
    best = {
      store: Math.max(now.store, best?.store ?? 0),
      retrieve: Math.max(now.retrieve, best?.retrieve ?? 0),
      storeShares: now.storeShares,
      retrieveShares: now.retrieveShares,
    };
  }
  if (!best) return;
  line(
    `store ${mib} MiB`,
    `${best.store.toFixed(1)} MB/s`,
    `${(best.store / floor.mbPerSecond).toFixed(2)} of the floor`,
  );
  line('', '', `of all cores: ${best.storeShares}`);
  line(
    `retrieve ${mib} MiB`,
    `${best.retrieve.toFixed(1)} MB/s`,
    `${(best.retrieve / floor.mbPerSecond).toFixed(2)} of the floor`,
  );
  line('', '', `of all cores: ${best.retrieveShares}`);
}

const quantile = (sorted: readonly number[], q: number): number =>
  sorted[Math.floor(q * (sorted.length - 1))] ?? Number.NaN;

async function firstBytes(): Promise<void> {
  const storeMs: number[] = [];
  const firstByteMs: number[] = [];
  for (let i = 0; i < SMALL_FILES; i++) {
    const body = randomFillSync(new Uint8Array(SMALL_BYTES));
    const startedMs = performance.now();
    const cid = await store(body);
    storeMs.push(performance.now() - startedMs);
    firstByteMs.push((await retrieve(cid)).firstByteMs);
  }
  for (const [name, values] of [
    ['store 64 KiB', storeMs],
    ['first byte of 64 KiB', firstByteMs],
  ] as const) {
    const sorted = [...values].sort((a, b) => a - b);
    line(name, `${quantile(sorted, 0.5).toFixed(1)} ms`, `p99 ${quantile(sorted, 0.99).toFixed(1)} ms`);
  }
}

/** Files of 10 KiB, so many at a time: what requests and records cost, since the bytes cost next to nothing. */
async function tinyFiles(): Promise<void> {
  for (const inFlight of [1, 16]) {
    const bodies = Array.from({ length: TINY_FILES }, () => randomFillSync(new Uint8Array(TINY_BYTES)));
    const took: number[] = [];
    const cpuBefore = cpuSecondsOf(parts.edge);
    const startedMs = performance.now();
    let next = 0;
    const worker = async () => {
      for (let body = bodies[next++]; body; body = bodies[next++]) {
        const sentMs = performance.now();
        await store(body);
        took.push(performance.now() - sentMs);
      }
    };
    await Promise.all(Array.from({ length: inFlight }, worker));
    const perSecond = TINY_FILES / ((performance.now() - startedMs) / 1000);
    const cpuMs = ((cpuSecondsOf(parts.edge) - cpuBefore) * 1000) / TINY_FILES;
    const sorted = took.sort((a, b) => a - b);
    line(
      `store 10 KiB, ${inFlight} in flight`,
      `${perSecond.toFixed(1)} files/s`,
      `median ${quantile(sorted, 0.5).toFixed(1)} ms, p99 ${quantile(sorted, 0.99).toFixed(1)} ms; edge ${cpuMs.toFixed(1)} ms CPU a file`,
    );
  }
}

try {
  console.log(`${mib} MiB through the edge, ${MINERS} miners, ${cores} cores, all on this machine\n`);
  await throughput();
  await firstBytes();
  await tinyFiles();
} finally {
  await network.destroy();
  rmSync(stateDir, { recursive: true, force: true });
}
