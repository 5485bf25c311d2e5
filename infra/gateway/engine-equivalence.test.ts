/** The embedded engine answers every command as Redis does: random sequences run on both, every reply is compared. */
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { refusal } from './commands.ts';
import { openEmbeddedEngine } from './embedded/embedded-engine.ts';
import { type Command, type Engine, isError, type Reply } from './engine.ts';
import type { RedisProcess } from './redis-process.ts';
import { openRespEngine } from './resp-engine.ts';
import { findRedisServer, startRedisForTest } from './testing/redis-for-tests.ts';

const program = findRedisServer();
const KEYS = ['a', 'b', 'c', 'd', 'lex'];
const bytes = (text: string | number): Uint8Array => Buffer.from(String(text), 'utf8');
const command = (name: string, ...args: (string | number)[]): Command => ({ name, args: args.map(bytes) });

const key = fc.constantFrom('a', 'b', 'c', 'd');
/** `lex` is a set whose members all have score 0: by text Redis orders nothing else in a specified way. */
const anyKey = fc.constantFrom(...KEYS);
const number = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: -6, max: 12 }).map(String) },
  { weight: 1, arbitrary: fc.constantFrom('9223372036854775807', '-9223372036854775808', '9223372036854775808') },
  { weight: 1, arbitrary: fc.constantFrom('', 'x', '1.5', ' 1', '+1', '01', '-0', '1 ', 'inf') },
);
const offset = fc.oneof(
  { weight: 9, arbitrary: fc.integer({ min: 0, max: 40 }).map(String) },
  { weight: 1, arbitrary: fc.constantFrom('-1', 'x', '') },
);
const score = fc.oneof(
  { weight: 6, arbitrary: fc.integer({ min: -3, max: 3 }).map(String) },
  { weight: 2, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }).map(String) },
  {
    weight: 1,
    arbitrary: fc.constantFrom('0.1', '1e3', '.5', '5.', '-inf', '+inf', 'Infinity', '1e17', '12345678901234567'),
  },
  { weight: 1, arbitrary: fc.constantFrom('x', '', 'nan', '1e400', ' 1', '--1') },
);
const bound = fc.tuple(fc.constantFrom('', '', '('), score).map(([open, value]) => open + value);
const member = fc.oneof(fc.constantFrom('', 'm', 'n', 'mm', 'é', '\u{1f30d}', '\0', 'm\0', '~'), fc.nat(9).map(String));
const lexBound = fc.oneof(
  { weight: 8, arbitrary: fc.tuple(fc.constantFrom('[', '('), member).map(([side, text]) => side + text) },
  { weight: 3, arbitrary: fc.constantFrom('-', '+') },
  { weight: 1, arbitrary: fc.constantFrom('', 'x', '-x') },
);
const value = fc.oneof(member, number, fc.string({ unit: 'binary', maxLength: 20 }));
const field = fc.constantFrom('f', 'g', '', '1');

const make = (name: string, ...parts: fc.Arbitrary<string>[]) =>
  fc.tuple(...parts).map((args) => command(name, ...args));
const many = (name: string, part: fc.Arbitrary<string>, ...before: fc.Arbitrary<string>[]) =>
  fc
    .tuple(fc.tuple(...before), fc.array(part, { minLength: 1, maxLength: 4 }))
    .map(([head, rest]) => command(name, ...head, ...rest));
const pairs = (name: string, first: fc.Arbitrary<string>, second: fc.Arbitrary<string>) =>
  fc
    .tuple(key, fc.array(fc.tuple(first, second), { minLength: 1, maxLength: 4 }), fc.boolean())
    .map(([name0, list, odd]) => command(name, name0, ...list.flat(), ...(odd && list.length > 3 ? ['x'] : [])));
const setOptions = fc.constantFrom<readonly string[]>(
  ...[[], [], ['NX'], ['XX'], ['PX', '900000'], ['px', '900000', 'nx'], ['XX', 'PX', '900000']],
  ...[
    ['NX', 'XX'],
    ['PX'],
    ['PX', '0'],
    ['PX', '-5'],
    ['PX', 'x'],
    ['PX', 'x', 'PX', '900000'],
    ['PX', 'x', 'NOPE'],
    ['NOPE'],
  ],
);
const limit = fc.oneof(
  { weight: 2, arbitrary: fc.constant<readonly string[]>([]) },
  { weight: 1, arbitrary: fc.tuple(number, number).map(([from, count]) => ['LIMIT', from, count]) },
);
const flag = (name: string) => fc.constantFrom<readonly string[]>([], [name]);
const zrange = (by: readonly string[], end: fc.Arbitrary<string>, on: fc.Arbitrary<string> = key) =>
  fc
    .tuple(on, end, end, flag('REV'), flag('WITHSCORES'), limit)
    .map(([name, low, high, rev, scores, part]) =>
      command('ZRANGE', name, low, high, ...by, ...rev, ...part, ...scores),
    );

