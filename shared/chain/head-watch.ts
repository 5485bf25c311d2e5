/**
 * The newest and the newest finalized block of a node, from its two head subscriptions, so that asking costs nothing.
 * A subscription that went silent is noticed: after a while the node is asked directly.
 */
import type { Clock } from '#shared/primitives/effects.ts';
import { plainFailure } from './chain-failure.ts';
import type { HeadSource } from './follow-heads.ts';
import { bytesOfHex, type Header, parseHeader } from './header.ts';
import { RpcError, RpcUnreachable, refuse } from './rpc-error.ts';
import type { RpcSocket } from './rpc-socket.ts';

/** Two and a half blocks of Bittensor. */
const SILENT_MS = 30_000;

type Kind = 'best' | 'finalized';

interface Watched {
  header: Header;
  heardMs: number;
}

export class HeadWatch implements HeadSource {
  readonly #socket: RpcSocket;
  readonly #clock: Clock;
  readonly #newest: Record<Kind, Watched | undefined> = { best: undefined, finalized: undefined };
  readonly #waiting = new Set<() => void>();
  readonly #subscriptions: (readonly [unsubscribe: string, key: number])[] = [];

  constructor(socket: RpcSocket, clock: Clock) {
    this.#socket = socket;
    this.#clock = clock;
  }

  /** Resolves when both heads are known. */
  async start(): Promise<void> {
    await this.#subscribe('chain_subscribeNewHeads', 'chain_unsubscribeNewHeads', 'best');
    await this.#subscribe('chain_subscribeFinalizedHeads', 'chain_unsubscribeFinalizedHeads', 'finalized');
    await Promise.all([this.newest('best'), this.newest('finalized')]);
  }

  async stop(): Promise<void> {
    for (const [method, key] of this.#subscriptions) await this.#socket.unsubscribe(method, key);
  }

  async #subscribe(method: string, unsubscribe: string, kind: Kind): Promise<void> {
    const key = await this.#socket.subscribe(method, [], (json) => {
      const header = parseHeader(json);
      if (header) this.#hear(kind, header);
    });
    this.#subscriptions.push([unsubscribe, key]);
  }

  #hear(kind: Kind, header: Header): void {
    const before = this.#newest[kind];
    // Finality never goes back; after a reconnection another node may lag behind the one before.
    if (kind === 'finalized' && before && before.header.number > header.number) return;
    this.#newest[kind] = { header, heardMs: this.#clock.nowMs() };
    for (const wake of [...this.#waiting]) wake();
  }

  /** From the subscription while that is alive, else from the node. */
  async newest(kind: Kind): Promise<Header> {
    const known = this.#newest[kind];
    if (known && this.#socket.connected && this.#clock.nowMs() - known.heardMs < SILENT_MS) return known.header;
    return this.#ask(kind);
  }

  async #ask(kind: Kind): Promise<Header> {
    const hash = kind === 'finalized' ? await this.#socket.send('chain_getFinalizedHead', []) : undefined;
    const json = await this.#socket.send('chain_getHeader', hash === undefined ? [] : [hash]);
    const header = parseHeader(json);
    if (!header) return refuse(plainFailure('node-refused', 'the node sent a block header that cannot be read'));
    this.#hear(kind, header);
    return this.#newest[kind]?.header ?? header;
  }

  async newerThan(number: number, signal: AbortSignal | undefined): Promise<Header | undefined> {
    while (!signal?.aborted) {
      const header = this.#newest.finalized?.header;
      if (header && header.number > number) return header;
      if (await this.#wake(signal)) continue;
      try {
        await this.#ask('finalized');
      } catch (error) {
        if (!(error instanceof RpcUnreachable || error instanceof RpcError)) throw error;
        await this.#clock.sleep(SILENT_MS / 10, signal).catch(() => undefined);
      }
    }
    return undefined;
  }

  /** True when something was heard, false after a long silence or at the signal. */
  async #wake(signal: AbortSignal | undefined): Promise<boolean> {
    const stop = new AbortController();
    const ended = () => stop.abort();
    signal?.addEventListener('abort', ended, { once: true });
    let heard = false;
    const wake = () => {
      heard = true;
      stop.abort();
    };
    this.#waiting.add(wake);
    // Aborted: something was heard, or the wait is over.
    await this.#clock.sleep(SILENT_MS, stop.signal).catch(() => undefined);
    this.#waiting.delete(wake);
    signal?.removeEventListener('abort', ended);
    return heard;
  }

  async hashes(from: number, to: number): Promise<readonly Uint8Array[]> {
    const numbers = Array.from({ length: to - from + 1 }, (_, i) => from + i);
    // Substrate takes a list here and answers with one; a node that does not is asked one by one.
    const answer = await this.#socket.send('chain_getBlockHash', [numbers]).catch((error: unknown) => {
      if (error instanceof RpcError) return undefined;
      throw error;
    });
    const list = Array.isArray(answer)
      ? answer
      : await Promise.all(numbers.map((number) => this.#socket.send('chain_getBlockHash', [number])));
    return list.map(
      (text) => bytesOfHex(text, 32) ?? refuse(plainFailure('block-unknown', 'the node has no such block')),
    );
  }
}
