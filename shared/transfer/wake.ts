/**
 * Waiting in the engines: for an event of many kinds, or a deadline, or the end of everything, without a leftover timer
 * or listener. Each state machine has one `Wake`, sleeps in one place, and looks at its whole state when woken.
 */
import type { Clock } from '#shared/primitives/effects.ts';

/** Why a sleep ended early; made once, because a reason of its own costs each abort a stack trace. */
const WOKEN = new Error('woken');

export class Wake {
  #pending = false;
  #notify: (() => void) | undefined;

  /** Something changed. Never lost: a call while nobody sleeps ends the next sleep at once. */
  call(): void {
    this.#pending = true;
    this.#notify?.();
  }

  /**
   * Until `call`, the deadline, or the signal, whichever is first; `ms` may be Infinity.
   * @returns by how many ms the deadline was missed: how busy the program is
   */
  async sleep(clock: Clock, ms: number, signal: AbortSignal): Promise<number> {
    const untilMs = clock.nowMs() + ms;
    if (!this.#pending && !signal.aborted && ms > 0) {
      const over = new AbortController();
      const called = new Promise<void>((resolve) => {
        this.#notify = resolve;
      });
      const ended = new Promise<void>((resolve) => {
        const stop = () => resolve();
        signal.addEventListener('abort', stop, { once: true });
        over.signal.addEventListener('abort', () => signal.removeEventListener('abort', stop), { once: true });
      });
      const waits = [called, ended];
      // A sleep that is ended early rejects; that is how it ends, not an error.
      if (Number.isFinite(ms)) waits.push(clock.sleep(ms, over.signal).catch(() => undefined));
      await Promise.race(waits);
      over.abort(WOKEN);
      this.#notify = undefined;
    }
    this.#pending = false;
    return Math.max(0, clock.nowMs() - untilMs);
  }
}

/** What `promise` resolves to, or `instead` as soon as the signal aborts; a later rejection is then nobody's. */
export function untilAborted<T, U>(promise: Promise<T>, signal: AbortSignal, instead: () => U): Promise<T | U> {
  return new Promise((resolve, reject) => {
    const stop = () => resolve(instead());
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
