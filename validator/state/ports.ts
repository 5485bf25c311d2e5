/**
 * What the validator remembers of miners and of its own work, as its flows see it. One SQLite database in the
 * validator's folder holds all of it (`database.ts`), so that what belongs together changes together: a verdict and
 * what it is worth are one transaction. Everything is keyed by the miner's hotkey; times are milliseconds.
 */

import type { AnchorId, FileNumber, Hotkey } from '#shared/primitives/ids.ts';
import type { InventoryView } from '#shared/proof/inventory.ts';
import type { Ending, Task } from '#shared/tier/reward.ts';
import type { Tiers } from '#shared/tier/table.ts';
import type { Standing, StandingEvent } from './standing.ts';

/** A shard that the tenant holds a miner to: its receipt was verified and the manifest names it. */
export interface OwedShard {
  readonly anchorId: AnchorId;
  /** 1: por/v1. 2: zk/v1. */
  readonly anchorType: 1 | 2;
  /** SHA-256 root (type 1), or what stands for it in a type 2 anchor. */
  readonly root: Uint8Array;
  readonly bytes: number;
  /** Undefined for a synthetic shard, which no file has. */
  readonly place:
    | { readonly file: FileNumber; readonly segment: number; readonly shardIndex: number; readonly placement: number }
    | undefined;
}

/** What miners owe us, by miner: drawn from for challenges, walked for sweeps and repair. */
export interface Inventories {
  /** False when it is owed already. */
  add(miner: Hotkey, shard: OwedShard): boolean;
  /** False when it was not owed. */
  remove(miner: Hotkey, anchorId: AnchorId): boolean;
  find(miner: Hotkey, anchorId: AnchorId): OwedShard | undefined;
  /** The miner's hash chain and totals as they are now. */
  head(miner: Hotkey): {
    readonly inventory: Uint8Array;
    readonly leaves: number;
    readonly shards: number;
    readonly bytes: number;
  };
  /** For selecting; frozen only while no change is made in between. */
  view(miner: Hotkey): InventoryView;
  /** In class and slot order, from an opaque cursor on. */
  list(
    miner: Hotkey,
    cursor: string | undefined,
    limit: number,
  ): { readonly items: readonly OwedShard[]; readonly next?: string };
  /** Every miner that owes anything. */
  miners(): readonly Hotkey[];
}

/** How one miner ended in one batch, and where the evidence lies. */
export interface Observation {
  readonly miner: Hotkey;
  readonly ending: Ending;
  readonly seconds: number;
  readonly bytes: number;
  /** Why, as a stable code: `passed`, `timeout`, `wrong-leaf`, `declared-missing`, … */
  readonly reason: string;
  /** Where it can be looked up: `round:412`, `probe:…`, `ping:…`. */
  readonly evidence: string;
}

/** One draw of miners for one task: rewards are shared out within it. */
export interface Batch {
  /** Unique for ever; counting it again changes nothing. */
  readonly id: string;
  readonly task: Task;
  readonly atMs: number;
  readonly block: number | undefined;
  readonly observations: readonly Observation[];
}

/** Statistics of the window, scores, tiers, rewards: written here alone. */
export interface Standings {
  /** Counts a batch once: false when it was counted before. Joins the transaction that is open. */
  record(batch: Batch): boolean;
}

/** All of the standings: what the jobs that close windows, set weights and publish snapshots work with. */
export interface StandingsBook extends Standings {
  /** The table that tiers are set by. */
  readonly tiers: Tiers;
  /**
   * The chain is in this window of statistics now: when a later one than the open one, that closes, tiers are set and
   * counts begin anew. True when one was closed; windows that nobody saw are skipped. Joins the transaction.
   */
  enterWindow(window: number, atMs: number, block: number): boolean;
  /** A hotkey is gone from the chain: it would begin at 0. False when nothing was known. Joins the transaction. */
  forget(hotkey: Hotkey, reason: string, evidence: string, atMs: number): boolean;
  find(hotkey: Hotkey): Standing | undefined;
  /** By hotkey. */
  all(): readonly Standing[];
  /** Newest first, of a forgotten hotkey too for a while. */
  events(hotkey: Hotkey, limit: number): readonly StandingEvent[];
  openWindow(): number | undefined;
}
