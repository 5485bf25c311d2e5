import { describe, expect, it } from 'vitest';
import { placeShards } from '#shared/placement/place-shards.ts';
import { type Clock, systemClock, systemRandom } from '#shared/primitives/effects.ts';
import type { MinerNumber } from '#shared/primitives/ids.ts';
import { createLatencies } from './latencies.ts';

const KIB = 1024;
const one = 1 as MinerNumber;

/** A clock that a test sets. */
function standingClock(): { clock: Clock; pass(ms: number): void } {
  let nowMs = 1e12;
  return {
    clock: { ...systemClock, nowMs: () => nowMs },
    pass: (ms) => {
      nowMs += ms;
    },
  };
}

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

  it('gives who was slow another chance after a while', () => {
    const { clock, pass } = standingClock();
    const latencies = createLatencies(clock);
    for (let i = 0; i < 20; i++) latencies.note(one, 'store', 3000, 0);
    expect(latencies.expectedMs(one, 'store', 0)).toBeGreaterThan(2900);
    pass(3600_000);
    expect(latencies.expectedMs(one, 'store', 0)).toBeLessThan(150);
  });
});

describe('placement by latencies', () => {
  const peers = Array.from({ length: 30 }, (_, i) => ({
    number: i as MinerNumber,
    groups: [`owner ${i}`, `network ${i}`],
    freeBytes: 1e12,
    accepting: true,
  }));
  /** How often of 1000 segments each miner was chosen for one of ten shards. */
  function shares(msOf: (number: number) => number | undefined): readonly number[] {
    const latencies = createLatencies(standingClock().clock);
    const chosen = new Array<number>(peers.length).fill(0);
    for (let i = 0; i < 20; i++) {
      for (const { number } of peers) {
        const ms = msOf(number);
        if (ms !== undefined) latencies.note(number, 'store', ms, 0);
      }
    }
    const expectedMs = ({ number }: { number: MinerNumber }) => latencies.expectedMs(number, 'store', 0);
    const request = { candidates: peers, count: 10, shardBytes: 1, groupLimit: 3, expectedMs, random: systemRandom };
    for (let i = 0; i < 1000; i++)
      for (const { number } of placeShards(request).miners) chosen[number] = (chosen[number] ?? 0) + 1;
    return chosen;
  }
  const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

  it('prefers the quickest miners', () => {
    const chosen = shares((number) => (number < 15 ? 20 : 300));
    expect(mean(chosen.slice(0, 15))).toBeGreaterThan(600);
    expect(mean(chosen.slice(15))).toBeLessThan(60);
  });

  it.each([10, 50, 300])('tries new ones beside miners of %d ms', (ms) => {
    const chosen = shares((number) => (number < 27 ? ms : undefined));
    // A fair share would be 333.
    for (const count of chosen.slice(27)) expect(count).toBeGreaterThan(20);
  });
});
