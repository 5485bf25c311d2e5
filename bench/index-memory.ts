/**
 * What the index costs per stored shard and per stored file: bytes of a real Redis (used_memory, every key counted)
 * and commands, at three redundancies, with the adapters that run in production. `node bench/index-memory.ts [shards]`;
 * needs redis-server on PATH or in FILETAO_REDIS_SERVER. Targets at 10⁵ shards: 120 bytes a shard at (4, 10) and
 * (16, 40), 140 for copies; 2 commands a segment and 10 a file.
 */
import { createConnection } from 'node:net';
import { parseArgs } from 'node:util';
import type { Command, Engine } from '#infra/gateway/engine.ts';
import { openGateway } from '#infra/gateway/gateway.ts';
import { openRespEngine } from '#infra/gateway/resp-engine.ts';
import { findRedisServer, startRedisForTest } from '#infra/gateway/testing/redis-for-tests.ts';
import type { FileIndex, FileRecord } from '#shared/index/ports.ts';
import { createIndex } from '#shared/index/redis-index.ts';
import { silentLog } from '#shared/primitives/effects.ts';
import { newFile, newOwner, storeFile } from '#shared/testing/index-files.ts';

const TOKEN = 'token-of-a-benchmark';
const IN_FLIGHT = 16;
const TTL_MS = 30 * 24 * 3600_000;
/** Files come one every two seconds, as in a small network; their expiries spread alike. */
const SPACING_MS = 2_000;

interface Scenario {
  readonly name: string;
  readonly k: number;
  readonly n: number;
  readonly segments: number;
  readonly named: boolean;
  readonly targetBytes: number;
}

const SCENARIOS: readonly Scenario[] = [
  { name: 'copies (1, 5), one segment', k: 1, n: 5, segments: 1, named: false, targetBytes: 140 },
  { name: 'copies (1, 5), one segment, named', k: 1, n: 5, segments: 1, named: true, targetBytes: 140 },
  { name: '(4, 10), one segment', k: 4, n: 10, segments: 1, named: false, targetBytes: 120 },
  { name: '(4, 10), one segment, named', k: 4, n: 10, segments: 1, named: true, targetBytes: 120 },
  { name: '(4, 10), 16 segments', k: 4, n: 10, segments: 16, named: true, targetBytes: 120 },
  { name: '(16, 40), one segment', k: 16, n: 40, segments: 1, named: false, targetBytes: 120 },
  { name: '(16, 40), 16 segments', k: 16, n: 40, segments: 16, named: true, targetBytes: 120 },
];

/** Counts the commands that pass, as a hosted plan bills them. */
function counting(engine: Engine): { engine: Engine; commands: () => number } {
  let commands = 0;
  return {
    commands: () => commands,
    engine: {
      run: (batch: readonly Command[], atomic) => {
        commands += batch.length;
        return engine.run(batch, atomic);
      },
      close: () => engine.close(),
    },
  };
}

/** used_memory after what Redis does in the background is done. */
async function usedMemory(url: string): Promise<number> {
  const { hostname, port, password } = new URL(url);
  const socket = createConnection(Number(port), hostname);
  socket.write(`AUTH ${password}\r\nMEMORY PURGE\r\nINFO memory\r\nQUIT\r\n`);
  let text = '';
  for await (const piece of socket) text += String(piece);
  return Number(/used_memory:([0-9]+)/.exec(text)?.[1] ?? Number.NaN);
}

async function measure(scenario: Scenario, shards: number, program: string): Promise<string> {
  const redis = await startRedisForTest(program);
  const counted = counting(openRespEngine(redis.url));
  const gateway = await openGateway({ engine: counted.engine, tokens: { tenant: TOKEN }, log: silentLog, port: 0 });
  try {
    const count = Math.round(shards / scenario.n / scenario.segments);
    const { files } = createIndex({ url: gateway.url, token: TOKEN });
    const before = await usedMemory(redis.url);
    await storeMany(files, scenario, count);
    const bytes = ((await usedMemory(redis.url)) - before) / (count * scenario.n * scenario.segments);
    // And one for each segment's receipts, whose list is bounded and no part of a shard's cost.
    const commands = counted.commands() / count + scenario.segments;
    const allowed = 2 * scenario.segments + 10;
    return [
      scenario.name.padEnd(36),
      String(count).padStart(7),
      `${bytes.toFixed(1).padStart(7)} of ${scenario.targetBytes}${bytes <= scenario.targetBytes ? ' ' : '!'}`,
      `${commands.toFixed(2).padStart(7)} of ${allowed}`,
    ].join('  ');
  } finally {
    await gateway.close();
    await counted.engine.close();
    await redis.stop();
  }
}

async function storeMany(files: FileIndex, scenario: Scenario, count: number): Promise<void> {
  const owners = Array.from({ length: 8 }, newOwner);
  const startMs = Date.now();
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < count; i = next++) await storeFile(files, fileOf(scenario, i));
  };
  function fileOf({ k, n, segments, named }: Scenario, i: number): FileRecord {
    const createdAtMs = startMs + i * SPACING_MS;
    const owner = owners[i % owners.length];
    return newFile(createdAtMs, {
      ...{ k, n, segments, segmentBytes: 4096, bytes: segments * 4096 - 1, expiresAtMs: createdAtMs + TTL_MS },
      ...(owner !== undefined && { owner }),
      ...(named && { name: `photo-${i}.jpg`, contentType: 'image/jpeg' }),
    });
  }
  await Promise.all(Array.from({ length: IN_FLIGHT }, worker));
}

const { positionals } = parseArgs({ allowPositionals: true });
const shards = Number(positionals[0] ?? 100_000);
const program = findRedisServer();
if (!program) throw new Error('needs redis-server on PATH or in FILETAO_REDIS_SERVER');
console.log(`index in Redis at ${shards} shards\n${'files'.padStart(45)}  bytes per shard  commands per file`);
for (const scenario of SCENARIOS) console.log(await measure(scenario, shards, program));
