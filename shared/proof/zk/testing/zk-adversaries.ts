/**
 * Everyone who would pass without knowing what they should, each with the answer that it must get; a test runs the
 * table and `node bench/zk-adversaries.ts` prints it. Attackers are given all that their story allows: the tree, the
 * commitments, generators of their own making, and a prover that does not check itself.
 */
import type { Kernel } from '#shared/codec/kernel.ts';
import { concatBytes } from '#shared/primitives/bytes.ts';
import { sha256 } from '#shared/primitives/sha256.ts';
import { anchorIdOf, anchorOf, LEAF_BYTES, levelsOf } from '../../anchor.ts';
import { proveLeaves, verifyBody } from '../../multiproof.ts';
import { blindingOf, leafRow } from '../leaf-rows.ts';
import { NonceSource, provePossession } from '../prove-possession.ts';
import { littleEndian, negate, ORDER, reduceScalar, writeScalar } from '../scalar.ts';
import { verifyPossession } from '../verify-possession.ts';
import { commitmentAt, zkAnchorIdOf } from '../zk-anchor.ts';
import { splitZkBody } from '../zk-body.ts';
import { challengeOf, weightOf } from '../zk-challenge.ts';
import { GENERATORS, type ZkKernel } from '../zk-kernel.ts';
import { answerWith, equationHolds, rowOf, scalarsOf, solve, unitRow, withScalar } from './zk-forger.ts';
import { holdingOf, seededRandom } from './zk-world.ts';

export interface Adversary {
  readonly id: string;
  /** The verifier's code, `passed`, or what happens instead of a verdict. */
  readonly expected: string;
  run(): string;
}

export interface AdversaryPorts {
  readonly zk: ZkKernel;
  /** The same arithmetic over other generators. */
  readonly zkOver: (generators: Uint8Array) => ZkKernel;
  readonly hash: Kernel;
}

