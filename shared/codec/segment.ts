/**
 * Cutting files into segments, the units of coding and of range reads: which there are, which a range needs, and the
 * regrouping of a stream into them. Every segment of a file but the last has the file's recorded `segmentBytes`; an
 * empty file is one empty segment. Used by the edge's flows, repair, and the transfer engines.
 */
import { invariant } from '#shared/primitives/failure.ts';

/**
 * 4 MiB, the largest segment that is written. A Worker has 128 MB for everything (Cloudflare, "Workers limits: memory")
 * and coding at 2.5× holds up to 14 MiB per segment in flight: two of those and the runtime still fit with room.
 */
export const SEGMENT_BYTES = 4 * 1024 * 1024;

export function segmentCount(fileBytes: number, segmentBytes: number): number {
  return Math.max(1, Math.ceil(fileBytes / segmentBytes));
}

/** Bytes of one segment of a file. */
export function segmentLength(fileBytes: number, segmentBytes: number, segment: number): number {
  const inFile = Number.isInteger(segment) && segment >= 0 && segment < segmentCount(fileBytes, segmentBytes);
  invariant(inFile, `no segment ${segment} in ${fileBytes} bytes`);
  return Math.min(segmentBytes, fileBytes - segment * segmentBytes);
}

/** One segment's share of a byte range. */
export interface SegmentSlice {
  readonly segment: number;
  /** Bytes `from` (inclusive) to `to` (exclusive) within the segment. */
  readonly from: number;
  readonly to: number;
}

/**
 * The segments that bytes `from` (inclusive) to `to` (exclusive) of a file lie in, in order. An empty range lies in
 * none, but for that of an empty file, which still has its one segment to be checked.
 */
export function* slicesOf(fileBytes: number, segmentBytes: number, from: number, to: number): Generator<SegmentSlice> {
  invariant(from >= 0 && from <= to && to <= fileBytes, `no bytes ${from} to ${to} in ${fileBytes}`);
  if (fileBytes === 0) yield { segment: 0, from: 0, to: 0 };
  for (let segment = Math.floor(from / segmentBytes); segment * segmentBytes < to && from < to; segment++) {
    const start = segment * segmentBytes;
    yield { segment, from: Math.max(from - start, 0), to: Math.min(to - start, segmentBytes) };
  }
}

/**
 * Regroups a stream into segments: each a buffer of its own that the consumer may keep and change, allocated once and
 * handed out as soon as it is full; the last is short, and empty only when the stream is. `expectedBytes` (a stated
 * length) only sizes the last buffer: a stream that is longer costs one copy more, nothing else.
 */
export async function* cutSegments(
  source: AsyncIterable<Uint8Array>,
  segmentBytes: number,
  expectedBytes = Number.POSITIVE_INFINITY,
): AsyncGenerator<Uint8Array, void, undefined> {
  invariant(Number.isSafeInteger(segmentBytes) && segmentBytes > 0, `no segments of ${segmentBytes} bytes`);
  let done = 0;
  let filled = 0;
  let buffer: Uint8Array | undefined;
  for await (const piece of source) {
    for (let at = 0; at < piece.length; ) {
      const count = Math.min(segmentBytes - filled, piece.length - at);
      buffer = roomFor(buffer, filled, count, segmentBytes, expectedBytes - done);
      buffer.set(piece.subarray(at, at + count), filled);
      at += count;
      filled += count;
      if (filled < segmentBytes) continue;
      yield buffer;
      done += filled;
      filled = 0;
      buffer = undefined;
    }
  }
  if (buffer) yield buffer.subarray(0, filled);
  else if (done === 0) yield new Uint8Array(0);
}

/** A buffer with `filled` bytes of the old one and room for `count` more. */
function roomFor(
  buffer: Uint8Array | undefined,
  filled: number,
  count: number,
  segmentBytes: number,
  expected: number,
): Uint8Array {
  if (buffer && buffer.length >= filled + count) return buffer;
  const room = !buffer && expected >= count ? Math.min(segmentBytes, expected) : segmentBytes;
  const made = new Uint8Array(room);
  if (buffer) made.set(buffer.subarray(0, filled));
  return made;
}
