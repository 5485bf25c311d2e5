/**
 * Time that passes only when nothing else can happen: sleeps end one after the other, in the order of their deadlines,
 * as soon as all that was going on waits for one of them. What a test measures with it is what was decided, and not how
 * busy the machine is. Work outside the event loop (WebCrypto) is seen by counting it.
 */
import { vi } from 'vitest';
import type { Clock } from '#shared/primitives/effects.ts';

interface Sleeper {
  readonly atMs: number;
  readonly wake: () => void;
}

export interface SimulatedClock {
  readonly clock: Clock;
  /** What `work` comes to, and how long it took in simulated time. Work that waits for nothing rejects. */
  run<T>(work: Promise<T>): Promise<{ readonly value: T; readonly ms: number }>;
}

const SUBTLE = ['encrypt', 'decrypt', 'importKey', 'digest', 'sign', 'verify', 'deriveBits', 'deriveKey'] as const;
/** Turns of the event loop without any news: a promise that was resolved has been heard of by then. */
const CALM_TURNS = 3;

/** Counts the calls of WebCrypto that are under way, until the test's mocks are restored. */
export function watchCrypto(): () => number {
  let open = 0;
  for (const name of SUBTLE) {
    const real = crypto.subtle[name].bind(crypto.subtle) as (...args: unknown[]) => Promise<never>;
    vi.spyOn(crypto.subtle, name).mockImplementation((...args: unknown[]) => {
      open++;
      return real(...args).finally(() => {
        open--;
      });
    });
  }
  return () => open;
}

/** @param open how much is under way outside the event loop */
export function createSimulatedClock(open: () => number): SimulatedClock {
  let nowMs = 1e12;
  const sleepers = new Set<Sleeper>();

  const sleep = (ms: number, signal?: AbortSignal): Promise<void> =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      const stop = () => {
        sleepers.delete(sleeper);
        reject(signal?.reason);
      };
      const wake = () => {
        sleepers.delete(sleeper);
        signal?.removeEventListener('abort', stop);
        resolve();
      };
      const sleeper: Sleeper = { atMs: nowMs + Math.max(0, ms), wake };
      sleepers.add(sleeper);
      signal?.addEventListener('abort', stop, { once: true });
    });

  async function calm(): Promise<void> {
    for (let turns = 0; turns < CALM_TURNS; turns = open() === 0 ? turns + 1 : 0) {
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  return {
    clock: { nowMs: () => nowMs, sleep },
    async run(work) {
      const startedMs = nowMs;
      let done = false;
      const watched = work.finally(() => {
        done = true;
      });
      watched.catch(() => undefined);
      for (;;) {
        await calm();
        if (done) return { value: await watched, ms: nowMs - startedMs };
        const [first] = [...sleepers].sort((a, b) => a.atMs - b.atMs);
        if (!first) throw new Error('nothing is under way, and nothing sleeps');
        nowMs = Math.max(nowMs, first.atMs);
        first.wake();
      }
    },
  };
}
