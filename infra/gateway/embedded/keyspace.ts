/**
 * The tables of the embedded engine and what every type shares: a row per key with its type and expiry, strings in
 * that row, other types in tables of their own. Everything is BLOB, so that SQLite compares members as Redis does
 * (memcmp) and zero bytes survive. Expired keys go when they are touched, and a few at a time in between.
 */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import type { ErrorReply } from '../engine.ts';

export type KeyType = 'string' | 'hash' | 'zset' | 'list';
const TYPE_CODES: Record<KeyType, number> = { string: 0, hash: 1, zset: 2, list: 3 };
const MEMBER_TABLES = ['', 'hash', 'zset', 'list'] as const;

export const WRONG_TYPE: ErrorReply = {
  error: 'WRONGTYPE Operation against a key holding the wrong kind of value',
};

const SCHEMA = `
CREATE TABLE IF NOT EXISTS keys (id INTEGER PRIMARY KEY, key BLOB NOT NULL UNIQUE, type INTEGER NOT NULL,
  expires REAL, value BLOB);
CREATE INDEX IF NOT EXISTS keys_by_expiry ON keys (expires) WHERE expires IS NOT NULL;
CREATE TABLE IF NOT EXISTS hash (id INTEGER NOT NULL, field BLOB NOT NULL, value BLOB NOT NULL,
  PRIMARY KEY (id, field)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS zset (id INTEGER NOT NULL, member BLOB NOT NULL, score REAL NOT NULL,
  PRIMARY KEY (id, member)) WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS zset_by_score ON zset (id, score, member);
CREATE TABLE IF NOT EXISTS list (id INTEGER NOT NULL, pos INTEGER NOT NULL, value BLOB NOT NULL,
  PRIMARY KEY (id, pos)) WITHOUT ROWID;
`;
/** Schema version in SQLite's user_version; another one is refused. */
const SCHEMA_VERSION = 1;
/** Expired keys removed per idle sweep, so that a sweep never holds requests up. */
export const SWEEP_KEYS = 200;

export interface KeyRow {
  readonly id: number;
  readonly type: number;
  readonly expires: number | null;
  readonly value: Uint8Array | null;
}

export class Keyspace {
  readonly database: DatabaseSync;
  readonly #nowMs: () => number;
  readonly #statements = new Map<string, StatementSync>();

  /**
   * @param path a file, or `:memory:`
   * @param nowMs decides what has expired
   */
  constructor(path: string, nowMs: () => number) {
    this.#nowMs = nowMs;
    this.database = new DatabaseSync(path);
    // FULL: a commit is on the disk before anybody hears of it, as a 201 promises; groups of requests share the wait.
    this.database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -65536;');
    const version = this.database.prepare('PRAGMA user_version').get()?.user_version;
    if (version !== 0 && version !== SCHEMA_VERSION) {
      this.database.close();
      throw new Error(`${path} has index schema ${version}, this program needs ${SCHEMA_VERSION}`);
    }
    this.database.exec(`BEGIN; ${SCHEMA} PRAGMA user_version = ${SCHEMA_VERSION}; COMMIT;`);
  }

  /** A prepared statement, made once per text. */
  sql(text: string): StatementSync {
    let statement = this.#statements.get(text);
    if (!statement) {
      statement = this.database.prepare(text);
      this.#statements.set(text, statement);
    }
    return statement;
  }

  now(): number {
    return this.#nowMs();
  }

  /** What the data takes: pages in use. */
  bytes(): number {
    const pragma = (name: string) => Number(this.sql(`PRAGMA ${name}`).get()?.[name] ?? 0);
    return (pragma('page_count') - pragma('freelist_count')) * pragma('page_size');
  }

  /** The key's row; a key whose time has come is removed and not there. */
  find(key: Uint8Array): KeyRow | undefined {
    const row = this.sql('SELECT id, type, expires, value FROM keys WHERE key = ?').get(key) as unknown as
      | KeyRow
      | undefined;
    if (row?.expires != null && row.expires <= this.now()) {
      this.remove(row);
      return undefined;
    }
    return row;
  }

  /** The key's row when it has this type, undefined when there is no key, an error for another type. */
  findTyped(key: Uint8Array, type: KeyType): KeyRow | undefined | ErrorReply {
    const row = this.find(key);
    return row && row.type !== TYPE_CODES[type] ? WRONG_TYPE : row;
  }

  /** The id of the key's row, made when missing; an error for another type. */
  openTyped(key: Uint8Array, type: KeyType): number | ErrorReply {
    const row = this.findTyped(key, type);
    if (row) return 'error' in row ? row : row.id;
    return Number(this.sql('INSERT INTO keys (key, type) VALUES (?, ?)').run(key, TYPE_CODES[type]).lastInsertRowid);
  }

  isString(row: KeyRow): boolean {
    return row.type === TYPE_CODES.string;
  }

  remove(row: Pick<KeyRow, 'id' | 'type'>): void {
    const table = MEMBER_TABLES[row.type];
    if (table) this.sql(`DELETE FROM ${table} WHERE id = ?`).run(row.id);
    this.sql('DELETE FROM keys WHERE id = ?').run(row.id);
  }

  /** Removes the key when no member is left, as Redis does. */
  removeIfEmpty(id: number, type: 'hash' | 'zset' | 'list'): void {
    if (!this.sql(`SELECT 1 FROM ${type} WHERE id = ? LIMIT 1`).get(id)) {
      this.sql('DELETE FROM keys WHERE id = ?').run(id);
    }
  }

  count(id: number, type: 'hash' | 'zset' | 'list'): number {
    return Number(this.sql(`SELECT count(*) AS n FROM ${type} WHERE id = ?`).get(id)?.n ?? 0);
  }

  /** Removes some expired keys nobody asked for; true when there may be more. */
  sweep(): boolean {
    const rows = this.sql('SELECT id, type FROM keys WHERE expires <= ? LIMIT ?').all(this.now(), SWEEP_KEYS);
    if (rows.length === 0) return false;
    this.database.exec('BEGIN IMMEDIATE');
    for (const row of rows) this.remove({ id: Number(row.id), type: Number(row.type) });
    this.database.exec('COMMIT');
    return rows.length === SWEEP_KEYS;
  }
}
