/**
 * Everything that an embedded index holds, read from its database: the adapter has no command that lists keys, and what
 * was forgotten under a key is found in no other way. Expired keys are left out.
 */
import { DatabaseSync } from 'node:sqlite';

export interface DumpedKey {
  readonly key: string;
  /** Members with their score, fields with their value, items of a list; of a string nothing. */
  readonly members: readonly { readonly name: string; readonly value: string | number }[];
  readonly expires: boolean;
}

export const openIndexDatabase = (path: string): DatabaseSync => new DatabaseSync(path);

const text = (value: unknown): string => Buffer.from(value as Uint8Array).toString('utf8');

/** Types as the engine's keyspace numbers them: 1 hash, 2 zset, 3 list. */
const MEMBERS = [
  '',
  'SELECT field AS name, value FROM hash WHERE id = ?',
  'SELECT member AS name, score AS value FROM zset WHERE id = ?',
  'SELECT value AS name, pos AS value FROM list WHERE id = ?',
] as const;

export function dumpIndex(database: DatabaseSync, nowMs: number): readonly DumpedKey[] {
  const rows = database.prepare('SELECT id, key, type, expires FROM keys WHERE expires IS NULL OR expires > ?');
  return rows.all(nowMs).map(({ id, key, type, expires }) => {
    const query = MEMBERS[Number(type)];
    const members = query ? database.prepare(query).all(Number(id)) : [];
    return {
      key: text(key),
      members: members.map(({ name, value }) => ({
        name: text(name),
        value: typeof value === 'number' ? value : text(value),
      })),
      expires: expires !== null,
    };
  });
}
