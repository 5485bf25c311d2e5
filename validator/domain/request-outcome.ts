/**
 * What one judged request means: how it counts as an attempt, and which shards it shows to be lost (por/v1 §8). One
 * batch is one attempt; only what the miner signed for costs it a challenge, silence only earns nothing.
 */
import type { AnchorId } from '#shared/primitives/ids.ts';
import type { Judgement } from '#shared/proof/verify-answer.ts';
import type { Ending } from '#shared/tier/reward.ts';

/** Why no answer was judged. */
export type NoAnswer =
  | 'no-address' /** its registered address leads nowhere */
  | 'unreachable' /** no connection, or nothing came in time */
  | 'refused' /** it answered, with a problem */
  | 'broken' /** more bytes than a right answer can have, or no HTTP of ours */
  | 'too-late' /** the round's time to ask was over: void */
  | 'network-away' /** no miner at all was reached: void, it is us */
  | 'restarted' /** found open at a start: void */
  | 'our-fault'; /** something failed here while asking: void */

interface LostShard {
  readonly anchorId: AnchorId;
  readonly reason: 'wrong' | 'declared-missing';
}

export interface RequestOutcome {
  /** Undefined: void, or nothing was asked; then it is no attempt at all. */
  readonly ending: Ending | undefined;
  /** Stable code: `passed`, `wrong-leaf`, `declared-missing`, `malformed`, or a `NoAnswer`. */
  readonly reason: string;
  /** Shards whose absence the miner's signature shows. */
  readonly lost: readonly LostShard[];
}

const VOID: ReadonlySet<NoAnswer> = new Set(['too-late', 'network-away', 'restarted', 'our-fault']);

/** How a request without an answer is judged. */
export const verdictWithout = (why: NoAnswer): 'silent' | 'malformed' | 'void' =>
  VOID.has(why) ? 'void' : why === 'broken' ? 'malformed' : 'silent';

export function outcomeOf({ items, passed }: Judgement, why: NoAnswer | undefined): RequestOutcome {
  const lost = items.flatMap(({ anchorId, verdict }): LostShard[] => {
    if (verdict === 'wrong') return [{ anchorId, reason: 'wrong' }];
    return verdict === 'missing' ? [{ anchorId, reason: 'declared-missing' }] : [];
  });
  const some = (verdict: string) => items.some((item) => item.verdict === verdict);
  if (passed) return { ending: 'passed', reason: 'passed', lost };
  if (some('wrong')) return { ending: 'wrong', reason: 'wrong-leaf', lost };
  if (some('missing')) return { ending: 'wrong', reason: 'declared-missing', lost };
  if (some('malformed')) return { ending: 'silent', reason: why ?? 'malformed', lost };
  if (some('silent')) return { ending: 'silent', reason: why ?? 'unreachable', lost };
  return { ending: undefined, reason: why ?? (items.length === 0 ? 'nothing-asked' : 'excused'), lost };
}
