/**
 * The runtime of now: loaded at connect, loaded anew when the chain upgrades or the node changes. While the chain runs
 * one that this program does not understand, or another chain answers, everything is refused with that reason and the
 * log says it once, in one line.
 */
import { equalBytes } from '#shared/primitives/bytes.ts';
import type { Log } from '#shared/primitives/effects.ts';
import { plainFailure } from '../chain-failure.ts';
import { failureOfError, refuse } from '../rpc-error.ts';
import type { RpcSocket } from '../rpc-socket.ts';
import { loadRuntime, type Runtime } from './runtime.ts';

export class RuntimeKeeper {
  readonly #socket: RpcSocket;
  readonly #timeoutMs: number;
  readonly #log: Log;
  #known: Runtime;
  #current: Promise<Runtime>;
  /** The last load failed because nobody answered: the next question tries again. */
  #retry = false;
  #closed = false;

  private constructor(socket: RpcSocket, timeoutMs: number, log: Log, first: Runtime) {
    this.#socket = socket;
    this.#timeoutMs = timeoutMs;
    this.#log = log;
    this.#known = first;
    this.#current = Promise.resolve(first);
  }

  static async start(socket: RpcSocket, timeoutMs: number, log: Log): Promise<RuntimeKeeper> {
    const keeper = new RuntimeKeeper(socket, timeoutMs, log, await loadRuntime(socket, timeoutMs));
    await socket.subscribe('state_subscribeRuntimeVersion', [], (version) => keeper.#hear(version));
    return keeper;
  }

  get genesisHash(): Uint8Array {
    return this.#known.genesisHash;
  }
  get name(): string {
    return this.#known.name;
  }
  current(): Promise<Runtime> {
    if (this.#retry) this.#load();
    return this.#current;
  }

  /** Comes at every connection too, so that a node of another version or chain is noticed. */
  #hear(version: unknown): void {
    const { specVersion } = (version ?? {}) as { specVersion?: unknown };
    if (!this.#closed && specVersion !== this.#known.specVersion) this.#load();
  }

  #load(): void {
    this.#retry = false;
    this.#current = this.#replace();
    // Whoever asks next gets the reason; here it is only told.
    this.#current.catch((error: unknown) => {
      const { code, message } = failureOfError(error);
      this.#retry = code === 'unreachable';
      if (!this.#closed) this.#log.error('chain-runtime-refused', { reason: message });
    });
  }

  async #replace(): Promise<Runtime> {
    const before = this.#known;
    const next = await loadRuntime(this.#socket, this.#timeoutMs);
    if (!equalBytes(next.genesisHash, before.genesisHash)) {
      await next.close();
      refuse(plainFailure('other-chain', `${this.#socket.endpoint} now serves another chain than before`));
    }
    this.#known = next;
    this.#log.info('chain-runtime-upgraded', { from: before.name, to: next.name });
    await before.close();
    return next;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#known.close();
  }
}
