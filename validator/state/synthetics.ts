/**
 * Synthetic shards in the validator's database: what was sent, what is owed, what is to be dropped, and how many bytes
 * of a day's budget are spent. A shard is written down before its first byte leaves, so that whatever a crash leaves
 * with a miner is dropped. Beside it, for each task that draws miners by block, the block it drew by last: no block is
 * drawn by twice, also across restarts. Written by `synthetic-store.ts`, `synthetic-drop.ts` and `probe-miners.ts`.
 */
import { type AnchorId, type Hotkey, idBytes } from '#shared/primitives/ids.ts';
import { anchorIn, numberIn, textIn } from './columns.ts';
import type { Database, SchemaPart } from './database.ts';

const DAY_MS = 86_400_000;

/** Sent: nobody knows whether it is stored. Owed: receipted. Leaving: owed no more, to be dropped. */
export type SyntheticState = 'sent' | 'owed' | 'leaving';

export interface SyntheticShard {
  readonly anchorId: AnchorId;
  readonly miner: Hotkey;
  readonly bytes: number;
  /** What its bytes are made of, again whenever somebody asks: `maskShard(seed, zeros)`. */
  readonly seed: Uint8Array;
  readonly state: SyntheticState;
  /** Sent and owed: until this block. Leaving: to be dropped from this block on. */
  readonly block: number;
}

export interface Synthetics {
  /** False when this task drew by this block, or a later one, already. */
  beginDraw(task: 'store' | 'retrieve', block: number): boolean;
  /** The block that a task drew by last; 0 before the first. */
  lastDraw(task: 'store' | 'retrieve'): number;
  /** Takes bytes from the budget of this UTC day; false when there are not so many left. */
  spend(bytes: number, bytesPerDay: number, nowMs: number): boolean;
  add(shard: Omit<SyntheticShard, 'state'>): void;
  setState(anchorId: AnchorId, state: SyntheticState, block: number): void;
  /** In this state, with a block up to this one; oldest first. */
  due(state: SyntheticState, block: number, limit: number): readonly SyntheticShard[];
  forget(anchorId: AnchorId): void;
  /** Bytes that a miner owes us of these. */
  owedBytes(miner: Hotkey): number;
}

export const SYNTHETICS_SCHEMA: SchemaPart = {
  name: 'synthetics',
  steps: [
    `CREATE TABLE synthetics (
       anchor BLOB PRIMARY KEY, miner TEXT NOT NULL, bytes INTEGER NOT NULL, seed BLOB NOT NULL,
       state TEXT NOT NULL, block INTEGER NOT NULL
     ) WITHOUT ROWID;
     CREATE INDEX synthetics_due ON synthetics (state, block);
     CREATE INDEX synthetics_of ON synthetics (miner, state, bytes);
     CREATE TABLE synthetic_days (day INTEGER PRIMARY KEY, bytes INTEGER NOT NULL);
     CREATE TABLE last_draws (task TEXT PRIMARY KEY, block INTEGER NOT NULL) WITHOUT ROWID;`,
  ],
};

export const createSynthetics = (db: Database): Synthetics => ({
  beginDraw: (task, block) =>
    db
      .sql(
        `INSERT INTO last_draws VALUES (?, ?) ON CONFLICT (task) DO UPDATE SET block = excluded.block
         WHERE excluded.block > last_draws.block`,
      )
      .run(task, block).changes === 1,
  lastDraw(task) {
    const row = db.sql('SELECT block FROM last_draws WHERE task = ?').get(task);
    return row ? numberIn(row, 'block') : 0;
  },
  spend: (bytes, bytesPerDay, nowMs) =>
    db.transaction(() => {
      const day = Math.floor(nowMs / DAY_MS);
      const spent = Number(db.sql('SELECT bytes FROM synthetic_days WHERE day = ?').get(day)?.bytes ?? 0);
      if (spent + bytes > bytesPerDay) return false;
      db.sql('INSERT OR REPLACE INTO synthetic_days VALUES (?, ?)').run(day, spent + bytes);
      db.sql('DELETE FROM synthetic_days WHERE day < ?').run(day - 1);
      return true;
    }),
  add({ anchorId, miner, bytes, seed, block }) {
    db.sql('INSERT INTO synthetics VALUES (?, ?, ?, ?, ?, ?)').run(
      ...[idBytes(anchorId), miner, bytes, seed, 'sent', block],
    );
  },
  setState(anchorId, state, block) {
    db.sql('UPDATE synthetics SET state = ?, block = ? WHERE anchor = ?').run(state, block, idBytes(anchorId));
  },
  due: (state, block, limit) =>
    db
      .sql('SELECT * FROM synthetics WHERE state = ? AND block <= ? ORDER BY block LIMIT ?')
      .all(state, block, limit)
      .map((row) => ({
        anchorId: anchorIn(row),
        miner: textIn(row, 'miner') as Hotkey,
        bytes: numberIn(row, 'bytes'),
        seed: row.seed as Uint8Array,
        state,
        block: numberIn(row, 'block'),
      })),
  forget(anchorId) {
    db.sql('DELETE FROM synthetics WHERE anchor = ?').run(idBytes(anchorId));
  },
  owedBytes: (miner) =>
    numberIn(
      db.sql(`SELECT coalesce(sum(bytes), 0) AS bytes FROM synthetics WHERE miner = ? AND state = 'owed'`).get(miner),
      'bytes',
    ),
});
