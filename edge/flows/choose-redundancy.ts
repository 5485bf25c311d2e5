/** Which (k, n) a new file gets: what its owner asked for if this network can hold it, else by the network's size. */
import { type EdgeResult, refuse } from '#edge/http/problem.ts';
import { checkRedundancy, type Redundancy, redundancyFor } from '#shared/codec/redundancy.ts';
import { succeed } from '#shared/primitives/failure.ts';
import type { Peer } from '#shared/transfer/ports.ts';

/** @param bytes the file's size; undefined while it is not known, and then more than one segment */
export function chooseRedundancy(
  peers: readonly Peer[],
  bytes: number | undefined,
  asked: Redundancy | undefined,
): EdgeResult<Redundancy> {
  const available = peers.filter((peer) => peer.accepting).length;
  if (asked) {
    const checked = checkRedundancy(asked, available);
    if (checked.ok) return checked;
    // Too wide is the network's lack, not the caller's mistake, when there is nobody to store with at all.
    if (available > 0) return refuse('unsupported-redundancy', checked.failure.message, { available });
  }
  const chosen = redundancyFor(available, bytes);
  if (chosen) return succeed(chosen);
  return refuse('too-few-miners', 'no miner takes new shards at the moment', { needed: 1, available });
}
