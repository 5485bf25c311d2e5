/**
 * The budget: bytes of buffers, counted before they are made. One per upload or download inside one per isolate, so
 * that many transfers at once wait instead of exhausting memory. Strictly first come, first served: a large request is
 * never overtaken by small ones. Whoever holds a part must be able to finish with it: engines acquire a segment's
 * whole working set at once and never wait for more while they hold some of it, else two transfers could wait for each
 * other.
 */
import { invariant } from '#shared/primitives/failure.ts';
import type { Budget, ReleaseBytes } from './ports.ts';

/**
 * Room for two segments of an upload with everything they need on their way, and a sixth of what an isolate has.
 * (Workers: 128 MB an isolate, Cloudflare's platform limits.)
 */
export const TRANSFER_BUDGET_BYTES = 24 * 2 ** 20;
/** Three transfers at full speed; the rest of an isolate's 128 MB is code, runtime and buffers of the transport. */
export const ISOLATE_BUDGET_BYTES = 72 * 2 ** 20;

interface Waiter {
  readonly bytes: number;
  readonly admit: () => void;
}

class ByteBudget implements Budget {
  readonly limitBytes: number;
  readonly #parent: Budget | undefined;
  readonly #waiters: Waiter[] = [];
  #used = 0;
  #peak = 0;

  constructor(limitBytes: number, parent: Budget | undefined) {
    this.limitBytes = limitBytes;
    this.#parent = parent;
  }

  get used(): number {
    return this.#used;
  }
  get peak(): number {
    return this.#peak;
  }

  async acquire(bytes: number, signal?: AbortSignal): Promise<ReleaseBytes> {
    invariant(Number.isSafeInteger(bytes) && bytes >= 0, `${bytes} is no number of bytes`);
    if (bytes > this.limitBytes) throw new RangeError(`${bytes} bytes exceed the whole budget of ${this.limitBytes}`);
    signal?.throwIfAborted();
    await this.#admission(bytes, signal);
    try {
      const releaseParent = await this.#parent?.acquire(bytes, signal);
      return this.#releaseOf(bytes, releaseParent);
    } catch (error) {
      this.#give(bytes);
      throw error;
    }
  }

  #admission(bytes: number, signal: AbortSignal | undefined): Promise<void> {
    if (this.#waiters.length === 0 && this.#used + bytes <= this.limitBytes) {
      this.#take(bytes);
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        reject(signal?.reason);
        this.#admitWaiters();
      };
      const waiter: Waiter = {
        bytes,
        admit: () => {
          signal?.removeEventListener('abort', leave);
          resolve();
        },
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#waiters.push(waiter);
    });
  }

  #take(bytes: number): void {
    this.#used += bytes;
    this.#peak = Math.max(this.#peak, this.#used);
  }

  #give(bytes: number): void {
    this.#used -= bytes;
    this.#admitWaiters();
  }

  #admitWaiters(): void {
    for (let first = this.#waiters[0]; first && this.#used + first.bytes <= this.limitBytes; first = this.#waiters[0]) {
      this.#waiters.shift();
      this.#take(first.bytes);
      first.admit();
    }
  }

  #releaseOf(bytes: number, releaseParent: ReleaseBytes | undefined): ReleaseBytes {
    let held = bytes;
    return (keepBytes = 0) => {
      if (keepBytes >= held) return;
      const given = held - keepBytes;
      held = keepBytes;
      releaseParent?.(keepBytes);
      this.#give(given);
    };
  }
}

/** A budget of its own, or a share inside `parent`: what it grants is also granted by the parent. */
export const createBudget = (limitBytes: number, parent?: Budget): Budget => new ByteBudget(limitBytes, parent);
