/** String commands and those on keys of any type, of the embedded engine. Semantics and errors: Redis 7.0. */
import { type ErrorReply, OK, type Reply } from '../engine.ts';
import { bytesOf, INT64_MAX, INT64_MIN, int64, NOT_INTEGER, SYNTAX, textOf } from './arguments.ts';
import type { Keyspace } from './keyspace.ts';

type Args = readonly Uint8Array[];
const EMPTY = new Uint8Array(0);
/** proto-max-bulk-len of Redis: SETRANGE beyond it is an error, not an allocation. */
const MAX_STRING_BYTES = 512 * 1024 * 1024;
const MAX_EXPIRE_MS = 2 ** 53;

export function get(space: Keyspace, [key = EMPTY]: Args): Reply {
  const row = space.findTyped(key, 'string');
  if (!row) return null;
  return 'error' in row ? row : (row.value ?? EMPTY);
}

export function mget(space: Keyspace, keys: Args): Reply {
  return keys.map((key) => {
    const row = space.find(key);
    return row && space.isString(row) ? (row.value ?? EMPTY) : null;
  });
}

export function strlen(space: Keyspace, args: Args): Reply {
  const value = get(space, args);
  return value === null ? 0 : value instanceof Uint8Array ? value.length : value;
}

export function getrange(space: Keyspace, [key = EMPTY, startText = EMPTY, endText = EMPTY]: Args): Reply {
  const start = int64(startText);
  const end = int64(endText);
  if (start === undefined || end === undefined) return NOT_INTEGER;
  const value = get(space, [key]);
  if (value === null) return EMPTY;
  if (!(value instanceof Uint8Array)) return value;
  // Redis tests this before it clamps: both from the end and the wrong way round is empty.
  if (start < 0n && end < 0n && start > end) return EMPTY;
  const size = BigInt(value.length);
  const from = start < 0n ? (start + size < 0n ? 0n : start + size) : start;
  const to = end < 0n ? (end + size < 0n ? 0n : end + size) : end >= size ? size - 1n : end;
  return from > to || size === 0n ? EMPTY : value.slice(Number(from), Number(to) + 1);
}

interface SetOptions {
  readonly nx: boolean;
  readonly xx: boolean;
  readonly px?: number;
}

/** Syntax first, then the number, as Redis does; of several PX the last counts. */
function setOptions(args: Args): SetOptions | ErrorReply {
  let [nx, xx] = [false, false];
  let pxText: Uint8Array | undefined;
  for (let i = 0; i < args.length; i++) {
    const word = textOf(args[i] ?? EMPTY).toUpperCase();
    if (word === 'NX' && !xx) nx = true;
    else if (word === 'XX' && !nx) xx = true;
    else if (word === 'PX' && i + 1 < args.length) pxText = args[++i];
    else return SYNTAX;
  }
  if (!pxText) return { nx, xx };
  const px = int64(pxText);
  if (px === undefined) return NOT_INTEGER;
  if (px <= 0n || px > BigInt(MAX_EXPIRE_MS)) return { error: "ERR invalid expire time in 'set' command" };
  return { nx, xx, px: Number(px) };
}

/** Writes a string whatever the key held before. Shared with BITFIELD. */
export function store(space: Keyspace, key: Uint8Array, value: Uint8Array, expires: number | null): void {
  const row = space.find(key);
  if (row && !space.isString(row)) space.remove(row);
  space
    .sql(
      `INSERT INTO keys (key, type, expires, value) VALUES (?, 0, ?, ?)
       ON CONFLICT (key) DO UPDATE SET expires = excluded.expires, value = excluded.value`,
    )
    .run(key, expires, value);
}

export function set(space: Keyspace, [key = EMPTY, value = EMPTY, ...rest]: Args): Reply {
  const options = setOptions(rest);
  if ('error' in options) return options;
  if (options.nx || options.xx) {
    const there = space.find(key) !== undefined;
    if (there ? options.nx : options.xx) return null;
  }
  store(space, key, value, options.px === undefined ? null : space.now() + options.px);
  return OK;
}

export function setrange(space: Keyspace, [key = EMPTY, offsetText = EMPTY, patch = EMPTY]: Args): Reply {
  const offset = int64(offsetText);
  if (offset === undefined) return NOT_INTEGER;
  if (offset < 0n) return { error: 'ERR offset is out of range' };
  const row = space.findTyped(key, 'string');
  if (row && 'error' in row) return row;
  const old = row?.value ?? EMPTY;
  if (patch.length === 0) return old.length;
  const end = Number(offset) + patch.length;
  if (end > MAX_STRING_BYTES) return { error: 'ERR string exceeds maximum allowed size (proto-max-bulk-len)' };
  const grown = new Uint8Array(Math.max(old.length, end));
  grown.set(old);
  grown.set(patch, Number(offset));
  store(space, key, grown, row?.expires ?? null);
  return grown.length;
}

/** Adds to a decimal number; undefined stands for 0. Shared with HINCRBY, whose error differs. */
export function add(old: Uint8Array | undefined, by: bigint, notInteger: ErrorReply): bigint | ErrorReply {
  const value = old === undefined ? 0n : int64(old);
  if (value === undefined) return notInteger;
  const sum = value + by;
  return sum < INT64_MIN || sum > INT64_MAX ? { error: 'ERR increment or decrement would overflow' } : sum;
}

export function incrby(space: Keyspace, [key = EMPTY, byText = EMPTY]: Args): Reply {
  const by = int64(byText);
  if (by === undefined) return NOT_INTEGER;
  const row = space.findTyped(key, 'string');
  if (row && 'error' in row) return row;
  const sum = add(row?.value ?? undefined, by, NOT_INTEGER);
  if (typeof sum !== 'bigint') return sum;
  store(space, key, bytesOf(sum.toString()), row?.expires ?? null);
  return Number(sum);
}

export function del(space: Keyspace, keys: Args): Reply {
  let removed = 0;
  for (const key of keys) {
    const row = space.find(key);
    if (!row) continue;
    space.remove(row);
    removed++;
  }
  return removed;
}

export const exists = (space: Keyspace, keys: Args): Reply => keys.filter((key) => space.find(key)).length;

export function rename(space: Keyspace, [from = EMPTY, to = EMPTY]: Args): Reply {
  const row = space.find(from);
  if (!row) return { error: 'ERR no such key' };
  const target = space.find(to);
  if (target && target.id === row.id) return OK;
  if (target) space.remove(target);
  space.sql('UPDATE keys SET key = ? WHERE id = ?').run(to, row.id);
  return OK;
}

export function pexpire(space: Keyspace, [key = EMPTY, msText = EMPTY]: Args): Reply {
  const ms = int64(msText);
  if (ms === undefined) return NOT_INTEGER;
  if (ms > BigInt(MAX_EXPIRE_MS)) return { error: "ERR invalid expire time in 'pexpire' command" };
  const row = space.find(key);
  if (!row) return 0;
  if (ms <= 0n) space.remove(row);
  else space.sql('UPDATE keys SET expires = ? WHERE id = ?').run(space.now() + Number(ms), row.id);
  return 1;
}

export function pttl(space: Keyspace, [key = EMPTY]: Args): Reply {
  const row = space.find(key);
  if (!row) return -2;
  return row.expires === null ? -1 : Math.max(0, row.expires - space.now());
}
