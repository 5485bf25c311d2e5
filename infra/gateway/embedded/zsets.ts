/** Sorted set commands of the embedded engine. Semantics and errors: Redis 7.0. */
import type { ErrorReply, Reply } from '../engine.ts';
import {
  boundFloat,
  bytesOf,
  clampRange,
  float,
  int64,
  MIN_MAX_NOT_FLOAT,
  NOT_FLOAT,
  NOT_INTEGER,
  SYNTAX,
  scoreText,
  textOf,
} from './arguments.ts';
import type { Keyspace } from './keyspace.ts';

type Args = readonly Uint8Array[];
type Parameter = number | Uint8Array;
const EMPTY = new Uint8Array(0);

export function zadd(space: Keyspace, [key = EMPTY, ...pairs]: Args): Reply {
  if (pairs.length % 2 !== 0) return SYNTAX;
  const scores: number[] = [];
  for (let i = 0; i < pairs.length; i += 2) {
    const score = float(textOf(pairs[i] ?? EMPTY));
    if (score === undefined) return NOT_FLOAT;
    scores.push(score);
  }
  const id = space.openTyped(key, 'zset');
  if (typeof id !== 'number') return id;
  let added = 0;
  for (const [i, score] of scores.entries()) {
    const member = pairs[2 * i + 1] ?? EMPTY;
    const changed = space.sql('UPDATE zset SET score = ? WHERE id = ? AND member = ?').run(score, id, member).changes;
    if (changed) continue;
    space.sql('INSERT INTO zset (id, member, score) VALUES (?, ?, ?)').run(id, member, score);
    added++;
  }
  return added;
}

export function zrem(space: Keyspace, [key = EMPTY, ...members]: Args): Reply {
  const row = space.findTyped(key, 'zset');
  if (!row) return 0;
  if ('error' in row) return row;
  let removed = 0;
  for (const member of members) {
    removed += Number(space.sql('DELETE FROM zset WHERE id = ? AND member = ?').run(row.id, member).changes);
  }
  space.removeIfEmpty(row.id, 'zset');
  return removed;
}

export function zscore(space: Keyspace, [key = EMPTY, member = EMPTY]: Args): Reply {
  const row = space.findTyped(key, 'zset');
  if (!row) return null;
  if ('error' in row) return row;
  const found = space.sql('SELECT score FROM zset WHERE id = ? AND member = ?').get(row.id, member);
  return found ? bytesOf(scoreText(Number(found.score))) : null;
}

export function zcard(space: Keyspace, [key = EMPTY]: Args): Reply {
  const row = space.findTyped(key, 'zset');
  if (!row) return 0;
  return 'error' in row ? row : space.count(row.id, 'zset');
}

/** One end of a range as SQL over `score` or `member`. */
interface Bound {
  readonly sql: string;
  readonly parameters: readonly Parameter[];
}

function scoreBound(text: string, side: 'min' | 'max'): Bound | ErrorReply {
  const open = text.startsWith('(');
  const value = boundFloat(open ? text.slice(1) : text);
  if (value === undefined) return MIN_MAX_NOT_FLOAT;
  return { sql: `score ${side === 'min' ? '>' : '<'}${open ? '' : '='} ?`, parameters: [value] };
}

function lexBound(bytes: Uint8Array, side: 'min' | 'max'): Bound | ErrorReply {
  const sign = String.fromCharCode(bytes[0] ?? 0);
  if (bytes.length === 1 && (sign === '-' || sign === '+')) {
    return { sql: (sign === '-') === (side === 'min') ? '1' : '0', parameters: [] };
  }
  if (sign !== '[' && sign !== '(') return { error: 'ERR min or max not valid string range item' };
  return { sql: `member ${side === 'min' ? '>' : '<'}${sign === '[' ? '=' : ''} ?`, parameters: [bytes.slice(1)] };
}

interface RangeOptions {
  by: 'rank' | 'score' | 'lex';
  rev: boolean;
  withScores: boolean;
  limit?: { readonly offset: bigint; readonly count: bigint };
}

