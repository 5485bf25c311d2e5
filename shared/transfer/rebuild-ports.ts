/**
 * The rebuild engine's contract (`rebuild-shards.ts`): what of a segment is wanted on other miners, from whom it can be
 * read, who may get it, and what its caller must make durable on the way. Used by the validator's repair and level.
 */
import type { ShardSlot } from '#shared/index/ports.ts';
import type { Failure } from '#shared/primitives/failure.ts';
import type { AnchorId, MinerNumber, OrderId } from '#shared/primitives/ids.ts';
import type { Budget, FetchFailure, FetchSegment, FileCoding, Peer, SlotComplaint } from './ports.ts';

/** A shard index that shall lie on another miner. */
export interface WantedShard {
  readonly shardIndex: number;
  /** The least placing of this index that was never used (por/v1 §3); later attempts count on from it. */
  readonly placement: number;
  /** Its holder serves it still: one shard is read and masked anew, instead of k to make it from. */
  readonly movable: boolean;
}

export interface RebuildRequest {
  readonly coding: FileCoding;
  readonly fileBytes: number;
  /** With the record as it stands; slots of shards that are known to be bad are marked lost in it. */
  readonly segment: FetchSegment;
  readonly wanted: readonly WantedShard[];
  /** Miners that can be read from. */
  readonly sources: ReadonlyMap<MinerNumber, Peer>;
  /** Miners that may get a shard; those that the record names as holders are left out here. */
  readonly candidates: readonly Peer[];
  readonly order: OrderId;
  /** For the miners: how long a shard that no record names yet is kept from collection. */
  readonly holdUntilMs: number;
  readonly budget: Budget;
  readonly signal: AbortSignal;
}

/** One attempt: this shard index, masked for this miner. */
export interface Placing {
  readonly shardIndex: number;
  readonly placement: number;
  readonly miner: Peer;
  readonly anchorId: AnchorId;
}

export interface PlacedShard extends Placing {
  readonly slot: ShardSlot;
  readonly shardBytes: number;
  /** statement ‖ signature of the store receipt. */
  readonly receipt: Uint8Array;
}

export interface RebuildHooks {
  /** Makes the placing durable before its first byte leaves: it is never used again, and its shard can be found. */
  onPlacing(placing: Placing): void | Promise<void>;
  /** The receipt is there. True when the record now names the shard; else it is a stray. */
  onPlaced(shard: PlacedShard): Promise<boolean>;
  onComplaint(complaint: SlotComplaint): void;
}

export interface RebuildOutcome {
  readonly placed: readonly PlacedShard[];
  /** Shard indices that nobody took. */
  readonly unplaced: readonly number[];
  /** Placings that may be stored and are in no record. */
  readonly strays: readonly Placing[];
  /** Bytes of whole shards that came and went: what the repair has cost. */
  readonly readBytes: number;
  readonly sentBytes: number;
}

export type RebuildFailure =
  | FetchFailure
  | (Failure & { readonly code: 'too-few-miners'; readonly needed: number; readonly available: number });
