/**
 * How many shards a file's segments get: (k, n), any k of the n give a segment back. Chosen by the size of the network
 * when a file is stored or re-coded, and recorded with it ("Redundancy and placement", docs/architecture.md). Called by
 * the edge's store flow, the transfer engines, repair and level.
 */
import { type Failure, fail, type Result, succeed } from '#shared/primitives/failure.ts';
import { MAX_SHARDS } from './reed-solomon.ts';

export interface Redundancy {
  readonly k: number;
  readonly n: number;
}

/**
 * n = 2.5 k throughout: it survives the loss of 60 % of the holders, where three full copies cost 3× and die with three
 * given miners. Larger k at the same cost survives more losses that are known to the attacker, and needs more miners:
 * n never exceeds the least number of miners of its row, so that each holds at most one shard of a segment.
 */
const BY_NETWORK_SIZE: readonly (Redundancy & { readonly minMiners: number })[] = [
  { minMiners: 40, k: 16, n: 40 },
  { minMiners: 20, k: 8, n: 20 },
  { minMiners: 10, k: 4, n: 10 },
  { minMiners: 5, k: 2, n: 5 },
];

/** From so many miners on new files get more shards, ascending. */
export const NETWORK_SIZES: readonly number[] = BY_NETWORK_SIZE.map(({ minMiners }) => minMiners).reverse();

/** Whether a network of some size gives larger files this redundancy: then nobody need have asked for it. */
export const isByNetworkSize = ({ k, n }: Redundancy): boolean =>
  k === 1 ? n < Math.min(...NETWORK_SIZES) : BY_NETWORK_SIZE.some((row) => row.k === k && row.n === n);

/** Up to here a file is stored as copies: requests and records cost more than bytes. */
export const SMALL_FILE_BYTES = 16 * 1024;
/** Copies of a small file. */
const SMALL_FILE_COPIES = 5;

/**
 * The redundancy of a new file; undefined when there is no miner at all.
 * @param fileBytes undefined when not known yet (a stream): taken as large
 */
export function redundancyFor(miners: number, fileBytes: number | undefined): Redundancy | undefined {
  if (miners < 1) return undefined;
  if (fileBytes !== undefined && fileBytes <= SMALL_FILE_BYTES) return { k: 1, n: Math.min(miners, SMALL_FILE_COPIES) };
  const row = BY_NETWORK_SIZE.find(({ minMiners }) => miners >= minMiners);
  return row ? { k: row.k, n: row.n } : { k: 1, n: miners };
}

/** ⌈(n − k) / 2⌉: shards beyond k below which repair begins at once. */
export const margin = ({ k, n }: Redundancy): number => Math.ceil((n - k) / 2);

/** Healthy shards below which a segment is repaired at once; and receipts that it takes to be stored. */
export const repairThreshold = (redundancy: Redundancy): number => redundancy.k + margin(redundancy);

/** How many more shards of a segment may be lost before it is; −1 or less when that has happened. */
export const lossesSurvived = (k: number, healthyShards: number): number => healthyShards - k;

export type RedundancyFailure = Failure & {
  readonly code: 'redundancy-invalid' | 'redundancy-unprotected' | 'redundancy-too-wide';
  readonly fault: 'caller';
};

const refuse = (code: RedundancyFailure['code'], message: string) => fail({ code, fault: 'caller' as const, message });

/** What a user asked for, if this network can hold it. */
export function checkRedundancy(asked: Redundancy, miners: number): Result<Redundancy, RedundancyFailure> {
  const { k, n } = asked;
  if (!Number.isInteger(k) || !Number.isInteger(n) || k < 1 || n < k || n > MAX_SHARDS) {
    return refuse('redundancy-invalid', `k and n must be whole numbers with 1 ≤ k ≤ n ≤ ${MAX_SHARDS}`);
  }
  if (n === k && miners > 1) {
    return refuse('redundancy-unprotected', 'n must be greater than k, else one lost miner loses the file');
  }
  if (n > miners) {
    return refuse('redundancy-too-wide', `n may be at most ${miners} now: each miner holds one shard of a segment`);
  }
  return succeed({ k, n });
}
