/**
 * The real Redis that tests compare with: FILETAO_REDIS_SERVER, or `redis-server` on PATH; undefined where there is
 * none (`.ci/run` installs it). It runs in a temporary folder, on a free port, and goes with the test.
 */
import { accessSync, constants } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { type RedisProcess, startRedis } from '../redis-process.ts';

export function findRedisServer(): string | undefined {
  const named = process.env.FILETAO_REDIS_SERVER;
  const folders = (process.env.PATH ?? '').split(delimiter);
  return [...(named ? [named] : []), ...folders.map((folder) => join(folder, 'redis-server'))].find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

export async function startRedisForTest(program: string): Promise<RedisProcess> {
  const folder = await mkdtemp(join(tmpdir(), 'filetao-redis-'));
  const redis = await startRedis(program, folder);
  return {
    ...redis,
    async stop() {
      await redis.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}
