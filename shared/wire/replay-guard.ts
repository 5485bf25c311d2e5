/**
 * Which nonces were used lately, in memory, bounded for each hotkey and in all (protocol.md §1). A miner keeps one;
 * an edge shares its own through the index. Refuses when full rather than forget what could be played again.
 */
import type { Hotkey } from '#shared/primitives/ids.ts';
import type { NonceOutcome } from './btauth.ts';
import { MAX_NONCES, MAX_NONCES_PER_HOTKEY, NONCE_HOLD_MS } from './limits.ts';

export interface ReplayLimits {
  readonly holdMs: number;
  readonly perHotkey: number;
  readonly inAll: number;
}

const LIMITS: ReplayLimits = { holdMs: NONCE_HOLD_MS, perHotkey: MAX_NONCES_PER_HOTKEY, inAll: MAX_NONCES };

export class ReplayGuard {
  readonly #limits: ReplayLimits;
  /** Nonce → when it may be forgotten; insertion order is age. */
  readonly #byHotkey = new Map<Hotkey, Map<bigint, number>>();
  #size = 0;
  #sweptAtMs = 0;

  constructor(limits: ReplayLimits = LIMITS) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#size;
  }

  claim(hotkey: Hotkey, nonce: bigint, nowMs: number): NonceOutcome {
    let seen = this.#byHotkey.get(hotkey);
    if (seen) this.#forget(hotkey, seen, nowMs);
    if (seen?.has(nonce)) return 'replayed';
    if (this.#size >= this.#limits.inAll) this.#sweep(nowMs);
    if (this.#size >= this.#limits.inAll || (seen?.size ?? 0) >= this.#limits.perHotkey) return 'full';
    seen = this.#byHotkey.get(hotkey);
    if (!seen) {
      seen = new Map();
      this.#byHotkey.set(hotkey, seen);
    }
    seen.set(nonce, nowMs + this.#limits.holdMs);
    this.#size++;
    return 'fresh';
  }

  #forget(hotkey: Hotkey, seen: Map<bigint, number>, nowMs: number): void {
    for (const [nonce, untilMs] of seen) {
      if (untilMs >= nowMs) break;
      seen.delete(nonce);
      this.#size--;
    }
    if (seen.size === 0) this.#byHotkey.delete(hotkey);
  }

  /** Full: forget the old ones of everybody, at most once a second, so that a flood does not cost a scan a request. */
  #sweep(nowMs: number): void {
    if (nowMs >= this.#sweptAtMs && nowMs - this.#sweptAtMs < 1000) return;
    this.#sweptAtMs = nowMs;
    for (const [hotkey, seen] of this.#byHotkey) this.#forget(hotkey, seen, nowMs);
  }
}
