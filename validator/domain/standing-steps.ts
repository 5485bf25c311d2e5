/**
 * The steps of a standing, without effects: what one answer, one strike and the end of a window make of it. Formulas
 * are those of `shared/tier`; what is decided here is which answers count. `validator/state/standings.ts` keeps the
 * outcome. Measured times and sizes are brought into range first, so that no arithmetic of a batch can yield NaN.
 */

import type { Hotkey } from '#shared/primitives/ids.ts';
import { movingAverage, rewardsOf } from '#shared/tier/reward.ts';
import { scoreOf } from '#shared/tier/score.ts';
import type { Tiers } from '#shared/tier/table.ts';
import { type Tier, tierOf } from '#shared/tier/table.ts';
import type { Batch, Observation } from '#validator/state/ports.ts';
import { SCORED_TASKS, type ScoredTask, type Standing, type TaskCounts } from '#validator/state/standing.ts';

/** Nothing on a network is quicker, and nothing that is asked may take longer. */
const LEAST_SECONDS = 1e-6;
const MOST_SECONDS = 86_400;

const NO_COUNTS: TaskCounts = { attempts: 0, successes: 0 };
const NEW_COUNTS: Standing['counts'] = { store: NO_COUNTS, challenge: NO_COUNTS, retrieve: NO_COUNTS };

/** A miner that was never asked: no score to speak of, the lowest tier, nothing earned. */
export function newStanding(hotkey: Hotkey, atMs: number, tiers: Tiers): Standing {
  return {
    hotkey,
    counts: NEW_COUNTS,
    totalSuccesses: 0,
    score: scoreOf(0, 0),
    tier: tierOf(0, 0, tiers).name,
    reward: 0,
    strikes: 0,
    totalStrikes: 0,
    lastWindow: undefined,
    sinceMs: atMs,
    changedAtMs: atMs,
  };
}

/** The row that a standing names; the lowest when the table has no such row (any more). */
export const tierNamed = (name: string, tiers: Tiers): Tier =>
  tiers.find((tier) => tier.name === name) ?? tierOf(0, 0, tiers);

export function windowTotals(counts: Standing['counts']): TaskCounts {
  const sum = (field: keyof TaskCounts) => SCORED_TASKS.reduce((total, task) => total + counts[task][field], 0);
  return { attempts: sum('attempts'), successes: sum('successes') };
}

/** Answers that change a standing: a ping that was answered is no achievement and no batch's pay. */
export const countingObservations = ({ task, observations }: Batch): readonly Observation[] =>
  task === 'monitor' ? observations.filter(({ ending }) => ending !== 'passed') : observations;

function secondsOf({ ending, seconds }: Observation): number | undefined {
  if (ending === 'silent' || !Number.isFinite(seconds) || seconds < 0) return undefined;
  return seconds === 0 ? 0 : Math.min(MOST_SECONDS, Math.max(LEAST_SECONDS, seconds));
}

/** Whole bytes: of less than one, the latency per size would be beyond all numbers. */
const bytesOf = ({ bytes }: Observation): number =>
  Number.isFinite(bytes) && bytes >= 1 ? Math.min(Math.trunc(bytes), Number.MAX_SAFE_INTEGER) : 0;

/** What each of these observations of one batch earns, in their order. */
export function earnedBy(
  task: Batch['task'],
  observations: readonly Observation[],
  tierOfMiner: (miner: Hotkey) => Tier,
): readonly number[] {
  return rewardsOf(
    observations.map((observation) => ({
      task,
      tier: tierOfMiner(observation.miner),
      ending: observation.ending,
      seconds: secondsOf(observation),
      bytes: bytesOf(observation),
    })),
  );
}

/** The standing after one answer that earned so much. */
export function afterAnswer(
  standing: Standing,
  task: Batch['task'],
  ending: Observation['ending'],
  earned: number,
  atMs: number,
): Standing {
  const reward = movingAverage(standing.reward, earned);
  if (task === 'monitor') {
    const strikes = { strikes: standing.strikes + 1, totalStrikes: standing.totalStrikes + 1 };
    return { ...standing, ...strikes, reward, changedAtMs: atMs };
  }
  const success = ending === 'passed' ? 1 : 0;
  const counts = { ...standing.counts, [task]: oneMore(standing.counts, task, success) };
  const { attempts, successes } = windowTotals(counts);
  const score = scoreOf(successes, attempts);
  return { ...standing, counts, totalSuccesses: standing.totalSuccesses + success, score, reward, changedAtMs: atMs };
}

const oneMore = (counts: Standing['counts'], task: ScoredTask, success: 0 | 1): TaskCounts => ({
  attempts: counts[task].attempts + 1,
  successes: counts[task].successes + success,
});

/**
 * The standing when a window closes: the tier is set by the window's score and the lifetime's successes, the counts
 * begin anew. A miner that nobody asked keeps its tier: that the validator was away says nothing about it.
 */
export function afterWindow(standing: Standing, window: number, atMs: number, tiers: Tiers): Standing {
  const totals = windowTotals(standing.counts);
  const fresh = { ...standing, counts: NEW_COUNTS, strikes: 0, score: scoreOf(0, 0) };
  if (totals.attempts === 0) return fresh;
  const tier = tierOf(standing.score, standing.totalSuccesses, tiers).name;
  return { ...fresh, tier, lastWindow: { window, ...totals, score: standing.score }, changedAtMs: atMs };
}
