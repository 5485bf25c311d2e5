/** Requests of a tenant's challenges, for tests of how a miner answers them. */
import { systemRandom } from '#shared/primitives/effects.ts';
import type { AnchorId } from '#shared/primitives/ids.ts';
import { leafCount } from '#shared/proof/anchor.ts';
import type { AnyAnchor } from '#shared/proof/any-anchor.ts';
import type { ChallengeRequest } from '#shared/proof/challenge-request.ts';
import { KEYS } from './loopback-miner.ts';

/** A shard that the miner was given. */
export interface Held {
  readonly anchorId: AnchorId;
  readonly anchor: AnyAnchor;
}

let round = 100;
/** The next round's request for these shards, three leaves of each. */
export function requestFor(shards: readonly Held[], changes: Partial<ChallengeRequest> = {}): ChallengeRequest {
  const items = shards
    .map(({ anchorId, anchor }) => ({ anchorId, leaves: Math.min(3, leafCount(anchor.bytes)) }))
    .sort((a, b) => (a.anchorId < b.anchorId ? -1 : 1));
  return {
    validator: KEYS.tenant.hotkey,
    miner: KEYS.miner.hotkey,
    round: ++round,
    block: 25 * round,
    blockHash: systemRandom(32),
    prevTranscript: systemRandom(32),
    inventory: systemRandom(32),
    inventoryLeaves: 1000,
    salt: systemRandom(32),
    nextCommit: systemRandom(32),
    leaves: items.reduce((sum, item) => sum + item.leaves, 0),
    sweep: false,
    items,
    ...changes,
  };
}
