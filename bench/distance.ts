/**
 * The edge over a distance: 40 real miners, so that files are coded (16, 40), each behind a simulated round trip, the
 * Worker under production's limits (`test/limits/limits-harness.ts`). Prints what a user sees of it at 0, 100 and
 * 300 ms: one large file stored and read, and small files one at a time and sixteen at once.
 * `node bench/distance.ts [MiB]`
 */
import { createHash, randomFillSync } from 'node:crypto';
import type { Harness } from '#test/limits/limits-harness.ts';
import { startLimitsWorld } from '#test/limits/limits-world.ts';

const MIB = 2 ** 20;
const MINERS = 40;
const SMALL_BYTES = 10 * 1024;
const SMALL_FILES = 32;
const ROUND_TRIPS_MS = [0, 100, 300];

const mib = Number(process.argv[2] ?? 64);
const world = await startLimitsWorld(MINERS);
const noise = (bytes: number): Uint8Array<ArrayBuffer> => randomFillSync(new Uint8Array(bytes));
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const rate = (bytes: number, ms: number): string => `${(bytes / 1000 / ms).toFixed(1)} MB/s`;
const line = (name: string, value: string, note = ''): void =>
  console.log(`  ${name.padEnd(34)} ${value.padStart(12)}  ${note}`);

async function store(edge: Harness, body: Uint8Array<ArrayBuffer>): Promise<string> {
  const response = await fetch(`${edge.url}/v1/files`, { method: 'PUT', headers: world.headers, body });
  const text = await response.text();
  if (response.status !== 201) throw new Error(`store: ${response.status} ${text}`);
  return (JSON.parse(text) as { cid: string }).cid;
}

async function read(edge: Harness, cid: string): Promise<Uint8Array> {
  const response = await fetch(`${edge.url}/v1/files/${cid}`, { headers: world.headers });
  if (response.status !== 200) throw new Error(`read: ${response.status} ${await response.text()}`);
  return new Uint8Array(await response.arrayBuffer());
}

async function timed<T>(work: () => Promise<T>): Promise<{ value: T; ms: number }> {
  const startedMs = performance.now();
  const value = await work();
  return { value, ms: performance.now() - startedMs };
}

/** Stores `files` small files, so many at once; files a second. */
async function small(edge: Harness, inFlight: number): Promise<{ perSecond: number; index: number }> {
  const before = edge.counts.index;
  let started = 0;
  const { ms } = await timed(() =>
    Promise.all(
      Array.from({ length: inFlight }, async () => {
        while (started++ < SMALL_FILES) await store(edge, noise(SMALL_BYTES));
      }),
    ),
  );
  return { perSecond: (1000 * SMALL_FILES) / ms, index: (edge.counts.index - before) / SMALL_FILES };
}

try {
  for (const roundTripMs of ROUND_TRIPS_MS) {
    const edge = await world.startEdge({ defaultLink: { roundTripMs }, indexRoundTripMs: Math.min(roundTripMs, 20) });
    console.log(`\n${roundTripMs} ms between edge and miners, ${MINERS} miners`);
    await store(edge, noise(MIB));
    const body = noise(mib * MIB);
    const before = { ...edge.counts };
    const stored = await timed(() => store(edge, body));
    const requests = { all: edge.counts.subrequests - before.subrequests, index: edge.counts.index - before.index };
    line(
      `store ${mib} MiB`,
      rate(body.length, stored.ms),
      `${requests.all} subrequests, ${requests.index} of them to the index`,
    );
    const middle = edge.counts.subrequests;
    const fetched = await timed(() => read(edge, stored.value));
    if (sha256(fetched.value) !== sha256(body)) throw new Error('not the same bytes');
    line(`read ${mib} MiB`, rate(body.length, fetched.ms), `${edge.counts.subrequests - middle} subrequests`);
    for (const inFlight of [1, 16]) {
      const { perSecond, index } = await small(edge, inFlight);
      line(
        `10 KiB files, ${inFlight} in flight`,
        `${perSecond.toFixed(1)} /s`,
        `${index.toFixed(1)} index requests a file`,
      );
    }
    line('waited for headers at once', String(edge.counts.waitingPeak));
    await edge.stop();
  }
} finally {
  await world.stop();
}
