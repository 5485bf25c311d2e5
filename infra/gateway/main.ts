/**
 * The index of a local network or a small deployment: `node infra/gateway/main.ts`.
 *   FILETAO_INDEX_DIR         folder of the index (made when missing)
 *   FILETAO_INDEX_PORT        port on loopback; 0 or nothing takes a free one
 *   FILETAO_INDEX_HOST        another address than 127.0.0.1, for containers only
 *   FILETAO_INDEX_TOKEN(_FILE)       the tenant's token, or a file that holds it
 *   FILETAO_INDEX_EDGE_TOKEN(_FILE)  the edges' token with reduced rights, optional
 *   REDIS_URL                 a Redis to stand in front of; else
 *   FILETAO_REDIS_SERVER      a redis-server program to run; else the embedded engine
 */
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createNodeLog } from '#shared/primitives/node-log.ts';
import { openEmbeddedEngine } from './embedded/embedded-engine.ts';
import type { Engine } from './engine.ts';
import { openGateway } from './gateway.ts';
import { startRedis } from './redis-process.ts';
import { openRespEngine } from './resp-engine.ts';

const MIN_TOKEN_CHARS = 16;

const log = createNodeLog('index');

async function token(name: string): Promise<string | undefined> {
  const file = process.env[`${name}_FILE`];
  const text = (file ? await readFile(file, 'utf8') : process.env[name])?.trim();
  if (!text) return undefined;
  if (text.length < MIN_TOKEN_CHARS) throw new Error(`${name} must have at least ${MIN_TOKEN_CHARS} characters`);
  return text;
}

interface OpenEngine {
  readonly engine: Engine;
  readonly kind: string;
  readonly stop: () => Promise<void>;
}

async function openEngine(folder: string): Promise<OpenEngine> {
  const { REDIS_URL: redisUrl, FILETAO_REDIS_SERVER: program } = process.env;
  if (redisUrl) {
    const engine = openRespEngine(redisUrl);
    return { engine, kind: 'redis', stop: () => engine.close() };
  }
  await mkdir(folder, { recursive: true });
  if (program) {
    const redis = await startRedis(program, join(folder, 'redis'));
    const engine = openRespEngine(redis.url);
    return {
      engine,
      kind: 'redis-server',
      stop: async () => {
        await engine.close();
        await redis.stop();
      },
    };
  }
  const engine = openEmbeddedEngine(join(folder, 'index.sqlite'));
  return { engine, kind: 'embedded', stop: () => engine.close() };
}

async function main(): Promise<void> {
  const tenant = await token('FILETAO_INDEX_TOKEN');
  if (!tenant) throw new Error('set FILETAO_INDEX_TOKEN or FILETAO_INDEX_TOKEN_FILE');
  const edge = await token('FILETAO_INDEX_EDGE_TOKEN');
  const portText = process.env.FILETAO_INDEX_PORT || '0';
  const port = Number(portText);
  if (!Number.isInteger(port) || port < 0 || port > 65_535) throw new Error(`${portText} is no port`);
  const { engine, kind, stop } = await openEngine(process.env.FILETAO_INDEX_DIR || '.filetao/index');
  const host = process.env.FILETAO_INDEX_HOST;
  const gateway = await openGateway({
    engine,
    log,
    port,
    tokens: { tenant, ...(edge && { edge }) },
    ...(host && { host }),
  }).catch(async (error: unknown) => {
    await stop();
    throw error;
  });
  log.info('listening', { url: gateway.url, port: gateway.port, engine: kind, pid: process.pid });

  let ending = false;
  const end = async () => {
    if (ending) return;
    ending = true;
    await gateway.close();
    await stop();
    log.info('stopped');
  };
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void end());
}

main().catch((error: unknown) => {
  log.error('cannot start', { error: error instanceof Error ? error.message : String(error) });
  process.exitCode = 1;
});
