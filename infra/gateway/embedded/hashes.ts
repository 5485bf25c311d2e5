/** Hash commands of the embedded engine. Semantics and errors: Redis 7.0. */
import type { Reply } from '../engine.ts';
import { bytesOf, int64, NOT_INTEGER } from './arguments.ts';
import type { Keyspace } from './keyspace.ts';
import { add } from './strings.ts';

type Args = readonly Uint8Array[];
const EMPTY = new Uint8Array(0);
const UPSERT = 'INSERT INTO hash (id, field, value) VALUES (?, ?, ?) ON CONFLICT DO UPDATE SET value = excluded.value';

function read(space: Keyspace, id: number, field: Uint8Array): Uint8Array | undefined {
  return space.sql('SELECT value FROM hash WHERE id = ? AND field = ?').get(id, field)?.value as Uint8Array | undefined;
}

export function hget(space: Keyspace, [key = EMPTY, field = EMPTY]: Args): Reply {
  const row = space.findTyped(key, 'hash');
  if (!row) return null;
  return 'error' in row ? row : (read(space, row.id, field) ?? null);
}

export function hmget(space: Keyspace, [key = EMPTY, ...fields]: Args): Reply {
  const row = space.findTyped(key, 'hash');
  if (row && 'error' in row) return row;
  return fields.map((field) => (row ? (read(space, row.id, field) ?? null) : null));
}

export function hgetall(space: Keyspace, [key = EMPTY]: Args): Reply {
  const row = space.findTyped(key, 'hash');
  if (!row) return [];
  if ('error' in row) return row;
  const rows = space.sql('SELECT field, value FROM hash WHERE id = ?').all(row.id);
  return rows.flatMap(({ field, value }) => [field as Uint8Array, value as Uint8Array]);
}

export function hlen(space: Keyspace, [key = EMPTY]: Args): Reply {
  const row = space.findTyped(key, 'hash');
  if (!row) return 0;
  return 'error' in row ? row : space.count(row.id, 'hash');
}

export function hset(space: Keyspace, [key = EMPTY, ...pairs]: Args): Reply {
  if (pairs.length % 2 !== 0) return { error: "ERR wrong number of arguments for 'hset' command" };
  const id = space.openTyped(key, 'hash');
  if (typeof id !== 'number') return id;
  let added = 0;
  for (let i = 0; i < pairs.length; i += 2) {
    const field = pairs[i] ?? EMPTY;
    if (read(space, id, field) === undefined) added++;
    space.sql(UPSERT).run(id, field, pairs[i + 1] ?? EMPTY);
  }
  return added;
}

export function hsetnx(space: Keyspace, [key = EMPTY, field = EMPTY, value = EMPTY]: Args): Reply {
  const id = space.openTyped(key, 'hash');
  if (typeof id !== 'number') return id;
  return Number(
    space.sql('INSERT OR IGNORE INTO hash (id, field, value) VALUES (?, ?, ?)').run(id, field, value).changes,
  );
}

export function hdel(space: Keyspace, [key = EMPTY, ...fields]: Args): Reply {
  const row = space.findTyped(key, 'hash');
  if (!row) return 0;
  if ('error' in row) return row;
  let removed = 0;
  for (const field of fields) {
    removed += Number(space.sql('DELETE FROM hash WHERE id = ? AND field = ?').run(row.id, field).changes);
  }
  space.removeIfEmpty(row.id, 'hash');
  return removed;
}

export function hincrby(space: Keyspace, [key = EMPTY, field = EMPTY, byText = EMPTY]: Args): Reply {
  const by = int64(byText);
  if (by === undefined) return NOT_INTEGER;
  const row = space.findTyped(key, 'hash');
  if (row && 'error' in row) return row;
  const sum = add(row && read(space, row.id, field), by, { error: 'ERR hash value is not an integer' });
  if (typeof sum !== 'bigint') return sum;
  const id = space.openTyped(key, 'hash');
  if (typeof id !== 'number') return id;
  space.sql(UPSERT).run(id, field, bytesOf(sum.toString()));
  return Number(sum);
}
