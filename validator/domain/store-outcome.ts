/**
 * What a synthetic store's failure means for its miner: an honest "no room" and everything that may be our own fault
 * cost nothing and are no attempt; the rest is a failed one. Pure.
 */
import type { Ending } from '#shared/tier/reward.ts';
import type { MinerFailure } from '#shared/wire/ports.ts';

/** Undefined: void. */
export function endingOfStore({ code, problem }: Pick<MinerFailure, 'code' | 'problem'>): Ending | undefined {
  switch (code) {
    // It says so itself, and is offered less from now on; a miner that leaves announces it.
    case 'full':
    // Our signature, clock or request; or this shard's name was used before.
    case 'refused':
    case 'absent':
    case 'dropped':
    case 'cancelled':
      return undefined;
    case 'busy':
      return problem === 'draining' ? undefined : 'silent';
    case 'unreachable':
      return 'silent';
    case 'broken':
    case 'forged':
      return 'wrong';
  }
}
