/**
 * Dropped shards that are to be asked for once more, to see that they are really not served. A few of each order;
 * bounded, the oldest go. Written by whoever drops (`keep-drop-probes.ts`) and by the job that asks.
 */
import { type AnchorId, type Hotkey, idBytes } from '#shared/primitives/ids.ts';
import { anchorIn, numberIn, textIn } from './columns.ts';
import type { Database, SchemaPart } from './database.ts';

/** Kept at most: at 16 of an order and one order a second, more than an hour's. */
const MAX_PROBES = 100_000;

export interface DropProbe {
  readonly miner: Hotkey;
  readonly anchorId: AnchorId;
  /** How often it was found served. */
  readonly served: number;
}

export interface DropProbes {
  add(miner: Hotkey, anchorIds: readonly AnchorId[], dueMs: number): void;
  due(nowMs: number, limit: number): readonly DropProbe[];
  /** Asked for again at `dueMs`. */
  postpone(probe: DropProbe, dueMs: number, served: number): void;
  settle(miner: Hotkey, anchorIds: readonly AnchorId[]): void;
}

export const DROP_PROBES_SCHEMA: SchemaPart = {
  name: 'drop-probes',
  steps: [
    `CREATE TABLE drop_probes (seq INTEGER PRIMARY KEY AUTOINCREMENT, hotkey TEXT NOT NULL, anchor BLOB NOT NULL,
       due_ms INTEGER NOT NULL, served INTEGER NOT NULL DEFAULT 0, UNIQUE (hotkey, anchor));
     CREATE INDEX drop_probes_due ON drop_probes (due_ms);`,
  ],
};

export const createDropProbes = (db: Database): DropProbes => ({
  add(miner, anchorIds, dueMs) {
    db.transaction(() => {
      const insert = db.sql('INSERT OR IGNORE INTO drop_probes (hotkey, anchor, due_ms) VALUES (?, ?, ?)');
      let last = 0;
      for (const anchorId of anchorIds) last = Number(insert.run(miner, idBytes(anchorId), dueMs).lastInsertRowid);
      db.sql('DELETE FROM drop_probes WHERE seq <= ?').run(last - MAX_PROBES);
    });
  },
  due(nowMs, limit) {
    const rows = db.sql('SELECT * FROM drop_probes WHERE due_ms <= ? ORDER BY due_ms LIMIT ?').all(nowMs, limit);
    return rows.map((row) => ({
      miner: textIn(row, 'hotkey') as Hotkey,
      anchorId: anchorIn(row),
      served: numberIn(row, 'served'),
    }));
  },
  postpone({ miner, anchorId }, dueMs, served) {
    const update = db.sql('UPDATE drop_probes SET due_ms = ?, served = ? WHERE hotkey = ? AND anchor = ?');
    update.run(dueMs, served, miner, idBytes(anchorId));
  },
  settle(miner, anchorIds) {
    const remove = db.sql('DELETE FROM drop_probes WHERE hotkey = ? AND anchor = ?');
    for (const anchorId of anchorIds) remove.run(miner, idBytes(anchorId));
  },
});
