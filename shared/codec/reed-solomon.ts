/**
 * The erasure code of por/v1 §3: systematic Reed–Solomon over GF(2⁸), parity row r and column c having 1/(r ⊕ c), a
 * Cauchy matrix, so that any k of the n shards of a segment give the other shards back (Blömer et al. 1995). k = 1 is
 * plain copies. Called by the transfer engines and by repair. Misuse is our own bug and throws.
 */
import { invariant } from '#shared/primitives/failure.ts';
import { gfInverse, gfMultiply } from './gf256.ts';
import type { Kernel } from './kernel.ts';

/** Elements of the field: every shard of a segment needs its own. */
export const MAX_SHARDS = 256;
/** A shard is never shorter than this (por/v1 §3). */
const MIN_SHARD_BYTES = 32;
/** Inverses kept, k² ≤ 64 KiB each: a network has few sets of lost miners at a time. */
const MAX_CACHED_INVERSES = 64;

export interface IndexedShard {
  /** Below k a data shard, from k on parity. */
  readonly index: number;
  readonly shard: Uint8Array;
}

function checkShape(k: number, n: number): void {
  const whole = Number.isInteger(k) && Number.isInteger(n);
  invariant(whole && k >= 1 && k <= n && n <= MAX_SHARDS, `no code has k = ${k}, n = ${n}`);
}

function checkIndices(indices: readonly number[], n: number): void {
  invariant(new Set(indices).size === indices.length, `a shard index twice in ${indices}`);
  const known = indices.every((index) => Number.isInteger(index) && index >= 0 && index < n);
  invariant(known, `a shard index outside 0 … ${n - 1} in ${indices}`);
}

/** Bytes of each of the n shards of a segment. */
export function shardBytesOf(segmentBytes: number, k: number): number {
  checkShape(k, MAX_SHARDS);
  return Math.max(MIN_SHARD_BYTES, Math.ceil(segmentBytes / k));
}

/** The k data shards: views of the segment, but for those that reach past its end, which are zero-padded copies. */
export function splitSegment(segment: Uint8Array, k: number): Uint8Array[] {
  const bytes = shardBytesOf(segment.length, k);
  return Array.from({ length: k }, (_, c) => {
    const view = segment.subarray(c * bytes, (c + 1) * bytes);
    if (view.length === bytes) return view;
    const padded = new Uint8Array(bytes);
    padded.set(view);
    return padded;
  });
}

/** The segment of so many bytes, in a buffer of its own, from all k data shards in order. */
export function joinSegment(dataShards: readonly Uint8Array[], segmentBytes: number): Uint8Array {
  const bytes = shardBytesOf(segmentBytes, dataShards.length);
  const segment = new Uint8Array(segmentBytes);
  dataShards.forEach((shard, c) => {
    invariant(shard.length === bytes, `a shard of ${shard.length} bytes instead of ${bytes}`);
    if (c * bytes < segmentBytes) segment.set(shard.subarray(0, segmentBytes - c * bytes), c * bytes);
  });
  return segment;
}

/** Row `index` of the n × k coding matrix. */
function codingRow(index: number, k: number): Uint8Array {
  const row = new Uint8Array(k);
  if (index < k) row[index] = 1;
  else if (k === 1) row[0] = 1;
  else for (let c = 0; c < k; c++) row[c] = gfInverse(index ^ c);
  return row;
}

function multiplyRows(kernel: Kernel, rows: readonly Uint8Array[], inputs: readonly Uint8Array[]): Uint8Array[] {
  const bytes = inputs[0]?.length ?? 0;
  const matrix = new Uint8Array(rows.length * inputs.length);
  rows.forEach((row, r) => {
    matrix.set(row, r * inputs.length);
  });
  const outputs = rows.map(() => new Uint8Array(bytes));
  kernel.multiply(matrix, inputs, outputs);
  return outputs;
}

/**
 * The shards of these indices, in their order: parity in buffers of its own, data shards as they were given. Making
 * parity in groups bounds memory to k shards and one group.
 */
export function encodeRows(
  kernel: Kernel,
  dataShards: readonly Uint8Array[],
  k: number,
  rows: readonly number[],
): Uint8Array[] {
  checkShape(k, MAX_SHARDS);
  invariant(dataShards.length === k, `${dataShards.length} data shards for k = ${k}`);
  return combine(
    kernel,
    k,
    MAX_SHARDS,
    dataShards.map((shard, index) => ({ index, shard })),
    rows,
  );
}

