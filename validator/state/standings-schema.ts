/** Tables of the standings, and their rows as `Standing` and `StandingEvent`. Written by `standings.ts` alone. */

import { invariant } from '#shared/primitives/failure.ts';
import { parseHotkey } from '#shared/primitives/ids.ts';
import { numberIn, type Row, textIn } from './columns.ts';
import type { SchemaPart } from './database.ts';
import type { Standing, StandingEvent } from './standing.ts';

export const STANDINGS_SCHEMA: SchemaPart = {
  name: 'standings',
  steps: [
    `
    CREATE TABLE standings (
      hotkey TEXT PRIMARY KEY,
      store_attempts INTEGER NOT NULL DEFAULT 0,
      store_successes INTEGER NOT NULL DEFAULT 0,
      challenge_attempts INTEGER NOT NULL DEFAULT 0,
      challenge_successes INTEGER NOT NULL DEFAULT 0,
      retrieve_attempts INTEGER NOT NULL DEFAULT 0,
      retrieve_successes INTEGER NOT NULL DEFAULT 0,
      total_successes INTEGER NOT NULL DEFAULT 0,
      score REAL NOT NULL,
      tier TEXT NOT NULL,
      reward REAL NOT NULL DEFAULT 0,
      strikes INTEGER NOT NULL DEFAULT 0,
      total_strikes INTEGER NOT NULL DEFAULT 0,
      last_window INTEGER,
      last_attempts INTEGER,
      last_successes INTEGER,
      last_score REAL,
      since_ms INTEGER NOT NULL,
      changed_ms INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE standing_events (
      hotkey TEXT NOT NULL,
      n INTEGER NOT NULL,
      at_ms INTEGER NOT NULL,
      block INTEGER,
      cause TEXT NOT NULL,
      ending TEXT,
      reason TEXT NOT NULL,
      evidence TEXT NOT NULL,
      earned REAL NOT NULL,
      score_before REAL NOT NULL,
      score_after REAL NOT NULL,
      tier_before TEXT NOT NULL,
      tier_after TEXT NOT NULL,
      reward_before REAL NOT NULL,
      reward_after REAL NOT NULL,
      PRIMARY KEY (hotkey, n)
    ) STRICT, WITHOUT ROWID;
    CREATE TABLE counted_batches (seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE) STRICT;
    CREATE TABLE statistics_window (one INTEGER PRIMARY KEY CHECK (one = 1), number INTEGER NOT NULL) STRICT;
  `,
  ],
};

const maybeNumber = (row: Row, column: string): number | undefined => {
  const value = row[column];
  return typeof value === 'number' ? value : undefined;
};

function hotkeyIn(row: Row) {
  const hotkey = parseHotkey(textIn(row, 'hotkey'));
  invariant(hotkey, 'a standing is of a hotkey');
  return hotkey;
}

export function standingOf(row: Row): Standing {
  const counts = (task: string) => ({
    attempts: numberIn(row, `${task}_attempts`),
    successes: numberIn(row, `${task}_successes`),
  });
  const window = maybeNumber(row, 'last_window');
  return {
    hotkey: hotkeyIn(row),
    counts: { store: counts('store'), challenge: counts('challenge'), retrieve: counts('retrieve') },
    totalSuccesses: numberIn(row, 'total_successes'),
    score: numberIn(row, 'score'),
    tier: textIn(row, 'tier'),
    reward: numberIn(row, 'reward'),
    strikes: numberIn(row, 'strikes'),
    totalStrikes: numberIn(row, 'total_strikes'),
    lastWindow: window === undefined ? undefined : { window, ...counts('last'), score: numberIn(row, 'last_score') },
    sinceMs: numberIn(row, 'since_ms'),
    changedAtMs: numberIn(row, 'changed_ms'),
  };
}

export function standingEventOf(row: Row): StandingEvent {
  const ending = row.ending === null ? undefined : textIn(row, 'ending');
  return {
    hotkey: hotkeyIn(row),
    n: numberIn(row, 'n'),
    atMs: numberIn(row, 'at_ms'),
    block: maybeNumber(row, 'block'),
    cause: textIn(row, 'cause') as StandingEvent['cause'],
    ending: ending as StandingEvent['ending'],
    reason: textIn(row, 'reason'),
    evidence: textIn(row, 'evidence'),
    earned: numberIn(row, 'earned'),
    score: { before: numberIn(row, 'score_before'), after: numberIn(row, 'score_after') },
    tier: { before: textIn(row, 'tier_before'), after: textIn(row, 'tier_after') },
    reward: { before: numberIn(row, 'reward_before'), after: numberIn(row, 'reward_after') },
  };
}
