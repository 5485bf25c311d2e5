/**
 * Rows of the network's series in the shape of the original's indexer: upper-case names, whole MiB, UTC without a zone.
 * Its oddities of scale are kept (a miner's usage is 0 to 1, a tier's 0 to 100); its index size and total emission are
 * what they say here. Pure; `indexer-routes.ts` serves them.
 */
import type { z } from 'zod';
import type { MinerStatistics, NetworkData, TiersData } from '#shared/api/network-schemas.ts';
import type { Dated, MinerRow, NetworkRow, TierRow } from '#shared/index/network-ports.ts';

const MIB = 2 ** 20;
const mebibytes = (bytes: number): number => Math.floor(bytes / MIB);
const share = (part: number, whole: number): number => (whole > 0 ? part / whole : 0);

/** `2026-11-22 21:05:00`. */
export const stampOf = (ms: number): string => new Date(ms).toISOString().slice(0, 19).replace('T', ' ');

export const minerStatistics = (row: Dated<MinerRow>): z.output<typeof MinerStatistics>[number] => ({
  TIMESTAMP: stampOf(row.takenAtMs),
  HOTKEY: row.hotkey,
  INCENTIVE: row.incentive,
  EMISSION: row.emission,
  TIER: row.tier,
  CURRENT_STORAGE: mebibytes(row.storedBytes),
  CAPACITY: mebibytes(row.capacityBytes),
  PERCENT_USAGE: share(row.storedBytes, row.capacityBytes),
  NUM_HASHES: row.shards,
  TOTAL_SUCCESSES: row.totalSuccesses,
  STORE_SUCCESSES: row.counts.store.successes,
  STORE_ATTEMPTS: row.counts.store.attempts,
  CHALLENGE_SUCCESSES: row.counts.challenge.successes,
  CHALLENGE_ATTEMPTS: row.counts.challenge.attempts,
  RETRIEVE_SUCCESSES: row.counts.retrieve.successes,
  RETRIEVE_ATTEMPTS: row.counts.retrieve.attempts,
});

export const tierStatistics = (row: Dated<TierRow>): z.output<typeof TiersData>[number] => ({
  TIMESTAMP: stampOf(row.takenAtMs),
  TIER: row.tier,
  COUNTS: row.miners,
  CAPACITY: mebibytes(row.capacityBytes),
  CURRENT_STORAGE: mebibytes(row.storedBytes),
  PERCENT_USAGE: 100 * share(row.storedBytes, row.capacityBytes),
  CURRENT_ATTEMPTS: row.attempts,
  CURRENT_SUCCESSES: row.successes,
  GLOBAL_SUCCESS_RATE: share(row.successes, row.attempts),
  TOTAL_GLOBAL_SUCCESSES: row.totalSuccesses,
});

export const networkStatistics = (row: Dated<NetworkRow>): z.output<typeof NetworkData>[number] => ({
  TIMESTAMP: stampOf(row.takenAtMs),
  CURRENT_STORAGE: mebibytes(row.storedBytes),
  NETWORK_CAPACITY: mebibytes(row.capacityBytes),
  TOTAL_SUCCESSFUL_REQUESTS: row.totalSuccesses,
  REDIS_INDEX_SIZE_MB: Math.ceil((row.indexBytes ?? 0) / MIB),
  GLOBAL_CURRENT_ATTEMPTS: row.attempts,
  GLOBAL_CURRENT_SUCCESSES: row.successes,
  GLOBAL_CURRENT_SUCCESS_RATE: share(row.successes, row.attempts),
  TOTAL_EMISSION: row.emission,
});
