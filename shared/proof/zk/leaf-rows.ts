/**
 * From a shard's bytes to the scalars that are committed to: 34 pieces of 31 bytes a leaf (so that each is below ℓ
 * whatever it holds), and the leaf's blinding scalar. Clients, edges and miners make rows to anchor, miners to prove.
 */
import { ByteWriter } from '#shared/primitives/bytes.ts';
import { invariant } from '#shared/primitives/failure.ts';
import { LEAF_BYTES, leafCount } from '../anchor.ts';
import { hashToScalar, SCALAR_BYTES, writeScalar } from './scalar.ts';
import { PIECES, ROW_BYTES } from './zk-kernel.ts';

export const BLIND_KEY_BYTES = 32;
const PIECE_BYTES = 31;

/** r_i = S("filetao/zk/v1/blind\0" ‖ blindKey₃₂ ‖ u64 i). */
export const blindingOf = (blindKey: Uint8Array, index: number): bigint =>
  hashToScalar(new ByteWriter(64).tag('filetao/zk/v1/blind').fixed(blindKey, BLIND_KEY_BYTES).u64(index).finish());

/** Writes m_0 … m_33 of one leaf: each piece's bytes are its scalar, little-endian, with a zero byte on top. */
function writePieces(leaf: Uint8Array, row: Uint8Array): void {
  for (let j = 0, at = 0; at < leaf.length; j++, at += PIECE_BYTES) {
    row.set(leaf.subarray(at, at + PIECE_BYTES), j * SCALAR_BYTES);
  }
}

/** The row of one leaf of at most 1024 bytes. */
export function leafRow(leaf: Uint8Array, blinding: bigint): Uint8Array {
  invariant(leaf.length <= LEAF_BYTES, `a leaf of ${leaf.length} bytes`);
  const row = new Uint8Array(ROW_BYTES);
  writePieces(leaf, row);
  writeScalar(blinding, row, PIECES * SCALAR_BYTES);
  return row;
}

/**
 * The rows of a stretch of leaves; an empty stretch is the one empty leaf of an empty shard.
 * @param first index of the first leaf, which its blinding depends on
 */
export function leafRows(bytes: Uint8Array, blindKey: Uint8Array, first: number): Uint8Array {
  const leaves = leafCount(bytes.length);
  const rows = new Uint8Array(leaves * ROW_BYTES);
  for (let i = 0; i < leaves; i++) {
    const row = rows.subarray(i * ROW_BYTES, (i + 1) * ROW_BYTES);
    writePieces(bytes.subarray(i * LEAF_BYTES, (i + 1) * LEAF_BYTES), row);
    writeScalar(blindingOf(blindKey, first + i), row, PIECES * SCALAR_BYTES);
  }
  return rows;
}
