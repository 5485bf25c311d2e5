/**
 * Repair's memory: segments that need something and when, shards reported lost, placings that were begun, and how
 * miners stand with the monitor. Fewest healthy shards first; a segment that fails waits longer each time and never
 * stands in another's way; a restart goes on where it stopped. Written by the monitor, the survey and repair alone.
 */
import type { AnchorId, FileNumber, Hotkey, MinerNumber } from '#shared/primitives/ids.ts';
import { idBytes } from '#shared/primitives/ids.ts';
import { anchorIn, numberIn, type Row, textIn } from './columns.ts';
import type { Database, SchemaPart } from './database.ts';

/** Why a segment waits, as a stable word. */
export type WaitReason =
  | 'reported'
  | 'not-yet-due'
  | 'too-few-miners'
  | 'unrecoverable'
  | 'corrupt'
  | 'cancelled'
  | 'mask-secret'
  | 'not-all-placed'
  | 'record-changed'
  | 'failed';

export interface SegmentName {
  readonly file: FileNumber;
  readonly segment: number;
}
export interface WaitingSegment extends SegmentName {
  readonly sinceMs: number;
  readonly attempts: number;
  readonly spare: number;
  readonly reason: WaitReason;
}

/** A shard that its miner no longer has, or never had as it should be: this placing of it. */
export interface ReportedLoss extends SegmentName {
  readonly shardIndex: number;
  readonly placement: number;
  /** Stable word: `declared-missing`, `wrong`, `absent`, … */
  readonly reason: string;
  /** Where it can be looked up, as in `Observation`. */
  readonly evidence: string;
}

/** The port for whoever finds out that a shard is gone: challenge, retrieve, sweep. Joins an open transaction. */
export interface Losses {
  report(loss: ReportedLoss): void;
}

/** A shard on its way to a new miner, and what it is to replace. */
export interface BegunPlacing extends SegmentName {
  readonly shardIndex: number;
  readonly placement: number;
  readonly miner: MinerNumber;
  readonly hotkey: Hotkey;
  readonly anchorId: AnchorId;
}

export interface Repairs extends Losses {
  /**
   * Puts a segment into the queue, due `delayMs` after it was first put there; attempts of a known one stay, and its
   * pause too unless it has become worse.
   */
  enqueue(segment: SegmentName, spare: number, delayMs: number, reason: WaitReason): void;
  /** Due segments, worst first. */
  due(nowMs: number, limit: number): readonly WaitingSegment[];
  /** One more attempt was for nothing: it comes again at `dueMs`. */
  postpone(segment: SegmentName, spare: number, dueMs: number, reason: WaitReason): void;
  /** Nothing is left to do for it, its losses included. */
  forget(segment: SegmentName): void;
  lossesOf(segment: SegmentName): ReadonlyMap<number, number>;
  settleLoss(segment: SegmentName, shardIndex: number): void;
  /** How many segments wait, and how many of them have fewer than k shards. */
  counts(): { readonly segments: number; readonly beyondRepair: number; readonly byReason: Record<string, number> };

  // ---- placings
  begin(placing: BegunPlacing): void;
  /** It is in the record, or on the list of strays: nothing has to be found out about it any more. */
  settle(placing: Pick<BegunPlacing, 'file' | 'segment' | 'shardIndex' | 'placement'>): void;
  /** Begun, and not settled: what a crash left. */
  open(limit: number): readonly BegunPlacing[];
  /** The highest placing of this shard index that was begun; −1 for none. */
  lastPlacement(segment: SegmentName, shardIndex: number): number;

  // ---- cursors of surveys and walks
  cursor(name: string): string | undefined;
  setCursor(name: string, cursor: string | undefined): void;
  /** Names that begin so, of cursors that are set. */
  cursorsFrom(prefix: string): readonly string[];
}

export const REPAIRS_SCHEMA: SchemaPart = {
  name: 'repairs',
  steps: [
    `CREATE TABLE repair_segments (
       file INTEGER NOT NULL, segment INTEGER NOT NULL, since_ms INTEGER NOT NULL, spare INTEGER NOT NULL,
       due_ms INTEGER NOT NULL, attempts INTEGER NOT NULL, reason TEXT NOT NULL,
       PRIMARY KEY (file, segment)
     ) WITHOUT ROWID;
     CREATE INDEX repair_order ON repair_segments (spare, due_ms);
     CREATE TABLE repair_losses (
       file INTEGER NOT NULL, segment INTEGER NOT NULL, shard INTEGER NOT NULL, placement INTEGER NOT NULL,
       reason TEXT NOT NULL, evidence TEXT NOT NULL, at_ms INTEGER NOT NULL,
       PRIMARY KEY (file, segment, shard)
     ) WITHOUT ROWID;
     CREATE TABLE repair_placings (
       file INTEGER NOT NULL, segment INTEGER NOT NULL, shard INTEGER NOT NULL, placement INTEGER NOT NULL,
       miner INTEGER NOT NULL, hotkey TEXT NOT NULL, anchor BLOB NOT NULL, settled INTEGER NOT NULL DEFAULT 0,
       PRIMARY KEY (file, segment, shard, placement)
     ) WITHOUT ROWID;
     CREATE INDEX repair_open ON repair_placings (file) WHERE settled = 0;
     CREATE TABLE repair_cursors (name TEXT PRIMARY KEY, cursor TEXT NOT NULL) WITHOUT ROWID;`,
  ],
};

/** Before anyone has looked: in front of all that can still be repaired, after what is known to be urgent. */
const UNKNOWN_SPARE = 0;

