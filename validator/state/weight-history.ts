/**
 * What weights this validator set, when, and from which rewards; and what became of those it committed. Bounded. Written
 * by the set-weights job, read by whoever must tell an operator why.
 */
import type { ReasonedWeight } from '#validator/domain/weights-due.ts';
import { numberIn, type Row, textIn } from './columns.ts';
import type { Database, SchemaPart } from './database.ts';

/** At a tempo of 72 minutes, ten weeks of setting and revealing. */
const ENTRIES_KEPT = 3000;

export type WeightStep =
  | 'set'
  | 'committed'
  | 'revealed'
  /** A newer commit of the same epoch took its place. */
  | 'superseded'
  /** Its epoch passed before it was revealed, or the chain does not know it. */
  | 'lost'
  /** Nothing was sent; the reason says why. */
  | 'not-set';

export interface WeightEntry {
  readonly atMs: number;
  /** Finalized block that it was decided at, or the block that it is in. */
  readonly block: number;
  readonly step: WeightStep;
  /** `tempo`, `first`, `nobody-earned`, or the code of the chain's refusal. */
  readonly reason: string;
  /** Of what is committed first. */
  readonly commit: string | undefined;
  /** Empty where an earlier entry has them. */
  readonly weights: readonly ReasonedWeight[];
}

export interface WeightHistory {
  note(entry: WeightEntry): void;
  /** Newest first. */
  list(limit: number): readonly WeightEntry[];
  /** The newest entry that has weights: what was set or committed last. */
  newestSet(): WeightEntry | undefined;
}

export const WEIGHTS_SCHEMA: SchemaPart = {
  name: 'weights',
  steps: [
    `CREATE TABLE weight_history (
      seq INTEGER PRIMARY KEY AUTOINCREMENT,
      at_ms INTEGER NOT NULL,
      block INTEGER NOT NULL,
      step TEXT NOT NULL,
      reason TEXT NOT NULL,
      commit_hash TEXT,
      weights TEXT NOT NULL
    ) STRICT`,
  ],
};

function entryOf(row: Row): WeightEntry {
  return {
    atMs: numberIn(row, 'at_ms'),
    block: numberIn(row, 'block'),
    step: textIn(row, 'step') as WeightStep,
    reason: textIn(row, 'reason'),
    commit: row.commit_hash === null ? undefined : textIn(row, 'commit_hash'),
    weights: JSON.parse(textIn(row, 'weights')) as readonly ReasonedWeight[],
  };
}

export function createWeightHistory(db: Database): WeightHistory {
  return {
    note: ({ atMs, block, step, reason, commit, weights }) =>
      db.transaction(() => {
        const { lastInsertRowid } = db
          .sql(
            'INSERT INTO weight_history (at_ms, block, step, reason, commit_hash, weights) VALUES (?, ?, ?, ?, ?, ?)',
          )
          .run(atMs, block, step, reason, commit ?? null, JSON.stringify(weights));
        db.sql('DELETE FROM weight_history WHERE seq <= ?').run(Number(lastInsertRowid) - ENTRIES_KEPT);
      }),
    list: (limit) => db.sql('SELECT * FROM weight_history ORDER BY seq DESC LIMIT ?').all(limit).map(entryOf),
    newestSet: () => {
      const row = db.sql("SELECT * FROM weight_history WHERE weights <> '[]' ORDER BY seq DESC LIMIT 1").get();
      return row && entryOf(row);
    },
  };
}
