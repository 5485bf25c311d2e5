/**
 * The verifier of zk/v1, in clauses: length, scalars, root, points, equation. Anchors, seeds and indices are the
 * verifier's own; nothing that the prover sends is an expectation. Validators judge a round's items with it, auditors a
 * record's, several shards at once: one equation over all of them with random factors costs the 35 generators once.
 */
import { equalBytes } from '#shared/primitives/bytes.ts';
import type { Random } from '#shared/primitives/effects.ts';
import { type Failure, fail, type Result, succeed } from '#shared/primitives/failure.ts';
import { leafCount } from '../anchor.ts';
import { climb } from '../multiproof.ts';
import { littleEndian, negate, ORDER, readScalar, SCALAR_BYTES, writeScalar } from './scalar.ts';
import { commitmentAt, commitmentHash, type ZkAnchor, zkAnchorIdOf } from './zk-anchor.ts';
import { splitZkBody, zkBodyBytesOf } from './zk-body.ts';
import { challengeOf, weightOf } from './zk-challenge.ts';
import { GENERATORS, isIdentity, POINT_BYTES, type ZkKernel } from './zk-kernel.ts';

export interface ZkBodyFailure extends Failure {
  /**
   * `body-length`: a byte more or less than there must be. `body-scalar`: a z is not below ℓ. `body-root`: the
   * commitments do not hash up to the anchor. `body-point`: a point in no or in a second encoding. `body-equation`: it
   * proves nothing.
   */
  readonly code: 'body-length' | 'body-scalar' | 'body-root' | 'body-point' | 'body-equation';
}

/** One shard's proof and what it is judged against. */
export interface ZkItem {
  /** Of the verifier's own record, never from the prover. */
  readonly anchor: ZkAnchor;
  readonly seed: Uint8Array;
  /** As the verifier drew them, ascending. */
  readonly indices: readonly number[];
  readonly body: Uint8Array;
}

type Verified = Result<undefined, ZkBodyFailure>;

const refuse = (
  code: ZkBodyFailure['code'],
  message: string,
): { readonly ok: false; readonly failure: ZkBodyFailure } => fail({ code, fault: 'peer', message });

/** Σ row_j·G_j + Σ scalars_i·points_i = 0: what is left to check once everything cheap held. */
interface Equation {
  readonly row: readonly bigint[];
  /** T, then the C_i; 32 bytes each. */
  readonly points: Uint8Array;
  readonly scalars: readonly bigint[];
}

/** Clauses 1 to 3, and the equation Σ z_j·G_j − T − c·Σ ρ_i·C_i = 0 that remains. */
function equationOf({ anchor, seed, indices, body }: ZkItem): Result<Equation, ZkBodyFailure> {
  const expected = zkBodyBytesOf(anchor.bytes, indices);
  if (body.length !== expected) return refuse('body-length', `the body has ${body.length} bytes, not ${expected}`);
  const { commitments, t, z, siblings } = splitZkBody(body, indices.length);

  const row: bigint[] = [];
  for (let j = 0; j < GENERATORS; j++) {
    const scalar = readScalar(z.subarray(j * SCALAR_BYTES, (j + 1) * SCALAR_BYTES));
    if (scalar === undefined) return refuse('body-scalar', `z_${j} is not below the group's order`);
    row.push(scalar);
  }

  const hashes = indices.map((_, at) => commitmentHash(commitmentAt(commitments, at)));
  if (!equalBytes(climb(leafCount(anchor.bytes), indices, hashes, siblings), anchor.root)) {
    return refuse('body-root', 'the commitments do not belong to the anchored shard');
  }

  const anchorId = zkAnchorIdOf(anchor);
  const minusC = negate(challengeOf(seed, anchorId, indices, commitments, t));
  const scalars = [ORDER - 1n, ...indices.map((index) => (minusC * weightOf(seed, anchorId, index)) % ORDER)];
  const points = new Uint8Array(POINT_BYTES * scalars.length);
  points.set(t);
  points.set(commitments, POINT_BYTES);
  return succeed({ row, points, scalars });
}

const pack = (scalars: readonly bigint[]): Uint8Array => {
  const bytes = new Uint8Array(SCALAR_BYTES * scalars.length);
  scalars.forEach((scalar, i) => {
    writeScalar(scalar, bytes, i * SCALAR_BYTES);
  });
  return bytes;
};

/** Clauses 4 and 5. */
function holds(zk: ZkKernel, { row, points, scalars }: Equation): Verified {
  const sum = zk.combine(pack(row), points, pack(scalars));
  if (!sum) return refuse('body-point', 'T or a commitment is no canonical point');
  return isIdentity(sum) ? succeed(undefined) : refuse('body-equation', 'the equation does not hold');
}

/** Whether the body proves possession of the asked leaves of the anchored shard. */
export function verifyPossession(zk: ZkKernel, item: ZkItem): Verified {
  const equation = equationOf(item);
  return equation.ok ? holds(zk, equation.value) : equation;
}

/** 128-bit factors: a false proof slips through a batch with probability 2⁻¹²⁸. */
const FACTOR_BYTES = 16;

/** Σ δ_s · equation_s with a fresh random δ_s for each, drawn after all bodies are known. */
function weigh(random: Random, equations: readonly Equation[]): Equation {
  const row = new Array<bigint>(GENERATORS).fill(0n);
  const scalars: bigint[] = [];
  const points = new Uint8Array(equations.reduce((sum, equation) => sum + equation.points.length, 0));
  let at = 0;
  for (const equation of equations) {
    const factor = littleEndian(random(FACTOR_BYTES));
    equation.row.forEach((z, j) => {
      row[j] = (row[j] as bigint) + factor * z;
    });
    for (const scalar of equation.scalars) scalars.push((factor * scalar) % ORDER);
    points.set(equation.points, at);
    at += equation.points.length;
  }
  return { row: row.map((sum) => sum % ORDER), points, scalars };
}

/**
 * Verdicts on many shards, in order. Halves a batch that does not hold until every false proof stands alone, so one
 * among n costs about 2·log₂ n equations more, and never costs an honest neighbour anything.
 */
export function verifyPossessions(zk: ZkKernel, random: Random, items: readonly ZkItem[]): readonly Verified[] {
  const verdicts: Verified[] = items.map(() => succeed(undefined));
  const open: { readonly at: number; readonly equation: Equation }[] = [];
  items.forEach((item, at) => {
    const equation = equationOf(item);
    if (equation.ok) open.push({ at, equation: equation.value });
    else verdicts[at] = equation;
  });

  const settle = (some: readonly (typeof open)[number][]): void => {
    const [first] = some;
    if (!first) return;
    if (some.length === 1) {
      verdicts[first.at] = holds(zk, first.equation);
      return;
    }
    const together = weigh(
      random,
      some.map(({ equation }) => equation),
    );
    if (holds(zk, together).ok) return;
    const half = some.length >> 1;
    settle(some.slice(0, half));
    settle(some.slice(half));
  };
  settle(open);
  return verdicts;
}
