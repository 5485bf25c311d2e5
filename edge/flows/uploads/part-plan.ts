/**
 * How a file is cut into parts: every part but the last has the size that its session was opened with, so that any part
 * knows its place whatever came before it, and whole segments fill a part exactly. Pure; the limits of sessions are here.
 */
import { MAX_PARTS } from '#shared/api/upload-schemas.ts';
import { SEGMENT_BYTES } from '#shared/codec/segment.ts';
import { segmentChars } from '#shared/index/records.ts';
import type { UploadSession } from '#shared/index/upload-ports.ts';

/** Parts are whole multiples of this: segments of equal length fill them, and whole blocks of SHA-256. */
export const PART_UNIT_BYTES = 64 * 1024;
export const MIN_PART_BYTES = SEGMENT_BYTES;
const DEFAULT_PART_BYTES = 4 * SEGMENT_BYTES;
/** Segment records of one part go to the index in one request, which takes 1 MB. */
const MAX_PART_RECORD_CHARS = 512 * 1024;
/** Sessions that one owner may have open. */
export const MAX_OPEN_UPLOADS = 64;
/** How often one part may be sent, and how many placings each sending has for a shard: all of them fit u16. */
export const MAX_SENDINGS = 64;
export const PLACINGS_PER_SENDING = 256;

/** Bytes of a segment where whole ones fill a part: the longest that there is. */
export function segmentBytesFor(partBytes: number): number {
  let count = Math.ceil(partBytes / SEGMENT_BYTES);
  while (partBytes % count !== 0) count++;
  return partBytes / count;
}

/** The largest part whose records fit, with so many shards a segment; a multiple of the unit. */
export const maxPartBytes = (n: number): number =>
  Math.floor(MAX_PART_RECORD_CHARS / segmentChars(n) / 2) * SEGMENT_BYTES;

/** For a file of so many bytes, when its owner does not say; a multiple of whole segments. */
export function defaultPartBytes(bytes: number | undefined): number {
  const needed = Math.ceil((bytes ?? 0) / MAX_PARTS / SEGMENT_BYTES) * SEGMENT_BYTES;
  return Math.max(DEFAULT_PART_BYTES, needed);
}

export const offsetOf = ({ partBytes }: UploadSession, part: number): number => (part - 1) * partBytes;
export const firstSegmentOf = (session: UploadSession, part: number): number =>
  offsetOf(session, part) / session.segmentBytes;

/** What a part may be long: exactly so much where the file's length is known, anything up to a whole part where not. */
export function lengthsOf(session: UploadSession, part: number): { readonly least: number; readonly most: number } {
  const { partBytes, bytes } = session;
  if (bytes === undefined) return { least: part === 1 ? 0 : 1, most: partBytes };
  const length = Math.min(partBytes, Math.max(0, bytes - offsetOf(session, part)));
  // Behind the end of the file there is no part; a file of no bytes has one.
  if (length === 0 && part > 1) return { least: 1, most: 0 };
  return { least: length, most: length };
}
