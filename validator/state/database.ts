/**
 * The validator's one database, `validator.db` in its folder: opened, locked, brought to the current schema, and the
 * transaction that everything of one event is written in. WAL with synchronous=FULL: a commit that returned survives a
 * power cut. Each module of this folder contributes the part of the schema that it alone writes; `main.ts` opens it.
 * Another process may read the file (an export does); a second validator on the same folder is refused.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { DatabaseSync, type StatementSync } from 'node:sqlite';

/** One module's tables. Steps are only ever added: a folder of an older version runs those it lacks. */
export interface SchemaPart {
  /** Unique; stands in the database. */
  readonly name: string;
  /** SQL of each version of the part, oldest first. */
  readonly steps: readonly string[];
}

export interface Database {
  /** A statement, prepared once and kept: preparing costs more than running one. */
  sql(text: string): StatementSync;
  /**
   * Runs `work` in one transaction: all of it is durable when this returns, or nothing of it happened. Within another
   * it joins that one. `work` is synchronous: nothing else comes between.
   */
  transaction<T>(work: () => T): T;
  close(): void;
}

/** The folder is in use by another validator, or its database is of a newer version. */
export class DatabaseRefused extends Error {
  override readonly name = 'DatabaseRefused';
}

export const DATABASE_FILE = 'validator.db';
const LOCK_FILE = 'validator.lock';
/** How long a process that is ending may still hold the folder. */
const BUSY_MS = 500;

/** A database in memory, for tests and benchmarks. */
export const openMemoryDatabase = (parts: readonly SchemaPart[]): Database => {
  const db = new DatabaseSync(':memory:');
  return new OpenDatabase(db, undefined, parts);
};

/** Opens (or creates) the database of a validator's folder and keeps other validators off it until `close`. */
export function openDatabase(folder: string, parts: readonly SchemaPart[]): Database {
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const lock = lockFolder(join(folder, LOCK_FILE), folder);
  try {
    const db = new DatabaseSync(join(folder, DATABASE_FILE), { timeout: BUSY_MS });
    try {
      db.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-65536');
      return new OpenDatabase(db, lock, parts);
    } catch (error) {
      db.close();
      throw error;
    }
  } catch (error) {
    lock.close();
    throw error;
  }
}

/** A lock that the system frees when its process ends, however it ends. */
function lockFolder(file: string, folder: string): DatabaseSync {
  const lock = new DatabaseSync(file, { timeout: BUSY_MS });
  try {
    lock.exec('PRAGMA locking_mode=EXCLUSIVE; BEGIN EXCLUSIVE');
    return lock;
  } catch (cause) {
    lock.close();
    throw new DatabaseRefused(`${folder} is in use by another validator process`, { cause });
  }
}

class OpenDatabase implements Database {
  readonly #db: DatabaseSync;
  readonly #lock: DatabaseSync | undefined;
  readonly #statements = new Map<string, StatementSync>();

  constructor(db: DatabaseSync, lock: DatabaseSync | undefined, parts: readonly SchemaPart[]) {
    this.#db = db;
    this.#lock = lock;
    db.exec('CREATE TABLE IF NOT EXISTS schema_parts (name TEXT PRIMARY KEY, version INTEGER NOT NULL) WITHOUT ROWID');
    this.transaction(() => {
      for (const part of parts) this.#bringUp(part);
    });
  }

  #bringUp({ name, steps }: SchemaPart): void {
    const row = this.sql('SELECT version FROM schema_parts WHERE name = ?').get(name);
    const version = Number(row?.version ?? 0);
    if (version > steps.length) {
      throw new DatabaseRefused(
        `"${name}" has version ${version} in ${DATABASE_FILE}, this program knows ${steps.length}`,
      );
    }
    for (const step of steps.slice(version)) this.#db.exec(step);
    this.sql('INSERT OR REPLACE INTO schema_parts (name, version) VALUES (?, ?)').run(name, steps.length);
  }

  sql(text: string): StatementSync {
    let statement = this.#statements.get(text);
    if (!statement) {
      statement = this.#db.prepare(text);
      this.#statements.set(text, statement);
    }
    return statement;
  }

  transaction<T>(work: () => T): T {
    if (this.#db.isTransaction) return work();
    this.#db.exec('BEGIN IMMEDIATE');
    try {
      const value = work();
      this.#db.exec('COMMIT');
      return value;
    } catch (error) {
      if (this.#db.isTransaction) this.#db.exec('ROLLBACK');
      throw error;
    }
  }

  close(): void {
    this.#statements.clear();
    this.#db.close();
    this.#lock?.close();
  }
}
