/**
 * How miners stand with the monitor: failed pings in a row, who is struck as down, who leaves. Survives restarts, so
 * that a miner that was down when the validator stopped is not believed to be there. Written by the monitor alone.
 */
import type { Hotkey } from '#shared/primitives/ids.ts';
import type { PingStanding, PingState } from '#validator/domain/next-ping.ts';
import { numberIn, type Row, textIn } from './columns.ts';
import type { Database, SchemaPart } from './database.ts';

export interface Pings {
  find(hotkey: Hotkey): PingStanding | undefined;
  all(): readonly PingStanding[];
  write(standing: PingStanding): void;
  forget(hotkey: Hotkey): void;
}

export const PINGS_SCHEMA: SchemaPart = {
  name: 'pings',
  steps: [
    `CREATE TABLE pings (hotkey TEXT PRIMARY KEY, state TEXT NOT NULL, failures INTEGER NOT NULL, strikes INTEGER NOT NULL,
       since_ms INTEGER NOT NULL, last_answer_ms INTEGER NOT NULL) WITHOUT ROWID;`,
  ],
};

const standingOf = (row: Row): PingStanding => ({
  hotkey: textIn(row, 'hotkey') as Hotkey,
  state: textIn(row, 'state') as PingState,
  failures: numberIn(row, 'failures'),
  strikes: numberIn(row, 'strikes'),
  sinceMs: numberIn(row, 'since_ms'),
  lastAnswerMs: numberIn(row, 'last_answer_ms'),
});

export const createPings = (db: Database): Pings => ({
  find(hotkey) {
    const row = db.sql('SELECT * FROM pings WHERE hotkey = ?').get(hotkey);
    return row && standingOf(row);
  },
  all: () => db.sql('SELECT * FROM pings').all().map(standingOf),
  write({ hotkey, state, failures, strikes, sinceMs, lastAnswerMs }) {
    db.sql('INSERT OR REPLACE INTO pings VALUES (?, ?, ?, ?, ?, ?)').run(
      ...[hotkey, state, failures, strikes, sinceMs, lastAnswerMs],
    );
  },
  forget(hotkey) {
    db.sql('DELETE FROM pings WHERE hotkey = ?').run(hotkey);
  },
});
