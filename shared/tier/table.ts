/**
 * The eight tiers as data: what a miner must show for each, how much a tenant entrusts to it, and what it earns.
 * Numbers are the constants of FileTAO 3.0.0's code (its README prints a stricter table: `readme-table.ts`).
 */
export interface Tier {
  readonly name: string;
  /** Least score of the window. */
  readonly minScore: number;
  /** Least successes of the miner's lifetime. */
  readonly minTotalSuccesses: number;
  /** Most bytes that a tenant stores on one miner of this tier. */
  readonly storageLimitBytes: bigint;
  /** Reward of one success. */
  readonly rewardFactor: number;
  /** Multiplies the reward of the two fastest answers of a batch. */
  readonly topTwoBoost: number;
}

const TIB = 1n << 40n;
const GIB = 1n << 30n;

/** Highest tier first; the last row takes everybody. */
export type Tiers = readonly [Tier, ...Tier[]];

export const TIERS: Tiers = [
  {
    name: 'Super Saiyan',
    minScore: 0.85,
    minTotalSuccesses: 15_000,
    // 50 PiB and a rest that the original's own arithmetic left: kept, so that both say the same.
    storageLimitBytes: 56_294_995_342_131_200n,
    rewardFactor: 1,
    topTwoBoost: 1.02,
  },
  {
    name: 'Ruby',
    minScore: 0.8,
    minTotalSuccesses: 10_000,
    storageLimitBytes: 22_517_998_136_852_480n,
    rewardFactor: 0.9,
    topTwoBoost: 1.04,
  },
  {
    name: 'Emerald',
    minScore: 0.75,
    minTotalSuccesses: 7000,
    storageLimitBytes: 10_240n * TIB,
    rewardFactor: 0.85,
    topTwoBoost: 1.05,
  },
  {
    name: 'Diamond',
    minScore: 0.7,
    minTotalSuccesses: 5000,
    storageLimitBytes: 5120n * TIB,
    rewardFactor: 0.8,
    topTwoBoost: 1.08,
  },
  {
    name: 'Platinum',
    minScore: 0.65,
    minTotalSuccesses: 3000,
    storageLimitBytes: 1024n * TIB,
    rewardFactor: 0.75,
    topTwoBoost: 1.1,
  },
  {
    name: 'Gold',
    minScore: 0.6,
    minTotalSuccesses: 2000,
    storageLimitBytes: 204_800n * GIB,
    rewardFactor: 0.7,
    topTwoBoost: 1.12,
  },
  {
    name: 'Silver',
    minScore: 0.55,
    minTotalSuccesses: 500,
    storageLimitBytes: 51_200n * GIB,
    rewardFactor: 0.65,
    topTwoBoost: 1.16,
  },
  {
    name: 'Bronze',
    minScore: 0,
    minTotalSuccesses: 0,
    storageLimitBytes: 10_240n * GIB,
    rewardFactor: 0.6,
    topTwoBoost: 1.2,
  },
];

/**
 * The highest tier whose minimum score (of the window) and minimum successes (of the lifetime) are both met.
 * @param score reliability of the window, 0 to 1
 */
export function tierOf(score: number, totalSuccesses: number, tiers: Tiers = TIERS): Tier {
  return (
    tiers.find((tier) => score >= tier.minScore && totalSuccesses >= tier.minTotalSuccesses) ??
    (tiers[tiers.length - 1] as Tier)
  );
}
