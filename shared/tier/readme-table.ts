/**
 * The stricter table that the README of FileTAO 3.0.0 prints: other thresholds, the same limits and rewards as its
 * code's (`table.ts`). A validator chooses by its setting `tierTable`; all validators of a subnet should agree.
 */
import { TIERS, type Tier, type Tiers } from './table.ts';

/** Least score of the window and least successes of the lifetime, by tier. */
const THRESHOLDS: ReadonlyMap<string, readonly [number, number]> = new Map([
  ['Super Saiyan', [0.9, 15_000]],
  ['Ruby', [0.85, 10_000]],
  ['Emerald', [0.8, 8000]],
  ['Diamond', [0.75, 6000]],
  ['Platinum', [0.65, 4000]],
  ['Gold', [0.65, 2000]],
  ['Silver', [0.6, 500]],
]);

const stricter = (tier: Tier): Tier => {
  const [minScore, minTotalSuccesses] = THRESHOLDS.get(tier.name) ?? [tier.minScore, tier.minTotalSuccesses];
  return { ...tier, minScore, minTotalSuccesses };
};

const [highest, ...others] = TIERS;
export const README_TIERS: Tiers = [stricter(highest), ...others.map(stricter)];

/** By the name of the setting. */
export const TIER_TABLES = { code: TIERS, readme: README_TIERS } as const;
