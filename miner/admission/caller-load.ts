/**
 * How much one hotkey may have under way at a time, in requests and in bytes, so that no tenant's edge crowds out the
 * others. Concurrency, not rates: an edge that is served faster may ask faster. Also the small budget for work that
 * strangers can cause (signature checks of unknown hotkeys, signed health answers).
 */
import type { Hotkey } from '#shared/primitives/ids.ts';

/** A Worker isolate holds six requests that wait for headers; this is room for twenty isolates under one hotkey. */
export const MAX_REQUESTS_PER_HOTKEY = 128;
/** Reserved and requested bytes under way: sixteen streams of the largest reservation. */
export const MAX_BYTES_PER_HOTKEY = 64 * 2 ** 30;
/** Signature checks and signatures for strangers, a second: about 5 % of a core. */
export const STRANGERS_PER_SECOND = 150;

export class CallerLoad {
  readonly #loads = new Map<Hotkey, { requests: number; bytes: number }>();

  /** Counts a request in; undefined when the caller has too much under way. The result counts it out, once. */
  enter(hotkey: Hotkey): { addBytes(bytes: number): boolean; leave(): void } | undefined {
    const load = this.#loads.get(hotkey) ?? { requests: 0, bytes: 0 };
    if (load.requests >= MAX_REQUESTS_PER_HOTKEY) return undefined;
    this.#loads.set(hotkey, load);
    load.requests++;
    let own = 0;
    let inside = true;
    return {
      addBytes: (bytes) => {
        if (load.bytes + bytes > MAX_BYTES_PER_HOTKEY) return false;
        own += bytes;
        load.bytes += bytes;
        return true;
      },
      leave: () => {
        if (!inside) return;
        inside = false;
        load.requests--;
        load.bytes -= own;
        if (load.requests === 0) this.#loads.delete(hotkey);
      },
    };
  }
}

/** So many a second, no more. */
export class SecondBudget {
  readonly #perSecond: number;
  #second = 0;
  #used = 0;

  constructor(perSecond: number) {
    this.#perSecond = perSecond;
  }

  take(nowMs: number): boolean {
    const second = Math.floor(nowMs / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#used = 0;
    }
    return this.#used++ < this.#perSecond;
  }
}
