/**
 * When collection must not run at all: the index is not the one that this tenant last worked with (another one, or an
 * older state of it restored from a backup), or it explains so little of what miners hold that it has lost files
 * rather than uploads. Both wait for an operator: a rolled-back index must not delete the network.
 */
import type { IndexMark } from '#validator/ports.ts';

export interface IndexIdentity {
  readonly id: string;
  readonly epoch: number;
}

/** What an index that nobody has worked with yet answers at most. */
const FIRST_EPOCH = 1;

export type GateRefusal = 'other-index' | 'rolled-back' | 'unknown-index' | 'too-much-garbage';

/** Undefined when this is the tenant's index, at least as new as when it was last seen. */
export function judgeIndex(identity: IndexIdentity, mark: IndexMark | undefined): GateRefusal | undefined {
  // Without a mark only a fresh index is adopted: a lost folder beside an old index is a case for an operator.
  if (!mark) return identity.epoch <= FIRST_EPOCH ? undefined : 'unknown-index';
  if (identity.id !== mark.id) return 'other-index';
  return identity.epoch === mark.epoch || identity.epoch === mark.nextEpoch ? undefined : 'rolled-back';
}

export interface GarbageLimit {
  /** Largest fraction of the listed shards that one run may drop without an operator. */
  readonly fraction: number;
  /** A run may always drop this many: one abandoned upload in a small network is more than a hundredth of it. */
  readonly shards: number;
}

/** Undefined when so much garbage is plausible. */
export function judgeGarbage(listed: number, garbage: number, limit: GarbageLimit): GateRefusal | undefined {
  return garbage > Math.max(limit.shards, limit.fraction * listed) ? 'too-much-garbage' : undefined;
}
