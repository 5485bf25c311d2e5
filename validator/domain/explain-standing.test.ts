import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hotkeyOf } from '#shared/primitives/ids.ts';
import { scoreOf } from '#shared/tier/score.ts';
import { TIERS } from '#shared/tier/table.ts';
import type { Standing, StandingEvent } from '#validator/state/standing.ts';
import { type Circumstances, explainStanding } from './explain-standing.ts';
import { newStanding } from './standing-steps.ts';

const hotkey = hotkeyOf(new Uint8Array(32).fill(1));
const fresh = newStanding(hotkey, 0, TIERS);
const around = (change: Partial<Circumstances> = {}): Circumstances => ({
  ...{ tiers: TIERS, closesAtBlock: 7200, storedBytes: 3 * 2 ** 30, limitBytes: 10 * 2 ** 40, accepting: true },
  ...{ weight: undefined, events: [] },
  ...change,
});
const tried = (successes: number, attempts: number, change: Partial<Standing> = {}): Standing => ({
  ...fresh,
  counts: { ...fresh.counts, challenge: { successes, attempts } },
  score: scoreOf(successes, attempts),
  ...change,
});
const failure = (reason: string, evidence: string): StandingEvent => ({
  ...{ hotkey, n: 1, atMs: 1, block: 1, cause: 'challenge', ending: 'silent', reason, evidence, earned: 0 },
  ...{ score: { before: 1, after: 1 }, tier: { before: 'a', after: 'a' }, reward: { before: 0, after: 0 } },
});

it('tells a newcomer where it stands and what comes next', () => {
  expect(explainStanding(fresh, around())).toEqual([
    'Tier Bronze: every miner begins there; tiers are set again when the window closes, at block 7,200.',
    'For Silver: a score of 0.55 or more when the window closes (1 answer passed in a row), and 500 successes in its lifetime (500 more).',
    'Score 0.500: nothing was asked in this window yet, which is neither good nor bad.',
    expect.stringMatching(/^Reward 0: .* In Bronze one that passes earns 0.6, times 1.2 .* costs 0.03\.$/),
    'Weight: this validator has set none yet.',
    'Holds 3 GiB for this validator; Bronze allows 10 TiB.',
  ]);
});

describe('it names', () => {
  it('what failed, the most frequent first, with the newest evidence', () => {
    const events = [failure('timeout', 'round:9'), failure('wrong-leaf', 'round:8'), failure('timeout', 'round:7')];
    expect(explainStanding(tried(5, 8), around({ events }))).toContain(
      'Did not pass lately: challenge timeout 2 times (last: round:9); challenge wrong-leaf once (last: round:8).',
    );
  });
  it('the window that set the tier, the danger of losing it, and what would save it', () => {
    const lastWindow = { window: 3, attempts: 40, successes: 39, score: 0.956 };
    const standing = tried(3, 6, { tier: 'Gold', totalSuccesses: 2500, lastWindow });
    const sentences = explainStanding(standing, around());
    expect(sentences[0]).toMatch(
      /^Tier Gold: set when window 3 closed, by a score of 0.956 over 40 answers and 2,500 /,
    );
    expect(sentences[1]).toMatch(/falls to Bronze .* asks for 0.6; 2 answers passed in a row would keep it\.$/);
    expect(sentences[2]).toMatch(/^For Platinum: .* \(3 answers passed in a row\), and 3,000 .* \(500 more\)\.$/);
  });
  it('no higher tier when there is none, strikes, weight, and why nothing new comes', () => {
    const standing = tried(9, 9, {
      tier: 'Super Saiyan',
      totalSuccesses: 20_000,
      strikes: 1,
      totalStrikes: 4,
      reward: 0.5,
    });
    const best = explainStanding(standing, around({ weight: 0, storedBytes: 5, limitBytes: 5 }));
    expect(best).toContain('There is no higher tier.');
    expect(best.join('\n')).toMatch(/Strikes: 1 in this window, 4 in all/);
    expect(best.join('\n')).toMatch(/Weight 0: it had earned nothing when weights were last set/);
    expect(best.at(-1)).toMatch(/it gets nothing new until its tier rises/);
    expect(explainStanding(tried(1, 1, { reward: -0.1 }), around({ weight: 0 }))).toContain(
      'Weight 0: only a reward above 0 earns weight.',
    );
    expect(explainStanding(fresh, around({ accepting: false })).at(-1)).toMatch(/address is not proven\.$/);
  });
});

it('the answers it asks for are enough, and one less is not', () => {
  fc.assert(
    fc.property(fc.nat(60), fc.nat(60), fc.constantFrom(...TIERS.slice(1)), (passed, failed, tier) => {
      const attempts = passed + failed;
      const standing = tried(passed, attempts, { tier: tier.name, totalSuccesses: 1e6 });
      const next = TIERS[TIERS.indexOf(tier) - 1];
      const sentence = explainStanding(standing, around()).find((text) => text.startsWith(`For ${next?.name}`)) ?? '';
      const needed = Number(/\(([0-9,]+) answers? passed/.exec(sentence)?.[1]?.replace(',', '') ?? 0);
      const least = next?.minScore ?? 0;
      expect(scoreOf(passed + needed, attempts + needed)).toBeGreaterThanOrEqual(least);
      if (needed > 0) expect(scoreOf(passed + needed - 1, attempts + needed - 1)).toBeLessThan(least);
      for (const text of explainStanding(standing, around())) expect(text).not.toMatch(/NaN|undefined|Infinity/);
    }),
  );
});
