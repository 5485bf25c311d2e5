/** The Redis of an index: protected by a password, keeping everything on the disk, and really writing it there. */
import { randomBytes } from 'node:crypto';
import { usageError } from '../command-failed.ts';
import type { Finding, State } from './finding.ts';
import { isErrorReply, RedisSession, type Reply } from './redis-session.ts';

/** With `appendfsync everysec`, what was written is on the disk this much later. */
const FSYNC_MS = 2500;
const LOOK_MS = 100;

/** Fields of INFO. Pure. */
export const infoFields = (text: string): ReadonlyMap<string, string> =>
  new Map(
    text.split('\r\n').flatMap((line) => {
      const colon = line.indexOf(':');
      return colon > 0 && !line.startsWith('#') ? [[line.slice(0, colon), line.slice(colon + 1)] as const] : [];
    }),
  );

const finding = (check: string, state: State, seen: string, mend?: string): Finding => ({
  check: `redis ${check}`,
  state,
  seen,
  ...(mend !== undefined && { mend }),
});

/** What the settings say. @param settings of CONFIG GET, absent where the server does not tell. Pure. */
export function judgeRedisSettings(settings: ReadonlyMap<string, string>): readonly Finding[] {
  const appendOnly = settings.get('appendonly');
  const fsync = settings.get('appendfsync');
  const policy = settings.get('maxmemory-policy');
  const unknown = 'it does not tell (CONFIG is not allowed)';
  return [
    appendOnly === undefined
      ? finding('append-only', 'skipped', unknown)
      : appendOnly === 'yes'
        ? finding(
            'append-only',
            fsync === 'no' ? 'warning' : 'ok',
            `on, fsync ${fsync ?? '?'}`,
            fsync === 'no' ? 'set appendfsync everysec' : undefined,
          )
        : finding(
            'append-only',
            'failed',
            'off: a restart loses files',
            'in redis.conf: appendonly yes, appendfsync everysec; then CONFIG SET appendonly yes',
          ),
    policy === undefined
      ? finding('eviction', 'skipped', unknown)
      : policy === 'noeviction'
        ? finding('eviction', 'ok', 'off')
        : finding(
            'eviction',
            'failed',
            `${policy}: it throws entries away when its memory is full`,
            'in redis.conf: maxmemory-policy noeviction',
          ),
  ];
}

const pairs = (reply: Reply): ReadonlyMap<string, string> => {
  const list = Array.isArray(reply) ? reply.map(String) : [];
  return new Map(list.flatMap((name, at) => (at % 2 === 0 ? [[name, list[at + 1] ?? ''] as const] : [])));
};

export async function checkRedis(text: string): Promise<readonly Finding[]> {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  if (!url || !/^rediss?:$/.test(url.protocol))
    throw usageError('--redis must be redis://:password@host:port or rediss://…');
  let session: RedisSession;
  try {
    session = await RedisSession.open(url);
  } catch (error) {
    const seen = `${url.host} does not answer: ${(error as Error).message}`;
    return [finding('connection', 'failed', seen, 'is it running, and listening on this address?')];
  }
  try {
    return await examine(session, url);
  } catch (error) {
    return [finding('connection', 'failed', (error as Error).message, 'see its log')];
  } finally {
    session.close();
  }
}

async function examine(session: RedisSession, url: URL): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  const open = !isErrorReply(await session.send('PING'));
  findings.push(
    open
      ? finding(
          'password',
          'failed',
          'none is needed: whoever reaches it can change everything',
          'in redis.conf: requirepass, and bind 127.0.0.1',
        )
      : finding('password', 'ok', 'needed'),
  );
  const [user, password] = [decodeURIComponent(url.username), decodeURIComponent(url.password)];
  if (password && !open) {
    const answer = await session.send('AUTH', ...(user ? [user, password] : [password]));
    if (isErrorReply(answer))
      return [...findings, finding('login', 'failed', answer.error, 'check the password in the URL')];
  } else if (!open) {
    return [...findings, finding('login', 'failed', 'the URL holds no password', 'give redis://:password@host:port')];
  }
  const settings = new Map<string, string>();
  for (const name of ['appendonly', 'appendfsync', 'maxmemory-policy']) {
    for (const [key, value] of pairs(await session.send('CONFIG', 'GET', name))) settings.set(key, value);
  }
  findings.push(...judgeRedisSettings(settings));
  findings.push(await checkWriting(session));
  return findings;
}

/** Writes a key and sees the log on the disk grow by it. */
async function checkWriting(session: RedisSession): Promise<Finding> {
  const info = async () => infoFields(String(await session.send('INFO', 'persistence')));
  const before = await info();
  const key = `filetao:doctor:${randomBytes(8).toString('hex')}`;
  const sinceMs = performance.now();
  const written = await session.send('SET', key, randomBytes(64).toString('hex'), 'EX', '60');
  if (isErrorReply(written))
    return finding('writing', 'failed', written.error, 'its disk may be full, or this user may not write');
  try {
    if (before.get('aof_enabled') !== '1')
      return finding('writing', 'warning', 'it answers, but keeps no log on the disk', 'appendonly yes');
    const size = Number(before.get('aof_current_size'));
    for (;;) {
      const now = await info();
      if (now.get('aof_last_write_status') === 'err')
        return finding('writing', 'failed', 'its last write to the disk failed', 'is the disk full? See its log');
      const grown = Number(now.get('aof_current_size')) > size && now.get('aof_pending_bio_fsync') === '0';
      const ms = performance.now() - sinceMs;
      if (grown) return finding('writing', 'ok', `a key was in the log on the disk after ${Math.round(ms)} ms`);
      if (ms > FSYNC_MS)
        return finding(
          'writing',
          'failed',
          'a key did not reach the log on the disk',
          'see its log; is the disk full or very slow?',
        );
      await new Promise((wake) => setTimeout(wake, LOOK_MS));
    }
  } finally {
    await session.send('DEL', key);
  }
}
