import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, fromHex, toHex } from '#shared/primitives/bytes.ts';
import { sha256 } from '#shared/primitives/sha256.ts';
import { referenceKernel } from '#shared/testing/reference-kernel.ts';
import { vectorData } from '#shared/testing/vector-data.ts';
import vectors from '../../test/vectors/por-v1.json' with { type: 'json' };
import { AnchorHasher, anchorIdOf, anchorOf, leafCount, levelsOf, rootOf } from './anchor.ts';

describe('the tree', () => {
  it.each(vectors.cases)('of $bytes bytes has the known root and anchor id', ({ bytes, leaves, root, anchorId }) => {
    const anchor = anchorOf(referenceKernel, vectorData(bytes));
    expect(leafCount(bytes)).toBe(leaves);
    expect(toHex(anchor.root)).toBe(root);
    expect(anchorIdOf(anchor)).toBe(anchorId);
  });

  it("has the root of RFC 6962's eight test leaves", () => {
    const leaves = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f'];
    const hashes = leaves.map((leaf) => sha256(Uint8Array.of(0), fromHex(leaf) as Uint8Array));
    expect(toHex(rootOf(referenceKernel, concatBytes(...hashes)))).toBe(
      '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
    );
  });
});

describe('AnchorHasher', () => {
  const shapes = fc.tuple(fc.nat(40 * 1024), fc.array(fc.nat(5000), { maxLength: 12 }));

  it('gives the anchor of the whole, whatever the chunks', () => {
    fc.assert(
      fc.property(shapes, ([bytes, cuts]) => {
        const shard = vectorData(bytes);
        const hasher = new AnchorHasher(referenceKernel);
        let at = 0;
        for (const cut of cuts) {
          hasher.update(shard.subarray(at, at + cut));
          at = Math.min(bytes, at + cut);
        }
        hasher.update(shard.subarray(at));
        const { groups, ...anchor } = hasher.finish();
        expect(anchor).toEqual(anchorOf(referenceKernel, shard));
        const levels = levelsOf(referenceKernel, referenceKernel.hashLeaves(shard));
        expect(groups).toEqual(levels[4] ?? anchor.root);
      }),
    );
  });

  it.each(vectors.cases)('agrees with the known root of $bytes bytes, fed in pieces of 777', ({ bytes, root }) => {
    const shard = vectorData(bytes);
    const hasher = new AnchorHasher(referenceKernel);
    for (let at = 0; at < bytes; at += 777) hasher.update(shard.subarray(at, at + 777));
    expect(toHex(hasher.finish().root)).toBe(root);
  });

  it('never keeps a view of a chunk', () => {
    const hasher = new AnchorHasher(referenceKernel);
    const chunk = new Uint8Array(1500);
    for (let at = 0; at < 9000; at += 1500) {
      chunk.set(vectorData(9000).subarray(at, at + 1500));
      hasher.update(chunk);
    }
    chunk.fill(255);
    expect(hasher.finish().root).toEqual(anchorOf(referenceKernel, vectorData(9000)).root);
  });
});

describe('an anchor id', () => {
  it('changes with any bit of the shard, any bit of the root, and any length', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5000 }), fc.nat(), fc.nat(255), (bytes, position, rootBit) => {
        const shard = vectorData(bytes);
        const anchor = anchorOf(referenceKernel, shard);
        const id = anchorIdOf(anchor);
        const bit = position % (8 * bytes);
        shard[bit >> 3] = (shard[bit >> 3] as number) ^ (1 << (bit & 7));
        expect(anchorIdOf(anchorOf(referenceKernel, shard))).not.toBe(id);
        const root = anchor.root.slice();
        root[rootBit >> 3] = (root[rootBit >> 3] as number) ^ (1 << (rootBit & 7));
        expect(anchorIdOf({ root, bytes })).not.toBe(id);
        expect(anchorIdOf({ ...anchor, bytes: bytes + 1 })).not.toBe(id);
        expect(anchorIdOf({ ...anchor, bytes: bytes - 1 })).not.toBe(id);
      }),
    );
  });

  it('tells an empty shard from one zero byte, and a short leaf from a padded one', () => {
    const ids = [0, 1, 1023, 1024].map((bytes) => anchorIdOf(anchorOf(referenceKernel, new Uint8Array(bytes))));
    expect(new Set(ids).size).toBe(4);
  });
});
