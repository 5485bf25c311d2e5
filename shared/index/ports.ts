/**
 * What the programs need of the index, in the project's words. One suite (`shared/testing/index-suite.ts`) holds for
 * every adapter. Times are milliseconds since the epoch; 0 as an expiry means "until deleted". Methods reject with
 * `IndexUnavailable` when the index cannot be asked or its answer is not to be trusted: nothing may then be assumed
 * to have happened, or not to have happened, and a caller that must know asks again.
 */
import type { Cid, FileId, FileNumber, Hotkey, MinerNumber, OwnerId } from '#shared/primitives/ids.ts';
import type { ZK_ANCHOR_TYPE } from '#shared/proof/zk/zk-anchor.ts';

/** Life of one shard's place in a segment. */
export type ShardState =
  | 'stored' /** a store receipt was verified */
  | 'lost' /** it was never stored, or its miner no longer has it: repair's work */
  | 'dropped'; /** the miner receipted the drop order of the deleted file */

/** One of the n shards of a segment: its anchor's root, who holds it, and which placing of this index it is. */
export interface ShardSlot {
  readonly root: Uint8Array;
  readonly miner: MinerNumber;
  /** Counts every placing of this shard index, hedges and repairs included: part of the mask's key (por/v1 §3). */
  readonly placement: number;
  readonly state: ShardState;
}

/** A segment as the manifest keeps it; slot i is shard index i. */
export interface SegmentRecord {
  /** SHA-256 of the segment's bytes before padding. */
  readonly hash: Uint8Array;
  readonly slots: readonly ShardSlot[];
}

/** Everything of a manifest but its segments. */
export interface FileRecord {
  readonly number: FileNumber;
  readonly fileId: FileId;
  readonly owner: OwnerId;
  readonly cid: Cid;
  readonly bytes: number;
  readonly k: number;
  readonly n: number;
  /** Bytes of every segment but the last; an empty file has one segment of 0 bytes. */
  readonly segmentBytes: number;
  readonly segments: number;
  readonly codingId: Uint8Array;
  /** Of its shards; absent: type 1. */
  readonly anchorType?: typeof ZK_ANCHOR_TYPE;
  readonly maskEpoch: number;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  readonly name?: string;
  readonly contentType?: string;
}

/** Written before the first byte of an upload leaves the edge, so that whatever it leaves behind can be found. */
export interface UploadIntent {
  readonly owner: OwnerId;
  readonly fileId: FileId;
  /** When the upload is given up; collection may touch its leavings 24 h (locally: scaled) later. */
  readonly expiresAtMs: number;
}

export type CommitOutcome =
  | { readonly outcome: 'stored'; readonly file: FileRecord }
  /** The owner has this CID already: the later expiry was kept, nothing else changed, our own staged writes are gone. */
  | { readonly outcome: 'already'; readonly file: FileRecord }
  /** The quota would be exceeded: nothing changed. */
  | { readonly outcome: 'over-quota'; readonly quotaBytes: number; readonly usedBytes: number };

export interface Page<T> {
  readonly items: readonly T[];
  /** Opaque; absent on the last page. */
  readonly next?: string;
}

/** A deleted or expired file, until the last miner has receipted its drop (or was given up). */
export interface Tombstone {
  readonly number: FileNumber;
  readonly deletedAtMs: number;
  /** recoded: the file lives on under another number, with other shards. */
  readonly reason: 'deleted' | 'expired' | 'recoded';
}

/** A file's new coding, staged under a number of its own: everything else of its record stays. */
export type Recoding = Pick<FileRecord, 'number' | 'k' | 'n' | 'codingId' | 'maskEpoch'>;

export interface DeletionProgress {
  readonly deletedAtMs: number;
  /** Shards that had to be dropped, and those whose miner has signed for it. */
  readonly shards: number;
  readonly dropped: number;
}

/** A shard that no manifest names although a miner may hold it: the loser of a race, the leavings of an abort. */
export interface StrayShard {
  readonly miner: MinerNumber;
  readonly anchorId: Uint8Array;
  /** File and segment it was made for: its manifest is asked before it is dropped. */
  readonly ref: bigint;
}

/** The receipts of one segment that an edge stored, before the file's commit: where to look for its manifest then. */
export interface ReceiptBatch {
  readonly file: FileNumber;
  readonly segment: number;
  /** statement ‖ signature each. */
  readonly receipts: readonly Uint8Array[];
}

