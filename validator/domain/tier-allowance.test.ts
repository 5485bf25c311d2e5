import { expect, it } from 'vitest';
import { TIERS } from '#shared/tier/table.ts';
import { limitBytesOf, tierAllowance } from './tier-allowance.ts';

it('is what the tier leaves, and never less than nothing', () => {
  const tier = { storageLimitBytes: 100n };
  expect([0, 40, 100, 140].map((owed) => tierAllowance(tier, owed))).toEqual([100, 60, 0, 0]);
});

it('of every tier is a whole number that a directory can carry, and grows with the tier', () => {
  const limits = TIERS.map(limitBytesOf);
  expect(limits.every(Number.isSafeInteger)).toBe(true);
  expect(limits.toReversed()).toEqual(limits.toSorted((a, b) => a - b));
});
