/**
 * What prover and verifier derive alike: the weight of each asked leaf, and the challenge c of the Sigma protocol, a
 * hash over everything that was fixed before it (Fiat–Shamir; the whole statement goes in, else a proof of one
 * statement could be bent into one of another).
 */
import { ByteWriter } from '#shared/primitives/bytes.ts';
import { type AnchorId, idBytes } from '#shared/primitives/ids.ts';
import { hashToScalar } from './scalar.ts';
import { POINT_BYTES } from './zk-kernel.ts';

/** ρ_i = S("filetao/zk/v1/weight\0" ‖ seed₃₂ ‖ anchorId₃₂ ‖ u32 i): unknown until the round, as the seed is. */
export const weightOf = (seed: Uint8Array, anchorId: AnchorId, index: number): bigint =>
  hashToScalar(
    new ByteWriter(96).tag('filetao/zk/v1/weight').fixed(seed, 32).fixed(idBytes(anchorId), 32).u32(index).finish(),
  );

/**
 * c = S("filetao/zk/v1/challenge\0" ‖ seed₃₂ ‖ anchorId₃₂ ‖ per asked leaf, ascending: u32 i ‖ C_i ‖ … ‖ T).
 * @param commitments of the asked leaves, 32 bytes each, in the order of `indices`
 */
export function challengeOf(
  seed: Uint8Array,
  anchorId: AnchorId,
  indices: readonly number[],
  commitments: Uint8Array,
  t: Uint8Array,
): bigint {
  const preimage = new ByteWriter(160 + 36 * indices.length)
    .tag('filetao/zk/v1/challenge')
    .fixed(seed, 32)
    .fixed(idBytes(anchorId), 32);
  indices.forEach((index, at) => {
    preimage.u32(index).fixed(commitments.subarray(at * POINT_BYTES, (at + 1) * POINT_BYTES), POINT_BYTES);
  });
  return hashToScalar(preimage.fixed(t, POINT_BYTES).finish());
}