export function zkAdversaries({ zk, zkOver, hash }: AdversaryPorts): readonly Adversary[] {
  const random = seededRandom(7);
  const scalar = () => reduceScalar(random(64));
  const nonces = () => Array.from({ length: GENERATORS }, scalar);
  const shard = random(21 * LEAF_BYTES + 500);
  const blindKey = random(32);
  const holding = holdingOf(zk, hash, blindKey, shard);
  const other = holdingOf(zk, hash, random(32), random(shard.length));
  const [seed, otherSeed] = [random(32), random(32)];
  const indices = [2, 3, 9, 21];
  const rowAt = (index: number) => leafRow(holding.leafAt(index), blindingOf(blindKey, index));
  const judge = (body: Uint8Array, asked = indices, of = holding, under = seed): string => {
    const verdict = verifyPossession(zk, { anchor: of.anchor, seed: under, indices: asked, body });
    return verdict.ok ? 'passed' : verdict.failure.code;
  };
  const honest = (of = holding, asked = indices, under = seed, over = zk): Uint8Array => {
    const proof = provePossession({ zk: over, nonces: new NonceSource(random) }, of, under, asked);
    if (!proof.ok) throw new Error(proof.failure.message);
    return proof.value;
  };
  const forged = (row: (index: number) => Uint8Array): string =>
    judge(answerWith(zk, holding, seed, indices, row, nonces()).body);
  /** The honest body with some of its bytes replaced. */
  const changed = (change: (parts: ReturnType<typeof splitZkBody>) => void): string => {
    const body = honest().slice();
    change(splitZkBody(body, indices.length));
    return judge(body);
  };
  const setTopBit = (point: Uint8Array) => {
    point[31] = (point[31] as number) | 128;
  };
  const P = 2n ** 255n - 19n;
  const writeRaw = (value: bigint, out: Uint8Array) => {
    for (let i = 0; i < 32; i++) out[i] = Number((value >> BigInt(8 * i)) & 255n);
  };

  return [
    { id: 'an honest miner', expected: 'passed', run: () => judge(honest()) },
    {
      id: 'nothing but the tree: random T and z',
      expected: 'body-equation',
      run: () => forged(() => rowOf(nonces())),
    },
    {
      id: 'digests only: H(leaf) in place of the leaf',
      expected: 'body-equation',
      run: () => forged((index) => leafRow(sha256(holding.leafAt(index)), blindingOf(blindKey, index))),
    },
    {
      id: 'one piece of one asked leaf missing, prover forced',
      expected: 'body-equation',
      run: () => forged((index) => (index === 9 ? withScalar(rowAt(9), 7, () => 0n) : rowAt(index))),
    },
    {
      id: 'one bit of one asked leaf flipped, honest prover',
      expected: 'zk-bit-rot',
      run: () => {
        const rotten = shard.slice();
        rotten[9 * LEAF_BYTES + 500] = (rotten[9 * LEAF_BYTES + 500] as number) ^ 1;
        const leafAt = (index: number) => rotten.subarray(index * LEAF_BYTES, (index + 1) * LEAF_BYTES);
        const ports = { zk, nonces: new NonceSource(random) };
        const proof = provePossession(ports, { ...holding, leafAt }, seed, indices);
        return proof.ok ? 'answered' : proof.failure.code;
      },
    },
    {
      id: 'all the data, blind key lost',
      expected: 'body-equation',
      run: () => forged((index) => leafRow(holding.leafAt(index), 0n)),
    },
    {
      id: 'errors in two leaves that would cancel at equal weights',
      expected: 'body-equation',
      run: () =>
        forged((index) =>
          withScalar(rowAt(index), 0, (m) => (index === 2 ? m + 1n : index === 3 ? m + ORDER - 1n : m)),
        ),
    },
    { id: 'commitments of other data, with their own tree', expected: 'body-root', run: () => judge(honest(other)) },
    {
      id: 'other data under the stored commitments',
      expected: 'body-equation',
      run: () => forged((index) => leafRow(other.leafAt(index), blindingOf(blindKey, index))),
    },
    {
      id: 'commitments to nothing: C, T and z all zero',
      expected: 'body-root',
      run: () => judge(new Uint8Array(honest().length)),
    },
    {
      id: 'generators with known relations, stored commitments',
      expected: 'body-equation',
      run: () => {
        // G′_j = g_j·G_0: whoever chose the g_j opens any commitment over them as anything.
        const own = zkOver(zk.commit(concatBytes(...nonces().map((g) => withScalar(unitRow(0), 0, () => g)))));
        return judge(answerWith(own, holding, seed, indices, rowAt, nonces()).body);
      },
    },
    {
      id: 'one wrong generator, its own commitments',
      expected: 'body-root',
      run: () => {
        const wrong = zk.commit(concatBytes(...Array.from({ length: GENERATORS }, (_, j) => unitRow(j === 5 ? 6 : j))));
        const over = zkOver(wrong);
        return judge(honest(holdingOf(over, hash, blindKey, shard), indices, seed, over));
      },
    },
    {
      id: 'an answer of another round, replayed',
      expected: 'body-equation',
      run: () => judge(honest(holding, indices, otherSeed)),
    },
    {
      id: 'an answer for other leaves, replayed',
      expected: 'body-root',
      run: () => judge(honest(holding, [2, 3, 8, 21])),
    },
    { id: 'an answer for another shard', expected: 'body-root', run: () => judge(honest(other, indices)) },
    {
      id: 'the same bytes under another blind key',
      expected: 'body-root',
      run: () => judge(honest(holdingOf(zk, hash, random(32), shard))),
    },
    {
      id: 'malleated: z + ℓ',
      expected: 'body-scalar',
      run: () => changed(({ z }) => writeRaw(littleEndian(z.subarray(0, 32)) + ORDER, z.subarray(0, 32))),
    },
    {
      id: 'malleated: z_B + 1',
      expected: 'body-equation',
      run: () => changed(({ z }) => z.set(withScalar(z, 34, (old) => old + 1n))),
    },
    {
      id: 'malleated: z_0 + 1 and T + G_0; holds only under the old c',
      expected: 'body-equation',
      run: () => {
        const body = honest().slice();
        const { commitments, t, z } = splitZkBody(body, indices.length);
        const anchorId = zkAnchorIdOf(holding.anchor);
        const oldC = challengeOf(seed, anchorId, indices, commitments, t);
        t.set(zk.combine(unitRow(0), t, rowOf([1n])) ?? t);
        z.set(withScalar(z, 0, (old) => old + 1n));
        const weights = indices.map((index) => weightOf(seed, anchorId, index));
        return equationHolds(zk, scalarsOf(z), t, commitments, oldC, weights) ? judge(body) : 'no such forgery';
      },
    },
    {
      id: 'malleated: T and z negated',
      expected: 'body-equation',
      run: () =>
        changed(({ t, z }) => {
          t.set(zk.combine(new Uint8Array(z.length), t, rowOf([ORDER - 1n])) ?? t);
          z.set(rowOf(scalarsOf(z).map(negate)));
        }),
    },
    {
      id: 'malleated: T in its negative encoding, p − s',
      expected: 'body-point',
      run: () => changed(({ t }) => writeRaw(P - littleEndian(t), t)),
    },
    {
      id: 'malleated: bit 255 of T set',
      expected: 'body-point',
      run: () => changed(({ t }) => setTopBit(t)),
    },
    {
      id: 'malleated: bit 255 of C_2 set',
      expected: 'body-root',
      run: () => changed(({ commitments }) => setTopBit(commitments)),
    },
    {
      id: 'malleated: two siblings swapped',
      expected: 'body-root',
      run: () => changed(({ siblings }) => siblings.set(concatBytes(siblings.slice(32, 64), siblings.slice(0, 32)))),
    },
    { id: 'a byte short', expected: 'body-length', run: () => judge(honest().subarray(0, -1)) },
    { id: 'a byte long', expected: 'body-length', run: () => judge(concatBytes(honest(), new Uint8Array(1))) },
    {
      id: 'a por/v1 body for a zk/v1 anchor',
      expected: 'body-length',
      run: () => {
        const levels = levelsOf(hash, hash.hashLeaves(shard));
        return judge(proveLeaves(shard.length, levels, indices, holding.leafAt));
      },
    },
    {
      id: 'a zk/v1 body for a por/v1 anchor',
      expected: 'body-length',
      run: () => {
        const verdict = verifyBody(anchorOf(hash, shard), indices, honest());
        return verdict.ok ? 'passed' : verdict.failure.code;
      },
    },
    {
      id: 'C_0 as a por/v1 shard of 32 bytes: the same root, the same length',
      expected: 'another anchor id',
      run: () => {
        const small = holdingOf(zk, hash, blindKey, shard.subarray(0, 32));
        const posing = anchorOf(hash, small.commitments);
        const { root, bytes } = small.anchor;
        const same = verifyBody({ root, bytes }, [0], small.commitments).ok && posing.bytes === bytes;
        return same && anchorIdOf(posing) !== zkAnchorIdOf(small.anchor) ? 'another anchor id' : 'mixed';
      },
    },
    {
      id: 'two answers with one nonce (prover broken on purpose)',
      expected: 'the leaf is revealed',
      run: () => {
        const t = nonces();
        const weights = [seed, otherSeed].map((s) => weightOf(s, zkAnchorIdOf(holding.anchor), 9));
        const answers = [seed, otherSeed].map((s) => answerWith(zk, holding, s, [9], rowAt, t));
        // z_j = t_j + c·ρ·m_j, twice, with t_j and m_j unknown.
        const matrix = answers.map(({ c }, i) => [1n, (c * (weights[i] as bigint)) % ORDER]);
        const row = rowAt(9).slice();
        for (let j = 0; j < GENERATORS; j++) {
          const found = solve(
            matrix,
            answers.map(({ z }) => z[j] as bigint),
          );
          writeScalar(found?.[1] ?? 0n, row, 32 * j);
        }
        return row.every((byte, at) => byte === rowAt(9)[at]) ? 'the leaf is revealed' : 'nothing is revealed';
      },
    },
    {
      id: 'two answers to one challenge (the real prover)',
      expected: 'nothing in common',
      run: () => {
        const source = new NonceSource(random);
        const [one, two] = [0, 1].map(() => {
          const proof = provePossession({ zk, nonces: source }, holding, seed, indices);
          return proof.ok ? splitZkBody(proof.value, indices.length) : undefined;
        });
        const repeated = scalarsOf(one?.z ?? new Uint8Array(32)).some(
          (z, j) => z === scalarsOf(two?.z ?? new Uint8Array(32))[j],
        );
        const sameT = one?.t.every((byte, i) => byte === two?.t[i]) ?? true;
        return repeated || sameT ? 'a nonce came twice' : 'nothing in common';
      },
    },
    {
      id: 'a random source that repeats itself (the real prover)',
      expected: 'no answer',
      run: () => {
        const stuck = random(64 * GENERATORS);
        const ports = { zk, nonces: new NonceSource(() => stuck.slice()) };
        provePossession(ports, holding, seed, indices);
        try {
          provePossession(ports, holding, otherSeed, indices);
          return 'answered';
        } catch {
          return 'no answer';
        }
      },
    },
    {
      id: 'a simulator without data that may choose c',
      expected: 'the equation holds',
      run: () => {
        const { z, t, commitments, c, weights } = simulate();
        return equationHolds(zk, z, t, commitments, c, weights) ? 'the equation holds' : 'it does not';
      },
    },
    {
      id: 'the same simulator, c by the hash',
      expected: 'body-equation',
      run: () => {
        const { z, t } = simulate();
        return changed((parts) => {
          parts.t.set(t);
          parts.z.set(rowOf(z));
        });
      },
    },
  ];

  /** Chooses c and z, then the T that fits: distributed as an honest (T, c, z), made from public values only. */
  function simulate() {
    const anchorId = zkAnchorIdOf(holding.anchor);
    const weights = indices.map((index) => weightOf(seed, anchorId, index));
    const commitments = concatBytes(...indices.map((index) => commitmentAt(holding.commitments, index)));
    const c = scalar();
    const z = nonces();
    const minus = weights.map((weight) => (negate(c) * weight) % ORDER);
    const t = zk.combine(rowOf(z), commitments, rowOf(minus)) ?? new Uint8Array(32);
    return { z, t, commitments, c, weights };
  }
}
