/**
 * What attackers of zk/v1 work with: a prover that takes witness and nonces as they are given, the bare equation, and
 * linear algebra mod ℓ. Used by `zk-adversaries.ts` and tests only.
 */
import { concatBytes } from '#shared/primitives/bytes.ts';
import { siblingsOf } from '../../multiproof.ts';
import type { ZkHolding } from '../prove-possession.ts';
import { littleEndian, negate, ORDER, writeScalar } from '../scalar.ts';
import { commitmentAt, zkAnchorIdOf } from '../zk-anchor.ts';
import { challengeOf, weightOf } from '../zk-challenge.ts';
import { GENERATORS, isIdentity, ROW_BYTES, type ZkKernel } from '../zk-kernel.ts';

export const rowOf = (scalars: readonly bigint[]): Uint8Array => {
  const row = new Uint8Array(32 * scalars.length);
  scalars.forEach((scalar, j) => {
    writeScalar(scalar, row, 32 * j);
  });
  return row;
};
export const scalarsOf = (row: Uint8Array): bigint[] =>
  Array.from({ length: row.length / 32 }, (_, j) => littleEndian(row.subarray(32 * j, 32 * (j + 1))));

/** A row with one of its scalars changed. */
export function withScalar(row: Uint8Array, j: number, change: (old: bigint) => bigint): Uint8Array {
  const scalars = scalarsOf(row);
  scalars[j] = change(scalars[j] as bigint) % ORDER;
  return rowOf(scalars);
}

/** The row that is G_j alone. */
export const unitRow = (j: number): Uint8Array => withScalar(new Uint8Array(ROW_BYTES), j, () => 1n);

/** A prover that checks nothing and takes its witness and its nonces as they are given. */
export function answerWith(
  zk: ZkKernel,
  holding: ZkHolding,
  seed: Uint8Array,
  indices: readonly number[],
  rowAt: (index: number) => Uint8Array,
  nonces: readonly bigint[],
): { readonly body: Uint8Array; readonly c: bigint; readonly z: readonly bigint[] } {
  const anchorId = zkAnchorIdOf(holding.anchor);
  const commitments = concatBytes(...indices.map((index) => commitmentAt(holding.commitments, index)));
  const witness = new Array<bigint>(GENERATORS).fill(0n);
  for (const index of indices) {
    const weight = weightOf(seed, anchorId, index);
    scalarsOf(rowAt(index)).forEach((m, j) => {
      witness[j] = ((witness[j] as bigint) + weight * m) % ORDER;
    });
  }
  const t = zk.commit(rowOf(nonces));
  const c = challengeOf(seed, anchorId, indices, commitments, t);
  const z = nonces.map((nonce, j) => (nonce + c * (witness[j] as bigint)) % ORDER);
  const nodes = siblingsOf(holding.commitments.length / 32, indices).map(({ level, index }) =>
    commitmentAt(holding.levels[level] as Uint8Array, index),
  );
  return { body: concatBytes(commitments, t, rowOf(z), ...nodes), c, z };
}

/** Whether Σ z_j·G_j = T + c·Σ ρ_i·C_i for a c of anybody's choice. */
export function equationHolds(
  zk: ZkKernel,
  z: readonly bigint[],
  t: Uint8Array,
  commitments: Uint8Array,
  c: bigint,
  weights: readonly bigint[],
): boolean {
  const scalars = [ORDER - 1n, ...weights.map((weight) => (negate(c) * weight) % ORDER)];
  const sum = zk.combine(rowOf(z), concatBytes(t, commitments), rowOf(scalars));
  return sum !== undefined && isIdentity(sum);
}

/** Solves a square system mod ℓ; undefined when it is singular. */
export function solve(matrix: readonly (readonly bigint[])[], right: readonly bigint[]): bigint[] | undefined {
  const mod = (x: bigint) => ((x % ORDER) + ORDER) % ORDER;
  const inverse = (x: bigint): bigint => {
    let result = 1n;
    for (let base = mod(x), rest = ORDER - 2n; rest > 0n; rest >>= 1n, base = mod(base * base)) {
      if (rest & 1n) result = mod(result * base);
    }
    return result;
  };
  const rows = matrix.map((row, i) => [...row, right[i] as bigint]);
  for (let column = 0; column < rows.length; column++) {
    const pivot = rows.findIndex((row, i) => i >= column && row[column] !== 0n);
    if (pivot < 0) return undefined;
    [rows[column], rows[pivot]] = [rows[pivot] as bigint[], rows[column] as bigint[]];
    const scale = inverse(rows[column]?.[column] as bigint);
    const own = (rows[column] as bigint[]).map((x) => mod(x * scale));
    rows[column] = own;
    rows.forEach((row, i) => {
      const factor = row[column] as bigint;
      if (i !== column) rows[i] = row.map((x, at) => mod(x - factor * (own[at] as bigint)));
    });
  }
  return rows.map((row) => row.at(-1) as bigint);
}
