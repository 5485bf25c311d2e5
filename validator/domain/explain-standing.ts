/**
 * Tells an operator in plain sentences why a miner's tier, score and reward are what they are, and what would raise
 * them. Pure: the same standing always gets the same sentences. `describe-network.ts` writes them into the index,
 * `GET /v1/network/miners/{hotkey}` and `filetao miner explain` show them.
 */

import { scoreOf } from '#shared/tier/score.ts';
import type { Tiers } from '#shared/tier/table.ts';
import { type Tier, tierOf } from '#shared/tier/table.ts';
import { SCORED_TASKS, type Standing, type StandingEvent } from '#validator/state/standing.ts';
import { tierNamed, windowTotals } from './standing-steps.ts';

export interface Circumstances {
  readonly tiers: Tiers;
  /** Block in which the open window closes. */
  readonly closesAtBlock: number;
  readonly storedBytes: number;
  /** Most that its tier allows. */
  readonly limitBytes: number;
  readonly accepting: boolean;
  /** Of the last weights set; undefined while this validator has set none. */
  readonly weight: number | undefined;
  /** Newest first. */
  readonly events: readonly StandingEvent[];
}

/** Answers in a row that are counted out; more would be no advice. */
const MOST_ANSWERS = 1000;
const REASONS_NAMED = 3;

const number = (value: number): string => value.toLocaleString('en-US', { maximumFractionDigits: 4 });
const score = (value: number): string => value.toFixed(3);
const answers = (count: number): string => (count === 1 ? '1 answer' : `${number(count)} answers`);

