/**
 * What resumable uploads need of the index. A session's parts come in any order, to any edge; every piece of its state
 * is here, and none in a process. What may run at the same time is settled by one field, the session's end, which is
 * written once: a completion with all that the commit needs, or an abort. All of it ends by itself some time after the
 * session does. One suite (`shared/testing/index-suite-uploads.ts`) holds for every adapter; methods reject with
 * `IndexUnavailable` as those of `ports.ts` do.
 */
import type { Cid, FileId, FileNumber, OwnerId } from '#shared/primitives/ids.ts';
import type { CommitOutcome, SegmentRecord } from './ports.ts';

/** Fixed when the session is opened. */
export interface UploadSession {
  readonly number: FileNumber;
  readonly fileId: FileId;
  readonly owner: OwnerId;
  readonly codingId: Uint8Array;
  readonly maskEpoch: number;
  readonly k: number;
  readonly n: number;
  readonly segmentBytes: number;
  /** Bytes of every part but the last: a multiple of `segmentBytes`. */
  readonly partBytes: number;
  readonly openedAtMs: number;
  /** No part is taken and nothing is committed from then on. */
  readonly endsAtMs: number;
  /** How long the file is kept once it is stored; 0: until deleted. */
  readonly ttlMs: number;
  readonly name?: string;
  readonly contentType?: string;
  /** What the owner said the file will be. */
  readonly bytes?: number;
  readonly cid?: Cid;
}

/** One stored part, as it was last sent. */
export interface PartRecord {
  /** From 1. */
  readonly number: number;
  /** Which sending of this part it is, from 0: names its segment records, and keeps its masks apart. */
  readonly attempt: number;
  readonly bytes: number;
  /** SHA-256 of the part. */
  readonly hash: Uint8Array;
  /** Slots that are recorded as lost, over all of its segments. */
  readonly lost: number;
  /**
   * State of the file's SHA-256 before this part, and after it: after a part shorter than `partBytes`, which is the
   * last, the file's digest. Each side holds only if the other does.
   */
  readonly chain?: { readonly before: Uint8Array; readonly after: Uint8Array };
}

/** All that the commit needs, decided once. */
export interface UploadCompletion {
  readonly cid: Cid;
  readonly bytes: number;
  readonly createdAtMs: number;
  readonly expiresAtMs: number;
  /** Which sending of each part, part 1 first. */
  readonly attempts: readonly number[];
}

export type UploadEnd = UploadCompletion | 'aborted';

export interface UploadState {
  readonly session: UploadSession;
  readonly end?: UploadEnd;
  /** The file is stored. */
  readonly stored: boolean;
}

export type PutPartOutcome =
  | { readonly outcome: 'stored'; readonly replaced: boolean }
  /** The session ended meanwhile: nothing of this part is kept. */
  | { readonly outcome: 'ended' };

export interface UploadIndex {
  /** Opens a session, its intent on record; undefined when the owner has `maxOpen` open already. */
  openUpload(session: Omit<UploadSession, 'number'>, maxOpen: number): Promise<UploadSession | undefined>;
  readUpload(number: FileNumber): Promise<UploadState | undefined>;
  /** The owner's sessions that are neither over nor stored nor aborted, those that end first first. */
  openUploads(owner: OwnerId): Promise<readonly UploadSession[]>;
  /** A number for the next sending of a part, given once: 0, 1, … */
  beginPart(session: UploadSession, part: number): Promise<number>;
  /** Makes this sending of a part the one that counts. Its segments are in order. */
  putPart(session: UploadSession, part: PartRecord, segments: readonly SegmentRecord[]): Promise<PutPartOutcome>;
  /** Notes what was found out of the file's hash around a part; nothing happens when another sending took its place. */
  chainPart(session: UploadSession, part: PartRecord): Promise<void>;
  /** Stored parts with numbers from `from` on, ascending. */
  listParts(number: FileNumber, from: number, limit: number): Promise<readonly PartRecord[]>;
  /** The segment records of one sending of a part; undefined when they are not there. */
  readPart(session: UploadSession, part: number, attempt: number): Promise<readonly SegmentRecord[] | undefined>;
  /** Decides how the session ends, unless that was decided already: answers what was decided. */
  endUpload(session: UploadSession, end: UploadEnd): Promise<UploadEnd>;
  /** The switch, by what `endUpload` decided. Safe to call again, and by several at once. */
  commitUpload(session: UploadSession, completion: UploadCompletion): Promise<CommitOutcome>;
  /** Forgets parts and intent of a session that was aborted, or stored. */
  clearUpload(session: UploadSession): Promise<void>;
}
