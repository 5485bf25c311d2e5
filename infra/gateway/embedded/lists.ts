/** List commands of the embedded engine. Positions are dense: elements join at the end and leave at both ends only. */
import { OK, type Reply } from '../engine.ts';
import { clampRange, int64, NOT_INTEGER } from './arguments.ts';
import type { Keyspace } from './keyspace.ts';

type Args = readonly Uint8Array[];
const EMPTY = new Uint8Array(0);
const OUT_OF_RANGE = { error: 'ERR value is out of range, must be positive' };

/** First position and number of elements. */
function extent(space: Keyspace, id: number): { head: number; length: number } {
  const head = space.sql('SELECT pos FROM list WHERE id = ? ORDER BY pos LIMIT 1').get(id)?.pos;
  const last = space.sql('SELECT pos FROM list WHERE id = ? ORDER BY pos DESC LIMIT 1').get(id)?.pos;
  return head === undefined ? { head: 0, length: 0 } : { head: Number(head), length: Number(last) - Number(head) + 1 };
}

export function rpush(space: Keyspace, [key = EMPTY, ...values]: Args): Reply {
  const id = space.openTyped(key, 'list');
  if (typeof id !== 'number') return id;
  const { head, length } = extent(space, id);
  for (const [i, value] of values.entries()) {
    space.sql('INSERT INTO list (id, pos, value) VALUES (?, ?, ?)').run(id, head + length + i, value);
  }
  return length + values.length;
}

export function llen(space: Keyspace, [key = EMPTY]: Args): Reply {
  const row = space.findTyped(key, 'list');
  if (!row) return 0;
  return 'error' in row ? row : extent(space, row.id).length;
}

function slice(space: Keyspace, id: number, from: number, to: number): Uint8Array[] {
  return space
    .sql('SELECT value FROM list WHERE id = ? AND pos >= ? AND pos < ? ORDER BY pos')
    .all(id, from, to)
    .map((row) => row.value as Uint8Array);
}

export function lrange(space: Keyspace, [key = EMPTY, startText = EMPTY, endText = EMPTY]: Args): Reply {
  const start = int64(startText);
  const end = int64(endText);
  if (start === undefined || end === undefined) return NOT_INTEGER;
  const row = space.findTyped(key, 'list');
  if (!row) return [];
  if ('error' in row) return row;
  const { head, length } = extent(space, row.id);
  const [from, to] = clampRange(start, end, length);
  return slice(space, row.id, head + from, head + to);
}

export function lpop(space: Keyspace, [key = EMPTY, countText, ...more]: Args): Reply {
  if (more.length > 0) return { error: "ERR wrong number of arguments for 'lpop' command" };
  const count = countText === undefined ? 1n : int64(countText);
  if (count === undefined || count < 0n) return OUT_OF_RANGE;
  const row = space.findTyped(key, 'list');
  if (!row) return null;
  if ('error' in row) return row;
  const { head, length } = extent(space, row.id);
  const to = head + Math.min(length, Number(count));
  const taken = slice(space, row.id, head, to);
  space.sql('DELETE FROM list WHERE id = ? AND pos < ?').run(row.id, to);
  space.removeIfEmpty(row.id, 'list');
  return countText === undefined ? (taken[0] ?? null) : taken;
}

export function ltrim(space: Keyspace, [key = EMPTY, startText = EMPTY, endText = EMPTY]: Args): Reply {
  const start = int64(startText);
  const end = int64(endText);
  if (start === undefined || end === undefined) return NOT_INTEGER;
  const row = space.findTyped(key, 'list');
  if (!row) return OK;
  if ('error' in row) return row;
  const { head, length } = extent(space, row.id);
  const [from, to] = clampRange(start, end, length);
  space.sql('DELETE FROM list WHERE id = ? AND (pos < ? OR pos >= ?)').run(row.id, head + from, head + to);
  space.removeIfEmpty(row.id, 'list');
  return OK;
}
