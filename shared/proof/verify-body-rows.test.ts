import fc from 'fast-check';
import { expect, it } from 'vitest';
import { loadNodeKernel } from '#shared/codec/node-kernel.ts';
import { vectorData } from '#shared/testing/vector-data.ts';
import { anchorOf, leafCount, levelsOf } from './anchor.ts';
import { leafBytesAt, proveLeaves, verifyBody } from './multiproof.ts';

const kernel = loadNodeKernel();
const MOST_LEAVES = 70;

it('hashing in rows gives the verdict of hashing one by one, for right and for damaged bodies', () => {
  const shards = fc.integer({ min: 0, max: MOST_LEAVES * 1024 });
  const asked = fc.uniqueArray(fc.integer({ min: 0, max: MOST_LEAVES }), { minLength: 1, maxLength: 30 });
  fc.assert(
    fc.property(shards, asked, fc.nat(), (bytes, wanted, bit) => {
      const shard = vectorData(bytes);
      const anchor = anchorOf(kernel, shard);
      const leaves = leafCount(bytes);
      const indices = [...new Set(wanted.map((index) => index % leaves))].sort((a, b) => a - b);
      const levels = levelsOf(kernel, kernel.hashLeaves(shard));
      const leafAt = (index: number) => shard.subarray(index * 1024, index * 1024 + leafBytesAt(bytes, index));
      const body = proveLeaves(bytes, levels, indices, leafAt);
      expect(verifyBody(anchor, indices, body, kernel)).toEqual({ ok: true, value: undefined });
      if (body.length === 0) return;
      const at = bit % body.length;
      const damaged = body.with(at, (body[at] as number) ^ 1);
      expect(verifyBody(anchor, indices, damaged, kernel)).toEqual(verifyBody(anchor, indices, damaged));
      expect(verifyBody(anchor, indices, damaged, kernel).ok).toBe(false);
      expect(verifyBody(anchor, indices, body.subarray(1), kernel).ok).toBe(false);
    }),
    { numRuns: 150 },
  );
});
