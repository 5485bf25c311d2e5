/**
 * What one miner stores through its real API: a real process, the real client, 1 and 16 shards in flight, beside the
 * floor (the same bytes written and flushed to the same disk, nothing else) measured in the same run; and its memory
 * while 50 shards come in at once and while 50 are read. Run: `node bench/miner.ts`.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdir, mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { clientOf, grantOf, KEYS, MINER_SEED, NETWORK, randomFrame } from '#miner/testing/loopback-miner.ts';
import { toHex } from '#shared/primitives/bytes.ts';
import { newOrderId } from '#shared/primitives/ids.ts';
import type { MinerPeer, ShardFrame } from '#shared/wire/ports.ts';
import { cpuSecondsOf } from './process-stats.ts';

const KIB = 1024;
const MIB = 1024 * KIB;
const signal = new AbortController().signal;
const random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes));

interface Started {
  readonly child: ChildProcess;
  readonly peer: MinerPeer;
}

async function startMiner(folder: string): Promise<Started> {
  const keyFile = join(folder, 'hotkey');
  await writeFile(keyFile, JSON.stringify({ secretSeed: `0x${toHex(MINER_SEED)}` }), { mode: 0o600 });
  const main = new URL('../miner/main.ts', import.meta.url).pathname;
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', main], {
    env: {
      PATH: process.env.PATH ?? '',
      FILETAO_MINER_DATA_DIR: join(folder, 'data'),
      FILETAO_MINER_PORT: '0',
      FILETAO_MINER_CAPACITY_BYTES: String(16 * 1024 * MIB),
      FILETAO_MINER_KEY_FILE: keyFile,
      FILETAO_GENESIS_HASH: toHex(NETWORK.genesis),
      FILETAO_NETUID: String(NETWORK.netuid),
      FILETAO_TENANTS: KEYS.tenant.hotkey,
    },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const first = await new Promise<string>((resolve) => createInterface({ input: child.stdout }).once('line', resolve));
  const { url } = JSON.parse(first) as { url: string };
  return { child, peer: { hotkey: KEYS.miner.hotkey, url } };
}

/** Runs `work` for each item, so many at a time; milliseconds. */
async function timed<T>(items: readonly T[], inFlight: number, work: (item: T) => Promise<void>): Promise<number> {
  const started = performance.now();
  let next = 0;
  const worker = async () => {
    while (next < items.length) await work(items[next++] as T);
  };
  await Promise.all(Array.from({ length: inFlight }, worker));
  return performance.now() - started;
}

/** The floor: a file per shard, written and flushed. */
async function writeAndFlush(folder: string, frame: ShardFrame): Promise<void> {
  const handle = await open(join(folder, frame.anchorId), 'wx');
  await handle.write(frame.shard);
  await handle.sync();
  await handle.close();
}

async function memoryOf(child: ChildProcess): Promise<{ readonly now: number; readonly peak: number }> {
  const status = await readFile(`/proc/${child.pid}/status`, 'utf8');
  const kib = (name: string) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0);
  return { now: kib('VmRSS') / 1024, peak: kib('VmHWM') / 1024 };
}

const row = (...cells: readonly (string | number)[]): void => {
  console.log(cells.map((cell) => String(typeof cell === 'number' ? cell.toFixed(1) : cell).padStart(13)).join(''));
};

const folder = await mkdtemp(join(tmpdir(), 'filetao-bench-'));
const { child, peer } = await startMiner(folder);
const minerCpu = () => cpuSecondsOf([child.pid ?? 0]);
const edge = clientOf(KEYS.edge, KEYS.tenant, grantOf());
const putOne = async (frame: ShardFrame): Promise<void> => {
  const stored = await edge.putShard(peer, newOrderId(random), frame, signal);
  if (!stored.ok) throw new Error(stored.failure.message);
};
try {
  // Warm both sides: the first hundreds of requests run in the interpreter.
  await timed(
    Array.from({ length: 400 }, () => randomFrame(16 * KIB)),
    8,
    putOne,
  );
  row('shard', 'in flight', 'way', 'shards/s', 'MB/s', 'floor MB/s', 'of floor', 'CPU ms/shard');
  for (const bytes of [256 * KIB, MIB]) {
    for (const inFlight of [1, 16]) {
      const count = (64 * MIB) / bytes;
      const frames = () => Array.from({ length: count }, () => randomFrame(bytes));
      const megabytes = (count * bytes) / 1e6;
      const floorFolder = join(folder, `floor-${bytes}-${inFlight}`);
      await mkdir(floorFolder);
      const floor =
        megabytes / ((await timed(frames(), inFlight, (frame) => writeAndFlush(floorFolder, frame))) / 1000);
      let cpuBefore = minerCpu();
      const report = (way: string, ms: number) => {
        const speed = megabytes / (ms / 1000);
        // What the miner itself spends: the same on a busy machine and an idle one.
        const cpuMs = ((minerCpu() - cpuBefore) * 1000) / count;
        cpuBefore = minerCpu();
        const ratio = (speed / floor).toFixed(2);
        row(`${bytes / KIB} KiB`, String(inFlight), way, count / (ms / 1000), speed, floor, ratio, cpuMs);
      };
      const order = newOrderId(random);
      report('PUT', await timed(frames(), inFlight, putOne));
      const stream = await edge.openStream(peer, order, count * bytes, signal);
      if (!stream.ok) throw new Error(stream.failure.message);
      const sendOne = async (frame: ShardFrame) => {
        const stored = await stream.value.send(frame).receipt;
        if (!stored.ok) throw new Error(stored.failure.message);
      };
      report('stream', await timed(frames(), inFlight, sendOne));
      await stream.value.finish();
    }
  }
  await reportMemory();
} finally {
  edge.close();
  child.kill('SIGTERM');
  await new Promise((resolve) => child.once('exit', resolve));
  await rm(folder, { recursive: true, force: true });
}

async function reportMemory(): Promise<void> {
  const idle = await memoryOf(child);
  const order = newOrderId(random);
  const streams = await Promise.all(
    Array.from({ length: 50 }, async () => {
      const stream = await edge.openStream(peer, order, 16 * MIB, signal);
      if (!stream.ok) throw new Error(stream.failure.message);
      return stream.value;
    }),
  );
  const stored: ShardFrame[] = [];
  for (let round = 0; round < 4; round++) {
    const frames = streams.map(() => randomFrame(MIB));
    const receipts = await Promise.all(streams.map((stream, at) => stream.send(frames[at] as ShardFrame).receipt));
    if (receipts.some((receipt) => !receipt.ok)) throw new Error('a shard was not stored');
    stored.push(...frames);
  }
  await Promise.all(streams.map((stream) => stream.finish()));
  const storing = await memoryOf(child);
  await Promise.all(
    streams.map(async (_, at) => {
      const wanted = stored.slice(4 * at, 4 * at + 4).map(({ anchorId, shard }) => ({ anchorId, bytes: shard.length }));
      for await (const shard of edge.readShards(peer, wanted, signal)) if (!shard.ok) throw new Error('not read');
    }),
  );
  const reading = await memoryOf(child);
  console.log(`\nminer RSS, MiB: after the runs above ${idle.now.toFixed(0)}, peak so far ${idle.peak.toFixed(0)}`);
  console.log(
    `with 50 streams of 1 MiB shards: ${storing.now.toFixed(0)}, peak ${storing.peak.toFixed(0)} (limit 150)`,
  );
  console.log(`with 50 readers of 4 × 1 MiB: ${reading.now.toFixed(0)}, peak ${reading.peak.toFixed(0)}`);
}
