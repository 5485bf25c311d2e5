import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '#shared/primitives/bytes.ts';
import { sha256 } from '#shared/primitives/sha256.ts';
import { referenceKernel } from '#shared/testing/reference-kernel.ts';
import { vectorData } from '#shared/testing/vector-data.ts';
import { AnchorHasher, anchorIdOf, anchorOf, HASH_BYTES, LEAF_BYTES, leafCount, levelsOf } from './anchor.ts';
import { bodyBytesOf, leafBytesAt, proveLeaves, siblingsOf, verifyBody } from './multiproof.ts';
import { proveFromCache, proverCacheOf } from './prover-cache.ts';

const leafOf = (shard: Uint8Array) => (index: number) =>
  shard.subarray(index * LEAF_BYTES, index * LEAF_BYTES + leafBytesAt(shard.length, index));

function prove(shard: Uint8Array, indices: readonly number[]): Uint8Array {
  const levels = levelsOf(referenceKernel, referenceKernel.hashLeaves(shard));
  return proveLeaves(shard.length, levels, indices, leafOf(shard));
}

/** Lengths around every edge of leaves and groups, and some of their leaves. */
const cases = fc
  .oneof(fc.nat(40 * LEAF_BYTES), fc.constantFrom(0, 1, 1023, 1024, 1025, 16_384, 16_385, 32_768))
  .chain((bytes) =>
    fc.record({
      bytes: fc.constant(bytes),
      indices: fc
        .uniqueArray(fc.nat(leafCount(bytes) - 1), { minLength: 1, maxLength: 12 })
        .map((indices) => indices.sort((a, b) => a - b)),
    }),
  );

const flip = (bytes: Uint8Array, bit: number): Uint8Array => {
  const flipped = bytes.slice();
  flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
  return flipped;
};

describe('a body', () => {
  it('of any leaves of any shard is accepted, and has the length foretold', () => {
    fc.assert(
      fc.property(cases, ({ bytes, indices }) => {
        const shard = vectorData(bytes);
        const body = prove(shard, indices);
        expect(body).toHaveLength(bodyBytesOf(bytes, indices));
        expect(verifyBody(anchorOf(referenceKernel, shard), indices, body)).toEqual({ ok: true, value: undefined });
      }),
    );
  });

  it('carries no sibling that the verifier can compute', () => {
    expect(siblingsOf(8, [0, 1, 2, 3, 4, 5, 6, 7])).toEqual([]);
    expect(siblingsOf(5, [4])).toEqual([{ level: 2, index: 0 }]);
    expect(siblingsOf(5, [0, 3])).toEqual([
      { level: 0, index: 1 },
      { level: 0, index: 2 },
      { level: 2, index: 1 },
    ]);
  });

  it('is refused with any one bit changed', () => {
    const shard = vectorData(5 * LEAF_BYTES + 7);
    const anchor = anchorOf(referenceKernel, shard);
    for (const indices of [[5], [0, 3], [1, 4, 5]]) {
      const body = prove(shard, indices);
      // Every bit of the hashes and of the leaves' edges, every byte in between.
      for (let bit = 0; bit < 8 * body.length; bit += bit % 1024 < 64 ? 1 : 8) {
        expect(verifyBody(anchor, indices, flip(body, bit)).ok).toBe(false);
      }
    }
  });

  it('is refused with any bit of the root changed, and at any other length', () => {
    fc.assert(
      fc.property(cases, fc.nat(255), fc.integer({ min: -40, max: 40 }), ({ bytes, indices }, bit, more) => {
        const shard = vectorData(bytes);
        const { root } = anchorOf(referenceKernel, shard);
        const body = prove(shard, indices);
        expect(verifyBody({ root: flip(root, bit), bytes }, indices, body).ok).toBe(false);
        const resized = new Uint8Array(Math.max(0, body.length + more));
        resized.set(body.subarray(0, resized.length));
        expect(verifyBody({ root, bytes }, indices, resized).ok).toBe(resized.length === body.length);
      }),
      { numRuns: 50 },
    );
  });
});

