/**
 * The transfer engines' contract: store segments on miners, fetch them back. The engines know no runtime and no
 * index: the Worker's flows and the validator's repair hand them what they need and take records back.
 */
import type { SegmentRecord, ShardSlot } from '#shared/index/ports.ts';
import type { Clock, Log, Random } from '#shared/primitives/effects.ts';
import type { Failure, Result } from '#shared/primitives/failure.ts';
import type { AnchorId, FileId, FileNumber, MinerNumber, OrderId } from '#shared/primitives/ids.ts';
import type { AnchorType } from '#shared/proof/any-anchor.ts';
import type { MinerClient, MinerFailure, MinerPeer } from '#shared/wire/ports.ts';
import type { AnchorPorts } from './anchor-shard.ts';
import type { Pace } from './pace.ts';

/** A miner as the engines see it. */
export interface Peer extends MinerPeer {
  readonly number: MinerNumber;
  /** Owner groups this miner belongs to: coldkey, /24 or /48, ip:port (`shared/placement`). */
  readonly groups: readonly string[];
  readonly freeBytes: number;
  readonly accepting: boolean;
}

/** Recent behaviour of miners as one edge isolate or one validator saw it; bounded, in memory, advisory only. */
export interface Latencies {
  /** `ms` for a request that moved `bytes`; undefined ms for a failure. */
  note(miner: MinerNumber, kind: 'store' | 'fetch', ms: number | undefined, bytes: number): void;
  /** Expected milliseconds, failures priced in; miners never seen look good enough to be tried. */
  expectedMs(miner: MinerNumber, kind: 'store' | 'fetch', bytes: number): number;
  /** What the miner took lately for so many bytes; undefined for one that is unknown or has failed of late. */
  seenMs(miner: MinerNumber, kind: 'store' | 'fetch', bytes: number): number | undefined;
}

/**
 * Gives acquired bytes back: all of them, or all but the first `keepBytes`, whose rest a later call gives back.
 * Calling it again with nothing left does nothing.
 */
export type ReleaseBytes = (keepBytes?: number) => void;

/**
 * Counts bytes of buffers. `acquire` waits in order until there is room; more than the whole limit at once throws.
 * `used` and `peak` are what the benchmarks read.
 */
export interface Budget {
  readonly limitBytes: number;
  acquire(bytes: number, signal?: AbortSignal): Promise<ReleaseBytes>;
  readonly used: number;
  readonly peak: number;
}

export interface TransferPorts extends AnchorPorts {
  readonly miners: MinerClient;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly latencies: Latencies;
  /** SHA-256 of one whole buffer, at the runtime's best speed. */
  readonly sha256: (bytes: Uint8Array) => Promise<Uint8Array> | Uint8Array;
  /**
   * Frees a buffer of the engine's own that nobody reads any more (`primitives/let-go.ts`). Only for transports that keep
   * what they were handed alive by themselves, as workerd's does; absent, buffers are collected in the runtime's own time.
   */
  readonly letGo?: ((bytes: Uint8Array) => void) | undefined;
  /** How long miners are waited for; `DEFAULT_PACE` when absent. */
  readonly pace?: Pace;
}

/** What is the same for every segment of an upload (or a re-coding). */
export interface FileCoding {
  readonly number: FileNumber;
  readonly fileId: FileId;
  readonly k: number;
  readonly n: number;
  readonly codingId: Uint8Array;
  /** Of all its shards; absent: type 1. */
  readonly anchorType?: AnchorType | undefined;
  readonly maskEpoch: number;
  /** Secret of `maskEpoch` (por/v1 §3); labels and masks derive from it. */
  readonly maskSecret: Uint8Array;
}

export interface StoreRequest {
  readonly coding: FileCoding;
  readonly order: OrderId;
  readonly holdUntilMs: number;
  readonly peers: readonly Peer[];
  /** Bytes still to come, when known: sizes the miners' reservations. */
  readonly expectedBytes?: number;
  /** When these are not all of the file's segments. */
  readonly part?: FilePart;
  readonly budget: Budget;
  readonly signal: AbortSignal;
}

