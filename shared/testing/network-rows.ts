/** Snapshots and states of a made-up network, for tests of what keeps and serves them. */
import type { MinerDetail, MinerNow, MinerRow, NetworkNow, NetworkSnapshot } from '#shared/index/network-ports.ts';
import { type Hotkey, hotkeyOf } from '#shared/primitives/ids.ts';

export const minerKey = (number: number): Hotkey =>
  hotkeyOf(Uint8Array.from({ length: 32 }, (_, i) => (i === 0 ? number % 256 : Math.floor(number / 256))));

const tried = (attempts: number) => ({ attempts, successes: Math.floor(attempts / 2) });

export const newMinerRow = (number: number): MinerRow => ({
  hotkey: minerKey(number),
  incentive: number,
  emission: 1_000_000_000 + number,
  tier: 'Bronze',
  storedBytes: 1000 * number,
  shards: number,
  capacityBytes: 2 ** 40,
  totalSuccesses: 3 * number,
  counts: { store: tried(number), challenge: tried(2 * number), retrieve: tried(3 * number) },
});

const sums = { capacityBytes: 2 ** 41, storedBytes: 2 ** 21, attempts: 10, successes: 9, totalSuccesses: 99 };

export const newSnapshot = (takenAtMs: number, miners: number): NetworkSnapshot => ({
  takenAtMs,
  network: { ...sums, emission: 12_345, indexBytes: miners % 2 ? null : 3 * 2 ** 20 },
  tiers: ['Silver', 'Bronze'].map((tier) => ({ tier, miners, ...sums })),
  miners: Array.from({ length: miners }, (_, number) => newMinerRow(number)),
});

export const newMinerNow = (number: number): MinerNow => ({
  ...{ hotkey: minerKey(number), coldkey: minerKey(number + 1), uid: number % 3 ? number : null, tier: 'Bronze' },
  ...{ score: 0.75, reward: 0.25 - 0.001 * number, weight: 65_535, storedBytes: 1, shards: number, freeBytes: 5 },
  ...{ capacityBytes: 7, limitBytes: 10 * 2 ** 40, accepting: number % 2 === 0, totalSuccesses: number, strikes: 0 },
  window: newMinerRow(number).counts,
});

export const newNow = (takenAtMs: number, miners: number): NetworkNow => ({
  ...{ takenAtMs, block: 100, window: { number: 3, blocks: 60 }, miners, accepting: miners },
  network: newSnapshot(takenAtMs, miners).network,
  tiers: newSnapshot(takenAtMs, miners).tiers,
  weights: miners % 2 ? null : { atMs: takenAtMs, block: 90, step: 'set', reason: 'tempo' },
});

export const newDetail = (takenAtMs: number, number: number): MinerDetail => ({
  takenAtMs,
  miner: newMinerNow(number),
  sinceMs: number % 2 ? null : takenAtMs - 1000,
  totalStrikes: 1,
  lastWindow: number % 2 ? null : { attempts: 3, successes: 2, window: 2, score: 0.6 },
  explanation: ['Tier Bronze, the lowest.', 'ü\n"\\'],
  events: Array.from({ length: number }, (_, n) => ({
    ...{ atMs: takenAtMs - n, block: n % 2 ? n : null, cause: 'challenge', ending: n % 2 ? 'passed' : null },
    ...{ reason: 'passed', evidence: `round:${n}`, earned: 0.6 },
    ...{ score: [0.5, 0.8], tier: ['Bronze', 'Bronze'], reward: [0, 0.03] },
  })),
});
