/**
 * JSON-RPC 2.0 over one WebSocket that heals: it reconnects with growing pauses, sends reads again that were under way,
 * renews subscriptions, paces requests, and takes a node that leaves a request unanswered for dead. The Substrate
 * adapter (through `polkadot-provider.ts`) and light readers share it. Substrate's dialect: a subscription's
 * notifications carry `params: {subscription, result}`.
 */
import type { Clock } from '#shared/primitives/effects.ts';
import { RpcError, RpcUnreachable } from './rpc-error.ts';
import { parseRpcMessage } from './rpc-message.ts';
import { Allowance, type RpcPace } from './rpc-pace.ts';

const DEFAULT_TIMEOUT_MS = 30_000;
const FIRST_PAUSE_MS = 100;
const MAX_PAUSE_MS = 15_000;
const SWEEP_MS = 500;
/** What a node is given that complains about too many requests. */
const REST_MS = 5_000;
const TOO_MANY = /too many (requests|calls)|rate limit/i;
/** Never sent twice: the first may have arrived. */
const NOT_REPEATABLE = /^author_/;

interface Request {
  readonly id: number;
  readonly method: string;
  readonly body: string;
  readonly deadlineMs: number;
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
}

interface Subscription {
  readonly method: string;
  readonly params: readonly unknown[];
  readonly onUpdate: (result: unknown) => void;
  /** Called instead of renewing when the connection is lost. */
  readonly onLost: (() => void) | undefined;
  remote: string | number | undefined;
}

export interface RpcSocketOptions {
  readonly endpoint: string;
  readonly clock: Clock;
  readonly pace: RpcPace;
  /** Default: the runtime's own WebSocket. */
  readonly openSocket?: (endpoint: string) => WebSocket;
  readonly timeoutMs?: number;
}

export class RpcSocket {
  readonly endpoint: string;
  readonly #options: RpcSocketOptions;
  readonly #allowance: Allowance;
  readonly #closed = new AbortController();
  readonly #listeners = new Set<(connected: boolean) => void>();
  readonly #sent = new Map<number, Request>();
  readonly #subscriptions = new Map<number, Subscription>();
  #queue: Request[] = [];
  #socket: WebSocket | undefined;
  #connected = false;
  #nextId = 1;
  #heardMs = 0;
  #pumping = false;
  #requests = 0;

  constructor(options: RpcSocketOptions) {
    this.endpoint = options.endpoint;
    this.#options = options;
    this.#allowance = new Allowance(options.pace, options.clock.nowMs());
    void this.#run();
    void this.#sweep();
  }

  get connected(): boolean {
    return this.#connected;
  }
  /** Requests sent so far. */
  get requests(): number {
    return this.#requests;
  }

