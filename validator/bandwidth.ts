/** Paces repair's bytes: each taker waits until those before it have had their time. Made by `main.ts`. */
import type { Clock } from '#shared/primitives/effects.ts';
import type { Bandwidth } from './flows/repair-ports.ts';

export function createBandwidth(clock: Clock, bytesPerSecond: number): Bandwidth {
  let freeAtMs = 0;
  return {
    async take(bytes, signal) {
      const nowMs = clock.nowMs();
      const startMs = Math.max(nowMs, freeAtMs);
      freeAtMs = startMs + (1000 * bytes) / bytesPerSecond;
      if (startMs > nowMs) await clock.sleep(startMs - nowMs, signal);
    },
  };
}