describe('a body is refused', () => {
  const bytes = 21 * LEAF_BYTES + 500;
  const shard = vectorData(bytes);
  const anchor = anchorOf(referenceKernel, shard);
  const indices = [2, 3, 9, 21];
  const body = prove(shard, indices);
  const levels = levelsOf(referenceKernel, referenceKernel.hashLeaves(shard));
  const leaf = (index: number) => leafOf(shard)(index);
  const other = vectorData(bytes + 1).subarray(1);
  const siblings = body.subarray(3 * LEAF_BYTES + 500);
  const at = (from: number) => body.subarray(from);

  it('by nobody when it is right', () => {
    expect(verifyBody(anchor, indices, body).ok).toBe(true);
  });

  const refusals: { id: string; body: Uint8Array; code: string; indices?: number[]; anchor?: typeof anchor }[] = [
    { id: 'empty', body: new Uint8Array(0), code: 'body-length' },
    { id: 'of zeros', body: new Uint8Array(body.length), code: 'body-root' },
    { id: 'a byte short', body: body.subarray(0, -1), code: 'body-length' },
    { id: 'without its first byte', body: at(1), code: 'body-length' },
    { id: 'a byte long', body: concatBytes(body, new Uint8Array(1)), code: 'body-length' },
    { id: 'a hash short', body: body.subarray(0, -HASH_BYTES), code: 'body-length' },
    {
      id: 'a hash long',
      body: concatBytes(body, levels[0] as Uint8Array).subarray(0, body.length + 32),
      code: 'body-length',
    },
    { id: 'of digests only', body: concatBytes(...indices.map((i) => sha256(leaf(i))), siblings), code: 'body-length' },
    { id: 'of another shard', body: prove(other, indices), code: 'body-root' },
    { id: 'of other leaves of this shard', body: prove(shard, [2, 3, 10, 21]), code: 'body-root' },
    { id: 'with two leaves swapped', body: concatBytes(leaf(3), leaf(2), at(2 * LEAF_BYTES)), code: 'body-root' },
    { id: 'with one leaf twice', body: concatBytes(leaf(2), leaf(2), at(2 * LEAF_BYTES)), code: 'body-root' },
    { id: 'with the leaf beside', body: concatBytes(leaf(2), leaf(3), leaf(8), at(3 * LEAF_BYTES)), code: 'body-root' },
    {
      id: 'with siblings swapped',
      body: concatBytes(
        body.subarray(0, -siblings.length),
        siblings.subarray(HASH_BYTES, 2 * HASH_BYTES),
        siblings.subarray(0, HASH_BYTES),
        siblings.subarray(2 * HASH_BYTES),
      ),
      code: 'body-root',
    },
    {
      id: 'with its siblings before its leaves',
      body: concatBytes(siblings, body.subarray(0, -siblings.length)),
      code: 'body-root',
    },
    {
      id: 'with zeros for the last leaf',
      body: concatBytes(body.subarray(0, 3 * LEAF_BYTES), new Uint8Array(500), siblings),
      code: 'body-root',
    },
    {
      id: 'with the last leaf padded to full length',
      body: concatBytes(body.subarray(0, 3 * LEAF_BYTES + 500), new Uint8Array(LEAF_BYTES - 500), siblings),
      code: 'body-length',
    },
    { id: 'replayed for other indices', body, indices: [2, 3, 9, 20], code: 'body-length' },
    { id: 'replayed for other indices of equal length', body, indices: [2, 3, 8, 21], code: 'body-root' },
    { id: 'under a longer anchor', body, anchor: { ...anchor, bytes: bytes + 1 }, code: 'body-length' },
    { id: 'under a shorter anchor', body, anchor: { ...anchor, bytes: bytes - 1 }, code: 'body-length' },
    { id: 'under the root of its own data', body: prove(other, indices), code: 'body-root' },
  ];
  it.each(refusals)('$id', (refusal) => {
    const outcome = verifyBody(refusal.anchor ?? anchor, refusal.indices ?? indices, refusal.body);
    expect(outcome).toMatchObject({ ok: false, failure: { code: refusal.code, fault: 'peer' } });
  });

  it('when an inner node poses as a leaf', () => {
    const two = vectorData(2 * LEAF_BYTES);
    const [hashes] = levelsOf(referenceKernel, referenceKernel.hashLeaves(two));
    const { root } = anchorOf(referenceKernel, two);
    expect(verifyBody({ root, bytes: 64 }, [0], hashes as Uint8Array).ok).toBe(false);
  });

  it('under the anchor id, where the tree alone cannot tell a lie about the length', () => {
    // Leaf 2 and its siblings are the same bytes whatever the length of the last leaf: only the anchor id binds it.
    const alone = prove(shard, [2]);
    expect(verifyBody({ ...anchor, bytes: bytes + 1 }, [2], alone).ok).toBe(true);
    expect(anchorIdOf({ ...anchor, bytes: bytes + 1 })).not.toBe(anchorIdOf(anchor));
  });

  it.each([
    ['none', []],
    ['unsorted', [3, 2]],
    ['repeated', [3, 3]],
    ['past the end', [22]],
    ['negative', [-1]],
    ['broken', [0.5]],
  ])('never silently for %s indices: they are ours', (_, wrong) => {
    expect(() => verifyBody(anchor, wrong, body)).toThrow('invariant');
  });
});

describe("the prover's cache", () => {
  const cacheOf = (shard: Uint8Array) => {
    const hasher = new AnchorHasher(referenceKernel);
    hasher.update(shard);
    return proverCacheOf(referenceKernel, shard.length, hasher.finish().groups);
  };
  const readerOf = (shard: Uint8Array) => async (at: number, count: number) => shard.subarray(at, at + count);

  it('builds the same bodies as the whole tree', async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ bytes, indices }) => {
        const shard = vectorData(bytes);
        const body = await proveFromCache(referenceKernel, cacheOf(shard), indices, readerOf(shard));
        expect(body).toEqual({ ok: true, value: prove(shard, indices) });
      }),
    );
  });

  it('takes 0.39 % of the shard', () => {
    const cache = cacheOf(vectorData(1 << 20));
    const bytes = cache.levels.reduce((sum, level) => sum + level.length, 0);
    expect(bytes / (1 << 20)).toBeLessThan(0.004);
  });

  it('shows every flipped bit of a sampled group, sampled or not', async () => {
    const shard = vectorData(40 * LEAF_BYTES);
    const cache = cacheOf(shard);
    await fc.assert(
      fc.asyncProperty(fc.integer({ min: 16 * 8192, max: 32 * 8192 - 1 }), async (bit) => {
        const outcome = await proveFromCache(referenceKernel, cache, [0, 20], readerOf(flip(shard, bit)));
        expect(outcome).toMatchObject({ ok: false, failure: { code: 'bit-rot', fault: 'us', group: 1 } });
      }),
      { numRuns: 30 },
    );
  });

  it('shows a file that became shorter', async () => {
    const shard = vectorData(20 * LEAF_BYTES);
    const outcome = await proveFromCache(referenceKernel, cacheOf(shard), [18], readerOf(shard.subarray(0, -1)));
    expect(outcome).toMatchObject({ ok: false, failure: { code: 'bit-rot', group: 1 } });
  });
});
