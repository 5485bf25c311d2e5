/**
 * How fast the index is, and that its size does not matter: calls per second and p50/p99 of the index's calls through
 * the gateway, at 10³ shards and at many, with either engine; and the engines' bare commands per second.
 * `node bench/index-speed.ts [many shards, default 10⁶]`.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { openEmbeddedEngine } from '#infra/gateway/embedded/embedded-engine.ts';
import type { Command, Engine } from '#infra/gateway/engine.ts';
import { openGateway } from '#infra/gateway/gateway.ts';
import { openRespEngine } from '#infra/gateway/resp-engine.ts';
import { findRedisServer, startRedisForTest } from '#infra/gateway/testing/redis-for-tests.ts';
import type { FileRecord } from '#shared/index/ports.ts';
import { createIndex, type Index } from '#shared/index/redis-index.ts';
import { silentLog } from '#shared/primitives/effects.ts';
import { newFile, newOwner, storeFile } from '#shared/testing/index-files.ts';

const TOKEN = 'token-of-a-benchmark';
const FEW_SHARDS = 1_000;
const [K, N] = [16, 40];
const IN_FLIGHT = 16;
const CALLS = 400;
const BARE_COMMANDS = 20_000;
const PIPELINE = 100;

interface Bench {
  readonly engine: Engine;
  close(): Promise<void>;
}

async function openEmbedded(): Promise<Bench> {
  const folder = await mkdtemp(join(tmpdir(), 'filetao-bench-'));
  const engine = openEmbeddedEngine(join(folder, 'index.sqlite'));
  return {
    engine,
    async close() {
      await engine.close();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function openRedis(program: string): Promise<Bench> {
  const redis = await startRedisForTest(program);
  const engine = openRespEngine(redis.url);
  return {
    engine,
    async close() {
      await engine.close();
      await redis.stop();
    },
  };
}

/** Runs `call` so many times, some at once. */
async function timed(calls: number, atOnce: number, call: (i: number) => Promise<unknown>): Promise<string> {
  const times: number[] = [];
  let next = 0;
  const startedAt = performance.now();
  const worker = async () => {
    for (let i = next++; i < calls; i = next++) {
      const begunAt = performance.now();
      await call(i);
      times.push(performance.now() - begunAt);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  const perSecond = calls / ((performance.now() - startedAt) / 1000);
  times.sort((a, b) => a - b);
  const at = (share: number) => (times[Math.floor(share * (times.length - 1))] ?? 0).toFixed(2);
  return `${perSecond.toFixed(0).padStart(6)}/s  p50 ${at(0.5).padStart(6)}  p99 ${at(0.99).padStart(6)} ms`;
}

const bytes = (text: string): Uint8Array => Buffer.from(text);

async function bareCommands(engine: Engine): Promise<void> {
  const of = (name: string, ...args: string[]): Command => ({ name, args: args.map(bytes) });
  const kinds: Record<string, (i: number) => Command> = {
    SET: (i) => of('SET', `bench:${i}`, 'x'.repeat(700)),
    GET: (i) => of('GET', `bench:${i}`),
    ZADD: (i) => of('ZADD', `benchz:${i % 256}`, '0', `member-${i}`),
  };
  for (const [name, make] of Object.entries(kinds)) {
    const startedAt = performance.now();
    const runs = Array.from({ length: BARE_COMMANDS / PIPELINE }, (_, run) =>
      engine.run(
        Array.from({ length: PIPELINE }, (_, i) => make(run * PIPELINE + i)),
        false,
      ),
    );
    await Promise.all(runs);
    const perSecond = BARE_COMMANDS / ((performance.now() - startedAt) / 1000);
    console.log(`  bare ${name.padEnd(18)} ${perSecond.toFixed(0).padStart(8)} commands/s in pipelines of ${PIPELINE}`);
  }
}

async function fill({ files }: Index, owner: FileRecord['owner'], count: number): Promise<FileRecord[]> {
  const stored: FileRecord[] = [];
  let left = count;
  const worker = async () => {
    while (left-- > 0) {
      const expiresAtMs = Date.now() + Math.floor((1 + Math.random()) * 30 * 24 * 3600_000);
      stored.push(await storeFile(files, newFile(Date.now(), { owner, k: K, n: N, expiresAtMs })));
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
  return stored;
}

async function calls(index: Index, stored: readonly FileRecord[]): Promise<void> {
  const { files } = index;
  const pick = (i: number) => stored[(i * 7919) % stored.length] as FileRecord;
  const owner = pick(0).owner;
  const show = async (name: string, line: Promise<string>) => console.log(`    ${name.padEnd(24)} ${await line}`);
  await show(
    'store, one at a time',
    timed(CALLS / 4, 1, () => storeFile(files, newFile(Date.now(), { owner, n: N }))),
  );
  await show(
    `store, ${IN_FLIGHT} at once`,
    timed(CALLS, IN_FLIGHT, () => storeFile(files, newFile(Date.now(), { n: N }))),
  );
  await show(
    'findFile',
    timed(CALLS, 1, (i) => files.findFile(pick(i).cid)),
  );
  await show(
    'findFile of an owner',
    timed(CALLS, 1, (i) => files.findFile(pick(i).cid, owner)),
  );
  await show(
    'readSegments',
    timed(CALLS, 1, (i) => files.readSegments(pick(i), 0, 1)),
  );
  await show(
    'listFiles, 50',
    timed(CALLS / 4, 1, () => files.listFiles(owner, undefined, 50)),
  );
  await show(
    'changeFile',
    timed(CALLS / 4, 1, (i) => files.changeFile(pick(i), { expiresAtMs: Date.now() + 1e9 + i })),
  );
  await show(
    'expiredFiles',
    timed(CALLS / 4, 1, () => files.expiredFiles(Date.now(), 100)),
  );
  const unique = stored.slice(0, CALLS / 4);
  await show(
    'deleteFile',
    timed(unique.length, 1, (i) => files.deleteFile(unique[i] as FileRecord, 'deleted')),
  );
}

async function run(name: string, bench: Bench, many: number): Promise<void> {
  console.log(name);
  const gateway = await openGateway({ engine: bench.engine, tokens: { tenant: TOKEN }, log: silentLog, port: 0 });
  try {
    await bareCommands(bench.engine);
    const index = createIndex({ url: gateway.url, token: TOKEN });
    const owner = newOwner();
    let stored: FileRecord[] = [];
    for (const shards of [FEW_SHARDS, many]) {
      stored = [...stored, ...(await fill(index, owner, Math.max(0, shards / N - stored.length)))];
      console.log(`  at ${shards} shards`);
      await calls(index, stored);
    }
  } finally {
    await gateway.close();
    await bench.close();
  }
}

const { positionals } = parseArgs({ allowPositionals: true });
const many = Number(positionals[0] ?? 1_000_000);
await run('embedded engine (node:sqlite, synchronous = FULL)', await openEmbedded(), many);
const program = findRedisServer();
if (program) await run('redis-server', await openRedis(program), many);
