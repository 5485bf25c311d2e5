/**
 * What the edge's Worker holds beyond idle, in the real workerd: resident bytes at most while it stores one file, a
 * large one, several at once, and while it reads a large one, beside the aim. Resident and not what our budgets count:
 * garbage that the runtime has not collected yet counts in production, too. `node bench/worker-memory.ts [large MiB]`
 */
import { randomFillSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalNetwork } from '#infra/local-network/local-network.ts';
import { cpuSecondsOf, peakResident, residentBytesOf, workerOf } from './process-stats.ts';

const MIB = 2 ** 20;
const MINERS = 12;
const MEDIUM_MIB = 256;
const AT_ONCE = 4;
/** Whatever the first requests leave for good (compiled code, tables, sockets) is no part of what a transfer takes. */
const WARM_UP_BYTES = [10_000, 10_000, 100_000, 1_000_000, 8 * MIB, 8 * MIB];
/** Of a Worker while it stores one large file or four at once. */
const AIM_MIB = 160;
/** Noise is costly to make, and this process shares the machine: pieces of a buffer, none like the one before. */
const NOISE_BYTES = 16 * MIB;

const largeMib = Number(process.argv[2] ?? 1024);
const stateDir = mkdtempSync(join(tmpdir(), 'filetao-bench-'));
const network = await LocalNetwork.start({ stateDir, edgePort: 0, miners: MINERS });
const headers = { authorization: `Bearer ${network.apiKey}` };
const wrangler = network.tenancies[0]?.edge.child.pid ?? 0;
const noise = randomFillSync(new Uint8Array(NOISE_BYTES));

function noiseStream(bytes: number): ReadableStream<Uint8Array> {
  let left = bytes;
  return new ReadableStream({
    pull(controller) {
      const length = Math.min(MIB, left);
      const from = Math.floor(Math.random() * (NOISE_BYTES - length));
      const piece = noise.slice(from, from + length);
      randomFillSync(piece.subarray(0, 16));
      left -= length;
      controller.enqueue(piece);
      if (left === 0) controller.close();
    },
  });
}

async function store(bytes: number): Promise<string> {
  const body = noiseStream(bytes);
  const init = { method: 'PUT', headers, body, duplex: 'half' };
  const response = await fetch(`${network.edgeUrl}/v1/files`, init as RequestInit);
  if (response.status !== 201) throw new Error(`store: ${response.status} ${await response.text()}`);
  return ((await response.json()) as { cid: string }).cid;
}

async function retrieve(cid: string, bytes: number): Promise<void> {
  const response = await fetch(`${network.edgeUrl}/v1/files/${cid}`, { headers });
  if (response.status !== 200 || !response.body) throw new Error(`retrieve: ${response.status}`);
  let came = 0;
  for await (const piece of response.body) came += piece.length;
  if (came !== bytes) throw new Error('not the same length');
}

let idle = 0;
let edge = 0;

async function measured<T>(name: string, bytes: number, work: () => Promise<T>): Promise<T> {
  const startedMs = performance.now();
  const cpu = cpuSecondsOf([edge]);
  const { value, peakBytes } = await peakResident(edge, work);
  const above = (peakBytes - idle) / MIB;
  const seconds = (performance.now() - startedMs) / 1000;
  const cpuMs = ((cpuSecondsOf([edge]) - cpu) * 1000) / (bytes / MIB);
  console.log(
    `${name.padEnd(28)} ${`${above.toFixed(0)} MiB`.padStart(9)} above idle (aim ${AIM_MIB}: ${above <= AIM_MIB ? 'kept' : 'missed'})` +
      `  ${(bytes / 1e6 / seconds).toFixed(1)} MB/s, edge ${cpuMs.toFixed(1)} ms CPU a MiB`,
  );
  return value;
}

try {
  for (const bytes of WARM_UP_BYTES) await retrieve(await store(bytes), bytes);
  edge = workerOf(wrangler);
  idle = residentBytesOf(edge);
  console.log(`${(idle / MIB).toFixed(0)} MiB resident before; ${MINERS} miners, all on this machine\n`);
  const medium = MEDIUM_MIB * MIB;
  const large = largeMib * MIB;
  await measured(`store ${MEDIUM_MIB} MiB`, medium, () => store(medium));
  const cid = await measured(`store ${largeMib} MiB`, large, () => store(large));
  await measured(`store ${AT_ONCE} × ${MEDIUM_MIB} MiB at once`, AT_ONCE * medium, () =>
    Promise.all(Array.from({ length: AT_ONCE }, () => store(medium))),
  );
  await measured(`retrieve ${largeMib} MiB`, large, () => retrieve(cid, large));
  await measured(`retrieve ${AT_ONCE} × ${largeMib} MiB at once`, AT_ONCE * large, () =>
    Promise.all(Array.from({ length: AT_ONCE }, () => retrieve(cid, large))),
  );
} finally {
  await network.destroy();
  rmSync(stateDir, { recursive: true, force: true });
}
