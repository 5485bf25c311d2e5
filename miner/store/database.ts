/**
 * The miner's one SQLite file: opened, locked and brought to the current schema. WAL with synchronous=FULL: a commit
 * that returned survives a power cut, which is what a receipt promises (por/v1 §9). The exclusive lock keeps a second
 * process off the same folder; the kernel lets go of it even after kill -9.
 * Called by `shard-store.ts`; the statements live in `shard-rows.ts`, `drop-rows.ts` and
 * `challenge-memory.ts`.
 */
import { DatabaseSync } from 'node:sqlite';

/** How long another process may hold the file before it counts as in use: a process that ends has no more to do. */
const BUSY_MS = 200;

/**
 * shards      what is on disk, one row a (tenant, anchor); `dropped_at_ms` set = no longer served, restorable until
 *             `erase_at_ms`; `lost` = the file is not there any more although nobody dropped it
 * receipts    every store receipt given for a shard that is still on disk
 * tombstones  anchors that were erased: never accepted again (por/v1 §3)
 * orders      drop and restore orders already carried out, with the receipt given
 * drop_hours  bytes dropped per tenant and hour, for the daily limit
 */
const SCHEMA = `
  CREATE TABLE miner (one INTEGER PRIMARY KEY CHECK (one = 1), hotkey TEXT NOT NULL, seq INTEGER NOT NULL);
  CREATE TABLE tenants (id INTEGER PRIMARY KEY, hotkey TEXT NOT NULL UNIQUE);
  CREATE TABLE shards (
    tenant INTEGER NOT NULL, anchor BLOB NOT NULL, bytes INTEGER NOT NULL, ref BLOB NOT NULL, label BLOB NOT NULL,
    hold_until_ms INTEGER NOT NULL, stored_at_ms INTEGER NOT NULL, lost INTEGER NOT NULL DEFAULT 0,
    dropped_at_ms INTEGER, erase_at_ms INTEGER,
    PRIMARY KEY (tenant, anchor)
  ) WITHOUT ROWID;
  CREATE INDEX shards_to_erase ON shards (erase_at_ms) WHERE erase_at_ms IS NOT NULL;
  CREATE TABLE receipts (
    tenant INTEGER NOT NULL, anchor BLOB NOT NULL, order_id BLOB NOT NULL, caller BLOB NOT NULL,
    seq INTEGER NOT NULL, hold_until_ms INTEGER NOT NULL, signed BLOB NOT NULL,
    PRIMARY KEY (tenant, anchor, order_id, caller)
  ) WITHOUT ROWID;
  CREATE TABLE tombstones (
    tenant INTEGER NOT NULL, anchor BLOB NOT NULL, erased_at_ms INTEGER NOT NULL,
    PRIMARY KEY (tenant, anchor)
  ) WITHOUT ROWID;
  CREATE TABLE orders (
    tenant INTEGER NOT NULL, order_id BLOB NOT NULL, order_hash BLOB NOT NULL, at_ms INTEGER NOT NULL,
    receipt BLOB NOT NULL,
    PRIMARY KEY (tenant, order_id)
  ) WITHOUT ROWID;
  CREATE INDEX orders_by_time ON orders (at_ms);
  CREATE TABLE drop_hours (
    tenant INTEGER NOT NULL, hour INTEGER NOT NULL, bytes INTEGER NOT NULL,
    PRIMARY KEY (tenant, hour)
  ) WITHOUT ROWID;
`;

/**
 * trees      nodes of a shard's 16-leaf groups, from which proofs are made (por/v1 §10); made anew when missing
 * challenges the newest request of each tenant's chain, as it was signed
 * records    the tenants' signed records of rounds, and what contradicts them (`challenge-memory.ts`)
 */
const PROOFS = `
  CREATE TABLE trees (
    tenant INTEGER NOT NULL, anchor BLOB NOT NULL, groups BLOB NOT NULL,
    PRIMARY KEY (tenant, anchor)
  ) WITHOUT ROWID;
  CREATE TABLE challenges (tenant INTEGER PRIMARY KEY, request BLOB NOT NULL);
  CREATE TABLE records (
    tenant INTEGER NOT NULL, round INTEGER NOT NULL, sweep INTEGER NOT NULL, signed BLOB NOT NULL,
    PRIMARY KEY (tenant, round, sweep)
  ) WITHOUT ROWID;
  CREATE TABLE evidence (
    id INTEGER PRIMARY KEY, tenant INTEGER NOT NULL, at_ms INTEGER NOT NULL, kind TEXT NOT NULL,
    first BLOB NOT NULL, second BLOB NOT NULL
  );
`;

/** Of type 2 a tree is blindKey₃₂ ‖ commitments, and goes with its shard: nothing else leads to it (zk/v1). */
const ANCHOR_TYPES = 'ALTER TABLE trees ADD COLUMN type INTEGER NOT NULL DEFAULT 1';

/** SQL of each version, oldest first: a folder of an older one runs what it lacks. */
const STEPS = [SCHEMA, PROOFS, ANCHOR_TYPES];

/** The folder is in use by another process, or its database is not one of ours. Ends the start with one clear line. */
export class DatabaseRefused extends Error {
  override readonly name = 'DatabaseRefused';
}

/** Opens (or creates) the database and locks it for this process. */
export function openDatabase(file: string): DatabaseSync {
  const db = new DatabaseSync(file, { timeout: BUSY_MS });
  try {
    db.exec('PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA cache_size=-4096');
    db.exec('BEGIN EXCLUSIVE');
    const version = Number(db.prepare('PRAGMA user_version').get()?.user_version ?? 0);
    if (version > STEPS.length) throw new DatabaseRefused(`${file} has schema ${version}, newer than ${STEPS.length}`);
    for (const step of STEPS.slice(version)) db.exec(step);
    db.exec(`PRAGMA user_version=${STEPS.length}`);
    db.exec('COMMIT');
    return db;
  } catch (error) {
    db.close();
    if (error instanceof DatabaseRefused) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw new DatabaseRefused(
      /lock|busy/i.test(reason) ? `${file} is in use by another miner process` : `${file} cannot be used: ${reason}`,
      { cause: error },
    );
  }
}

/** Runs `work` in one transaction: all of it is durable when this returns, or nothing of it happened. */
export function inTransaction<T>(db: DatabaseSync, work: () => T): T {
  db.exec('BEGIN IMMEDIATE');
  try {
    const value = work();
    db.exec('COMMIT');
    return value;
  } catch (error) {
    if (db.isTransaction) db.exec('ROLLBACK');
    throw error;
  }
}
