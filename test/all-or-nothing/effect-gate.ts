/**
 * Every effect of one Worker passes here, requests to the index and to miners alike, counted in the order in which they
 * happen: one of them, and with some faults all that follow, meets a fault. What "dies" does nothing more in the world,
 * whatever its code still tries. Used by `faulty-engine.ts` and `faulty-miners.ts`.
 */
import type { MinerNumber } from '#shared/primitives/ids.ts';

export type Fault =
  | 'request-lost' /** the request never arrives */
  | 'answer-lost' /** it is done, and its answer never comes */
  | 'worker-dies-before' /** the Worker is gone before it */
  | 'worker-dies-after' /** the Worker is gone before its answer */
  | 'index-gone' /** from this request on no request to the index arrives */
  | 'index-restarts' /** the index does it, and is killed and started again: all that were waiting hear nothing */
  | 'index-stumbles' /** its answer is lost, so are the next two requests, and then it is well again */
  | 'miner-gone'; /** from this request on the miner that it is meant for is dead */

export const FAULTS: readonly Fault[] = [
  'request-lost',
  'answer-lost',
  'worker-dies-before',
  'worker-dies-after',
  'index-gone',
  'index-restarts',
  'index-stumbles',
  'miner-gone',
];

/** Those that differ most, for changes that are dear to step through. */
export const CHIEF_FAULTS: readonly Fault[] = ['answer-lost', 'worker-dies-before', 'index-stumbles', 'miner-gone'];

/** Which requests a fault can strike. */
const STRIKES: Record<Fault, 'any' | 'index' | 'miner'> = {
  'request-lost': 'any',
  'answer-lost': 'any',
  'worker-dies-before': 'any',
  'worker-dies-after': 'any',
  'index-gone': 'index',
  'index-restarts': 'index',
  'index-stumbles': 'index',
  'miner-gone': 'miner',
};

/** As many as a commit is asked again after its answer was lost. */
const STUMBLES = 2;

export type Fate = 'pass' | 'lose-request' | 'lose-answer' | 'restart';

/** What a request is for: the index, or a miner. */
export type Target = 'index' | MinerNumber;

export class EffectGate {
  readonly #fault: Fault | undefined;
  readonly #at: number;
  #counted = 0;
  #struck = false;
  #dead = false;
  #goneMiner: MinerNumber | undefined;
  /** Requests to the index that are still lost. */
  #stumbles = 0;

  /** @param at the request that the fault strikes, counted from 0 among those that it can strike */
  constructor(fault?: Fault, at = 0) {
    this.#fault = fault;
    this.#at = at;
  }

  /** False when the Worker was done before the fault's turn came. */
  get struck(): boolean {
    return this.#struck;
  }

  /** True when answers no longer reach the Worker. */
  get dead(): boolean {
    return this.#dead;
  }

  fateOf(target: Target): Fate {
    if (this.#dead) return 'lose-request';
    if (this.#struck) return this.#later(target);
    const kind = target === 'index' ? 'index' : 'miner';
    if (this.#fault === undefined || (STRIKES[this.#fault] !== 'any' && STRIKES[this.#fault] !== kind)) return 'pass';
    if (this.#counted++ < this.#at) return 'pass';
    this.#struck = true;
    return this.#strike(this.#fault, target);
  }

  #strike(fault: Fault, target: Target): Fate {
    switch (fault) {
      case 'request-lost':
      case 'index-gone':
        return 'lose-request';
      case 'answer-lost':
        return 'lose-answer';
      case 'index-stumbles':
        this.#stumbles = STUMBLES;
        return 'lose-answer';
      case 'worker-dies-before':
        this.#dead = true;
        return 'lose-request';
      case 'worker-dies-after':
        this.#dead = true;
        return 'lose-answer';
      case 'index-restarts':
        return 'restart';
      case 'miner-gone':
        if (target !== 'index') this.#goneMiner = target;
        return 'lose-request';
    }
  }

  #later(target: Target): Fate {
    const gone = target === 'index' ? this.#fault === 'index-gone' || this.#stumbles-- > 0 : target === this.#goneMiner;
    return gone ? 'lose-request' : 'pass';
  }
}