const fieldOperation = fc.oneof(
  { weight: 5, arbitrary: fc.nat(3).map((at) => ['GET', 'i64', `#${at}`]) },
  {
    weight: 9,
    arbitrary: fc
      .tuple(fc.constantFrom('SET', 'incrby', 'INCRBY'), fc.nat(3), number)
      .map(([name, at, value]) => [name, 'i64', `#${at}`, value]),
  },
  { weight: 1, arbitrary: fc.constantFrom(['GET', 'u63', '#0'], ['INCRBY', 'i64', '#0'], ['SET', 'i64', '#99', '1']) },
);

const anyCommand: fc.Arbitrary<Command> = fc.oneof(
  fc
    .tuple(key, fc.array(fieldOperation, { minLength: 1, maxLength: 4 }))
    .map(([name, all]) => command('BITFIELD', name, ...all.flat())),
  fc
    .array(member, { minLength: 1, maxLength: 6 })
    .map((all) => command('ZADD', 'lex', ...all.flatMap((text) => ['0', text]))),
  ...[make('GET', key), many('MGET', key), make('STRLEN', key), make('GETRANGE', key, number, number)],
  ...[many('EXISTS', key), make('PTTL', key), make('PING'), make('INCRBY', key, number)],
  fc
    .tuple(fc.oneof({ weight: 9, arbitrary: key }, { weight: 1, arbitrary: anyKey }), value, setOptions)
    .map(([name, text, options]) => command('SET', name, text, ...options)),
  ...[make('SETRANGE', key, offset, value), many('DEL', anyKey), make('RENAME', key, key)],
  make('PEXPIRE', key, fc.constantFrom('900000', '0', '-1', 'x', '9223372036854775807')),
  ...[make('HGET', key, field), many('HMGET', field, key), make('HGETALL', key), make('HLEN', key)],
  ...[pairs('HSET', field, value), make('HSETNX', key, field, value), many('HDEL', field, key)],
  ...[make('HINCRBY', key, field, number), pairs('ZADD', score, member), many('ZREM', member, anyKey)],
  ...[
    make('ZSCORE', anyKey, member),
    make('ZCARD', anyKey),
    make('ZREMRANGEBYSCORE', key, bound, bound),
    make('ZREMRANGEBYLEX', fc.constant('lex'), lexBound, lexBound),
  ],
  ...[zrange([], number), zrange(['BYSCORE'], bound), zrange(['BYLEX'], lexBound, fc.constant('lex'))],
  ...[
    many('RPUSH', value, key),
    make('LLEN', key),
    make('LRANGE', key, number, number),
    make('LTRIM', key, number, number),
  ],
  ...[make('LPOP', key), make('LPOP', key, number), make('LPOP', key, number, number)],
);

/** A reply as text, less what the engines may differ in: order of a hash, milliseconds of a running expiry. */
function shown(reply: Reply, name: string): string {
  if (reply instanceof Uint8Array) return `"${Buffer.from(reply).toString('latin1')}"`;
  if (name === 'PTTL' && typeof reply === 'number' && reply > 0) return 'running';
  if (Array.isArray(reply)) {
    const items = reply.map((item) => shown(item, ''));
    if (name !== 'HGETALL') return `[${items.join(' ')}]`;
    return `{${items
      .flatMap((_, i) => (i % 2 ? [] : [`${items[i]}=${items[i + 1]}`]))
      .sort()
      .join(' ')}}`;
  }
  return JSON.stringify(reply);
}

const printed = ({ name, args }: Command) =>
  `${name} ${args.map((arg) => JSON.stringify(Buffer.from(arg).toString())).join(' ')}`;

