/** What one upload is: its input, its outcome, and the memory it may use. Shared by the two halves of the store flow. */
import type { ByteSource } from '#edge/body/byte-source.ts';
import { refuse } from '#edge/http/problem.ts';
import type { Redundancy } from '#shared/codec/redundancy.ts';
import type { FileRecord } from '#shared/index/ports.ts';
import type { Cid, OwnerId } from '#shared/primitives/ids.ts';

export interface Upload {
  readonly owner: OwnerId;
  readonly source: ByteSource;
  /** The announced length, when there is one. */
  readonly expectedBytes?: number | undefined;
  readonly name?: string | undefined;
  readonly contentType?: string | undefined;
  /** 0: until deleted. */
  readonly expiresAtMs: number;
  readonly redundancy?: Redundancy | undefined;
  /** Anchors of type 2, so that proofs show nothing (zk/v1). */
  readonly zk?: boolean;
  /** What the caller says the bytes are (`Filetao-Cid`). */
  readonly announcedCid?: Cid | undefined;
  /** Fires when the client leaves. */
  readonly signal: AbortSignal;
}

export interface StoredFile {
  readonly file: FileRecord;
  /** False: the owner had these bytes already. */
  readonly created: boolean;
}

/** Buffers of one upload, by the budget's own count. */
const UPLOAD_BUDGET_BYTES = 24 * 1024 * 1024;
/** A small upload's buffers: the segment, and at most five times as much on its way. */
const BUFFER_BYTES_PER_BODY_BYTE = 6;
const UPLOAD_FLOOR_BYTES = 512 * 1024;

/** Memory that lets an upload run at full speed; of unknown length, all of it. */
export function uploadBudgetFor(expectedBytes: number | undefined): number {
  if (expectedBytes === undefined) return UPLOAD_BUDGET_BYTES;
  return Math.min(UPLOAD_BUDGET_BYTES, UPLOAD_FLOOR_BYTES + BUFFER_BYTES_PER_BODY_BYTE * expectedBytes);
}

export const wrongCid = (cid: Cid, announced: Cid) =>
  refuse('wrong-cid', `the body's CID is ${cid}, not ${announced}; nothing was stored`, { cid });
