/**
 * What the network looks like and looked like, as the validator writes it into the index and edges serve it: snapshots
 * in bounded series, and the state of now with each miner's reasons. The cost of every call depends on miners and on
 * what is asked for, never on files. An edge may only read. One suite (`shared/testing/network-suite.ts`) holds for
 * every adapter; like all of the index, methods reject with `IndexUnavailable`.
 */
import type { Hotkey } from '#shared/primitives/ids.ts';

export interface Attempts {
  readonly attempts: number;
  readonly successes: number;
}

/** Answers of the open window of statistics. */
export interface WindowCounts {
  readonly store: Attempts;
  readonly challenge: Attempts;
  readonly retrieve: Attempts;
}

/** One miner in one snapshot. */
export interface MinerRow {
  readonly hotkey: Hotkey;
  /** Share of the miners' emission, 0 to 65,535. */
  readonly incentive: number;
  /** Billionths of the subnet's token, per tempo. */
  readonly emission: number;
  readonly tier: string;
  /** What it owes this validator. */
  readonly storedBytes: number;
  readonly shards: number;
  /** What it may owe at most: the smaller of its tier's limit and its own room. */
  readonly capacityBytes: number;
  readonly totalSuccesses: number;
  readonly counts: WindowCounts;
}

export interface TierRow {
  readonly tier: string;
  readonly miners: number;
  readonly capacityBytes: number;
  readonly storedBytes: number;
  /** Of the open window. */
  readonly attempts: number;
  readonly successes: number;
  /** Of the lifetimes. */
  readonly totalSuccesses: number;
}

export interface NetworkRow {
  readonly capacityBytes: number;
  readonly storedBytes: number;
  readonly attempts: number;
  readonly successes: number;
  readonly totalSuccesses: number;
  readonly emission: number;
  /** Memory that the index takes; null where it does not say. */
  readonly indexBytes: number | null;
}

export interface NetworkSnapshot {
  readonly takenAtMs: number;
  readonly network: NetworkRow;
  /** Highest tier first. */
  readonly tiers: readonly TierRow[];
  readonly miners: readonly MinerRow[];
}

/** Which rows of a series: newest first, both ends included. */
export interface Span {
  readonly fromMs: number;
  readonly toMs: number;
  readonly offset: number;
  readonly limit: number;
}

export type Dated<Row> = Row & { readonly takenAtMs: number };

/** A miner as it is now. */
export interface MinerNow {
  readonly hotkey: Hotkey;
  readonly coldkey: string;
  /** Null when the metagraph has no such hotkey (any more). */
  readonly uid: number | null;
  readonly tier: string;
  /** Of the open window: 0.5 while nothing was asked in it. */
  readonly score: number;
  /** Moving average of rewards. */
  readonly reward: number;
  /** Of the last weights set, 0 to 65,535. */
  readonly weight: number;
  readonly storedBytes: number;
  readonly shards: number;
  /** What it can still be given: the smaller of its disk's room and what its tier leaves. */
  readonly freeBytes: number;
  /** Its disk, as it says. */
  readonly capacityBytes: number;
  /** Most that its tier allows. */
  readonly limitBytes: number;
  /** False: it gets nothing new (full, draining, not reached, address not proven). */
  readonly accepting: boolean;
  readonly window: WindowCounts;
  readonly totalSuccesses: number;
  readonly strikes: number;
}

export interface MinerEvent {
  readonly atMs: number;
  readonly block: number | null;
  readonly cause: string;
  readonly ending: string | null;
  readonly reason: string;
  readonly evidence: string;
  readonly earned: number;
  readonly score: readonly [before: number, after: number];
  readonly tier: readonly [before: string, after: string];
  readonly reward: readonly [before: number, after: number];
}

/** One miner in full, with the reasons. */
export interface MinerDetail {
  readonly takenAtMs: number;
  readonly miner: MinerNow;
  /** When the validator first judged it. */
  readonly sinceMs: number | null;
  readonly totalStrikes: number;
  readonly lastWindow: (Attempts & { readonly window: number; readonly score: number }) | null;
  /** Why it stands where it stands and what would raise it, in plain sentences. */
  readonly explanation: readonly string[];
  /** Newest first. */
  readonly events: readonly MinerEvent[];
}

export interface WeightsNow {
  readonly atMs: number;
  readonly block: number;
  /** What was done last: set, committed, revealed, not-set, … */
  readonly step: string;
  readonly reason: string;
}

/** The network as it is now, without its miners. */
export interface NetworkNow {
  readonly takenAtMs: number;
  /** Newest finalized block. */
  readonly block: number;
  readonly window: { readonly number: number; readonly blocks: number };
  readonly network: NetworkRow;
  readonly tiers: readonly TierRow[];
  readonly miners: number;
  readonly accepting: number;
  readonly weights: WeightsNow | null;
}

export interface NetworkHistory {
  // ---- the validator alone
  /** Adds a snapshot; those older than `keepMs` before it go. A snapshot of the same moment is replaced. */
  append(snapshot: NetworkSnapshot, keepMs: number): Promise<void>;
  /** Replaces the state of now; readers see one whole state or the one before. */
  publishNow(now: NetworkNow, miners: readonly MinerNow[]): Promise<void>;
  /** Replaces what is told of these miners; each is told for `keepMs` unless replaced again. */
  publishDetails(details: readonly MinerDetail[], keepMs: number): Promise<void>;
  /** Memory that the index takes, as its engine says; undefined where it does not. */
  indexBytes(): Promise<number | undefined>;

  // ---- anyone
  minerRows(span: Span, hotkey?: Hotkey): Promise<readonly Dated<MinerRow>[]>;
  tierRows(span: Span): Promise<readonly Dated<TierRow>[]>;
  networkRows(span: Span): Promise<readonly Dated<NetworkRow>[]>;
  /** Undefined before the validator wrote one. */
  readNow(): Promise<NetworkNow | undefined>;
  minersNow(): Promise<{ readonly takenAtMs: number; readonly miners: readonly MinerNow[] }>;
  minerDetail(hotkey: Hotkey): Promise<MinerDetail | undefined>;
}
