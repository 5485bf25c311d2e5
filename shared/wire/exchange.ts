/**
 * One request's clock: it aborts when the caller's signal does, when the peer stays silent while we wait for it, or
 * when waiting takes too long in all. Time during which nobody waits for the peer (a slow consumer, a pause between
 * frames) does not count. Used by the miner client for every exchange; nothing of it rejects.
 */
import type { Clock } from '#shared/primitives/effects.ts';

export type ExchangeEnd = 'cancelled' | 'silent' | 'overdue' | 'closed';

export class Exchange {
  readonly #controller = new AbortController();
  readonly #clock: Clock;
  readonly #outer: AbortSignal;
  readonly #silentMs: number;
  readonly #totalMs: number;
  #end: ExchangeEnd | undefined;
  #waitingSinceMs: number | undefined;
  #lastSignMs = 0;
  #waitedMs = 0;
  /** Runs when the exchange ends for any reason, before its abort is seen elsewhere. */
  onEnd: ((end: ExchangeEnd) => void) | undefined;

  constructor(clock: Clock, outer: AbortSignal, silentMs: number, totalMs: number) {
    this.#clock = clock;
    this.#outer = outer;
    this.#silentMs = silentMs;
    this.#totalMs = totalMs;
    if (outer.aborted) this.end('cancelled');
    else {
      outer.addEventListener('abort', this.#cancel, { once: true });
      void this.#watch();
    }
  }

  readonly #cancel = () => this.end('cancelled');

  /** For fetch: aborted when the exchange ends, also when it simply is over. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }
  /** Why it ended; undefined while it goes on. */
  get ended(): ExchangeEnd | undefined {
    return this.#end;
  }

  /** From now on the peer is waited for. Calls while waiting change nothing. */
  wait(): void {
    if (this.#waitingSinceMs !== undefined) return;
    this.#waitingSinceMs = this.#clock.nowMs();
    this.#lastSignMs = this.#waitingSinceMs;
  }
  /** The peer gave a sign of life. */
  heard(): void {
    this.#lastSignMs = this.#clock.nowMs();
  }
  /** Nobody waits for the peer any more. */
  rest(): void {
    if (this.#waitingSinceMs === undefined) return;
    this.#waitedMs += this.#clock.nowMs() - this.#waitingSinceMs;
    this.#waitingSinceMs = undefined;
  }

  /** The first reason counts. `closed`: over, in good order or by our own decision. */
  end(reason: ExchangeEnd): void {
    if (this.#end) return;
    this.#end = reason;
    this.#outer.removeEventListener('abort', this.#cancel);
    this.onEnd?.(reason);
    this.#controller.abort(new Error(`exchange ended: ${reason}`));
  }

  /** One sleeper for an exchange, not a timer a read: reads come by the ten thousand. */
  async #watch(): Promise<void> {
    let sleepMs = Math.min(this.#silentMs, this.#totalMs);
    while (!this.#end) {
      try {
        await this.#clock.sleep(sleepMs, this.#controller.signal);
      } catch {
        return; // the exchange ended: the sleep was cut short
      }
      if (this.#waitingSinceMs === undefined) {
        sleepMs = this.#silentMs;
        continue;
      }
      const nowMs = this.#clock.nowMs();
      const silentLeftMs = this.#silentMs - (nowMs - this.#lastSignMs);
      const totalLeftMs = this.#totalMs - this.#waitedMs - (nowMs - this.#waitingSinceMs);
      if (silentLeftMs <= 0) return this.end('silent');
      if (totalLeftMs <= 0) return this.end('overdue');
      sleepMs = Math.max(1, Math.min(silentLeftMs, totalLeftMs));
    }
  }
}
