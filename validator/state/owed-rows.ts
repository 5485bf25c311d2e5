/**
 * Every SQL statement about owed shards and their classes: rows in, rows out, no decisions. `inventories.ts` opens the
 * transaction and keeps the rules (dense arrays, hash chain, what is frozen).
 */
import { type AnchorId, type FileNumber, idBytes } from '#shared/primitives/ids.ts';
import { blobIn, numberIn, type Row } from './columns.ts';
import type { Database, SchemaPart } from './database.ts';
import type { OwedShard } from './ports.ts';

const SHARD_COLUMNS = `anchor BLOB NOT NULL, bytes INTEGER NOT NULL, type INTEGER NOT NULL, root BLOB NOT NULL,
    file INTEGER, segment INTEGER, shard_index INTEGER, placement INTEGER`;

/**
 * owed_miners    totals and hash chain per miner; numbers stand for hotkeys in the other tables
 * owed_classes   shards and leaves of each class s = ⌊log₂ leaves⌋
 * owed           one row a shard, in the order of the dense arrays: (s, slot) is what rounds draw by
 * owed_changes   every step of the hash chain, with what an auditor needs to walk it again
 * frozen_*       the inventory as the next round was committed to it: its head and classes, and of its slots those
 *                alone that changed since (`inventories.ts`)
 */
export const OWED_SCHEMA: SchemaPart = {
  name: 'owed',
  steps: [
    `CREATE TABLE owed_miners (
       id INTEGER PRIMARY KEY, hotkey TEXT NOT NULL UNIQUE, hash BLOB NOT NULL, leaves INTEGER NOT NULL DEFAULT 0,
       shards INTEGER NOT NULL DEFAULT 0, bytes INTEGER NOT NULL DEFAULT 0, changes INTEGER NOT NULL DEFAULT 0
     );
     CREATE TABLE owed_classes (
       miner INTEGER NOT NULL, s INTEGER NOT NULL, shards INTEGER NOT NULL, leaves INTEGER NOT NULL,
       PRIMARY KEY (miner, s)
     ) WITHOUT ROWID;
     CREATE TABLE owed (
       miner INTEGER NOT NULL, s INTEGER NOT NULL, slot INTEGER NOT NULL, ${SHARD_COLUMNS},
       PRIMARY KEY (miner, s, slot)
     ) WITHOUT ROWID;
     CREATE UNIQUE INDEX owed_by_anchor ON owed (miner, anchor);
     CREATE TABLE owed_changes (
       miner INTEGER NOT NULL, number INTEGER NOT NULL, op INTEGER NOT NULL, slot INTEGER NOT NULL,
       anchor BLOB NOT NULL, bytes INTEGER NOT NULL, type INTEGER NOT NULL, root BLOB NOT NULL,
       PRIMARY KEY (miner, number)
     ) WITHOUT ROWID;
     CREATE TABLE frozen_heads (
       miner INTEGER PRIMARY KEY, hash BLOB NOT NULL, leaves INTEGER NOT NULL, changes INTEGER NOT NULL
     );
     CREATE TABLE frozen_classes (
       miner INTEGER NOT NULL, s INTEGER NOT NULL, shards INTEGER NOT NULL, leaves INTEGER NOT NULL,
       PRIMARY KEY (miner, s)
     ) WITHOUT ROWID;
     CREATE TABLE frozen_slots (
       miner INTEGER NOT NULL, s INTEGER NOT NULL, slot INTEGER NOT NULL, ${SHARD_COLUMNS},
       PRIMARY KEY (miner, s, slot)
     ) WITHOUT ROWID;`,
  ],
};

export interface ClassTotals {
  readonly shards: number;
  readonly leaves: number;
}

export interface ShardPlace {
  readonly s: number;
  readonly slot: number;
}

const FIELDS = 'anchor, bytes, type, root, file, segment, shard_index, placement';
/** `owed` holds the array as it is, `frozen_slots` what was in a slot that changed since. */
type SlotTable = 'owed' | 'frozen_slots';
type ClassTable = 'owed_classes' | 'frozen_classes';

/** Reads the anchor's hex without parsing what we wrote ourselves. */
const hexOf = (bytes: Uint8Array): AnchorId => Buffer.from(bytes).toString('hex') as AnchorId;