/** Segments of a file that are stored by themselves, perhaps not for the first time. */
export interface FilePart {
  /** The file's segment that comes first. */
  readonly firstSegment: number;
  /** Counts the placings of each shard index from here: no mask may be used twice (por/v1 §3). */
  readonly firstPlacement: number;
  /** Bytes of the whole file, when known. */
  readonly fileBytes?: number;
}

/** A shard that was (or may have been) stored and is in no record. */
export interface Stray {
  readonly miner: MinerNumber;
  readonly anchorId: AnchorId;
  readonly segment: number;
}

export interface StoredSegment {
  readonly index: number;
  readonly bytes: number;
  readonly record: SegmentRecord;
  /** Signed receipts of the record's shards (statement ‖ signature). */
  readonly receipts: readonly Uint8Array[];
}

export interface StoreOutcome {
  readonly segments: number;
  readonly bytes: number;
}

export type StoreFailure = Failure &
  (
    | { readonly code: 'too-few-miners'; readonly needed: number; readonly available: number }
    | {
        readonly code: 'not-stored';
        readonly segment: number;
        readonly receipts: number;
        readonly needed: number;
        readonly miners: readonly MinerFailure[];
      }
    | { readonly code: 'cancelled' }
  );

/**
 * Stores every segment that `source` yields (each at most SEGMENT_BYTES, an empty file is one empty segment) and calls
 * `onStored` for each as soon as it counts as stored: receipts ≥ repair threshold, and receipts minus those of the
 * largest group ≥ k. `onStored` may be asynchronous; a rejection ends the store. Every shard sent that is in no record
 * is handed to `onStrays`, whatever the outcome. Buffers are acquired from the budget before they are made.
 */
export type StoreSegments = (
  ports: TransferPorts,
  request: StoreRequest,
  source: AsyncIterable<Uint8Array>,
  onStored: (segment: StoredSegment) => Promise<void>,
  onStrays: (strays: readonly Stray[]) => void,
) => Promise<Result<StoreOutcome, StoreFailure>>;

export interface FetchSegment {
  readonly index: number;
  /** Bytes of the segment before padding. */
  readonly bytes: number;
  readonly record: SegmentRecord;
}

export interface FetchRequest {
  readonly coding: FileCoding;
  /** By miner number; a shard whose miner is missing here counts as unreachable. */
  readonly peers: ReadonlyMap<MinerNumber, Peer>;
  readonly budget: Budget;
  readonly signal: AbortSignal;
}

/** What a fetch learned about a slot on its way: unreachable, absent, or wrong bytes. Triggers audits, never scores. */
export interface SlotComplaint {
  readonly segment: number;
  readonly shardIndex: number;
  readonly slot: ShardSlot;
  readonly what: 'unreachable' | 'absent' | 'wrong';
}

export type FetchFailure = Failure &
  (
    | { readonly code: 'unrecoverable'; readonly segment: number; readonly healthy: number; readonly needed: number }
    | { readonly code: 'corrupt'; readonly segment: number } /** k right shards, wrong segment hash: our own defect */
    | { readonly code: 'cancelled' }
  );

/**
 * Yields the bytes of each segment in order, checked against the segment hash before they are yielded; the next
 * segment is prefetched within the budget. A failure is the last thing yielded. The consumer calls `release` when it
 * is done with the bytes.
 */
export type FetchSegments = (
  ports: TransferPorts,
  request: FetchRequest,
  segments: AsyncIterable<FetchSegment> | Iterable<FetchSegment>,
  onComplaint: (complaint: SlotComplaint) => void,
) => AsyncIterable<Result<{ readonly index: number; readonly bytes: Uint8Array; release(): void }, FetchFailure>>;
