/** The effects of this world, handed to code as arguments, so that a test decides what time it is. */

/** Milliseconds since the Unix epoch, and a wait that an abort signal ends early (it then rejects). */
export interface Clock {
  nowMs(): number;
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
}

/** Cryptographically strong random bytes. */
export type Random = (bytes: number) => Uint8Array;

/** Structured log lines: an event name and its fields. Secrets never go in. */
export interface Log {
  debug(event: string, fields?: Readonly<Record<string, unknown>>): void;
  info(event: string, fields?: Readonly<Record<string, unknown>>): void;
  warn(event: string, fields?: Readonly<Record<string, unknown>>): void;
  error(event: string, fields?: Readonly<Record<string, unknown>>): void;
}

export const systemRandom: Random = (bytes) => crypto.getRandomValues(new Uint8Array(bytes));

export const systemClock: Clock = {
  nowMs: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const stop = () => {
        clearTimeout(timer);
        reject(signal?.reason);
      };
      const timer = setTimeout(() => {
        signal?.removeEventListener('abort', stop);
        resolve();
      }, ms);
      signal?.addEventListener('abort', stop, { once: true });
    }),
};

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
