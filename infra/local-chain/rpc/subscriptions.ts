/**
 * What one connection listens to. Ends with the connection; a client that does not read is cut off by the server, so
 * nothing queues up here.
 */
import { toHex } from '#shared/primitives/bytes.ts';
import type { Random } from '#shared/primitives/effects.ts';
import { type Json, notification, RpcRefusal, TOO_MANY_SUBSCRIPTIONS } from './json-rpc.ts';

/** As many as polkadot-sdk's server allows a connection. */
const MAX_SUBSCRIPTIONS = 1024;
const ID_BYTES = 8;

export type Notify = (result: Json) => void;
/** Begins to listen; gives the function that stops it. `end` closes the subscription after what was said so far. */
export type Start = (notify: Notify, end: () => void) => () => void;

export class Subscriptions {
  readonly #send: (text: string) => void;
  readonly #random: Random;
  readonly #stops = new Map<string, () => void>();

  constructor(send: (text: string) => void, random: Random) {
    this.#send = send;
    this.#random = random;
  }

  /** @param method the name in the notifications; the first goes out after the answer that names the subscription */
  open(method: string, start: Start): string {
    if (this.#stops.size >= MAX_SUBSCRIPTIONS) throw new RpcRefusal(TOO_MANY_SUBSCRIPTIONS);
    const id = toHex(this.#random(ID_BYTES));
    let held: Json[] | undefined = [];
    let ended = false;
    const notify: Notify = (result) => {
      if (held) held.push(result);
      else this.#send(notification(method, id, result));
    };
    const end = () => {
      ended = true;
      if (!held) this.close(id);
    };
    this.#stops.set(id, start(notify, end));
    queueMicrotask(() => {
      const early = held ?? [];
      held = undefined;
      if (!this.#stops.has(id)) return;
      for (const result of early) this.#send(notification(method, id, result));
      if (ended) this.close(id);
    });
    return id;
  }

  /** True when there was such a subscription. */
  close(id: string): boolean {
    const stop = this.#stops.get(id);
    this.#stops.delete(id);
    stop?.();
    return stop !== undefined;
  }
  closeAll(): void {
    for (const id of [...this.#stops.keys()]) this.close(id);
  }
}