export interface FileChange {
  readonly expiresAtMs?: number;
  /** null takes the name away. */
  readonly name?: string | null;
}

export interface OwnerUsage {
  readonly files: number;
  readonly bytes: number;
  readonly quotaBytes: number;
}

/** Files and their manifests. */
export interface FileIndex {
  /** A new file number, its intent on record. */
  beginUpload(intent: UploadIntent): Promise<FileNumber>;
  /** Stages one segment's record; segments may come in any order, each once. */
  stageSegment(file: FileNumber, segment: number, record: SegmentRecord): Promise<void>;
  /** The switch: afterwards the whole file is there, or nothing of it. Safe to call again after `IndexUnavailable`. */
  commitFile(file: FileRecord): Promise<CommitOutcome>;
  /** Drops staged writes and the intent of an upload that failed or that its client left. */
  abandonUpload(file: FileNumber): Promise<void>;

  /** The live file of this owner with this CID; without an owner, any live file with it (the oldest). */
  findFile(cid: Cid, owner?: OwnerId): Promise<FileRecord | undefined>;
  /** The owner's live file that this name was last given to. */
  findByName(owner: OwnerId, name: string): Promise<FileRecord | undefined>;
  /** A live file by number. */
  readFile(file: FileNumber): Promise<FileRecord | undefined>;
  /** Segment records [from, from + count) of a live or tombstoned file, in order. */
  readSegments(
    file: Pick<FileRecord, 'number' | 'n' | 'segments'>,
    from: number,
    count: number,
  ): Promise<readonly SegmentRecord[]>;
  /** The owner's live files, newest first. */
  listFiles(owner: OwnerId, cursor: string | undefined, limit: number): Promise<Page<FileRecord>>;
  usage(owner: OwnerId): Promise<OwnerUsage>;
  changeFile(file: FileRecord, change: FileChange): Promise<FileRecord | undefined>;
  /**
   * Keeps a private file's signed envelope, if none of this revision or a later one is kept: `current` is what stands
   * then. The very same envelope again is a success. Undefined: the file is not live.
   */
  writeEnvelope(
    file: FileRecord,
    revision: number,
    envelope: Uint8Array,
    revisionOf: (envelope: Uint8Array) => number,
  ): Promise<{ readonly written: boolean; readonly current: Uint8Array } | undefined>;
  /** The envelopes of these files, in order; undefined for a file without one. Goes with its file when that is deleted. */
  readEnvelopes(files: readonly FileNumber[]): Promise<readonly (Uint8Array | undefined)[]>;
  /** From now on the file is not found; false when it was not live (any more). */
  deleteFile(file: FileRecord, reason: 'deleted' | 'expired'): Promise<boolean>;
  /** How far the deletion of the owner's last file with this CID has come; undefined when none is known. */
  deletion(owner: OwnerId, cid: Cid): Promise<DeletionProgress | undefined>;

  /** The check value kept for a mask epoch (por/v1 §3); undefined before the first file of it. */
  maskCheck(maskEpoch: number): Promise<Uint8Array | undefined>;
  /**
   * Keeps the check value of a mask epoch's secret if none is kept yet; true when the one kept is this one. False: the
   * files of this epoch were masked with another secret.
   */
  claimMaskCheck(maskEpoch: number, check: Uint8Array): Promise<boolean>;

  /** Replaces one slot of a stored segment if it still is `expected` (same root, miner, placement). */
  replaceSlot(
    file: FileNumber,
    segment: number,
    shardIndex: number,
    expected: ShardSlot,
    slot: ShardSlot,
  ): Promise<boolean>;

