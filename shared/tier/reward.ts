/**
 * What one batch of answers earns. Rows in, rows out: nothing is sorted apart from what it belongs to, so that no
 * miner gets another's latency. Rewards of a batch are shifted towards its faster miners and keep their sum.
 * Source: FileTAO 3.0.0, constants of its reward; our own reading of failures is in `docs/decisions.md`.
 */
import type { Tier } from './table.ts';

export type Task = 'store' | 'challenge' | 'retrieve' | 'monitor';

/** How an answer ended. `wrong` covers proven wrong and declared missing: only that costs a challenged miner. */
export type Ending = 'passed' | 'wrong' | 'silent';

export interface Answer {
  readonly task: Task;
  readonly tier: Tier;
  readonly ending: Ending;
  /** Seconds until the answer was there; undefined when none came. */
  readonly seconds: number | undefined;
  /** Bytes the answer was about. */
  readonly bytes: number;
}

/** An answer slower than this earns no boost, seconds. */
const BOOST_LIMIT_SECONDS: Readonly<Record<Task, number>> = { store: 100, challenge: 30, retrieve: 60, monitor: 0 };
/** Factor of the tier's reward that a failure takes. */
const RETRIEVE_FAILURE = -0.01;
const CHALLENGE_WRONG = -0.05;
/** Flat price of a strike. */
const MONITOR_FAILURE = -0.005;
/** Steepness and middle of the inverse sigmoid. */
const STEEPNESS = 7;
const MIDDLE = 0.3;
/** Weight of the newest reward in the moving average. */
const ALPHA = 0.05;

function failureReward({ task, tier, ending }: Answer): number {
  if (task === 'monitor') return MONITOR_FAILURE;
  if (task === 'retrieve') return RETRIEVE_FAILURE * tier.rewardFactor;
  if (task === 'challenge' && ending === 'wrong') return CHALLENGE_WRONG * tier.rewardFactor;
  return 0;
}

/** Rewards of a batch before latency, in the order of its rows. */
export function baseRewards(batch: readonly Answer[]): number[] {
  const fastest = batch
    .map((answer, row) => ({ answer, row }))
    .filter(
      ({ answer }) =>
        answer.ending === 'passed' && answer.seconds !== undefined && answer.seconds < BOOST_LIMIT_SECONDS[answer.task],
    )
    .sort((a, b) => (a.answer.seconds ?? 0) - (b.answer.seconds ?? 0))
    .slice(0, 2)
    .map(({ row }) => row);
  return batch.map((answer, row) => {
    if (answer.ending !== 'passed') return failureReward(answer);
    return answer.tier.rewardFactor * (fastest.includes(row) ? answer.tier.topTwoBoost : 1);
  });
}

/**
 * Latency factors of a batch, in the order of its rows: xᵢ = secondsᵢ / ln(1 + bytesᵢ), m = 2·max x,
 * fᵢ = 1 / (1 + exp((7/m)·((xᵢ − mean x) − 0.3·m))). 1 where bytes or m are 0.
 */
export function latencyFactors(rows: readonly { readonly seconds: number; readonly bytes: number }[]): number[] {
  const x = rows.map(({ seconds, bytes }) => (bytes > 0 ? seconds / Math.log1p(bytes) : 0));
  const m = 2 * Math.max(0, ...x);
  if (m === 0) return rows.map(() => 1);
  const mean = x.reduce((sum, value) => sum + value, 0) / x.length;
  return rows.map(({ bytes }, i) =>
    bytes > 0 ? 1 / (1 + Math.exp((STEEPNESS / m) * ((x[i] as number) - mean - MIDDLE * m))) : 1,
  );
}

/** rewardᵢ·fᵢ scaled so that the batch keeps its sum; all zero when nothing is left to scale. */
export function scaleByLatency(rewards: readonly number[], factors: readonly number[]): number[] {
  const weighted = rewards.map((reward, i) => reward * (factors[i] as number));
  const total = rewards.reduce((sum, reward) => sum + reward, 0);
  const denominator = weighted.reduce((sum, value) => sum + value, 0);
  return denominator === 0 ? rewards.map(() => 0) : weighted.map((value) => (value * total) / denominator);
}

/** Rewards of a batch, in the order of its rows. A row without an answer counts with the batch's largest time. */
export function rewardsOf(batch: readonly Answer[]): number[] {
  if (!batch.some(({ ending }) => ending === 'passed')) return batch.map(failureReward);
  const slowest = Math.max(0, ...batch.map(({ seconds }) => seconds ?? 0));
  const base = baseRewards(batch);
  const factors = latencyFactors(batch.map(({ seconds, bytes }) => ({ seconds: seconds ?? slowest, bytes })));
  // Penalties stay as they are: shifting them by latency would refund the slowest failure.
  const earned = base.map((reward) => Math.max(0, reward));
  return scaleByLatency(earned, factors).map((reward, i) => reward + Math.min(0, base[i] as number));
}

/** The moving average after one more reward. A replaced hotkey starts at 0. */
export const movingAverage = (average: number, reward: number): number => ALPHA * reward + (1 - ALPHA) * average;
