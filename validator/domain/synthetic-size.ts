/**
 * How large a synthetic shard is: log-normal around 3 MiB as in FileTAO 3.0.0, size = exp(N(ln 3 MiB, 1.5)), cut where a
 * shard ends (a whole segment, with k = 1: about four in ten are as large as that). Pure.
 */
import type { Random } from '#shared/primitives/effects.ts';
import { MAX_SEGMENT_BYTES, MIN_SHARD_BYTES } from '#shared/wire/limits.ts';

const MEDIAN_BYTES = 3 * 2 ** 20;
const SIGMA = 1.5;

/** Uniform in (0, 1], in steps of 2⁻³²: its logarithm is finite. */
const uniform = (random: Random): number => (new DataView(random(4).slice().buffer).getUint32(0) + 1) / 2 ** 32;

export function syntheticBytes(random: Random): number {
  // Box and Muller, 1958.
  const normal = Math.sqrt(-2 * Math.log(uniform(random))) * Math.cos(2 * Math.PI * uniform(random));
  const bytes = Math.round(Math.exp(Math.log(MEDIAN_BYTES) + SIGMA * normal));
  return Math.min(MAX_SEGMENT_BYTES, Math.max(MIN_SHARD_BYTES, bytes));
}