function bytes(count: number): string {
  const units = ['bytes', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  const unit = Math.min(units.length - 1, Math.max(0, Math.floor(Math.log2(Math.max(1, count)) / 10)));
  return `${(count / 1024 ** unit).toLocaleString('en-US', { maximumFractionDigits: 1 })} ${units[unit]}`;
}

export function explainStanding(standing: Standing, around: Circumstances): readonly string[] {
  const tier = tierNamed(standing.tier, around.tiers);
  return [
    whyTier(standing, tier, around),
    ...nextTier(standing, tier, around),
    whyScore(standing),
    ...whatFailed(around.events),
    whyReward(standing, tier),
    ...strikes(standing),
    whyWeight(standing, around),
    room(tier, around),
  ];
}

function whyTier({ lastWindow, totalSuccesses }: Standing, tier: Tier, { closesAtBlock }: Circumstances): string {
  const closing = `tiers are set again when the window closes, at block ${number(closesAtBlock)}`;
  if (!lastWindow) return `Tier ${tier.name}: every miner begins there; ${closing}.`;
  return (
    `Tier ${tier.name}: set when window ${lastWindow.window} closed, by a score of ${score(lastWindow.score)} over ` +
    `${answers(lastWindow.attempts)} and ${number(totalSuccesses)} successes in its lifetime; ${closing}.`
  );
}

/** What the next higher tier asks for, and whether the present one is in danger. */
function nextTier(standing: Standing, tier: Tier, { tiers }: Circumstances): readonly string[] {
  const { totalSuccesses } = standing;
  const { attempts, successes } = windowTotals(standing.counts);
  const sentences: string[] = [];
  const heading = attempts === 0 ? tier : tierOf(standing.score, totalSuccesses, tiers);
  if (tiers.indexOf(heading) > tiers.indexOf(tier)) {
    const needed = answersFor(tier.minScore, successes, attempts);
    const keep = needed === undefined ? '' : `; ${answers(needed)} passed in a row would keep it`;
    sentences.push(
      `In danger: with its present score of ${score(standing.score)} it falls to ${heading.name} when the window ` +
        `closes, because ${tier.name} asks for ${tier.minScore}${keep}.`,
    );
  }
  const next = tiers[tiers.indexOf(tier) - 1];
  if (!next) return [...sentences, 'There is no higher tier.'];
  const missing = next.minTotalSuccesses - totalSuccesses;
  const lifetime = `${number(next.minTotalSuccesses)} successes in its lifetime (${missing > 0 ? `${number(missing)} more` : 'reached'})`;
  const needed = standing.score >= next.minScore ? 0 : answersFor(next.minScore, successes, attempts);
  const reach = needed === 0 ? 'reached' : needed === undefined ? 'far off' : `${answers(needed)} passed in a row`;
  return [
    ...sentences,
    `For ${next.name}: a score of ${next.minScore} or more when the window closes (${reach}), and ${lifetime}.`,
  ];
}

/** How many answers passed in a row bring the score to the least that is asked. */
function answersFor(minScore: number, successes: number, attempts: number): number | undefined {
  for (let more = 1; more <= MOST_ANSWERS; more++) {
    if (scoreOf(successes + more, attempts + more) >= minScore) return more;
  }
  return undefined;
}

function whyScore({ counts, score: value }: Standing): string {
  const { attempts, successes } = windowTotals(counts);
  if (attempts === 0)
    return `Score ${score(value)}: nothing was asked in this window yet, which is neither good nor bad.`;
  const parts = SCORED_TASKS.filter((task) => counts[task].attempts > 0).map(
    (task) => `${task} ${number(counts[task].successes)} of ${number(counts[task].attempts)}`,
  );
  return `Score ${score(value)}: ${number(successes)} of ${answers(attempts)} passed in this window (${parts.join(', ')}).`;
}

/** Which failures there were lately, the most frequent first, each with where to look. */
function whatFailed(events: readonly StandingEvent[]): readonly string[] {
  const reasons = new Map<string, { readonly last: StandingEvent; count: number }>();
  for (const event of events) {
    if (event.ending === undefined || event.ending === 'passed') continue;
    const reason = `${event.cause} ${event.reason}`;
    const known = reasons.get(reason);
    if (known) known.count++;
    else reasons.set(reason, { last: event, count: 1 });
  }
  if (reasons.size === 0) return [];
  const named = [...reasons]
    .sort(([, a], [, b]) => b.count - a.count)
    .slice(0, REASONS_NAMED)
    .map(
      ([reason, { last, count }]) => `${reason} ${count === 1 ? 'once' : `${count} times`} (last: ${last.evidence})`,
    );
  return [`Did not pass lately: ${named.join('; ')}.`];
}

function whyReward({ reward }: Standing, { name, rewardFactor, topTwoBoost }: Tier): string {
  return (
    `Reward ${number(reward)}: the moving average of what its answers earn, each counting a twentieth. In ${name} one ` +
    `that passes earns ${rewardFactor}, times ${topTwoBoost} for the two fastest of a batch, and more of the batch's sum ` +
    `the quicker it is for its size; a wrong or missing proof costs ${number(0.05 * rewardFactor)}.`
  );
}

const strikes = ({ strikes: count, totalStrikes }: Standing): readonly string[] =>
  totalStrikes === 0
    ? []
    : [
        `Strikes: ${number(count)} in this window, ${number(totalStrikes)} in all; one is given when more than five ` +
          'pings in a row went unanswered, and earns -0.005.',
      ];

function whyWeight({ reward }: Standing, { weight }: Circumstances): string {
  if (weight === undefined) return 'Weight: this validator has set none yet.';
  if (weight > 0)
    return `Weight ${number(weight)} of 65,535: its reward beside the largest one, when weights were last set.`;
  return reward > 0
    ? 'Weight 0: it had earned nothing when weights were last set; it is among the next.'
    : 'Weight 0: only a reward above 0 earns weight.';
}

function room({ name }: Tier, { storedBytes, limitBytes, accepting }: Circumstances): string {
  const held = `Holds ${bytes(storedBytes)} for this validator; ${name} allows ${bytes(limitBytes)}`;
  if (storedBytes >= limitBytes) return `${held}: it gets nothing new until its tier rises.`;
  if (accepting) return `${held}.`;
  return `${held}. It gets nothing new now: it is full, leaving, not reached, or its address is not proven.`;
}
