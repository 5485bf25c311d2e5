/**
 * The prover of zk/v1: shows that it knows the leaves behind some commitments, and nothing about them. Called by the
 * miner for each challenged shard of anchor type 2.
 *
 * Two answers with one nonce t are two equations z = t + c·w, and t drops out: what is left gives leaves away. So
 * `provePossession` draws its nonces, uses them for one answer and forgets them: no argument carries one in, no result
 * carries one out.
 */
import { concatBytes } from '#shared/primitives/bytes.ts';
import type { Random } from '#shared/primitives/effects.ts';
import { type Failure, fail, invariant, type Result, succeed } from '#shared/primitives/failure.ts';
import { leafCount } from '../anchor.ts';
import { leafBytesAt, siblingsOf } from '../multiproof.ts';
import { blindingOf, leafRow } from './leaf-rows.ts';
import { negate, ORDER, readScalar, reduceScalar, SCALAR_BYTES, writeScalar } from './scalar.ts';
import { commitmentAt, type ZkAnchor, zkAnchorIdOf } from './zk-anchor.ts';
import { zkBodyBytesOf } from './zk-body.ts';
import { challengeOf, weightOf } from './zk-challenge.ts';
import { GENERATORS, isIdentity, ROW_BYTES, type ZkKernel } from './zk-kernel.ts';

/** Bytes drawn for one nonce: twice a scalar's, so that reducing them leaves no bias. */
const NONCE_BYTES = 64;

/** What a miner keeps of a shard of anchor type 2. */
export interface ZkHolding {
  readonly anchor: ZkAnchor;
  readonly blindKey: Uint8Array;
  /** C_i in order. */
  readonly commitments: Uint8Array;
  /** The tree over them, from `zkLevelsOf`. */
  readonly levels: readonly Uint8Array[];
  /** A leaf's bytes. */
  leafAt(index: number): Uint8Array;
}

export interface ZkProverPorts {
  readonly zk: ZkKernel;
  readonly nonces: NonceSource;
}

/** The leaves are not those that were committed to; the miner declares the shard missing. */
export interface ZkRotFailure extends Failure {
  readonly code: 'zk-bit-rot';
}

/**
 * Where nonces come from: one draw an answer. A source that repeats itself, within a draw or from one to the next, is
 * broken; it throws, for no answer is better than one that tells. Make one for each random source of a process.
 */
export class NonceSource {
  readonly #random: Random;
  #last: bigint | undefined;

  constructor(random: Random) {
    this.#random = random;
  }

  /** 35 fresh scalars. */
  draw(): bigint[] {
    const drawn = this.#random(GENERATORS * NONCE_BYTES);
    invariant(drawn.length === GENERATORS * NONCE_BYTES, 'as many random bytes as were asked for');
    const nonces = Array.from({ length: GENERATORS }, (_, j) =>
      reduceScalar(drawn.subarray(j * NONCE_BYTES, (j + 1) * NONCE_BYTES)),
    );
    drawn.fill(0);
    invariant(new Set([this.#last, ...nonces]).size === GENERATORS + 1, 'random bytes that are random');
    this.#last = nonces[0];
    return nonces;
  }
}

const rowOf = (scalars: readonly bigint[]): Uint8Array => {
  const row = new Uint8Array(ROW_BYTES);
  scalars.forEach((scalar, j) => {
    writeScalar(scalar, row, j * SCALAR_BYTES);
  });
  return row;
};

/** w_j = Σ ρ_i·m_ij and w_B = Σ ρ_i·r_i over the asked leaves. */
function witnessOf(holding: ZkHolding, indices: readonly number[], weights: readonly bigint[]): bigint[] {
  const witness = new Array<bigint>(GENERATORS).fill(0n);
  indices.forEach((index, at) => {
    const leaf = holding.leafAt(index);
    invariant(leaf.length === leafBytesAt(holding.anchor.bytes, index), 'a leaf of the shard itself');
    const row = leafRow(leaf, blindingOf(holding.blindKey, index));
    const weight = weights[at] as bigint;
    for (let j = 0; j < GENERATORS; j++) {
      const scalar = readScalar(row.subarray(j * SCALAR_BYTES, (j + 1) * SCALAR_BYTES)) as bigint;
      witness[j] = (witness[j] as bigint) + weight * scalar;
    }
  });
  return witness.map((sum) => sum % ORDER);
}

/**
 * The body that answers for these leaves.
 * @param seed of the round, for this shard
 * @param indices asked leaves, ascending
 */
export function provePossession(
  { zk, nonces: source }: ZkProverPorts,
  holding: ZkHolding,
  seed: Uint8Array,
  indices: readonly number[],
): Result<Uint8Array, ZkRotFailure> {
  const siblings = siblingsOf(leafCount(holding.anchor.bytes), indices);
  const anchorId = zkAnchorIdOf(holding.anchor);
  const commitments = concatBytes(...indices.map((index) => commitmentAt(holding.commitments, index)));
  const weights = indices.map((index) => weightOf(seed, anchorId, index));
  const witness = witnessOf(holding, indices, weights);

  // Σ w_j·G_j = Σ ρ_i·C_i, else the disk gave back something else than was anchored.
  const minusWeights = new Uint8Array(commitments.length);
  weights.forEach((weight, at) => {
    writeScalar(negate(weight), minusWeights, at * SCALAR_BYTES);
  });
  const difference = zk.combine(rowOf(witness), commitments, minusWeights);
  if (!difference || !isIdentity(difference)) {
    return fail({ code: 'zk-bit-rot', fault: 'us', message: 'the asked leaves are not those that were stored' });
  }

  const nonces = source.draw();
  const t = zk.commit(rowOf(nonces));
  const c = challengeOf(seed, anchorId, indices, commitments, t);
  const z = rowOf(nonces.map((nonce, j) => (nonce + c * (witness[j] as bigint)) % ORDER));
  const nodes = siblings.map(({ level, index }) => commitmentAt(holding.levels[level] as Uint8Array, index));
  const body = concatBytes(commitments, t, z, ...nodes);
  invariant(body.length === zkBodyBytesOf(holding.anchor.bytes, indices), 'commitments and nodes of the shard itself');
  return succeed(body);
}
