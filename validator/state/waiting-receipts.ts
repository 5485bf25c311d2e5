/**
 * Receipts that were verified and whose file is not known yet: an upload's receipts come before its commit. Each waits
 * with its place until the manifest names it, or until there is no upload any more that could. One writer:
 * `validator/flows/take-receipts.ts`.
 */
import { type AnchorId, type FileNumber, type Hotkey, idBytes } from '#shared/primitives/ids.ts';
import { anchorIn, numberIn, textIn } from './columns.ts';
import type { Database, SchemaPart } from './database.ts';

export const RECEIPTS_SCHEMA: SchemaPart = {
  name: 'receipts',
  steps: [
    `CREATE TABLE waiting_receipts (
       file INTEGER NOT NULL, segment INTEGER NOT NULL, anchor BLOB NOT NULL, miner TEXT NOT NULL,
       bytes INTEGER NOT NULL, next_look_ms INTEGER NOT NULL,
       PRIMARY KEY (file, segment, anchor, miner)
     ) WITHOUT ROWID;
     CREATE INDEX waiting_receipts_by_time ON waiting_receipts (next_look_ms, file);`,
  ],
};

export interface WaitingReceipt {
  readonly file: FileNumber;
  readonly segment: number;
  readonly anchorId: AnchorId;
  readonly miner: Hotkey;
  readonly bytes: number;
}

export interface WaitingReceipts {
  /** Joins the transaction. What waits already stays as it is. */
  add(receipt: WaitingReceipt, nowMs: number): void;
  /** Files with receipts to look after now, longest due first. */
  dueFiles(nowMs: number, limit: number): readonly FileNumber[];
  of(file: FileNumber): readonly WaitingReceipt[];
  postpone(file: FileNumber, nextLookMs: number): void;
  /** Joins the transaction. */
  forget(file: FileNumber): void;
  count(): number;
}

export const createWaitingReceipts = (db: Database): WaitingReceipts => ({
  add({ file, segment, anchorId, miner, bytes }, nowMs) {
    db.sql('INSERT OR IGNORE INTO waiting_receipts VALUES (?, ?, ?, ?, ?, ?)').run(
      ...[file, segment, idBytes(anchorId), miner, bytes, nowMs],
    );
  },
  dueFiles: (nowMs, limit) =>
    db
      .sql(
        `SELECT file FROM waiting_receipts WHERE next_look_ms <= ? GROUP BY file ORDER BY MIN(next_look_ms), file
         LIMIT ?`,
      )
      .all(nowMs, limit)
      .map((row) => numberIn(row, 'file') as FileNumber),
  of: (file) =>
    db
      .sql('SELECT * FROM waiting_receipts WHERE file = ?')
      .all(file)
      .map((row) => ({
        file,
        segment: numberIn(row, 'segment'),
        anchorId: anchorIn(row),
        miner: textIn(row, 'miner') as Hotkey,
        bytes: numberIn(row, 'bytes'),
      })),
  postpone(file, nextLookMs) {
    db.sql('UPDATE waiting_receipts SET next_look_ms = ? WHERE file = ?').run(nextLookMs, file);
  },
  forget(file) {
    db.sql('DELETE FROM waiting_receipts WHERE file = ?').run(file);
  },
  count: () => numberIn(db.sql('SELECT COUNT(*) AS waiting FROM waiting_receipts').get(), 'waiting'),
});
