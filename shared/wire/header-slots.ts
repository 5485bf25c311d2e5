/**
 * How many requests may wait for response headers at once. Cloudflare queues the seventh of an invocation; queued
 * there, its signature would age, so the client queues before it signs (platform.md).
 */
export class HeaderSlots {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(slots: number) {
    this.#free = slots;
  }

  /** The next one has to wait. */
  get full(): boolean {
    return this.#free === 0;
  }

  /** Resolves in order with a slot; with undefined, and no slot, once the signal is aborted. */
  acquire(signal: AbortSignal): Promise<(() => void) | undefined> {
    if (signal.aborted) return Promise.resolve(undefined);
    if (this.#free > 0) {
      this.#free--;
      return Promise.resolve(this.#slot());
    }
    return new Promise((resolve) => {
      const give = () => {
        signal.removeEventListener('abort', leave);
        resolve(this.#slot());
      };
      const leave = () => {
        this.#waiting.splice(this.#waiting.indexOf(give), 1);
        resolve(undefined);
      };
      this.#waiting.push(give);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  /** The slot's return; calling it twice gives one back. */
  #slot(): () => void {
    let held = true;
    return () => {
      if (!held) return;
      held = false;
      const next = this.#waiting.shift();
      if (next) next();
      else this.#free++;
    };
  }
}
