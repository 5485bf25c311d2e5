import { chmodSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { judgeClock, judgeHealth } from './check-edge.ts';
import { checkMinerFolder, checkSecrets, walletSecretPaths } from './check-folders.ts';
import { checkRedis, infoFields, judgeRedisSettings } from './check-redis.ts';
import { findingText, verdictOf } from './finding.ts';
import { parseReply } from './redis-session.ts';

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'filetao-doctor-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const WELL = {
  status: 'ok',
  index: { reachable: true },
  miners: { known: 12, accepting: 10 },
  grant: { state: 'valid' },
  maskSecret: { state: 'right' },
};

describe('the edge', () => {
  it('is well when all of it is', () =>
    expect(judgeHealth(WELL)).toMatchObject({ state: 'ok', seen: 'ok, 10 of 12 miners take files' }));
  it.each([
    ['index', { index: { reachable: false } }, 'index cannot be reached'],
    ['grant', { grant: { state: 'expired' } }, 'grant is expired'],
    ['mask secret', { maskSecret: { state: 'wrong' } }, 'mask secret'],
    ['miners', { miners: { known: 3, accepting: 0 } }, 'no miner'],
    ['anything else', { status: 'impaired' }, 'impaired'],
  ])('says that its %s fails, and what to do', (_, change, seen) => {
    const finding = judgeHealth({ ...WELL, ...change });
    expect([finding.state, finding.seen]).toEqual(['failed', expect.stringContaining(seen)]);
    expect(finding.mend).toBeTruthy();
  });
  it.each([
    [0, 'ok'],
    [-900, 'ok'],
    [4000, 'ok'],
    [6000, 'warning'],
    [-31_000, 'failed'],
  ])('a clock %i ms off is %s', (ms, state) => expect(judgeClock(ms).state).toBe(state));
});

describe('secrets on this machine', () => {
  it('names every wallet file that others can read', async () => {
    const hotkeys = join(folder, 'w', 'hotkeys');
    mkdirSync(hotkeys, { recursive: true });
    for (const file of [join(folder, 'w', 'coldkey'), join(hotkeys, 'h1'), join(hotkeys, 'h1pub.txt')])
      writeFileSync(file, '{}');
    const paths = await walletSecretPaths(folder);
    expect(paths).toEqual([join(folder, 'w', 'coldkey'), join(hotkeys, 'h1')]);
    for (const path of paths) chmodSync(path, 0o600);
    expect(await checkSecrets('wallets', paths)).toMatchObject({ state: 'ok' });
    chmodSync(join(hotkeys, 'h1'), 0o640);
    expect(await checkSecrets('wallets', paths)).toMatchObject({
      state: 'failed',
      mend: `chmod 600 ${join(hotkeys, 'h1')}`,
    });
  });
  it('has nothing to say where there is none', async () =>
    expect(await checkSecrets('x', [join(folder, 'none')])).toMatchObject({ state: 'skipped' }));
});

describe('a miner’s folder', () => {
  it('is written to, timed, and left as it was', async () => {
    const path = mkdtempSync(join(folder, 'miner-'));
    const findings = await checkMinerFolder(path);
    expect(findings.map(({ check }) => check)).toEqual(['miner folder', 'miner disk', 'miner disk speed']);
    expect(findings[2]?.seen).toMatch(/written and synced at .*\/s/);
    expect(readdirSync(path)).toEqual([]);
    chmodSync(path, 0o755);
    expect((await checkMinerFolder(path))[0]).toMatchObject({ state: 'warning', mend: `chmod 700 ${path}` });
  });
  it('that is missing can be made', async () =>
    expect(await checkMinerFolder(join(folder, 'no'))).toMatchObject([
      { state: 'failed', mend: expect.stringContaining('mkdir') },
    ]));
});

describe('a Redis', () => {
  const settings = (appendonly: string, fsync: string, policy: string) =>
    judgeRedisSettings(
      new Map([
        ['appendonly', appendonly],
        ['appendfsync', fsync],
        ['maxmemory-policy', policy],
      ]),
    ).map(({ state }) => state);
  it.each([
    ['yes', 'everysec', 'noeviction', ['ok', 'ok']],
    ['yes', 'no', 'noeviction', ['warning', 'ok']],
    ['no', 'everysec', 'noeviction', ['failed', 'ok']],
    ['yes', 'always', 'allkeys-lru', ['ok', 'failed']],
  ])('append-only %s, fsync %s, eviction %s: %j', (append, fsync, policy, states) =>
    expect(settings(append, fsync, policy)).toEqual(states),
  );
  it('that tells nothing is not judged', () =>
    expect(judgeRedisSettings(new Map()).map(({ state }) => state)).toEqual(['skipped', 'skipped']));
  it('that is away says so', async () => {
    const server = createServer().listen(0, '127.0.0.1');
    await new Promise((listening) => server.once('listening', listening));
    const { port } = server.address() as { port: number };
    await new Promise((closed) => server.close(closed));
    expect(await checkRedis(`redis://127.0.0.1:${port}`)).toMatchObject([
      { check: 'redis connection', state: 'failed' },
    ]);
  });
  it('that is something else is found out', async () => {
    const server = createServer((socket) => socket.end('HTTP/1.1 400 Bad Request\r\n\r\n')).listen(0, '127.0.0.1');
    await new Promise((listening) => server.once('listening', listening));
    const { port } = server.address() as { port: number };
    expect(await checkRedis(`redis://127.0.0.1:${port}`)).toMatchObject([
      { state: 'failed', seen: expect.stringContaining('no Redis') },
    ]);
    server.close();
  });
  it('INFO is read', () => expect(infoFields('# P\r\naof_enabled:1\r\nx:a:b\r\n').get('x')).toBe('a:b'));

  it('replies are read whole or not yet, never wrongly', () => {
    const cases: readonly [string, unknown][] = [
      ['+OK\r\n', 'OK'],
      ['-ERR no\r\n', { error: 'ERR no' }],
      [':42\r\n', 42],
      ['$3\r\na\r\n\r\n', 'a\r\n'],
      ['$-1\r\n', null],
      ['*2\r\n$1\r\na\r\n*1\r\n:1\r\n', ['a', [1]]],
    ];
    for (const [text, reply] of cases) {
      expect(parseReply(text)).toEqual({ reply, end: text.length });
      for (let end = 0; end < text.length; end++) expect(parseReply(text.slice(0, end))).toBeUndefined();
    }
    fc.assert(
      fc.property(fc.string(), (text) => {
        try {
          parseReply(text);
        } catch (error) {
          expect((error as Error).message).toBe('what answers is no Redis');
        }
      }),
    );
  });
});

it('the verdict counts, and each finding says how to mend it below itself', () => {
  const failed = { check: 'c', state: 'failed', seen: 's', mend: 'a\nb' } as const;
  expect(verdictOf([failed, { ...failed, state: 'warning' }, { ...failed, state: 'ok' }])).toEqual({
    failed: 1,
    warnings: 1,
  });
  expect(findingText(failed)).toBe('FAIL  c: s\n        a\n        b');
});