  // ---- for the tenant's own jobs (an edge's token may not call these)
  /**
   * The switch of a re-coding: what was staged under `recoding.number` (as for a commit) becomes the file, in one step,
   * with its name, expiry, envelope and place as they are now; the old number becomes a tombstone, and for a while
   * `changeFile`, `writeEnvelope` and `deleteFile` with it reach the file all the same. False: the file is not live any
   * more, or was re-coded by somebody else; what was staged is then the caller's to abandon. Safe to call again after
   * `IndexUnavailable`.
   */
  replaceFile(file: FileRecord, recoding: Recoding): Promise<boolean>;
  /** Live files whose expiry has come, oldest first. */
  expiredFiles(nowMs: number, limit: number): Promise<readonly FileRecord[]>;
  /** All live files (expired ones too, until they are deleted) in order of their numbers; short pages say nothing. */
  liveFiles(cursor: string | undefined, limit: number): Promise<Page<FileRecord>>;
  tombstones(cursor: string | undefined, limit: number): Promise<Page<Tombstone>>;
  /** The record of a live or tombstoned file. */
  readAnyFile(file: FileNumber): Promise<FileRecord | undefined>;
  /** The tombstone's work is done or given up: forget segments; `deletion` goes on answering for a bounded while. */
  settleTombstone(file: FileNumber): Promise<void>;
  /** Uploads whose intent ran out before `nowMs` and that were never committed: their staged writes can go. */
  expiredUploads(nowMs: number, limit: number): Promise<readonly FileNumber[]>;
  /** True while an upload with this number may still commit. */
  uploadOpen(file: FileNumber): Promise<boolean>;
  addStrays(strays: readonly StrayShard[]): Promise<void>;
  /** Takes up to `limit` strays off the bounded list. */
  takeStrays(limit: number): Promise<readonly StrayShard[]>;
  /** Signed store receipts into a bounded list that the validator drains; the oldest go when nobody does. */
  addReceipts(batch: ReceiptBatch): Promise<void>;
  /** Up to `limit` of the list's oldest entries, which stay; `entries` counts damaged ones too. */
  readReceipts(limit: number): Promise<{ readonly batches: readonly ReceiptBatch[]; readonly entries: number }>;
  /** Forgets so many of the oldest: call it when what `readReceipts` gave is durable elsewhere. */
  forgetReceipts(entries: number): Promise<void>;
  /** Random id and growing epoch of this index: a rolled-back or wrong index does not match the tenant's folder. */
  identity(): Promise<{ readonly id: string; readonly epoch: number }>;
  /** Grows the epoch by one and returns it. */
  advanceEpoch(): Promise<number>;
}

/** Where a miner says it listens. IPv6 in canonical text, no brackets. */
export interface MinerAddress {
  readonly ip: string;
  readonly port: number;
}

/** One miner of the published directory. */
export interface MinerEntry {
  readonly number: MinerNumber;
  readonly hotkey: Hotkey;
  /** SS58 text; owner groups are made of it. */
  readonly coldkey: string;
  readonly address: MinerAddress;
  readonly freeBytes: number;
  readonly capacityBytes: number;
  /** False: keeps what it has and is read from, but gets nothing new (full, draining, address not proven). */
  readonly accepting: boolean;
}

export interface DirectorySnapshot {
  readonly takenAtMs: number;
  readonly miners: readonly MinerEntry[];
  /** The tenant's, 64 bytes (`sealed-directory.ts`); absent while nothing was ever published. */
  readonly signature?: Uint8Array;
}

/** The miners of the network, as the tenant last published them. */
export interface MinerDirectory {
  read(): Promise<DirectorySnapshot>;
  /** The number of a hotkey; a new hotkey gets the next one, for good. */
  numberOf(hotkeys: readonly Hotkey[]): Promise<ReadonlyMap<Hotkey, MinerNumber>>;
  publish(snapshot: DirectorySnapshot): Promise<void>;
}

/** An API key as listings show it: never the key, never its hash. */
export interface ApiKey {
  readonly keyId: string;
  readonly owner: OwnerId;
  readonly label: string;
  readonly createdAtMs: number;
}

/** Owners' API keys, and the tenant's grants for edges. */
export interface AccessIndex {
  /** Looks a key up by SHA-256 of its text. */
  findKey(keyHash: Uint8Array): Promise<ApiKey | undefined>;
  addKey(key: ApiKey, keyHash: Uint8Array): Promise<void>;
  listKeys(owner: OwnerId): Promise<readonly ApiKey[]>;
  /** False when the owner has no such key. */
  revokeKey(owner: OwnerId, keyId: string): Promise<boolean>;
  /** True when the owner has a key, or was given a quota: somebody let them in. */
  isKnownOwner(owner: OwnerId): Promise<boolean>;
  setQuota(owner: OwnerId, quotaBytes: number): Promise<void>;
  /** The newest grant (statement ‖ signature) of an edge. */
  readGrant(edge: Hotkey): Promise<Uint8Array | undefined>;
  writeGrant(edge: Hotkey, grant: Uint8Array): Promise<void>;
  /** True the first time an (identity, nonce) is seen within `ttlMs`: replay protection at the edge. */
  claimNonce(identity: string, nonce: string, ttlMs: number): Promise<boolean>;
}

/** The index could not be asked, or answered nonsense. */
export class IndexUnavailable extends Error {
  override readonly name = 'IndexUnavailable';
}
