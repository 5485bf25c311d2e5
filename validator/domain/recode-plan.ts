/**
 * Which files are coded anew, and as what. A network near the boundary of two sizes must not have its files coded to
 * and fro: a size counts once there have been that many accepting miners, and a margin more, at every look for a
 * configured time; and nothing is ever coded downwards. Pure; used by `flows/recode.ts`.
 */
import {
  isByNetworkSize,
  NETWORK_SIZES,
  type Redundancy,
  redundancyFor,
  SMALL_FILE_BYTES,
} from '#shared/codec/redundancy.ts';

export interface SteadyRule {
  /** So long a size must have been exceeded by the margin. */
  readonly steadyMs: number;
  /** Of a size, in miners beyond it. */
  readonly marginShare: number;
}

/** Since when the network has been larger than each size of `NETWORK_SIZES`; sizes that it is not larger than are absent. */
export interface SizeWatch {
  readonly seenMs: number;
  readonly since: ReadonlyMap<number, number>;
}

/** One more look. After a pause as long as the steady time nothing is known of what was in between. */
export function watchSizes(
  before: SizeWatch | undefined,
  acceptingMiners: number,
  nowMs: number,
  { steadyMs, marginShare }: SteadyRule,
): SizeWatch {
  const known = before && nowMs >= before.seenMs && nowMs - before.seenMs < steadyMs ? before.since : new Map();
  const exceeded = NETWORK_SIZES.filter((size) => acceptingMiners >= size + Math.ceil(size * marginShare));
  return { seenMs: nowMs, since: new Map(exceeded.map((size) => [size, known.get(size) ?? nowMs])) };
}

/** The largest size that has held for long enough; 0: none. */
export const steadySize = ({ seenMs, since }: SizeWatch, { steadyMs }: SteadyRule): number =>
  Math.max(0, ...[...since].filter(([, sinceMs]) => seenMs - sinceMs >= steadyMs).map(([size]) => size));

/**
 * The coding that a file should get in a network of this size; undefined: it stays. What its owner asked for is not on
 * record: so only codings that the table gives are replaced, and only where k and n both grow.
 */
export function recodingOf(file: Redundancy & { readonly bytes: number }, size: number): Redundancy | undefined {
  if (file.bytes <= SMALL_FILE_BYTES || !isByNetworkSize(file)) return undefined;
  const target = redundancyFor(size, file.bytes);
  return target && target.k > file.k && target.n > file.n ? target : undefined;
}
