/** The gateway's door: who gets in, what is refused, in which words, and that it closes. */
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, readFile, readlink, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { Redis } from '@upstash/redis/cloudflare';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createIndex } from '#shared/index/redis-index.ts';
import { silentLog } from '#shared/primitives/effects.ts';
import { type FileNumber, hotkeyOf } from '#shared/primitives/ids.ts';
import { newFile, storeFile } from '#shared/testing/index-files.ts';
import type { Engine } from './engine.ts';
import { MAX_CONCURRENT_REQUESTS, MAX_REQUEST_BYTES, openGateway } from './gateway.ts';
import { encodeCommand, RespReader } from './resp.ts';
import { EDGE_TOKEN, type OpenIndex, openIndex, TENANT_TOKEN } from './testing/open-index.ts';
import { findRedisServer } from './testing/redis-for-tests.ts';

let world: OpenIndex;
beforeAll(async () => {
  world = await openIndex();
});
afterAll(() => world?.close());

async function post(path: string, body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(world.gateway.url + path, {
    method: 'POST',
    headers: { authorization: `Bearer ${TENANT_TOKEN}`, ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  });
  return { status: response.status, body: (await response.json()) as unknown };
}
const error = (text: string) => ({ error: expect.stringContaining(text) as string });

describe('the REST format', () => {
  it('runs one command, several, and several as one', async () => {
    expect(await post('/', ['SET', 'nn:x', 'ü'])).toEqual({ status: 200, body: { result: 'OK' } });
    expect(await post('/', ['get', 'nn:x'])).toEqual({ status: 200, body: { result: 'ü' } });
    const commands = [['STRLEN', 'nn:x'], ['HGET', 'nn:x', 'f'], ['GET', 'none'], ['MGET', 'nn:x', 'none'], ['PING']];
    const replies = [{ result: 2 }, error('WRONGTYPE'), { result: null }, { result: ['ü', null] }, { result: 'PONG' }];
    for (const path of ['/pipeline', '/multi-exec'])
      expect(await post(path, commands)).toEqual({ status: 200, body: replies });
  });
  it('encodes every text but OK as base64 when asked to', async () => {
    const headers = { 'upstash-encoding': 'base64' };
    const { body } = await post(
      '/pipeline',
      [['SET', 'nn:y', 'OK'], ['GET', 'nn:y'], ['PING'], ['HMGET', 'n?', 'a']],
      headers,
    );
    expect(body).toEqual([{ result: 'OK' }, { result: 'T0s=' }, { result: 'UE9ORw==' }, { result: [null] }]);
  });
  it('is the one that the client speaks', async () => {
    const redis = new Redis({ url: world.gateway.url, token: TENANT_TOKEN, automaticDeserialization: false });
    expect(await redis.set('nn:z', 'value \u{1f30d}')).toBe('OK');
    expect(await redis.get('nn:z')).toBe('value \u{1f30d}');
    expect(await redis.multi().incrby('nn:c', 5).incrby('nn:c', 6).exec()).toEqual([5, 11]);
    await expect(redis.get('nn:\0')).resolves.toBeNull();
    await expect(redis.eval('return 1', [], [])).rejects.toThrow('refused command');
  });
  it.each<[string, string, unknown, number, string]>([
    ['no JSON', '/', '{', 400, 'not JSON'],
    ['nothing', '/', '', 400, 'not JSON'],
    ['an object', '/', {}, 400, 'empty command'],
    ['an empty command', '/', [], 400, 'empty command'],
    ['an object as an argument', '/', ['GET', {}], 400, 'must be strings'],
    ['null as an argument', '/', ['GET', null], 400, 'must be strings'],
    ['a nested array', '/', [['GET', 'a']], 400, 'must be strings'],
    ['an empty pipeline', '/pipeline', [], 400, 'empty pipeline'],
    ['a command that is none', '/pipeline', [['GET', 'a'], 'GET'], 400, 'command 2'],
    ['too many commands', '/pipeline', Array.from({ length: 2001 }, () => ['PING']), 400, 'more than'],
    ['too few arguments', '/', ['GET'], 400, "wrong number of arguments for 'get'"],
    ['too many arguments', '/', ['GET', 'a', 'b'], 400, 'wrong number'],
    ['an unknown command', '/', ['NOPE'], 400, 'unknown or refused'],
    ['a huge offset', '/', ['SETRANGE', 'a', '500000000', 'x'], 400, 'maximum allowed size'],
    ['a field far out', '/', ['BITFIELD', 'a', 'SET', 'i64', '#10', '1'], 400, 'syntax error'],
    ['a bit far out', '/', ['BITFIELD', 'a', 'SET', 'u1', '4294967295', '1'], 400, 'syntax error'],
    ['a field far out behind another', '/', ['BITFIELD', 'a', 'GET i64 #0', 'SET', 'i64', '#99', '1'], 400, 'syntax'],
    ['a field without its number', '/', ['BITFIELD', 'a', 'INCRBY', 'i64', '#0'], 400, 'syntax error'],
    ['another path', '/set/a/b', ['PING'], 404, 'no such path'],
  ])('refuses %s', async (_, path, body, status, text) => {
    expect(await post(path, body)).toEqual({ status, body: error(text) });
  });
  it.each([
    'BLPOP',
    'BRPOPLPUSH',
    'XREAD',
    'SUBSCRIBE',
    'EVAL',
    'FLUSHALL',
    'FLUSHDB',
    'CONFIG',
    'KEYS',
    'SCAN',
    'MONITOR',
    'WATCH',
    'MULTI',
    'EXEC',
    'SHUTDOWN',
    'DEBUG',
    'SELECT',
    'AUTH',
  ])('refuses %s to everybody', async (name) => {
    expect(await post('/', [name, '0', '0'])).toEqual({ status: 400, body: error('refused command') });
  });
  it('runs nothing of a transaction with a refused command in it', async () => {
    expect(
      await post('/multi-exec', [
        ['SET', 'nn:t', '1'],
        ['KEYS', '*'],
      ]),
    ).toEqual({ status: 400, body: error('EXECABORT') });
    expect(await post('/', ['GET', 'nn:t'])).toEqual({ status: 200, body: { result: null } });
  });
  it('answers a GET of /health and of nothing else', async () => {
    const health = await fetch(`${world.gateway.url}/health`);
    expect(await health.json()).toEqual({ role: 'index' });
    const other = await fetch(world.gateway.url, { headers: { authorization: `Bearer ${TENANT_TOKEN}` } });
    expect(other.status).toBe(405);
    await other.text();
  });
});

describe('sizes', () => {
  it('up to the limit pass, one byte more is refused', async () => {
    const frame = JSON.stringify(['SET', 'nn:big', '']).length;
    const fits = ['SET', 'nn:big', 'x'.repeat(MAX_REQUEST_BYTES - frame)];
    expect((await post('/', fits)).status).toBe(200);
    expect(await post('/', [...fits.slice(0, 2), `${fits[2]}x`])).toEqual({
      status: 413,
      body: error('max request size'),
    });
    expect((await post('/', ['DEL', 'nn:big'])).status).toBe(200);
  });
  it.each([
    ['announced', 'content-length: 99999999\r\n\r\n'],
    ['endless', `transfer-encoding: chunked\r\n\r\n${'10000\r\n'}${'x'.repeat(0x10000)}\r\n`],
  ])('too large are refused before they are read: %s', async (kind, tail) => {
    const { port } = world.gateway;
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    socket.write(`POST / HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${TENANT_TOKEN}\r\n${tail}`);
    if (kind === 'endless') for (let i = 0; i < 20; i++) socket.write(`10000\r\n${'x'.repeat(0x10000)}\r\n`);
    let text = '';
    for await (const piece of socket) {
      text += String(piece);
      if (text.includes('max request size')) break;
    }
    expect(text).toContain(' 413 ');
    socket.destroy();
  });
});

describe('tokens', () => {
  it.each([
    ['none', {}],
    ['another', { authorization: `Bearer ${TENANT_TOKEN}x` }],
    ['an empty one', { authorization: 'Bearer ' }],
    ['another scheme', { authorization: `Basic ${TENANT_TOKEN}` }],
    ['two', { authorization: `Bearer ${TENANT_TOKEN} ${TENANT_TOKEN}` }],
  ])('let nobody in with %s', async (_, headers: Record<string, string>) => {
    for (const path of ['/', '/pipeline', '/multi-exec']) {
      const response = await fetch(world.gateway.url + path, { method: 'POST', headers, body: '["PING"]' });
      expect(response.status).toBe(401);
      expect(await response.json()).toEqual({ error: 'Unauthorized' });
    }
  });
  it.each([
    ['SET', 'dh', 'x'],
    ['SET', 'dp:1:1', 'x'],
    ['HSETNX', 'mn', 'x', '1'],
    ['INCRBY', 'mc', '1'],
    ['SET', 'g:5Grw', 'x'],
    ['HINCRBY', 'id', 'epoch', '1'],
    ['BITFIELD', 'mc', 'INCRBY', 'i64', '#0', '1'],
    ['DEL', 'f:1', 'g:5Grw'],
    ['RENAME', 'f:1', 'g:5Grw'],
    ['RENAME', 'g:5Grw', 'f:1'],
    ['RPUSH', 'ledger:1', 'x'],
    ['SET', '', 'x'],
    ['PEXPIRE', 'id', '1'],
  ])('of an edge may not %s %s', async (...command) => {
    const headers = { authorization: `Bearer ${EDGE_TOKEN}` };
    expect(await post('/', command, headers)).toEqual({ status: 400, body: error('NOPERM') });
    expect(await post('/multi-exec', [['PING'], command], headers)).toEqual({ status: 400, body: error('NOPERM') });
    expect((await post('/pipeline', [['PING'], command], headers)).body).toEqual([{ result: 'PONG' }, error('NOPERM')]);
  });
  it('of an edge are enough for all that an edge does', async () => {
    const { files, miners, access } = createIndex({ url: world.gateway.url, token: EDGE_TOKEN });
    const file = await storeFile(
      files,
      newFile(Date.now(), {
        name: 'n',
        expiresAtMs: Date.now() + 5000,
        bytes: 500,
        segmentBytes: 10,
        segments: 50,
        n: 40,
      }),
    );
    await files.changeFile(file, { name: 'm' });
    await files.deleteFile(file, 'deleted');
    await files.addStrays([{ miner: 1 as never, anchorId: new Uint8Array(32), ref: 1n }]);
    await files.addReceipts({ file: 1 as FileNumber, segment: 0, receipts: [new Uint8Array(5)] });
    await access.addKey({ keyId: 'k', owner: file.owner, label: 'l', createdAtMs: 1 }, new Uint8Array(32));
    expect(await access.claimNonce('a', 'b', 1000)).toBe(true);
    expect(await miners.read()).toEqual({ takenAtMs: 0, miners: [] });
    const hotkey = hotkeyOf(new Uint8Array(32).fill(3));
    await expect(miners.publish({ takenAtMs: 1, miners: [] })).rejects.toThrow('NOPERM');
    await expect(miners.numberOf([hotkey])).rejects.toThrow('NOPERM');
    await expect(access.writeGrant(hotkey, new Uint8Array(5))).rejects.toThrow('NOPERM');
    await expect(files.advanceEpoch()).rejects.toThrow('NOPERM');
  });
});

describe('an engine that fails or is slow', () => {
  const tokens = { tenant: TENANT_TOKEN };
  const headers = { authorization: `Bearer ${TENANT_TOKEN}` };
  it('is told as 503, and no detail of it', async () => {
    const engine: Engine = { run: () => Promise.reject(new Error('disk I/O error at /secret')), close: async () => {} };
    const gateway = await openGateway({ engine, tokens, log: silentLog, port: 0 });
    const response = await fetch(gateway.url, { method: 'POST', headers, body: '["PING"]' });
    expect(response.status).toBe(503);
    expect(await response.text()).not.toContain('secret');
    await gateway.close();
  });
  it('takes so many requests at once and no more', async () => {
    let answer = () => {};
    const until = new Promise<void>((resolve) => {
      answer = resolve;
    });
    const engine: Engine = {
      run: async (commands) => {
        await until;
        return commands.map(() => 1);
      },
      close: async () => {},
    };
    const gateway = await openGateway({ engine, tokens, log: silentLog, port: 0 });
    let refused = 0;
    const ask = async () => {
      const { status } = await fetch(gateway.url, { method: 'POST', headers, body: '["PING"]' });
      // All others are inside by then, or they would have been refused in their stead.
      if (status === 503 && ++refused === 3) answer();
      return status;
    };
    const statuses = await Promise.all(Array.from({ length: MAX_CONCURRENT_REQUESTS + 3 }, ask));
    expect(statuses.filter((status) => status === 503)).toHaveLength(3);
    expect(statuses.filter((status) => status === 200)).toHaveLength(MAX_CONCURRENT_REQUESTS);
    await gateway.close();
  });
});

describe('RESP2', () => {
  it('is read alike however it is cut', () => {
    const wire = Buffer.from(
      '+OK\r\n$3\r\na\r\n\r\n:-5\r\n*3\r\n$-1\r\n*1\r\n$0\r\n\r\n-ERR x\r\n*-1\r\n*0\r\n',
      'latin1',
    );
    const whole = new RespReader().push(wire);
    expect(whole).toHaveLength(6);
    fc.assert(
      fc.property(fc.array(fc.nat(wire.length), { maxLength: 8 }), (cuts) => {
        const reader = new RespReader();
        const ends = [...new Set([0, ...cuts, wire.length])].sort((a, b) => a - b);
        const pieces = ends.slice(1).map((end, i) => wire.subarray(ends[i], end));
        expect(pieces.flatMap((piece) => reader.push(piece))).toEqual(whole);
      }),
    );
  });
  it('is refused when it is none', () => {
    for (const text of [
      '?\r\n',
      'HTTP/1.1 200 OK\r\n',
      ':x\r\n',
      '$x\r\n',
      '$99999999999\r\n',
      '*99999999\r\n',
      ': 1\r\n',
      '$-2\r\n',
    ]) {
      expect(() => new RespReader().push(Buffer.from(text))).toThrow();
    }
  });
  it('carries any bytes', () => {
    const command = { name: 'SET', args: [Buffer.from('k\r\n'), new Uint8Array([0, 255])] };
    expect(encodeCommand(command).toString('latin1')).toBe('*3\r\n$3\r\nSET\r\n$3\r\nk\r\n\r\n$2\r\n\0\xff\r\n');
  });
});

/** How many processes have this folder as their working directory, as a redis-server has its data directory. */
async function processesIn(folder: string): Promise<number> {
  const processes = (await readdir('/proc')).filter((name) => /^[0-9]+$/.test(name));
  const folders = await Promise.all(processes.map((name) => readlink(`/proc/${name}/cwd`).catch(() => '')));
  return folders.filter((each) => each === folder).length;
}

describe('the program', () => {
  const folders: string[] = [];
  afterEach(async () => {
    for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
  });
  const main = join(import.meta.dirname, 'main.ts');

  /** Starts it, waits for `listening`, and hands over its URL and a way to end it. */
  async function start(env: Record<string, string>) {
    const child = spawn(process.execPath, [main], {
      env: { PATH: process.env.PATH ?? '', ...env },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
    const lines: string[] = [];
    for await (const line of createInterface(child.stdout)) {
      lines.push(line);
      const entry = JSON.parse(line) as { event: string; url: string; engine: string };
      if (entry.event !== 'listening') continue;
      const end = async (signal: NodeJS.Signals) => {
        child.kill(signal);
        return ended;
      };
      return { url: entry.url, engine: entry.engine, end, code: ended, lines };
    }
    return { url: '', engine: '', end: async () => ended, code: ended, lines };
  }

  it.each([
    ['embedded', undefined],
    ['redis-server', findRedisServer()],
  ])('keeps what it was told over a restart: %s', async (kind, program) => {
    if (kind === 'redis-server' && !program) return;
    const folder = await mkdtemp(join(tmpdir(), 'filetao-gateway-'));
    folders.push(folder);
    const tokenFile = join(folder, 'token');
    await writeFile(tokenFile, `${TENANT_TOKEN}\n`);
    const env = {
      FILETAO_INDEX_DIR: join(folder, 'index'),
      FILETAO_INDEX_TOKEN_FILE: tokenFile,
      ...(program && { FILETAO_REDIS_SERVER: program }),
    };
    const first = await start(env);
    expect(first.engine).toBe(kind);
    const file = await storeFile(createIndex({ url: first.url, token: TENANT_TOKEN }).files, newFile(Date.now()));
    expect(await first.end('SIGTERM')).toBe(0);
    const second = await start(env);
    expect(await createIndex({ url: second.url, token: TENANT_TOKEN }).files.findFile(file.cid)).toEqual(file);
    expect(await second.end('SIGINT')).toBe(0);
  });
  it.skipIf(!findRedisServer())('takes its redis-server along when it is killed', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'filetao-gateway-'));
    folders.push(folder);
    const first = await start({
      FILETAO_INDEX_DIR: folder,
      FILETAO_INDEX_TOKEN: TENANT_TOKEN,
      FILETAO_REDIS_SERVER: findRedisServer() ?? '',
    });
    const running = async () => (await processesIn(join(folder, 'redis'))) > 0;
    expect(await running()).toBe(true);
    await first.end('SIGKILL');
    const deadline = Date.now() + 5_000;
    while (await running()) expect(Date.now()).toBeLessThan(deadline);
  });
  it('of the embedded engine has every acknowledged write after kill -9', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'filetao-gateway-'));
    folders.push(folder);
    const env = { FILETAO_INDEX_DIR: folder, FILETAO_INDEX_TOKEN: TENANT_TOKEN };
    const first = await start(env);
    const { files } = createIndex({ url: first.url, token: TENANT_TOKEN });
    const owner = newFile(0).owner;
    const stored = [];
    for (let i = 0; i < 10; i++) stored.push(await storeFile(files, newFile(Date.now(), { owner })));
    await first.end('SIGKILL');
    const second = await start(env);
    const again = createIndex({ url: second.url, token: TENANT_TOKEN }).files;
    expect((await again.listFiles(owner, undefined, 50)).items).toEqual(stored.toReversed());
    expect(await second.end('SIGTERM')).toBe(0);
  });
  it.each([
    ['no token', {}],
    ['a short token', { FILETAO_INDEX_TOKEN: 'short' }],
    ['a port that is none', { FILETAO_INDEX_TOKEN: TENANT_TOKEN, FILETAO_INDEX_PORT: '99999' }],
    ['a redis-server that is none', { FILETAO_INDEX_TOKEN: TENANT_TOKEN, FILETAO_REDIS_SERVER: '/nonexistent/redis' }],
    ['a URL that is none', { FILETAO_INDEX_TOKEN: TENANT_TOKEN, REDIS_URL: 'http://127.0.0.1' }],
  ])('says why it does not start with %s', async (_, env: Record<string, string>) => {
    const folder = await mkdtemp(join(tmpdir(), 'filetao-gateway-'));
    folders.push(folder);
    const { code, lines } = await start({ FILETAO_INDEX_DIR: folder, ...env });
    expect(await code).toBe(1);
    expect(lines.join()).toContain('cannot start');
    await expect(readFile(join(folder, 'index.sqlite'))).rejects.toThrow();
  });
});
