/**
 * The group arithmetic that commitments, proofs and their verification need, and nothing more. Two implementations
 * answer alike: `noble-zk-kernel.ts`, the reference, and `wasm-zk-kernel.ts`, some fifty times faster. A row is 35
 * scalars, those of G_0 … G_33 and of B, 32 bytes each, little-endian.
 */

/** G_0 … G_33 for a leaf's pieces of 31 bytes, and B for its blinding. */
export const PIECES = 34;
export const GENERATORS = PIECES + 1;
export const POINT_BYTES = 32;
export const ROW_BYTES = 32 * GENERATORS;

export interface ZkKernel {
  /**
   * Σ row_j·G_j for each row, encoded, 32 bytes each in order.
   * @param rows any number of rows; every scalar < 2²⁵³
   */
  commit(rows: Uint8Array): Uint8Array;
  /**
   * Σ row_j·G_j + Σ scalars_i·points_i, encoded: 32 zero bytes when it is the identity. Undefined when a point is not
   * the canonical encoding of an element (RFC 9496 §4.3.1).
   * @param row one row
   * @param points 32 bytes each, from anywhere
   * @param scalars as many, 32 bytes each, < ℓ
   */
  combine(row: Uint8Array, points: Uint8Array, scalars: Uint8Array): Uint8Array | undefined;
}

export const isIdentity = (point: Uint8Array): boolean => point.every((byte) => byte === 0);
