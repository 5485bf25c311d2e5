import { describe, expect, it } from 'vitest';
import { recodingOf, type SizeWatch, steadySize, watchSizes } from './recode-plan.ts';

const RULE = { steadyMs: 1000, marginShare: 0.1 };

/** Looks, [time, miners]; the size that is steady after the last. */
function after(looks: readonly (readonly [number, number])[]): number {
  let watch: SizeWatch | undefined;
  for (const [atMs, miners] of looks) watch = watchSizes(watch, miners, atMs, RULE);
  return watch ? steadySize(watch, RULE) : 0;
}

describe('the size of a network', () => {
  it.each([
    ['is nothing at the first look', [[0, 50]], 0],
    [
      'counts once it has lasted',
      [
        [0, 50],
        [500, 50],
        [1000, 50],
      ],
      40,
    ],
    [
      'counts not yet a moment before',
      [
        [0, 50],
        [500, 50],
        [999, 50],
      ],
      0,
    ],
    [
      'needs its margin',
      [
        [0, 43],
        [500, 43],
        [1000, 43],
      ],
      20,
    ],
    [
      'starts anew after a dip',
      [
        [0, 11],
        [500, 10],
        [900, 11],
        [1400, 11],
      ],
      5,
    ],
    [
      'is that of the lowest look',
      [
        [0, 50],
        [500, 25],
        [1000, 50],
      ],
      20,
    ],
    [
      'is unknown after a pause without looks',
      [
        [0, 50],
        [1000, 50],
        [2500, 50],
      ],
      0,
    ],
    [
      'is unknown when the clock was set back',
      [
        [5000, 50],
        [4000, 50],
      ],
      0,
    ],
    [
      'below five is none',
      [
        [0, 4],
        [500, 4],
        [1000, 4],
      ],
      0,
    ],
  ] as const)('%s', (_, looks, size) => {
    expect(after(looks)).toBe(size);
  });
});

describe('a file', () => {
  const file = (k: number, n: number, bytes = 1e6) => ({ k, n, bytes });
  it.each([
    ['of copies', file(1, 4), 5, { k: 2, n: 5 }],
    ['of a small network', file(2, 5), 10, { k: 4, n: 10 }],
    ['two sizes behind', file(2, 5), 40, { k: 16, n: 40 }],
    ['that fits', file(4, 10), 10, undefined],
    ['of a larger network', file(8, 20), 10, undefined],
    ['in no steady network', file(2, 5), 0, undefined],
    ['whose owner must have asked for its coding', file(3, 9), 40, undefined],
    ['of more copies than the table gives', file(1, 8), 40, undefined],
    ['that is kept as copies for being small', file(1, 4, 16 * 1024), 40, undefined],
    ['just larger than that', file(1, 4, 16 * 1024 + 1), 5, { k: 2, n: 5 }],
  ])('%s', (_, of, size, coding) => {
    expect(recodingOf(of, size)).toEqual(coding);
  });
});