export function shardOf(row: Row): OwedShard {
  return {
    anchorId: hexOf(blobIn(row, 'anchor')),
    anchorType: numberIn(row, 'type') === 2 ? 2 : 1,
    root: blobIn(row, 'root'),
    bytes: numberIn(row, 'bytes'),
    place:
      row.file === null
        ? undefined
        : {
            file: numberIn(row, 'file') as FileNumber,
            segment: numberIn(row, 'segment'),
            shardIndex: numberIn(row, 'shard_index'),
            placement: numberIn(row, 'placement'),
          },
  };
}

const placeOf = (row: Row): ShardPlace => ({ s: numberIn(row, 's'), slot: numberIn(row, 'slot') });

export class OwedRows {
  readonly #db: Database;

  constructor(db: Database) {
    this.#db = db;
  }

  find(miner: number, anchorId: AnchorId): (ShardPlace & { readonly shard: OwedShard }) | undefined {
    const row = this.#db.sql('SELECT * FROM owed WHERE miner = ? AND anchor = ?').get(miner, idBytes(anchorId));
    return row && { ...placeOf(row), shard: shardOf(row) };
  }

  at(table: SlotTable, miner: number, { s, slot }: ShardPlace): OwedShard | undefined {
    const row = this.#db.sql(`SELECT * FROM ${table} WHERE miner = ? AND s = ? AND slot = ?`).get(miner, s, slot);
    return row && shardOf(row);
  }

  put(table: SlotTable, miner: number, { s, slot }: ShardPlace, shard: OwedShard): void {
    const { place } = shard;
    this.#db
      .sql(`INSERT INTO ${table} (miner, s, slot, ${FIELDS}) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`)
      .run(
        miner,
        s,
        slot,
        idBytes(shard.anchorId),
        shard.bytes,
        shard.anchorType,
        shard.root,
        place?.file ?? null,
        place?.segment ?? null,
        place?.shardIndex ?? null,
        place?.placement ?? null,
      );
  }

  delete(miner: number, anchorId: AnchorId): void {
    this.#db.sql('DELETE FROM owed WHERE miner = ? AND anchor = ?').run(miner, idBytes(anchorId));
  }

  move(miner: number, anchorId: AnchorId, slot: number): void {
    this.#db.sql('UPDATE owed SET slot = ? WHERE miner = ? AND anchor = ?').run(slot, miner, idBytes(anchorId));
  }

  /** In class and slot order, from a place on. */
  from(miner: number, { s, slot }: ShardPlace, limit: number): readonly (ShardPlace & { shard: OwedShard })[] {
    return this.#db
      .sql('SELECT * FROM owed WHERE miner = ? AND (s, slot) >= (?, ?) ORDER BY s, slot LIMIT ?')
      .all(miner, s, slot, limit)
      .map((row) => ({ ...placeOf(row), shard: shardOf(row) }));
  }

  classes(table: ClassTable, miner: number): readonly ClassTotals[] {
    const rows = this.#db.sql(`SELECT s, shards, leaves FROM ${table} WHERE miner = ? ORDER BY s`).all(miner);
    const totals: ClassTotals[] = [];
    for (const row of rows) {
      while (totals.length < numberIn(row, 's')) totals.push({ shards: 0, leaves: 0 });
      totals.push({ shards: numberIn(row, 'shards'), leaves: numberIn(row, 'leaves') });
    }
    return totals;
  }

  classSize(table: ClassTable, miner: number, s: number): number {
    const row = this.#db.sql(`SELECT shards FROM ${table} WHERE miner = ? AND s = ?`).get(miner, s);
    return row ? numberIn(row, 'shards') : 0;
  }

  countClass(miner: number, s: number, shards: number, leaves: number): void {
    this.#db
      .sql(
        `INSERT INTO owed_classes (miner, s, shards, leaves) VALUES (?, ?, ?, ?)
         ON CONFLICT DO UPDATE SET shards = shards + excluded.shards, leaves = leaves + excluded.leaves`,
      )
      .run(miner, s, shards, leaves);
  }

  /** Makes what there is now the frozen state. */
  freeze(miner: number): void {
    for (const table of ['frozen_slots', 'frozen_classes', 'frozen_heads']) {
      this.#db.sql(`DELETE FROM ${table} WHERE miner = ?`).run(miner);
    }
    this.#db.sql('INSERT INTO frozen_heads SELECT id, hash, leaves, changes FROM owed_miners WHERE id = ?').run(miner);
    this.#db.sql('INSERT INTO frozen_classes SELECT * FROM owed_classes WHERE miner = ?').run(miner);
  }
}
