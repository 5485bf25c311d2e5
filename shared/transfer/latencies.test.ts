import { describe, expect, it } from 'vitest';
import { type Clock, systemClock } from '#shared/primitives/effects.ts';
import type { MinerNumber } from '#shared/primitives/ids.ts';
import { createLatencies } from './latencies.ts';

const KIB = 1024;
const one = 1 as MinerNumber;

describe('latencies', () => {
  it('learns the round trip and the bandwidth of a miner', () => {
    const latencies = createLatencies(systemClock);
    for (let i = 0; i < 200; i++) {
      const bytes = i % 2 ? 256 * KIB : 1024 * KIB;
      latencies.note(one, 'store', 120 + (20 * bytes) / (256 * KIB), bytes);
    }
    expect(latencies.expectedMs(one, 'store', 256 * KIB)).toBeCloseTo(140, 0);
    expect(latencies.expectedMs(one, 'store', 512 * KIB)).toBeCloseTo(160, 0);
    expect(latencies.expectedMs(one, 'fetch', 0)).toBe(50);
  });

  it('prices failures in and forgives them with time', () => {
    let nowMs = 0;
    const clock: Clock = { ...systemClock, nowMs: () => nowMs };
    const latencies = createLatencies(clock);
    const good = latencies.expectedMs(one, 'fetch', 0);
    latencies.note(one, 'fetch', undefined, 0);
    const once = latencies.expectedMs(one, 'fetch', 0);
    for (let i = 0; i < 100; i++) latencies.note(one, 'fetch', undefined, 0);
    const often = latencies.expectedMs(one, 'fetch', 0);
    expect(once).toBeGreaterThan(good + 1000);
    expect(often).toBeGreaterThan(once);
    nowMs += 10 * 60_000;
    expect(latencies.expectedMs(one, 'fetch', 0)).toBeLessThan(good + 1);
  });

  it('remembers a bounded number of miners, the latest ones', () => {
    const latencies = createLatencies(systemClock);
    for (let i = 0; i < 3000; i++) latencies.note(i as MinerNumber, 'store', 1000, 0);
    expect(latencies.expectedMs(0 as MinerNumber, 'store', 0)).toBe(50);
    expect(latencies.expectedMs(2999 as MinerNumber, 'store', 0)).toBeGreaterThan(50);
  });
});