/**
 * The shards `wanted`, in that order, from at least k others: data and parity alike. A wanted shard that is among
 * `have` is handed back as it is, any other in a buffer of its own. The shards must be right: a wrong one gives wrong
 * shards, not an error.
 */
export function rebuild(
  kernel: Kernel,
  k: number,
  n: number,
  have: readonly IndexedShard[],
  wanted: readonly number[],
): Uint8Array[] {
  checkShape(k, n);
  return combine(kernel, k, n, have, wanted);
}

function combine(
  kernel: Kernel,
  k: number,
  n: number,
  have: readonly IndexedShard[],
  wanted: readonly number[],
): Uint8Array[] {
  checkIndices(
    have.map(({ index }) => index),
    n,
  );
  checkIndices(wanted, n);
  invariant(have.length >= k, `${have.length} shards cannot give back what takes ${k}`);
  for (const { shard } of have) invariant(shard.length === have[0]?.shard.length, 'shards differ in length');

  const shards = new Map(have.map(({ index, shard }) => [index, shard]));
  const missing = wanted.filter((index) => !shards.has(index));
  if (missing.length > 0) {
    // Lowest indices first: every data shard among them leaves a unit row, and the set's name in the cache is canonical.
    const used = [...have].sort((a, b) => a.index - b.index).slice(0, k);
    const indices = used.map(({ index }) => index);
    const made = multiplyRows(
      kernel,
      rowsOver(k, indices, missing),
      used.map(({ shard }) => shard),
    );
    made.forEach((shard, i) => {
      shards.set(missing[i] ?? -1, shard);
    });
  }
  return wanted.map((index) => {
    const shard = shards.get(index);
    invariant(shard, `shard ${index} was not made`);
    return shard;
  });
}

/** For each index the coefficients that make its shard from the k shards `used`. */
function rowsOver(k: number, used: readonly number[], indices: readonly number[]): Uint8Array[] {
  if (used.every((index, c) => index === c)) return indices.map((index) => codingRow(index, k));
  const inverse = inverseOf(k, used);
  return indices.map((index) => {
    const coding = codingRow(index, k);
    const row = new Uint8Array(k);
    for (let c = 0; c < k; c++) addScaled(row, inverse[c] ?? row, coding[c] ?? 0);
    return row;
  });
}

const inverses = new Map<string, readonly Uint8Array[]>();

/** The inverse of the k rows `used` of the coding matrix: row c makes data shard c from them. */
function inverseOf(k: number, used: readonly number[]): readonly Uint8Array[] {
  const name = `${k}:${used.join()}`;
  const inverse = inverses.get(name) ?? invert(used.map((index) => codingRow(index, k)));
  // Deleted and set again, so that the oldest key is the one longest unused.
  inverses.delete(name);
  inverses.set(name, inverse);
  for (const oldest of inverses.keys()) {
    if (inverses.size <= MAX_CACHED_INVERSES) break;
    inverses.delete(oldest);
  }
  return inverse;
}

/** row += factor · other */
function addScaled(row: Uint8Array, other: Uint8Array, factor: number): void {
  if (factor === 0) return;
  for (let i = 0; i < row.length; i++) row[i] = (row[i] ?? 0) ^ gfMultiply(other[i] ?? 0, factor);
}

/** Gauss–Jordan elimination; every square submatrix of our coding matrix is regular, so a pivot is always found. */
function invert(matrix: readonly Uint8Array[]): Uint8Array[] {
  const k = matrix.length;
  const rows = matrix.map((row, i) => {
    const wide = new Uint8Array(2 * k);
    wide.set(row);
    wide[k + i] = 1;
    return wide;
  });
  for (let c = 0; c < k; c++) {
    const at = rows.findIndex((row, i) => i >= c && row[c] !== 0);
    const pivot = rows[at];
    const displaced = rows[c];
    invariant(pivot && displaced, 'the coding matrix is singular');
    rows[at] = displaced;
    rows[c] = pivot;
    const scale = gfInverse(pivot[c] ?? 0);
    for (let i = 0; i < 2 * k; i++) pivot[i] = gfMultiply(pivot[i] ?? 0, scale);
    for (const row of rows) if (row !== pivot) addScaled(row, pivot, row[c] ?? 0);
  }
  return rows.map((row) => row.slice(k));
}
