import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { concatBytes } from '#shared/primitives/bytes.ts';
import { referenceKernel } from '#shared/testing/reference-kernel.ts';
import { LEAF_BYTES, leafCount } from '../anchor.ts';
import { loadNodeZkKernel } from './node-zk-kernel.ts';
import { NonceSource, provePossession } from './prove-possession.ts';
import { holdingOf, seededRandom } from './testing/zk-world.ts';
import { verifyPossession, verifyPossessions, type ZkItem } from './verify-possession.ts';
import { zkBodyBytesOf } from './zk-body.ts';
import type { ZkKernel } from './zk-kernel.ts';

const zk = loadNodeZkKernel();
const random = seededRandom(5);
const nonces = new NonceSource(random);
const noise = random(40 * LEAF_BYTES);
const blindKey = random(32);

function itemOf(bytes: number, indices: readonly number[], seed = random(32)): ZkItem {
  const holding = holdingOf(zk, referenceKernel, blindKey, noise.subarray(0, bytes));
  const proof = provePossession({ zk, nonces }, holding, seed, indices);
  if (!proof.ok) throw new Error(proof.failure.message);
  return { anchor: holding.anchor, seed, indices, body: proof.value };
}
const flip = (bytes: Uint8Array, bit: number): Uint8Array => {
  const flipped = bytes.slice();
  flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
  return flipped;
};
const PASSED = { ok: true, value: undefined };
const refused = (code: string) => ({ ok: false, failure: { code, fault: 'peer' } });

describe('a proof', () => {
  it('of any leaves of any shard is accepted, and has the length foretold', () => {
    const cases = fc
      .oneof(fc.nat(40 * LEAF_BYTES), fc.constantFrom(0, 1, 31, 1023, 1024, 1025, 16_384, 16_385))
      .chain((bytes) =>
        fc.record({
          bytes: fc.constant(bytes),
          indices: fc
            .uniqueArray(fc.nat(leafCount(bytes) - 1), { minLength: 1, maxLength: 12 })
            .map((indices) => indices.sort((a, b) => a - b)),
        }),
      );
    fc.assert(
      fc.property(cases, ({ bytes, indices }) => {
        const item = itemOf(bytes, indices);
        expect(item.body).toHaveLength(zkBodyBytesOf(bytes, indices));
        expect(verifyPossession(zk, item)).toEqual(PASSED);
      }),
      { numRuns: 25 },
    );
  });

  it.each([
    { leaves: 65_536, about: 12_000 },
    { leaves: 1024, about: 6200 },
    { leaves: 98, about: 3300 },
  ])('of 30 among $leaves leaves takes about $about bytes', ({ leaves, about }) => {
    // Spread evenly there are about as many siblings as at random.
    const indices = Array.from({ length: 30 }, (_, i) => Math.floor((i * leaves) / 30));
    const bytes = zkBodyBytesOf(leaves * LEAF_BYTES, indices);
    expect(bytes / about).toBeGreaterThan(0.8);
    expect(bytes / about).toBeLessThan(1.2);
  });

  it('is refused with any one bit changed', () => {
    const item = itemOf(5 * LEAF_BYTES + 7, [1, 4, 5]);
    // Every 15th bit: every second byte, each of its bits by turns.
    for (let bit = 0; bit < 8 * item.body.length; bit += 15) {
      expect(verifyPossession(zk, { ...item, body: flip(item.body, bit) }).ok, `bit ${bit}`).toBe(false);
    }
  });

  it('is refused under any other root, length, seed or indices', () => {
    const item = itemOf(21 * LEAF_BYTES, [2, 3, 9]);
    const { anchor } = item;
    expect(verifyPossession(zk, { ...item, anchor: { ...anchor, root: flip(anchor.root, 17) } })).toMatchObject(
      refused('body-root'),
    );
    // The same tree, and another anchor id in every hash.
    expect(verifyPossession(zk, { ...item, anchor: { ...anchor, bytes: anchor.bytes - 1 } })).toMatchObject(
      refused('body-equation'),
    );
    expect(verifyPossession(zk, { ...item, seed: flip(item.seed, 0) })).toMatchObject(refused('body-equation'));
    expect(verifyPossession(zk, { ...item, indices: [2, 3, 8] })).toMatchObject(refused('body-root'));
    expect(verifyPossession(zk, { ...item, indices: [2, 3] })).toMatchObject(refused('body-length'));
  });

  it('of any bytes at all is refused, never thrown at', () => {
    const { anchor, seed, indices, body } = itemOf(4 * LEAF_BYTES, [0, 2]);
    fc.assert(
      fc.property(
        fc.oneof(fc.uint8Array({ maxLength: 64 }), fc.uint8Array({ minLength: body.length, maxLength: body.length })),
        (bytes) => {
          expect(verifyPossession(zk, { anchor, seed, indices, body: bytes }).ok).toBe(false);
        },
      ),
    );
  });

  it.each([
    ['none', []],
    ['unsorted', [3, 2]],
    ['repeated', [3, 3]],
    ['past the end', [22]],
    ['negative', [-1]],
    ['broken', [0.5]],
  ])('is neither made nor judged for %s indices: they are ours', (_, wrong) => {
    const item = itemOf(21 * LEAF_BYTES + 3, [2, 3]);
    const holding = holdingOf(zk, referenceKernel, blindKey, noise.subarray(0, item.anchor.bytes));
    expect(() => verifyPossession(zk, { ...item, indices: wrong })).toThrow('invariant');
    expect(() => provePossession({ zk, nonces }, holding, item.seed, wrong)).toThrow('invariant');
  });
});

