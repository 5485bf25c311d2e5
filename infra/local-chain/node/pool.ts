/**
 * Extrinsics that wait for a block, by hash and by signer and nonce. Those with a nonce ahead wait until the gap closes.
 * Knows nothing of validity: the chain asks the runtime before it adds and when it builds.
 */
import { toHex } from '#shared/primitives/bytes.ts';
import type { Extrinsic } from '../runtime/extrinsic.ts';
import type { Invalidity } from '../runtime/validity.ts';

/** As many as a node's ready queue, by default. */
const MAX_EXTRINSICS = 8192;
/** A nonce further ahead than this is refused: one account must not fill the pool. */
export const MAX_AHEAD = 64;

export type PoolStatus =
  | { readonly kind: 'invalid' | 'usurped' }
  | { readonly kind: 'inBlock' | 'finalized'; readonly blockHash: Uint8Array };
export type Watcher = (status: PoolStatus) => void;

interface Waiting {
  readonly extrinsic: Extrinsic;
  /** Last block in which its era allows it. */
  readonly lastBlock: number;
  readonly watchers: Set<Watcher>;
}

export class Pool {
  readonly #waiting = new Map<string, Waiting>();
  /** `signer:nonce` → hash. */
  readonly #slots = new Map<string, string>();

  get size(): number {
    return this.#waiting.size;
  }
  add(extrinsic: Extrinsic, lastBlock: number, watcher: Watcher | undefined): Invalidity | undefined {
    const hash = toHex(extrinsic.hash);
    if (this.#waiting.has(hash)) return { code: 'pool', reason: 'alreadyImported' };
    const slot = slotOf(extrinsic);
    const rival = this.#waiting.get(this.#slots.get(slot) ?? '');
    if (rival && rival.extrinsic.tip >= extrinsic.tip) return { code: 'pool', reason: 'tooLowPriority' };
    if (!rival && this.#waiting.size >= MAX_EXTRINSICS) return { code: 'pool', reason: 'full' };
    if (rival) this.remove(rival.extrinsic, { kind: 'usurped' });
    this.#waiting.set(hash, { extrinsic, lastBlock, watchers: new Set(watcher ? [watcher] : []) });
    this.#slots.set(slot, hash);
    return undefined;
  }

  /** Takes it out and tells its watchers why; gives them back for what comes later. */
  remove(extrinsic: Extrinsic, status: PoolStatus): ReadonlySet<Watcher> {
    const hash = toHex(extrinsic.hash);
    const waiting = this.#waiting.get(hash);
    if (!waiting) return new Set();
    this.#waiting.delete(hash);
    this.#slots.delete(slotOf(extrinsic));
    for (const watcher of waiting.watchers) watcher(status);
    return waiting.watchers;
  }

  /** Stops telling `watcher` about it; the extrinsic itself stays. */
  unwatch(extrinsic: Extrinsic, watcher: Watcher): void {
    this.#waiting.get(toHex(extrinsic.hash))?.watchers.delete(watcher);
  }

  /** Those whose nonces follow on from the account's, in order of arrival and nonce; at most `limit`. */
  ready(nonceOf: (signer: Uint8Array) => number, limit: number): Extrinsic[] {
    const next = new Map<string, number>();
    const found: Extrinsic[] = [];
    const seen = new Set<string>();
    for (const { extrinsic } of this.#waiting.values()) {
      const signer = toHex(extrinsic.signer);
      if (seen.has(signer)) continue;
      seen.add(signer);
      let nonce = next.get(signer) ?? nonceOf(extrinsic.signer);
      for (;;) {
        if (found.length >= limit) return found;
        const waiting = this.#waiting.get(this.#slots.get(`${signer}:${nonce}`) ?? '');
        if (!waiting) break;
        found.push(waiting.extrinsic);
        nonce++;
      }
    }
    return found;
  }

  /** The nonce after all that this signer has waiting without a gap. */
  nextNonce(signer: Uint8Array, nonce: number): number {
    let next = nonce;
    while (this.#slots.has(`${toHex(signer)}:${next}`)) next++;
    return next;
  }

  /** Drops what the next block could not hold any more: eras that ended, nonces that were used. */
  prune(block: number, nonceOf: (signer: Uint8Array) => number): void {
    for (const { extrinsic, lastBlock } of [...this.#waiting.values()]) {
      if (lastBlock < block || extrinsic.nonce < nonceOf(extrinsic.signer)) this.remove(extrinsic, { kind: 'invalid' });
    }
  }

  pending(): readonly Uint8Array[] {
    return [...this.#waiting.values()].map(({ extrinsic }) => extrinsic.bytes);
  }
}

const slotOf = ({ signer, nonce }: Extrinsic): string => `${toHex(signer)}:${nonce}`;