  /** Hears of every connection made (true) and lost (false); returns how to stop. */
  onState(listener: (connected: boolean) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Waits for a connection if there is none. Rejects with RpcError or RpcUnreachable. */
  send(method: string, params: readonly unknown[]): Promise<unknown> {
    return new Promise((resolve, reject) => this.#enqueue(method, params, resolve, reject));
  }

  /**
   * @param onLost given: the subscription ends with the connection; absent: it is renewed at the next one
   * @returns its number here, which outlives reconnections
   */
  subscribe(
    method: string,
    params: readonly unknown[],
    onUpdate: (result: unknown) => void,
    onLost?: () => void,
  ): Promise<number> {
    const key = this.#nextId++;
    const subscription: Subscription = { method, params, onUpdate, onLost, remote: undefined };
    return new Promise((resolve, reject) => {
      this.#enqueue(
        method,
        params,
        (remote) => {
          this.#subscriptions.set(key, subscription);
          subscription.remote = remote as string | number;
          resolve(key);
        },
        reject,
      );
    });
  }

  async unsubscribe(method: string, key: number): Promise<void> {
    const remote = this.#subscriptions.get(key)?.remote;
    this.#subscriptions.delete(key);
    if (remote === undefined || !this.#connected) return;
    // The answer matters to nobody: a notification that still comes finds no subscription.
    await this.send(method, [remote]).catch(() => undefined);
  }

  /** Drops the connection as a network would; a new one is made. For operators and tests. */
  reconnect(): void {
    this.#socket?.close();
  }

  close(): void {
    if (this.#closed.signal.aborted) return;
    this.#closed.abort(new RpcUnreachable('closed'));
    this.#subscriptions.clear();
    this.#socket?.close();
    for (const request of [...this.#sent.values(), ...this.#queue]) request.reject(new RpcUnreachable('closed'));
    this.#sent.clear();
    this.#queue = [];
  }

  #enqueue(
    method: string,
    params: readonly unknown[],
    resolve: (result: unknown) => void,
    reject: (error: Error) => void,
  ): void {
    if (this.#closed.signal.aborted) {
      reject(new RpcUnreachable('closed'));
      return;
    }
    const id = this.#nextId++;
    const body = JSON.stringify({ jsonrpc: '2.0', id, method, params });
    const deadlineMs = this.#options.clock.nowMs() + (this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS);
    this.#queue.push({ id, method, body, deadlineMs, resolve, reject });
    void this.#pump();
  }

  async #pump(): Promise<void> {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#connected && this.#queue.length > 0) {
        const waitMs = this.#allowance.take(this.#options.clock.nowMs());
        if (waitMs > 0) {
          await this.#options.clock.sleep(waitMs, this.#closed.signal);
          continue;
        }
        const request = this.#queue.shift();
        if (!request) break;
        this.#sent.set(request.id, request);
        this.#requests++;
        this.#socket?.send(request.body);
      }
    } catch (error) {
      // Only close() ends the sleep.
      if (!this.#closed.signal.aborted) throw error;
    } finally {
      this.#pumping = false;
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#closed;
    let pauseMs = FIRST_PAUSE_MS;
    while (!signal.aborted) {
      if (await this.#connectOnce()) pauseMs = FIRST_PAUSE_MS;
      if (signal.aborted) return;
      await this.#options.clock.sleep(pauseMs, signal).catch(() => undefined);
      pauseMs = Math.min(2 * pauseMs, MAX_PAUSE_MS);
    }
  }

  /** Resolves when the connection has ended: true when there was one. */
  #connectOnce(): Promise<boolean> {
    return new Promise((resolve) => {
      const socket = this.#options.openSocket?.(this.endpoint) ?? new WebSocket(this.endpoint);
      let opened = false;
      this.#socket = socket;
      socket.onopen = () => {
        opened = true;
        this.#connected = true;
        this.#heardMs = this.#options.clock.nowMs();
        this.#renewSubscriptions();
        void this.#pump();
        this.#tell(true);
      };
      socket.onmessage = ({ data }) => this.#receive(data);
      socket.onclose = () => {
        socket.onmessage = null;
        socket.onclose = null;
        this.#socket = undefined;
        this.#connected = false;
        if (opened) this.#afterLoss();
        resolve(opened);
      };
    });
  }

  #tell(connected: boolean): void {
    for (const listener of [...this.#listeners]) listener(connected);
  }

  #renewSubscriptions(): void {
    for (const subscription of this.#subscriptions.values()) {
      subscription.remote = undefined;
      const set = (remote: unknown) => {
        subscription.remote = remote as string | number;
      };
      // A refusal here leaves it silent until the next connection; whoever watches heads asks on its own (heads.ts).
      this.#enqueue(subscription.method, subscription.params, set, () => undefined);
    }
  }

  #afterLoss(): void {
    const again: Request[] = [];
    for (const request of this.#sent.values()) {
      if (NOT_REPEATABLE.test(request.method)) request.reject(new RpcUnreachable('the connection was lost'));
      else again.push(request);
    }
    this.#sent.clear();
    this.#queue = [...again, ...this.#queue];
    for (const [key, { onLost }] of [...this.#subscriptions]) {
      if (!onLost) continue;
      this.#subscriptions.delete(key);
      onLost();
    }
    this.#tell(false);
  }

  #receive(data: unknown): void {
    this.#heardMs = this.#options.clock.nowMs();
    const message = typeof data === 'string' ? parseRpcMessage(data) : undefined;
    if (!message) {
      this.#socket?.close();
      return;
    }
    if (typeof message.method === 'string') {
      for (const { remote, onUpdate } of this.#subscriptions.values()) {
        if (remote !== undefined && remote === message.params?.subscription) onUpdate(message.params.result);
      }
      return;
    }
    const request = typeof message.id === 'number' ? this.#sent.get(message.id) : undefined;
    if (!request) return;
    this.#sent.delete(request.id);
    const { error } = message;
    if (!error) {
      request.resolve(message.result ?? null);
      return;
    }
    if (TOO_MANY.test(error.message) && !NOT_REPEATABLE.test(request.method)) {
      this.#allowance.rest(this.#heardMs, REST_MS);
      this.#queue.unshift(request);
      void this.#pump();
      return;
    }
    request.reject(new RpcError(request.method, error.code, error.message, error.data));
  }

  /** Gives up requests past their time; a node that was silent all that while is taken for dead. */
  async #sweep(): Promise<void> {
    const { signal } = this.#closed;
    while (!signal.aborted) {
      await this.#options.clock.sleep(SWEEP_MS, signal).catch(() => undefined);
      const nowMs = this.#options.clock.nowMs();
      const timeoutMs = this.#options.timeoutMs ?? DEFAULT_TIMEOUT_MS;
      const late = (request: Request) => request.deadlineMs <= nowMs;
      const overdue = [...this.#sent.values(), ...this.#queue].filter(late);
      if (overdue.length === 0) continue;
      for (const { id } of overdue) this.#sent.delete(id);
      this.#queue = this.#queue.filter((request) => !late(request));
      for (const { method, reject } of overdue) {
        reject(new RpcUnreachable(`${this.endpoint} did not answer ${method} within ${timeoutMs / 1000} s`));
      }
      if (this.#connected && nowMs - this.#heardMs >= timeoutMs) this.#socket?.close();
    }
  }
}