describe.skipIf(!program)(
  `the embedded engine against redis-server${program ? '' : ' (SKIPPED: no redis-server here)'}`,
  () => {
    let process: RedisProcess;
    let redis: Engine;
    let embedded: Engine;
    let nowMs = 1_000_000;

    beforeAll(async () => {
      process = await startRedisForTest(program ?? '');
      redis = openRespEngine(process.url);
      embedded = openEmbeddedEngine(':memory:', () => nowMs);
    });
    afterAll(async () => {
      await redis?.close();
      await process?.stop();
      await embedded?.close();
    });

    async function compare(commands: readonly Command[], atomic: boolean): Promise<void> {
      const passing = commands.filter((each) => !refusal(each));
      const clear = command('DEL', ...KEYS);
      const sequence = [clear, ...passing, ...KEYS.map((name) => command('EXISTS', name))];
      const [theirs, ours] = [await redis.run(sequence, atomic), await embedded.run(sequence, atomic)];
      expect(ours.length).toBe(theirs.length);
      for (const [i, each] of sequence.slice(1).entries()) {
        const context = sequence.slice(1, i + 2).map(printed);
        const [our, their] = [ours[i + 1] ?? null, theirs[i + 1] ?? null];
        expect([...context, shown(our, each.name)]).toEqual([...context, shown(their, each.name)]);
      }
    }

    it('gives the same reply to every command of random sequences', async () => {
      const sequences = fc.array(anyCommand, { minLength: 1, maxLength: 60 });
      await fc.assert(fc.asyncProperty(sequences, fc.boolean(), compare), { numRuns: 400 });
    });

    it('compares enough: each command succeeds and fails on some key', async () => {
      const seen = new Map<string, Set<boolean>>();
      for (const commands of fc.sample(fc.array(anyCommand, { minLength: 60, maxLength: 60 }), {
        numRuns: 60,
        seed: 7,
      })) {
        const passing = commands.filter((each) => !refusal(each));
        const replies = await embedded.run([command('DEL', ...KEYS), ...passing], true);
        for (const [i, each] of passing.entries()) {
          const outcomes = seen.get(each.name) ?? new Set();
          seen.set(each.name, outcomes.add(isError(replies[i + 1] ?? null)));
        }
      }
      const never = ['PING', 'MGET', 'EXISTS', 'PTTL', 'DEL'];
      const oneSided = [...seen].filter(([name, outcomes]) => outcomes.size < 2 && !never.includes(name));
      expect(oneSided.map(([name]) => name)).toEqual([]);
    });

    it.each([
      ['a string', [command('SET', 'a', '7', 'PX', '40')], command('INCRBY', 'a', 1)],
      [
        'a string that was changed in place',
        [command('SET', 'a', '7', 'PX', '40'), command('SETRANGE', 'a', 0, '8')],
        command('GET', 'a'),
      ],
      [
        'a string that was counted',
        [command('SET', 'a', '7', 'PX', '40'), command('INCRBY', 'a', 1)],
        command('GET', 'a'),
      ],
      [
        'a renamed key',
        [command('SET', 'b', '7', 'PX', '40'), command('RENAME', 'b', 'a')],
        command('SET', 'a', 'x', 'NX'),
      ],
      [
        'a key whose new name had an expiry',
        [command('SET', 'a', '7', 'PX', '40'), command('SET', 'b', '8'), command('RENAME', 'b', 'a')],
        command('GET', 'a'),
      ],
      ['a hash', [command('HSET', 'a', 'f', '1'), command('PEXPIRE', 'a', 40)], command('HSETNX', 'a', 'f', '2')],
      ['a set', [command('ZADD', 'a', 1, 'm'), command('PEXPIRE', 'a', 40)], command('ZADD', 'a', 1, 'm')],
      ['a list', [command('RPUSH', 'a', 'm'), command('PEXPIRE', 'a', 40)], command('RPUSH', 'a', 'n')],
      [
        'a string that was set anew',
        [command('SET', 'a', '7', 'PX', '40'), command('SET', 'a', '8')],
        command('GET', 'a'),
      ],
    ])('expires alike: %s', async (_, before, after) => {
      const first = [command('DEL', ...KEYS), ...before, command('SET', 'z', 1, 'PX', 40)];
      await redis.run(first, false);
      await embedded.run(first, false);
      nowMs += 41;
      const deadline = Date.now() + 5_000;
      while ((await redis.run([command('EXISTS', 'z')], false))[0] !== 0) expect(Date.now()).toBeLessThan(deadline);
      const then = [after, command('GET', 'a'), command('PTTL', 'a'), command('EXISTS', 'a', 'b')];
      const [theirs, ours] = [await redis.run(then, false), await embedded.run(then, false)];
      expect(ours.map((reply) => shown(reply, 'PTTL'))).toEqual(theirs.map((reply) => shown(reply, 'PTTL')));
    });
  },
);
