import { createCipheriv } from 'node:crypto';
import { expect, it } from 'vitest';
import type { Random } from '#shared/primitives/effects.ts';
import { syntheticBytes } from './synthetic-size.ts';

function seeded(): Random {
  const cipher = createCipheriv('aes-128-ctr', Buffer.alloc(16, 7), Buffer.alloc(16));
  return (bytes) => new Uint8Array(cipher.update(Buffer.alloc(bytes)));
}

it('is log-normal around 3 MiB, cut at a segment', () => {
  const random = seeded();
  const sizes = Array.from({ length: 20_000 }, () => syntheticBytes(random)).sort((a, b) => a - b);
  const share = (least: number) => sizes.filter((size) => size >= least).length / sizes.length;
  expect(share(3 * 2 ** 20)).toBeCloseTo(0.5, 1);
  // One standard deviation below the median: 84.1 %.
  expect(share((3 * 2 ** 20) / Math.exp(1.5))).toBeCloseTo(0.841, 1);
  expect(sizes.at(-1)).toBe(4 * 2 ** 20);
  // P(Z > ln(4/3) / 1.5)
  expect(share(4 * 2 ** 20)).toBeCloseTo(0.424, 1);
});

it('is never outside of what a shard can be', () => {
  for (const byte of [0, 255]) {
    const size = syntheticBytes((bytes) => new Uint8Array(bytes).fill(byte));
    expect(size).toBeGreaterThanOrEqual(32);
    expect(size).toBeLessThanOrEqual(4 * 2 ** 20);
  }
});
