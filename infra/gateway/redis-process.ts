/**
 * A `redis-server` of our own: on loopback, on a free port, behind a password, with its append-only file in a folder
 * that belongs to the index. A shell holds it on the gateway's pipe: it ends with the gateway, kill -9 included, so that
 * two servers never write to one folder.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import { createServer } from 'node:net';
import type { Writable } from 'node:stream';
import { openRespEngine } from './resp-engine.ts';

const START_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 5_000;
const POLL_MS = 25;
/** Settings come on descriptor 3; when standard input ends, so does the server. */
const LEASH = `exec 4<&0
"$0" - <&3 &
server=$!
(cat <&4 >/dev/null; kill $server 2>/dev/null) &
exec 4<&-
wait $server`;

export interface RedisProcess {
  /** With its password in it. */
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * @param program path or name of `redis-server`
 * @param folder its data directory, made when missing
 */
export async function startRedis(program: string, folder: string): Promise<RedisProcess> {
  await mkdir(folder, { recursive: true });
  const port = await freePort();
  const password = randomBytes(24).toString('hex');
  const child = spawn('/bin/sh', ['-c', LEASH, program], { stdio: ['pipe', 'ignore', 'ignore', 'pipe'] });
  const settings = child.stdio[3] as Writable;
  settings.on('error', () => {});
  // Not as arguments, so that the password is in nobody's process list.
  settings.end(
    [
      `port ${port}`,
      'bind 127.0.0.1',
      `requirepass ${password}`,
      `dir ${JSON.stringify(folder)}`,
      'appendonly yes',
      'save ""',
      // Buckets stay compact lists well past their usual 64 entries (docs/decisions.md, index memory).
      'zset-max-listpack-entries 1024',
      '',
    ].join('\n'),
  );
  child.stdin?.on('error', () => {});
  const gone = new Promise<never>((_, reject) => {
    child.once('error', reject);
    child.once('exit', (code, signal) => reject(new Error(`redis-server ended (${code ?? signal})`)));
  });
  gone.catch(() => {});
  const url = `redis://:${password}@127.0.0.1:${port}`;
  const waiting = new AbortController();
  try {
    await Promise.race([gone, answering(url, waiting.signal)]);
  } catch (error) {
    await stop(child);
    throw error;
  } finally {
    waiting.abort();
  }
  return { url, stop: () => stop(child) };
}

async function answering(url: string, signal: AbortSignal): Promise<void> {
  const deadline = Date.now() + START_TIMEOUT_MS;
  while (!signal.aborted) {
    const engine = openRespEngine(url);
    try {
      const [reply] = await engine.run([{ name: 'PING', args: [] }], false);
      // While it loads its file it answers LOADING.
      if (reply && typeof reply === 'object' && 'status' in reply) return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
    } finally {
      await engine.close();
    }
    if (Date.now() > deadline) throw new Error('redis-server did not start in time');
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}

function stop(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null || child.pid === undefined) return Promise.resolve();
  return new Promise((resolve) => {
    const force = setTimeout(() => child.kill('SIGKILL'), STOP_TIMEOUT_MS);
    child.once('exit', () => {
      clearTimeout(force);
      resolve();
    });
    child.stdin?.end();
  });
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const probe = createServer();
    probe.once('error', reject);
    probe.listen(0, '127.0.0.1', () => {
      const address = probe.address();
      probe.close(() =>
        address && typeof address === 'object' ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}
