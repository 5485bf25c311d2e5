/**
 * The standings of all miners in the validator's database: what batches of answers, ends of windows and departures make
 * of them, each with the event that says why. A batch is counted once, in the transaction of whoever brings it, so that
 * a verdict and what it is worth are never apart. Keyed by hotkey: another uid changes nothing, a replaced hotkey is
 * forgotten and, should it come back, begins at 0. Pure steps: `validator/domain/standing-steps.ts`.
 */

import type { Hotkey } from '#shared/primitives/ids.ts';
import type { Tiers } from '#shared/tier/table.ts';
import { TIERS } from '#shared/tier/table.ts';
import {
  afterAnswer,
  afterWindow,
  countingObservations,
  earnedBy,
  newStanding,
  tierNamed,
} from '#validator/domain/standing-steps.ts';
import { numberIn, type Row } from './columns.ts';
import type { Database } from './database.ts';
import type { Batch, StandingsBook } from './ports.ts';
import type { Standing, StandingEvent } from './standing.ts';
import { standingEventOf, standingOf } from './standings-schema.ts';

/** Events kept of each miner: at ten miners every three blocks, three weeks of a full subnet. */
const EVENTS_PER_MINER = 500;
/** Events kept of a miner that was forgotten, and for how long. */
const EVENTS_OF_FORGOTTEN = 50;
const FORGOTTEN_MS = 30 * 86_400_000;
/** Batches remembered as counted: months of them. A batch older than that is not brought again by any job. */
const BATCHES_REMEMBERED = 1_000_000;

type EventParts = Pick<StandingEvent, 'atMs' | 'block' | 'cause' | 'ending' | 'reason' | 'evidence' | 'earned'>;

export function createStandings(db: Database, tiers: Tiers = TIERS): StandingsBook {
  const find = (hotkey: Hotkey): Standing | undefined => {
    const row = db.sql('SELECT * FROM standings WHERE hotkey = ?').get(hotkey);
    return row && standingOf(row);
  };
  const all = (): readonly Standing[] => db.sql('SELECT * FROM standings ORDER BY hotkey').all().map(standingOf);

  /** The new standing and the event of its change. */
  function change(before: Standing, after: Standing, parts: EventParts): void {
    write(after);
    note(before, after, parts, EVENTS_PER_MINER);
  }

  function write({ hotkey, counts: { store, challenge, retrieve }, ...standing }: Standing): void {
    const last = standing.lastWindow;
    db.sql(`INSERT OR REPLACE INTO standings VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`).run(
      ...[hotkey, store.attempts, store.successes, challenge.attempts, challenge.successes],
      ...[retrieve.attempts, retrieve.successes, standing.totalSuccesses, standing.score, standing.tier],
      ...[standing.reward, standing.strikes, standing.totalStrikes],
      ...[last?.window ?? null, last?.attempts ?? null, last?.successes ?? null, last?.score ?? null],
      ...[standing.sinceMs, standing.changedAtMs],
    );
  }

  function note(before: Standing, after: Standing, parts: EventParts, keep: number): void {
    const { hotkey } = before;
    const newest = db.sql('SELECT coalesce(max(n), 0) AS n FROM standing_events WHERE hotkey = ?').get(hotkey);
    const n = numberIn(newest, 'n') + 1;
    db.sql(`INSERT INTO standing_events VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`).run(
      ...[hotkey, n, parts.atMs, parts.block ?? null, parts.cause, parts.ending ?? null],
      ...[parts.reason, parts.evidence, parts.earned],
      ...[before.score, after.score, before.tier, after.tier, before.reward, after.reward],
    );
    db.sql('DELETE FROM standing_events WHERE hotkey = ? AND n <= ?').run(hotkey, n - keep);
  }

  function countOnce(id: string): boolean {
    const { changes, lastInsertRowid } = db.sql('INSERT OR IGNORE INTO counted_batches (id) VALUES (?)').run(id);
    if (changes === 0) return false;
    db.sql('DELETE FROM counted_batches WHERE seq <= ?').run(Number(lastInsertRowid) - BATCHES_REMEMBERED);
    return true;
  }

  function apply(batch: Batch): void {
    const { task, atMs, block } = batch;
    const counting = countingObservations(batch);
    const tierOfMiner = (miner: Hotkey) => tierNamed(find(miner)?.tier ?? '', tiers);
    const earned = earnedBy(task, counting, tierOfMiner);
    for (const [i, { miner, ending, reason, evidence }] of counting.entries()) {
      const before = find(miner) ?? newStanding(miner, atMs, tiers);
      const pay = earned[i] ?? 0;
      const after = afterAnswer(before, task, ending, pay, atMs);
      change(before, after, { atMs, block, cause: task, ending, reason, evidence, earned: pay });
    }
  }

  /** The window that is open; undefined before the first was named. */
  const openWindow = (): number | undefined => {
    const row = db.sql('SELECT number FROM statistics_window').get() as Row | undefined;
    return row && numberIn(row, 'number');
  };

  function close(window: number, atMs: number, block: number): void {
    for (const before of all()) {
      const after = afterWindow(before, window, atMs, tiers);
      const rank = (name: string) => tiers.findIndex((tier) => tier.name === name);
      const risen = rank(before.tier) - rank(after.tier);
      const asked = after.lastWindow?.window === window;
      if (!asked && before.strikes === 0) continue;
      const reason = !asked ? 'not-asked' : risen > 0 ? 'tier-raised' : risen < 0 ? 'tier-lowered' : 'tier-kept';
      const evidence = `window:${window}`;
      change(before, after, { atMs, block, cause: 'window', ending: undefined, reason, evidence, earned: 0 });
    }
  }

  return {
    tiers,

    record: (batch) =>
      db.transaction(() => {
        if (!countOnce(batch.id)) return false;
        apply(batch);
        return true;
      }),

    enterWindow: (window, atMs, block) =>
      db.transaction(() => {
        const open = openWindow();
        // A chain that went back to an earlier block opens no earlier window.
        if (open !== undefined && window <= open) return false;
        if (open !== undefined) close(open, atMs, block);
        db.sql('INSERT OR REPLACE INTO statistics_window VALUES (1, ?)').run(window);
        return open !== undefined;
      }),

    forget: (hotkey, reason, evidence, atMs) =>
      db.transaction(() => {
        const before = find(hotkey);
        const stale = 'DELETE FROM standing_events WHERE at_ms < ? AND hotkey NOT IN (SELECT hotkey FROM standings)';
        db.sql(stale).run(atMs - FORGOTTEN_MS);
        if (!before) return false;
        const parts = { atMs, block: undefined, cause: 'forgotten', ending: undefined, reason, evidence, earned: 0 };
        note(before, newStanding(hotkey, atMs, tiers), parts as EventParts, EVENTS_OF_FORGOTTEN);
        db.sql('DELETE FROM standings WHERE hotkey = ?').run(hotkey);
        return true;
      }),

    find,
    all,
    events: (hotkey, limit) =>
      db
        .sql('SELECT * FROM standing_events WHERE hotkey = ? ORDER BY n DESC LIMIT ?')
        .all(hotkey, limit)
        .map(standingEventOf),
    openWindow,
  };
}
