/**
 * What this isolate or process has seen of each miner lately: how long a request takes to begin, how long each byte
 * takes, and how often it failed. Advisory and forgetful: bounded in number, failures fade with time, an unknown miner
 * looks good enough to be tried. Placement and retrieval ask it whom to prefer; nothing here ever scores a miner.
 */
import type { Clock } from '#shared/primitives/effects.ts';
import type { MinerNumber } from '#shared/primitives/ids.ts';
import type { Latencies } from './ports.ts';

/** Beyond the 256 miners that a subnet has; the least recently noted is forgotten first. */
const MAX_ENTRIES = 1024;
/** Sizes are counted in shards of (16, 40). */
const UNIT_BYTES = 256 * 1024;
/** An unknown miner is taken for a good one: 50 ms away, 50 MB/s. */
const PRIOR_START_MS = 50;
const PRIOR_UNIT_MS = 5;
/** Weight of the newest sample. */
const GAIN = 0.3;
/** What a fresh failure adds to a miner's expected time: about what it costs to notice one. */
const FAILURE_MS = 4000;
const MAX_FAILURES = 4;
/** After this long half of a failure is forgiven, so that a miner that came back is tried again. */
const FAILURE_HALF_LIFE_MS = 30_000;
/** With so much of a failure unforgiven a miner's own times excuse nothing. */
const FAILED = 0.25;
/** After this long without a look half of what was seen is forgotten: who was slow once is not out for ever. */
const SEEN_HALF_LIFE_MS = 10 * 60_000;

interface Entry {
  startMs: number;
  unitMs: number;
  failures: number;
  failedAtMs: number;
  seenAtMs: number;
}

const NEVER = { failures: 0, failedAtMs: 0, seenAtMs: 0 };

export function createLatencies(clock: Clock): Latencies {
  const entries = new Map<string, Entry>();
  const keyOf = (miner: MinerNumber, kind: string) => `${kind}${miner}`;
  const fadedFailures = (entry: Entry) =>
    entry.failures * 0.5 ** (Math.max(0, clock.nowMs() - entry.failedAtMs) / FAILURE_HALF_LIFE_MS);

  function touch(key: string): Entry {
    const entry = entries.get(key) ?? { startMs: PRIOR_START_MS, unitMs: PRIOR_UNIT_MS, ...NEVER };
    entries.delete(key);
    entries.set(key, entry);
    for (const oldest of entries.keys()) {
      if (entries.size <= MAX_ENTRIES) break;
      entries.delete(oldest);
    }
    return entry;
  }

  return {
    note(miner, kind, ms, bytes) {
      const entry = touch(keyOf(miner, kind));
      if (ms === undefined) {
        entry.failures = Math.min(MAX_FAILURES, fadedFailures(entry) + 1);
        entry.failedAtMs = clock.nowMs();
        return;
      }
      entry.seenAtMs = clock.nowMs();
      // Normalised least mean squares on ms ≈ start + unit · size: an exponential average with two unknowns.
      const size = bytes / UNIT_BYTES;
      const step = (GAIN * (ms - (entry.startMs + entry.unitMs * size))) / (1 + size * size);
      entry.startMs = Math.max(0, entry.startMs + step);
      entry.unitMs = Math.max(0, entry.unitMs + step * size);
      entry.failures = fadedFailures(entry) / 2;
      entry.failedAtMs = clock.nowMs();
    },
    seenMs(miner, kind, bytes) {
      const entry = entries.get(keyOf(miner, kind));
      if (!entry || entry.seenAtMs === 0 || fadedFailures(entry) >= FAILED) return undefined;
      return entry.startMs + (entry.unitMs * bytes) / UNIT_BYTES;
    },
    expectedMs(miner, kind, bytes) {
      const entry = entries.get(keyOf(miner, kind));
      const priorMs = PRIOR_START_MS + (PRIOR_UNIT_MS * bytes) / UNIT_BYTES;
      if (!entry) return priorMs;
      const seenMs = entry.startMs + (entry.unitMs * bytes) / UNIT_BYTES;
      const kept = 0.5 ** (Math.max(0, clock.nowMs() - entry.seenAtMs) / SEEN_HALF_LIFE_MS);
      return priorMs + kept * (seenMs - priorMs) + fadedFailures(entry) * FAILURE_MS;
    },
  };
}