export function createRepairs(db: Database, nowMs: () => number): Repairs {
  const nameOf = (row: Row): SegmentName => ({
    file: numberIn(row, 'file') as FileNumber,
    segment: numberIn(row, 'segment'),
  });
  const enqueue = ({ file, segment }: SegmentName, spare: number, delayMs: number, reason: WaitReason) => {
    const now = nowMs();
    // Waits from when it was first reported. What failed before keeps its pause, unless it has become worse.
    db.sql(
      `INSERT INTO repair_segments (file, segment, since_ms, spare, due_ms, attempts, reason)
       VALUES (?, ?, ?, ?, ?, 0, ?) ON CONFLICT DO UPDATE SET
         due_ms = CASE WHEN attempts = 0 OR excluded.spare < spare
           THEN since_ms + excluded.due_ms - excluded.since_ms ELSE due_ms END,
         reason = CASE WHEN attempts = 0 THEN excluded.reason ELSE reason END,
         spare = excluded.spare`,
    ).run(file, segment, now, spare, now + delayMs, reason);
  };

  return {
    enqueue,
    report({ file, segment, shardIndex, placement, reason, evidence }) {
      db.transaction(() => {
        db.sql('INSERT OR REPLACE INTO repair_losses VALUES (?, ?, ?, ?, ?, ?, ?)').run(
          ...[file, segment, shardIndex, placement, reason, evidence, nowMs()],
        );
        enqueue({ file, segment }, UNKNOWN_SPARE, 0, 'reported');
      });
    },
    due(now, limit) {
      const rows = db.sql('SELECT * FROM repair_segments WHERE due_ms <= ? ORDER BY spare, due_ms LIMIT ?');
      return rows.all(now, limit).map((row) => ({
        ...nameOf(row),
        sinceMs: numberIn(row, 'since_ms'),
        attempts: numberIn(row, 'attempts'),
        spare: numberIn(row, 'spare'),
        reason: textIn(row, 'reason') as WaitReason,
      }));
    },
    postpone({ file, segment }, spare, dueMs, reason) {
      db.sql(
        'UPDATE repair_segments SET spare = ?, due_ms = ?, reason = ?, attempts = attempts + 1 WHERE file = ? AND segment = ?',
      ).run(spare, dueMs, reason, file, segment);
    },
    forget({ file, segment }) {
      db.transaction(() => {
        db.sql('DELETE FROM repair_segments WHERE file = ? AND segment = ?').run(file, segment);
        db.sql('DELETE FROM repair_losses WHERE file = ? AND segment = ?').run(file, segment);
      });
    },
    lossesOf({ file, segment }) {
      const rows = db.sql('SELECT shard, placement FROM repair_losses WHERE file = ? AND segment = ?');
      return new Map(rows.all(file, segment).map((row) => [numberIn(row, 'shard'), numberIn(row, 'placement')]));
    },
    settleLoss({ file, segment }, shardIndex) {
      db.sql('DELETE FROM repair_losses WHERE file = ? AND segment = ? AND shard = ?').run(file, segment, shardIndex);
    },
    counts() {
      const rows = db.sql('SELECT reason, count(*) AS n, sum(spare < 0) AS lost FROM repair_segments GROUP BY reason');
      const counts = { segments: 0, beyondRepair: 0, byReason: {} as Record<string, number> };
      for (const row of rows.all()) {
        const n = numberIn(row, 'n');
        counts.segments += n;
        counts.beyondRepair += numberIn(row, 'lost');
        counts.byReason[textIn(row, 'reason')] = n;
      }
      return counts;
    },

    begin({ file, segment, shardIndex, placement, miner, hotkey, anchorId }) {
      db.sql('INSERT OR REPLACE INTO repair_placings VALUES (?, ?, ?, ?, ?, ?, ?, 0)').run(
        ...[file, segment, shardIndex, placement, miner, hotkey, idBytes(anchorId)],
      );
    },
    settle({ file, segment, shardIndex, placement }) {
      db.transaction(() => {
        const of = [file, segment, shardIndex] as const;
        // The highest stays: the next one counts on from it.
        db.sql(
          'DELETE FROM repair_placings WHERE file = ? AND segment = ? AND shard = ? AND placement < ? AND settled = 1',
        ).run(...of, placement);
        db.sql(
          'UPDATE repair_placings SET settled = 1 WHERE file = ? AND segment = ? AND shard = ? AND placement = ?',
        ).run(...of, placement);
      });
    },
    open(limit) {
      const rows = db.sql('SELECT * FROM repair_placings WHERE settled = 0 LIMIT ?').all(limit);
      return rows.map((row) => ({
        ...nameOf(row),
        shardIndex: numberIn(row, 'shard'),
        placement: numberIn(row, 'placement'),
        miner: numberIn(row, 'miner') as MinerNumber,
        hotkey: textIn(row, 'hotkey') as Hotkey,
        anchorId: anchorIn(row),
      }));
    },
    lastPlacement({ file, segment }, shardIndex) {
      const row = db
        .sql('SELECT max(placement) AS last FROM repair_placings WHERE file = ? AND segment = ? AND shard = ?')
        .get(file, segment, shardIndex);
      return row?.last === null || row === undefined ? -1 : numberIn(row, 'last');
    },

    cursor(name) {
      const row = db.sql('SELECT cursor FROM repair_cursors WHERE name = ?').get(name);
      return row && textIn(row, 'cursor');
    },
    cursorsFrom(prefix) {
      const rows = db.sql('SELECT name FROM repair_cursors WHERE name >= ? AND name < ?');
      return rows.all(prefix, `${prefix}\uffff`).map((row) => textIn(row, 'name'));
    },
    setCursor(name, cursor) {
      if (cursor === undefined) db.sql('DELETE FROM repair_cursors WHERE name = ?').run(name);
      else db.sql('INSERT OR REPLACE INTO repair_cursors VALUES (?, ?)').run(name, cursor);
    },
  };
}
