import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { loadNodeKernel } from './node-kernel.ts';
import { encodeRows, joinSegment, rebuild, shardBytesOf, splitSegment } from './reed-solomon.ts';

const kernel = loadNodeKernel();

interface CodingCase {
  readonly k: number;
  readonly n: number;
  readonly segmentBytes: number;
  readonly segmentSha256: string;
  readonly shardBytes: number;
  readonly shardSha256: readonly string[];
}
const vectors: { readonly coding: readonly CodingCase[] } = JSON.parse(
  readFileSync(new URL('../../test/vectors/coding-v1.json', import.meta.url), 'utf8'),
);

const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
const all = (n: number): number[] => [...Array(n).keys()];
/** The vectors' data: byte i is (131·i + ⌊i / 256⌋) mod 256. */
const sample = (bytes: number): Uint8Array => Uint8Array.from({ length: bytes }, (_, i) => i * 131 + (i >> 8));

/** The n shards of a segment. */
function encode(segment: Uint8Array, k: number, n: number): Uint8Array[] {
  return encodeRows(kernel, splitSegment(segment, k), k, all(n));
}

describe('the known answers of por/v1', () => {
  it.each(vectors.coding)('($k, $n) of $segmentBytes bytes', ({ k, n, segmentBytes, ...expected }) => {
    const segment = sample(segmentBytes);
    expect(sha256(segment)).toBe(expected.segmentSha256);
    expect(shardBytesOf(segmentBytes, k)).toBe(expected.shardBytes);
    expect(encode(segment, k, n).map(sha256)).toEqual(expected.shardSha256);
    const last = all(n).slice(-k);
    const shards = encodeRows(kernel, splitSegment(segment, k), k, last);
    const have = last.map((index, i) => ({ index, shard: shards[i] ?? new Uint8Array(0) }));
    expect(sha256(joinSegment(rebuild(kernel, k, n, have, all(k)), segmentBytes))).toBe(expected.segmentSha256);
  });
});

/** A segment, a code, k or more of its shards in any order, and shards to ask for. */
const codings = fc.integer({ min: 1, max: 20 }).chain((k) =>
  fc.integer({ min: k, max: 50 }).chain((n) =>
    fc.record({
      k: fc.constant(k),
      n: fc.constant(n),
      segment: fc.uint8Array({ maxLength: 3000 }),
      have: fc.shuffledSubarray(all(n), { minLength: k }),
      wanted: fc.shuffledSubarray(all(n)),
    }),
  ),
);

describe('any k of n shards', () => {
  it('give the segment back, and any other shard as encoding made it', () => {
    fc.assert(
      fc.property(codings, ({ k, n, segment, have, wanted }) => {
        const shards = encode(segment, k, n);
        const given = have.map((index) => ({ index, shard: shards[index] ?? new Uint8Array(0) }));
        expect(joinSegment(rebuild(kernel, k, n, given, all(k)), segment.length)).toEqual(segment);
        expect(rebuild(kernel, k, n, given, wanted)).toEqual(wanted.map((index) => shards[index]));
        expect(encodeRows(kernel, splitSegment(segment, k), k, wanted)).toEqual(wanted.map((index) => shards[index]));
      }),
      { numRuns: 150 },
    );
  });

  it('means every one of the subsets of a small code', () => {
    const segment = sample(997);
    const shards = encode(segment, 4, 10);
    for (let set = 0; set < 1 << 10; set++) {
      const have = all(10).filter((i) => (set >> i) & 1);
      if (have.length !== 4) continue;
      const given = have.map((index) => ({ index, shard: shards[index] ?? new Uint8Array(0) }));
      expect(rebuild(kernel, 4, 10, given, all(10))).toEqual(shards);
    }
  });

  it('holds at the largest code of the field', () => {
    const segment = sample(128 * 40 - 3);
    const shards = encode(segment, 128, 256);
    const given = all(128).map((i) => ({ index: 255 - i, shard: shards[255 - i] ?? new Uint8Array(0) }));
    expect(joinSegment(rebuild(kernel, 128, 256, given, all(128)), segment.length)).toEqual(segment);
  });

  it('holds for a whole segment of 4 MiB, which takes many strips', () => {
    const segment = sample(4 * 1024 * 1024);
    const shards = encode(segment, 4, 10);
    const given = [9, 3, 5, 6].map((index) => ({ index, shard: shards[index] ?? new Uint8Array(0) }));
    expect(sha256(joinSegment(rebuild(kernel, 4, 10, given, all(4)), segment.length))).toBe(sha256(segment));
  });

  it('without its data shards is another segment as soon as one bit of a shard differs', () => {
    const segment = sample(500);
    const shards = encode(segment, 4, 10);
    for (const index of [6, 7, 8, 9]) {
      const given = [6, 7, 8, 9].map((i) => ({ index: i, shard: shards[i]?.slice() ?? new Uint8Array(0) }));
      const changed = given[index - 6]?.shard ?? new Uint8Array(0);
      changed[17] = (changed[17] ?? 0) ^ 1;
      expect(joinSegment(rebuild(kernel, 4, 10, given, all(4)), 500)).not.toEqual(segment);
    }
  });
});

