/**
 * Our healing, paced socket in the shape that `@polkadot/api` asks for, in place of its own provider, which writes to
 * the console, has no pace and leaves its user to guess after a lost connection. Several may share a socket:
 * disconnecting one ends what it subscribed to and nothing else.
 */
import type { RpcSocket } from '../rpc-socket.ts';

/**
 * Upgrades are `runtime-keeper.ts`'s: it loads a whole new description of the chain. The library would patch the old
 * one from metadata that lacks runtime APIs, and announce it on the console.
 */
const RUNTIME_VERSION = 'state_subscribeRuntimeVersion';
const NO_SUBSCRIPTION = -1;

/** The part of `@polkadot/rpc-provider`'s ProviderInterface that is asked for. */
export class PolkadotProvider {
  readonly hasSubscriptions = true;
  readonly isClonable = false;
  readonly #socket: RpcSocket;
  readonly #stops = new Set<() => void>();

  constructor(socket: RpcSocket) {
    this.#socket = socket;
  }

  get isConnected(): boolean {
    return this.#socket.connected;
  }
  clone(): never {
    throw new Error('this provider has one connection');
  }
  /** The socket connects on its own. */
  async connect(): Promise<void> {}
  async disconnect(): Promise<void> {
    for (const stop of this.#stops) stop();
    this.#stops.clear();
  }
  on(type: 'connected' | 'disconnected' | 'error', listener: (value?: unknown) => void): () => void {
    const stop = this.#socket.onState((connected) => {
      if (type === (connected ? 'connected' : 'disconnected')) listener();
    });
    this.#stops.add(stop);
    return stop;
  }
  // biome-ignore lint/suspicious/noExplicitAny: the interface lets its caller name the type of an answer.
  async send<T = any>(method: string, params: unknown[]): Promise<T> {
    return (await this.#socket.send(method, params)) as T;
  }
  async subscribe(
    _type: string,
    method: string,
    params: unknown[],
    onUpdate: (error: Error | null, result: unknown) => void,
  ): Promise<number> {
    if (method === RUNTIME_VERSION) return NO_SUBSCRIPTION;
    const id = await this.#socket.subscribe(method, params, (result) => onUpdate(null, result));
    const unsubscribe = method.replace('_subscribe', '_unsubscribe');
    this.#stops.add(() => void this.#socket.unsubscribe(unsubscribe, id));
    return id;
  }
  async unsubscribe(_type: string, method: string, id: number | string): Promise<boolean> {
    await this.#socket.unsubscribe(method, Number(id));
    return true;
  }
}
