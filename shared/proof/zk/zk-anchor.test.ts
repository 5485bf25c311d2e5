import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes, toHex } from '#shared/primitives/bytes.ts';
import { referenceKernel } from '#shared/testing/reference-kernel.ts';
import { anchorIdOf, LEAF_BYTES, leafCount } from '../anchor.ts';
import { zkGenerators } from './generators.ts';
import { createNobleZkKernel } from './noble-zk-kernel.ts';
import { loadNodeZkKernel } from './node-zk-kernel.ts';
import { seededRandom } from './testing/zk-world.ts';
import { commitLeaves, ZkAnchorHasher, zkAnchorFrom, zkAnchorIdOf, zkAnchorOf } from './zk-anchor.ts';

const ports = { zk: loadNodeZkKernel(), hash: referenceKernel };
const random = seededRandom(3);
const blindKey = random(32);
const noise = random(300 * LEAF_BYTES);

describe('an anchor of type 2', () => {
  it('is the same however the shard arrives', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.nat(8 * LEAF_BYTES),
          fc.constantFrom(0, 1, 1023, 1024, 1025, 256 * 1024, 256 * 1024 + 1, 300 * 1024),
        ),
        fc.array(fc.nat(400 * LEAF_BYTES), { maxLength: 4 }),
        (bytes, cuts) => {
          const shard = noise.subarray(0, bytes);
          const hasher = new ZkAnchorHasher(ports, blindKey);
          const ends = [...cuts.map((cut) => Math.min(cut, bytes)).sort((a, b) => a - b), bytes];
          ends.forEach((end, i) => {
            hasher.update(shard.subarray(ends[i - 1] ?? 0, end));
          });
          expect(hasher.finish()).toEqual(zkAnchorOf(ports, blindKey, shard));
        },
      ),
      { numRuns: 10 },
    );
  });

  it('is the same when its leaves are committed to in parts', () => {
    const shard = noise.subarray(0, 9 * LEAF_BYTES + 5);
    const parts = [0, 4, 8].map((leaf) =>
      commitLeaves(ports.zk, blindKey, shard.subarray(leaf * LEAF_BYTES, (leaf + 4) * LEAF_BYTES), leaf),
    );
    const joined = zkAnchorFrom(referenceKernel, concatBytes(...parts), shard.length);
    expect(joined).toEqual(zkAnchorOf(ports, blindKey, shard));
  });

  it.each([0, 1, 30, 31, 32, 1023, 1024, 1025, 3000])('of %i bytes is what the reference makes', (bytes) => {
    const reference = { zk: createNobleZkKernel(zkGenerators()), hash: referenceKernel };
    const anchored = zkAnchorOf(ports, blindKey, noise.subarray(0, bytes));
    expect(anchored).toEqual(zkAnchorOf(reference, blindKey, noise.subarray(0, bytes)));
    expect(anchored.commitments).toHaveLength(32 * leafCount(bytes));
    expect(anchored.anchor).toMatchObject({ type: 2, bytes });
  });

  it('tells nothing by its commitments: equal leaves, and equal shards under two keys, have different ones', () => {
    const shard = new Uint8Array(3 * LEAF_BYTES);
    const [one, two] = [blindKey, random(32)].map((key) => zkAnchorOf(ports, key, shard).commitments);
    const points = [one, two].flatMap((bytes) =>
      [0, 1, 2].map((i) => toHex((bytes ?? shard).subarray(32 * i, 32 * (i + 1)))),
    );
    expect(new Set(points).size).toBe(6);
  });

  it('binds every byte, the length and the type', () => {
    const shard = noise.subarray(0, 2 * LEAF_BYTES + 100);
    const { anchor } = zkAnchorOf(ports, blindKey, shard);
    for (const at of [0, 30, 31, 1022, 1023, 1024, 2147]) {
      const changed = shard.slice();
      changed[at] = (changed[at] as number) ^ 1;
      expect(toHex(zkAnchorOf(ports, blindKey, changed).anchor.root)).not.toBe(toHex(anchor.root));
    }
    expect(zkAnchorIdOf({ ...anchor, bytes: anchor.bytes + 1 })).not.toBe(zkAnchorIdOf(anchor));
    expect(anchorIdOf(anchor)).not.toBe(zkAnchorIdOf(anchor));
  });

  it('commits to a short last leaf as to one with zeros behind it; only the length in the id tells them apart', () => {
    const short = zkAnchorOf(ports, blindKey, noise.subarray(0, 100));
    const padded = zkAnchorOf(ports, blindKey, concatBytes(noise.subarray(0, 100), new Uint8Array(7)));
    expect(padded.commitments).toEqual(short.commitments);
    expect(zkAnchorIdOf(padded.anchor)).not.toBe(zkAnchorIdOf(short.anchor));
  });

  it.each([0, 31, 33])('is not made with a blind key of %i bytes', (bytes) => {
    expect(() => zkAnchorOf(ports, new Uint8Array(bytes), noise.subarray(0, 10))).toThrow(RangeError);
  });
});