describe('splitSegment and joinSegment', () => {
  it.each([
    [0, 1, 32],
    [0, 4, 32],
    [1, 4, 32],
    [128, 4, 32],
    [129, 4, 33],
    [4_194_304, 16, 262_144],
    [4_194_303, 16, 262_144],
  ])('give %i bytes over %i shards %i bytes each', (segmentBytes, k, shardBytes) => {
    expect(shardBytesOf(segmentBytes, k)).toBe(shardBytes);
  });

  it('undo each other for every size and k', () => {
    for (let k = 1; k <= 20; k++) {
      for (let bytes = 0; bytes < 700; bytes += 7) {
        const segment = sample(bytes);
        expect(joinSegment(splitSegment(segment, k), bytes)).toEqual(segment);
      }
    }
  });

  it('copy only where a shard reaches past the end, and pad it with zeros', () => {
    const segment = sample(130);
    const shards = splitSegment(segment, 4);
    expect(shards.map((shard) => shard.buffer === segment.buffer)).toEqual([true, true, true, false]);
    expect([...(shards[3] ?? [])].slice(31)).toEqual([0, 0]);
  });
});

describe('copies (k = 1)', () => {
  it('are equal, and in buffers of their own but for the data shard', () => {
    const segment = sample(100);
    const shards = encode(segment, 1, 5);
    for (const shard of shards) expect(shard).toEqual(segment);
    expect(new Set(shards.map((shard) => shard.buffer)).size).toBe(5);
  });
});

describe('misuse throws', () => {
  const shard = new Uint8Array(32);
  const have = (...indices: number[]) => indices.map((index) => ({ index, shard }));
  it.each([
    ['k = 0', () => shardBytesOf(10, 0)],
    ['k of a half', () => splitSegment(shard, 1.5)],
    ['n above 256', () => rebuild(kernel, 2, 257, have(0, 1), [2])],
    ['n below k', () => rebuild(kernel, 3, 2, have(0, 1), [1])],
    ['fewer than k shards', () => rebuild(kernel, 3, 5, have(0, 1), [2])],
    ['no shard', () => rebuild(kernel, 1, 5, [], [2])],
    ['the same shard twice', () => rebuild(kernel, 2, 5, have(1, 1), [2])],
    ['a shard wanted twice', () => rebuild(kernel, 2, 5, have(0, 1), [2, 2])],
    ['a shard that is not of the code', () => rebuild(kernel, 2, 5, have(0, 5), [2])],
    ['a wanted shard that is not of the code', () => rebuild(kernel, 2, 5, have(0, 1), [5])],
    ['a negative index', () => rebuild(kernel, 2, 5, have(0, -1), [2])],
    ['an index between', () => rebuild(kernel, 2, 5, have(0, 1), [2.5])],
    ['unequal lengths', () => rebuild(kernel, 2, 5, [...have(0), { index: 1, shard: new Uint8Array(33) }], [2])],
    ['too few data shards', () => encodeRows(kernel, [shard], 2, [2])],
    ['too many data shards', () => encodeRows(kernel, [shard, shard, shard], 2, [2])],
    ['a row above 255', () => encodeRows(kernel, [shard, shard], 2, [256])],
    ['a joined shard too short', () => joinSegment([shard], 33)],
    ['a joined shard too long', () => joinSegment([shard, new Uint8Array(33)], 64)],
  ])('for %s', (_, call) => {
    expect(call).toThrow('invariant broken');
  });
});