function rangeOptions(args: Args): RangeOptions | ErrorReply {
  const options: RangeOptions = { by: 'rank', rev: false, withScores: false };
  for (let i = 0; i < args.length; i++) {
    const word = textOf(args[i] ?? EMPTY).toUpperCase();
    if (word === 'REV') options.rev = true;
    else if (word === 'WITHSCORES') options.withScores = true;
    else if (word === 'BYSCORE') options.by = 'score';
    else if (word === 'BYLEX') options.by = 'lex';
    else if (word === 'LIMIT' && i + 2 < args.length) {
      const offset = int64(args[++i] ?? EMPTY);
      const count = int64(args[++i] ?? EMPTY);
      if (offset === undefined || count === undefined) return NOT_INTEGER;
      options.limit = { offset, count };
    } else return SYNTAX;
  }
  if (options.limit && options.limit.count !== -1n && options.by === 'rank') {
    return { error: 'ERR syntax error, LIMIT is only supported in combination with either BYSCORE or BYLEX' };
  }
  if (options.withScores && options.by === 'lex') {
    return { error: 'ERR syntax error, WITHSCORES not supported in combination with BYLEX' };
  }
  return options;
}

export function zrange(space: Keyspace, [key = EMPTY, first = EMPTY, second = EMPTY, ...rest]: Args): Reply {
  const options = rangeOptions(rest);
  if ('error' in options) return options;
  const [low, high] = options.rev && options.by !== 'rank' ? [second, first] : [first, second];
  const min = options.by === 'lex' ? lexBound(low, 'min') : scoreBoundOrRank(options, low, 'min');
  const max = options.by === 'lex' ? lexBound(high, 'max') : scoreBoundOrRank(options, high, 'max');
  if (min && 'error' in min) return min;
  if (max && 'error' in max) return max;
  const start = int64(first);
  const end = int64(second);
  if (options.by === 'rank' && (start === undefined || end === undefined)) return NOT_INTEGER;
  const row = space.findTyped(key, 'zset');
  if (!row) return [];
  if ('error' in row) return row;

  const order = options.rev ? 'DESC' : 'ASC';
  const bounds: Bound[] = min && max ? [min, max] : [];
  let limit = options.limit ?? { offset: 0n, count: -1n };
  if (options.by === 'rank') {
    const [from, to] = clampRange(start ?? 0n, end ?? 0n, space.count(row.id, 'zset'));
    limit = { offset: BigInt(from), count: BigInt(to - from) };
  }
  if (limit.offset < 0n) return [];
  const sql = `SELECT member, score FROM zset WHERE ${['id = ?', ...bounds.map((bound) => bound.sql)].join(' AND ')}
    ORDER BY score ${order}, member ${order} LIMIT ? OFFSET ?`;
  const parameters = [row.id, ...bounds.flatMap((bound) => bound.parameters), limit.count < 0n ? -1n : limit.count];
  const found = space.sql(sql).all(...parameters, limit.offset);
  return found.flatMap(({ member, score }) =>
    options.withScores ? [member as Uint8Array, bytesOf(scoreText(Number(score)))] : [member as Uint8Array],
  );
}

const scoreBoundOrRank = (options: RangeOptions, bytes: Uint8Array, side: 'min' | 'max') =>
  options.by === 'score' ? scoreBound(textOf(bytes), side) : undefined;

function removeRange(space: Keyspace, key: Uint8Array, min: Bound | ErrorReply, max: Bound | ErrorReply): Reply {
  if ('error' in min) return min;
  if ('error' in max) return max;
  const row = space.findTyped(key, 'zset');
  if (!row) return 0;
  if ('error' in row) return row;
  const { changes } = space
    .sql(`DELETE FROM zset WHERE id = ? AND ${min.sql} AND ${max.sql}`)
    .run(row.id, ...min.parameters, ...max.parameters);
  space.removeIfEmpty(row.id, 'zset');
  return Number(changes);
}

export const zremrangebyscore = (space: Keyspace, [key = EMPTY, low = EMPTY, high = EMPTY]: Args): Reply =>
  removeRange(space, key, scoreBound(textOf(low), 'min'), scoreBound(textOf(high), 'max'));

export const zremrangebylex = (space: Keyspace, [key = EMPTY, low = EMPTY, high = EMPTY]: Args): Reply =>
  removeRange(space, key, lexBound(low, 'min'), lexBound(high, 'max'));
