/**
 * One way to talk to the index: pipelines and transactions over `@upstash/redis`, hosted or behind our gateway. Reads
 * are asked twice at most; writes once, since nobody knows whether a lost one ran. Every failure, and every reply that
 * is not what the command can answer, is `IndexUnavailable`: no message carries what was sent. Runs in Node and workerd.
 */
import type { Pipeline } from '@upstash/redis/cloudflare';
import { Redis } from '@upstash/redis/cloudflare';
import { IndexUnavailable } from './ports.ts';

/** A request is given up after this: well under LEASE_MS, so that a lease outlives a request that was given up. */
export const REQUEST_TIMEOUT_MS = 4_000;

export interface ConnectionSettings {
  readonly url: string;
  readonly token: string;
}

type Build = (commands: Pipeline) => unknown;

/** The replies of one request, read in the order of its commands. */
export class Replies {
  readonly #results: readonly { readonly result?: unknown; readonly error?: string | undefined }[];
  #next = 0;

  constructor(results: readonly { result?: unknown; error?: string | undefined }[]) {
    this.#results = results;
  }

  /** The next reply, whatever it is; an error reply rejects. */
  any(): unknown {
    const { result, error } = this.#take();
    if (error) throw new IndexUnavailable(`the index refused a command: ${kindOf(error)}`);
    return result;
  }
  /** The next reply, where an error is an answer too: undefined then. */
  anyOrError(): unknown {
    const { result, error } = this.#take();
    return error ? undefined : result;
  }
  #take(): { readonly result?: unknown; readonly error?: string | undefined } {
    const reply = this.#results[this.#next++];
    if (!reply) throw new IndexUnavailable('the index left a reply out');
    return reply;
  }

  integer(): number {
    const value = this.any();
    return typeof value === 'number' && Number.isSafeInteger(value) ? value : nonsense('an integer');
  }
  integers(count: number): readonly number[] {
    const value = this.any();
    const fits = Array.isArray(value) && value.length === count && value.every((item) => Number.isSafeInteger(item));
    return fits ? value : nonsense('integers');
  }
  textOrNull(): string | null {
    const value = this.any();
    return value === null || typeof value === 'string' ? value : nonsense('text');
  }
  /** Texts, or null for what is not there. */
  textsOrNulls(count?: number): readonly (string | null)[] {
    const value = this.any();
    const fits = Array.isArray(value) && value.every((item) => item === null || typeof item === 'string');
    return fits && (count === undefined || value.length === count) ? value : nonsense('a list');
  }
  texts(): readonly string[] {
    return this.textsOrNulls().map((text) => text ?? nonsense('a list of texts'));
  }
  /** True for OK, false for nil: SET with NX or XX. */
  wasSet(): boolean {
    const value = this.any();
    return value === 'OK' || (value === null ? false : nonsense('OK'));
  }
  skip(count = 1): this {
    for (let i = 0; i < count; i++) this.any();
    return this;
  }
}

export function nonsense(wanted: string): never {
  throw new IndexUnavailable(`the index answered nonsense where ${wanted} belongs`);
}

/** A whole, non-negative number in text, as counters keep it; null is 0. */
export function countOf(text: string | null): number {
  const value = Number(text ?? '0');
  return Number.isSafeInteger(value) && /^-?[0-9]*$/.test(text ?? '') ? Math.max(0, value) : nonsense('a number');
}

/** First word of a Redis error: its kind, which carries nothing of ours. */
const kindOf = (error: string): string => /^[A-Z]+/.exec(error)?.[0] ?? 'unknown error';

export class RedisConnection {
  readonly #redis: Redis;

  constructor({ url, token }: ConnectionSettings) {
    this.#redis = new Redis({
      url,
      token,
      automaticDeserialization: false,
      enableAutoPipelining: false,
      enableTelemetry: false,
      // `false` would still try twice (1.39); a lost write must never be sent again unasked.
      retry: { retries: 0 },
      // fetch's keepalive limits bodies to 64 KiB where it is enforced; connections are reused all the same.
      keepAlive: false,
      signal: () => AbortSignal.timeout(REQUEST_TIMEOUT_MS),
    });
  }

  /** Commands that change nothing, in order; asked again once when the first answer is lost. */
  async read(build: Build): Promise<Replies> {
    try {
      return await this.#send(false, build);
    } catch {
      return this.#send(false, build);
    }
  }

  /** Commands in order, not as one transaction. */
  write(build: Build): Promise<Replies> {
    return this.#send(false, build);
  }

  /** MULTI/EXEC: nothing runs in between, and all of it runs, or nothing. */
  multi(build: Build): Promise<Replies> {
    return this.#send(true, build);
  }

  /** Bytes that the engine says its data takes; undefined where it does not say, or this token may not ask. */
  async usedMemory(): Promise<number | undefined> {
    const text = await this.#redis.exec(['INFO', 'memory']).catch(() => undefined);
    const bytes = Number(/^used_memory:([0-9]{1,15})\r?$/m.exec(String(text))?.[1] ?? Number.NaN);
    return Number.isSafeInteger(bytes) ? bytes : undefined;
  }

  async #send(atomic: boolean, build: Build): Promise<Replies> {
    const commands = atomic ? this.#redis.multi() : this.#redis.pipeline();
    build(commands);
    const count = commands.length();
    let results: readonly { result?: unknown; error?: string | undefined }[];
    try {
      results = await commands.exec({ keepErrors: true });
    } catch (error) {
      throw new IndexUnavailable(`the index cannot be asked: ${reasonOf(error)}`);
    }
    if (results.length !== count) throw new IndexUnavailable('the index left a reply out');
    return new Replies(results);
  }
}

/** What went wrong, without what was sent: the client's own messages repeat whole commands. */
function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  if (error.name === 'UpstashError') return kindOf(error.message);
  if (error.name === 'UpstashJSONParseError') return 'its answer is not JSON';
  return error.name === 'TimeoutError' ? 'it did not answer in time' : error.name;
}
