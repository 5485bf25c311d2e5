import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { README_TIERS } from './readme-table.ts';
import { type Answer, baseRewards, latencyFactors, movingAverage, rewardsOf, scaleByLatency } from './reward.ts';
import { scoreOf } from './score.ts';
import { TIERS, tierOf } from './table.ts';
import { weightsOf } from './weights.ts';

interface Vectors {
  tiers: {
    name: string;
    minScore: number;
    minTotalSuccesses: number;
    storageLimitBytes: string;
    rewardFactor: number;
    topTwoBoost: number;
  }[];
  wilson: { successes: number; attempts: number; score: number }[];
  tierCases: { successes: number; attempts: number; totalSuccesses: number; tier: string }[];
  latencyScaling: {
    cases: { rewards: number[]; seconds: number[]; bytes: number[]; latencyFactor: number[]; scaled: number[] }[];
  };
}
const vectors = JSON.parse(readFileSync(new URL('../../test/vectors/tiers.json', import.meta.url), 'utf8')) as Vectors;

/** Within 1e-12 relative, as the vectors ask. */
const near = (actual: number, expected: number): void => {
  expect(Math.abs(actual - expected)).toBeLessThanOrEqual(1e-12 * Math.max(Math.abs(expected), Number.MIN_VALUE));
};
const [best] = TIERS;
const bronze = TIERS[TIERS.length - 1] ?? best;

it('keeps the table of the vectors', () => {
  expect(TIERS.map((tier) => ({ ...tier, storageLimitBytes: String(tier.storageLimitBytes) }))).toEqual(vectors.tiers);
});

it.each(vectors.wilson)('scores $successes of $attempts as $score', ({ successes, attempts, score }) => {
  near(scoreOf(successes, attempts), score);
});

it('puts every case of the vectors into its tier', () => {
  for (const { successes, attempts, totalSuccesses, tier } of vectors.tierCases) {
    expect(tierOf(scoreOf(successes, attempts), totalSuccesses).name).toBe(tier);
  }
});

it.each(vectors.latencyScaling.cases.map((row, id) => ({ id, ...row })))('scales batch $id by latency', (row) => {
  const factors = latencyFactors(row.seconds.map((seconds, i) => ({ seconds, bytes: row.bytes[i] ?? 0 })));
  factors.forEach((factor, i) => {
    near(factor, row.latencyFactor[i] ?? Number.NaN);
  });
  scaleByLatency(row.rewards, factors).forEach((reward, i) => {
    near(reward, row.scaled[i] ?? Number.NaN);
  });
});

describe('rewards', () => {
  const answer = (over: Partial<Answer>): Answer => ({
    task: 'challenge',
    tier: bronze,
    ending: 'passed',
    seconds: 1,
    bytes: 1000,
    ...over,
  });

  it('boost the two fastest, whatever their rows', () => {
    const batch = [3, 1, 2].map((seconds) => answer({ seconds }));
    expect(baseRewards(batch)).toEqual([0.6, 0.6 * 1.2, 0.6 * 1.2]);
  });
  it('boost nobody who beat no timeout', () => {
    expect(baseRewards([answer({ seconds: 30 })])).toEqual([0.6]);
  });
  it.each([
    { id: 'a silent challenge', row: answer({ ending: 'silent', seconds: undefined }), reward: 0 },
    { id: 'a wrong challenge', row: answer({ ending: 'wrong' }), reward: -0.05 * 0.6 },
    { id: 'a failed retrieve', row: answer({ task: 'retrieve', ending: 'silent' }), reward: -0.01 * 0.6 },
    { id: 'a failed store', row: answer({ task: 'store', ending: 'silent' }), reward: 0 },
    { id: 'a strike', row: answer({ task: 'monitor', ending: 'silent' }), reward: -0.005 },
  ])('price $id', ({ row, reward }) => {
    expect(rewardsOf([row])[0]).toBeCloseTo(reward, 15);
  });
  it('follow their rows when the rows are shuffled', () => {
    const row = fc.record({
      seconds: fc.double({ min: 0.001, max: 40, noNaN: true }),
      bytes: fc.nat(2 ** 30),
      ending: fc.constantFrom('passed' as const, 'wrong' as const, 'silent' as const),
    });
    fc.assert(
      fc.property(fc.uniqueArray(row, { selector: ({ seconds }) => seconds, maxLength: 12 }), (rows) => {
        const batch = rows.map((fields) => answer(fields));
        const forward = rewardsOf(batch);
        const backward = rewardsOf([...batch].reverse()).reverse();
        forward.forEach((reward, i) => {
          expect(reward).toBeCloseTo(backward[i] ?? Number.NaN, 12);
          expect(Number.isFinite(reward)).toBe(true);
        });
      }),
    );
  });
  it('move the average by a twentieth', () => {
    expect(movingAverage(0, 1)).toBe(0.05);
    expect(movingAverage(1, 1)).toBeCloseTo(1, 15);
  });
});

describe('weights', () => {
  const rules = { minCount: 1, maxShare: 1 };
  it('are never NaN, never out of range, and never all zero when someone earned', () => {
    const average = fc.oneof(fc.double(), fc.constant(0), fc.double({ min: -1, max: 1, noNaN: true }));
    fc.assert(
      fc.property(
        fc.array(average, { maxLength: 256 }),
        fc.double({ min: 0.01, max: 1, noNaN: true }),
        (averages, maxShare) => {
          const earners = averages.map((value, uid) => ({ uid, average: value }));
          const weights = weightsOf(earners, { minCount: 1, maxShare });
          expect(weights.every(({ value }) => Number.isInteger(value) && value > 0 && value <= 65_535)).toBe(true);
          if (earners.some(({ average: value }) => Number.isFinite(value) && value > 0)) {
            expect(weights.some(({ value }) => value === 65_535)).toBe(true);
          }
        },
      ),
    );
  });
  it('give an idle miner nothing', () => {
    expect(
      weightsOf(
        [
          { uid: 0, average: 0 },
          { uid: 1, average: 0.5 },
          { uid: 2, average: -0.1 },
        ],
        rules,
      ),
    ).toEqual([{ uid: 1, value: 65_535 }]);
  });
  it('keep to the largest share', () => {
    const weights = weightsOf(
      [8, 1, 1].map((average, uid) => ({ uid, average })),
      { minCount: 1, maxShare: 0.5 },
    );
    expect(weights.map(({ value }) => value)).toEqual([65_535, 32_768, 32_768]);
  });
  it('are none below the least count', () => {
    expect(weightsOf([{ uid: 1, average: 1 }], { ...rules, minCount: 2 })).toEqual([]);
  });
});

describe('the table of the original’s README', () => {
  it('asks for at least as much, tier by tier, and pays and entrusts the same', () => {
    expect(README_TIERS.map(({ name }) => name)).toEqual(TIERS.map(({ name }) => name));
    for (const [at, tier] of README_TIERS.entries()) {
      const { minScore, minTotalSuccesses, ...rest } = TIERS[at] ?? best;
      expect(tier.minScore).toBeGreaterThanOrEqual(minScore);
      expect(tier.minTotalSuccesses).toBeGreaterThanOrEqual(minTotalSuccesses);
      expect(tier).toMatchObject(rest);
    }
  });

  it('takes a miner out of the highest tier that the code’s table would leave there', () => {
    expect(tierOf(0.87, 20_000).name).toBe('Super Saiyan');
    expect(tierOf(0.87, 20_000, README_TIERS).name).toBe('Ruby');
    expect(tierOf(0.1, 0, README_TIERS).name).toBe('Bronze');
  });
});
