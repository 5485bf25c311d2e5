import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  checkRedundancy,
  lossesSurvived,
  margin,
  redundancyFor,
  repairThreshold,
  SMALL_FILE_BYTES,
} from './redundancy.ts';

const LARGE = 1_000_000;

describe('the redundancy of a file', () => {
  it.each([
    [1000, LARGE, 16, 40],
    [40, LARGE, 16, 40],
    [39, LARGE, 8, 20],
    [20, LARGE, 8, 20],
    [19, LARGE, 4, 10],
    [10, LARGE, 4, 10],
    [9, LARGE, 2, 5],
    [5, LARGE, 2, 5],
    [4, LARGE, 1, 4],
    [1, LARGE, 1, 1],
    [12, undefined, 4, 10],
    [12, SMALL_FILE_BYTES + 1, 4, 10],
    [12, SMALL_FILE_BYTES, 1, 5],
    [12, 0, 1, 5],
    [3, 0, 1, 3],
  ])('among %i miners, of %s bytes, is (%i, %i)', (miners, fileBytes, k, n) => {
    expect(redundancyFor(miners, fileBytes)).toEqual({ k, n });
  });

  it('is none without a miner', () => {
    expect(redundancyFor(0, LARGE)).toBeUndefined();
    expect(redundancyFor(0, 1)).toBeUndefined();
  });

  it('is always one that the network can hold', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 300 }), fc.option(fc.nat(100_000), { nil: undefined }), (miners, bytes) => {
        const chosen = redundancyFor(miners, bytes);
        expect(chosen && checkRedundancy(chosen, miners)).toEqual({ ok: true, value: chosen });
      }),
    );
  });
});

describe('margin and repair threshold', () => {
  it.each([
    [16, 40, 12, 28],
    [8, 20, 6, 14],
    [4, 10, 3, 7],
    [2, 5, 2, 4],
    [1, 5, 2, 3],
    [1, 2, 1, 2],
    [1, 1, 0, 1],
  ])('of (%i, %i) are %i and %i', (k, n, marginShards, threshold) => {
    expect(margin({ k, n })).toBe(marginShards);
    expect(repairThreshold({ k, n })).toBe(threshold);
  });
});

it('counts the losses that are left', () => {
  expect([10, 5, 4, 3].map((healthy) => lossesSurvived(4, healthy))).toEqual([6, 1, 0, -1]);
});

describe('a redundancy that a user asks for', () => {
  it.each([
    [4, 10],
    [1, 12],
    [11, 12],
    [1, 2],
  ])('may be (%i, %i) among 12 miners', (k, n) => {
    expect(checkRedundancy({ k, n }, 12)).toEqual({ ok: true, value: { k, n } });
  });

  it.each([
    ['redundancy-invalid', 0, 5, 12],
    ['redundancy-invalid', -1, 5, 12],
    ['redundancy-invalid', 1.5, 5, 12],
    ['redundancy-invalid', 2, 5.5, 12],
    ['redundancy-invalid', 6, 5, 12],
    ['redundancy-invalid', Number.NaN, 5, 12],
    ['redundancy-invalid', 1, Number.POSITIVE_INFINITY, 12],
    ['redundancy-invalid', 1, 257, 1000],
    ['redundancy-unprotected', 5, 5, 12],
    ['redundancy-too-wide', 5, 13, 12],
    ['redundancy-too-wide', 1, 2, 1],
    ['redundancy-too-wide', 1, 1, 0],
  ])('is refused as %s: (%d, %d) among %i miners', (code, k, n, miners) => {
    expect(checkRedundancy({ k, n }, miners)).toMatchObject({ ok: false, failure: { code, fault: 'caller' } });
  });
});