describe('many proofs at once', () => {
  const items = [
    itemOf(21 * LEAF_BYTES, [2, 3, 9]),
    itemOf(1, [0]),
    itemOf(7 * LEAF_BYTES, [6]),
    itemOf(8 * LEAF_BYTES + 1, [0, 8]),
    itemOf(5 * LEAF_BYTES, [0, 1, 2, 3, 4]),
  ];
  const spoil = (item: ZkItem, bit: number): ZkItem => ({ ...item, body: flip(item.body, bit) });
  /** A bit of z_1, far below ℓ. */
  const inZ = (item: ZkItem) => 8 * (32 * item.indices.length + 64) + 3;

  it('are judged as each alone, whichever of them are false', () => {
    fc.assert(
      fc.property(fc.array(fc.boolean(), { minLength: items.length, maxLength: items.length }), (wrong) => {
        const some = items.map((item, i) => (wrong[i] ? spoil(item, inZ(item)) : item));
        const verdicts = verifyPossessions(zk, random, some);
        verdicts.forEach((verdict, i) => {
          if (wrong[i]) expect(verdict).toMatchObject(refused('body-equation'));
          else expect(verdict).toEqual(PASSED);
        });
      }),
      { numRuns: 32 },
    );
  });

  it('each get a reason of their own', () => {
    const [a, b, c, d, e] = items as [ZkItem, ZkItem, ZkItem, ZkItem, ZkItem];
    const tAt = (item: ZkItem) => 32 * item.indices.length;
    const allOnes = { ...b, body: b.body.slice().fill(255, tAt(b) + 32, tAt(b) + 64) };
    const badT = { ...d, body: d.body.slice().fill(255, tAt(d), tAt(d) + 32) };
    const verdicts = verifyPossessions(zk, random, [{ ...a, body: a.body.subarray(1) }, allOnes, spoil(c, 0), badT, e]);
    expect(verdicts.map((verdict) => (verdict.ok ? 'passed' : verdict.failure.code))).toEqual([
      'body-length',
      'body-scalar',
      'body-root',
      'body-point',
      'passed',
    ]);
  });

  it('do not cancel each other: errors of +1 and −1 in two answers', () => {
    const add = (item: ZkItem, by: 1 | -1): ZkItem => {
      const body = item.body.slice();
      const at = 32 * item.indices.length + 32;
      body[at] = (body[at] as number) + by;
      return { ...item, body };
    };
    const safe = items.filter((item) => ![0, 255].includes(item.body[32 * item.indices.length + 32] as number));
    const [a, b] = safe as [ZkItem, ZkItem];
    const verdicts = verifyPossessions(zk, random, [add(a, 1), add(b, -1)]);
    expect(verdicts.every((verdict) => !verdict.ok)).toBe(true);
  });

  it('of none are none, and one equation serves all that hold', () => {
    expect(verifyPossessions(zk, random, [])).toEqual([]);
    let equations = 0;
    const counting: ZkKernel = {
      commit: zk.commit,
      combine: (...operands) => {
        equations++;
        return zk.combine(...operands);
      },
    };
    expect(verifyPossessions(counting, random, items)).toEqual(items.map(() => PASSED));
    expect(equations).toBe(1);
  });
});

describe('the prover', () => {
  const holding = holdingOf(zk, referenceKernel, blindKey, noise.subarray(0, 5 * LEAF_BYTES));
  const seed = random(32);

  it('draws 35 times 64 bytes for each answer, and only after it knows that it can answer', () => {
    const draws: number[] = [];
    const source = new NonceSource((bytes) => {
      draws.push(bytes);
      return random(bytes);
    });
    provePossession({ zk, nonces: source }, holding, seed, [0, 1]);
    provePossession({ zk, nonces: source }, { ...holding, leafAt: () => new Uint8Array(LEAF_BYTES) }, seed, [0, 1]);
    expect(draws).toEqual([2240]);
  });

  it.each([
    ['zeros', (bytes: number) => new Uint8Array(bytes)],
    ['too few bytes', (bytes: number) => random(bytes - 1)],
    ['one nonce twice', (bytes: number) => concatBytes(random(bytes - 128), new Uint8Array(128).fill(9))],
  ])('gives no answer from %s', (_, source) => {
    expect(() => provePossession({ zk, nonces: new NonceSource(source) }, holding, seed, [0])).toThrow('invariant');
  });

  it('declares rot for a wrong blind key, leaf or commitment', () => {
    const wrong = [
      { ...holding, blindKey: random(32) },
      { ...holding, leafAt: (index: number) => flip(holding.leafAt(index), 8191) },
      { ...holding, commitments: flip(holding.commitments, 8) },
    ];
    for (const one of wrong) {
      const outcome = provePossession({ zk, nonces }, one, seed, [0]);
      expect(outcome).toMatchObject({ ok: false, failure: { code: 'zk-bit-rot', fault: 'us' } });
    }
  });
});
