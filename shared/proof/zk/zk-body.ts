/**
 * The body of a zk/v1 proof. k asked leaves, ascending; everything else follows from the anchor and the indices, so a
 * byte more or less is a refusal.
 *
 *   C_i 32 × k   T 32   z_0 … z_33 32 × 34   z_B 32   siblings of por/v1 §6, 32 each
 */
import { leafCount } from '../anchor.ts';
import { siblingsOf } from '../multiproof.ts';
import { POINT_BYTES, ROW_BYTES } from './zk-kernel.ts';

export interface ZkBody {
  readonly commitments: Uint8Array;
  readonly t: Uint8Array;
  /** z_0 … z_33, z_B: a row. */
  readonly z: Uint8Array;
  readonly siblings: Uint8Array;
}

/** The one length that a body for these leaves has: 32·k + 32 + 1,120 + 32 for each sibling. */
export const zkBodyBytesOf = (bytes: number, indices: readonly number[]): number =>
  POINT_BYTES * (indices.length + 1) + ROW_BYTES + 32 * siblingsOf(leafCount(bytes), indices).length;

/** Views into a body of the right length. */
export function splitZkBody(body: Uint8Array, asked: number): ZkBody {
  const tAt = POINT_BYTES * asked;
  const zAt = tAt + POINT_BYTES;
  return {
    commitments: body.subarray(0, tAt),
    t: body.subarray(tAt, zAt),
    z: body.subarray(zAt, zAt + ROW_BYTES),
    siblings: body.subarray(zAt + ROW_BYTES),
  };
}
