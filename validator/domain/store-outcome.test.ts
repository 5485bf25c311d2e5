import { expect, it } from 'vitest';
import { endingOfStore } from './store-outcome.ts';

it.each([
  ['full', undefined, undefined],
  ['refused', 'clock-skew', undefined],
  ['dropped', undefined, undefined],
  ['cancelled', undefined, undefined],
  ['busy', 'draining', undefined],
  ['busy', 'overloaded', 'silent'],
  ['unreachable', undefined, 'silent'],
  ['broken', undefined, 'wrong'],
  ['forged', undefined, 'wrong'],
] as const)('%s (%s) ends as %s', (code, problem, ending) => {
  expect(endingOfStore({ code, ...(problem && { problem }) })).toBe(ending);
});
