/**
 * Cuts an upload into segments, each in a buffer of its own, and shows every byte once to `onBytes` (the whole-file
 * digest) in the pieces in which it arrives. Reads in place where `cutSegments` of the codec copies. Called by the
 * store flow; a body that breaks its limits throws `BodyRefused`.
 */

import { BodyRefused } from './body-refused.ts';
import type { ByteSource } from './byte-source.ts';

export interface BodyLimits {
  readonly segmentBytes: number;
  /** From Content-Length: sizes the first buffer, and is held to. */
  readonly expectedBytes?: number | undefined;
  readonly maxBytes: number;
  /** What to say when `maxBytes` is passed. */
  readonly overMax: () => BodyRefused;
}

/** First buffer for a body of unknown length; it grows fourfold, so that small files cost little. */
const FIRST_BUFFER_BYTES = 64 * 1024;

function grow(buffer: Uint8Array<ArrayBuffer>, length: number): Uint8Array<ArrayBuffer> {
  const grown = new Uint8Array(length);
  grown.set(buffer);
  return grown;
}

const wrongLength = (expectedBytes: number, bytes: number) =>
  new BodyRefused('length-mismatch', `the body has ${bytes} bytes where ${expectedBytes} were announced`);

/** Yields every segment, full but the last; an empty source is one empty segment. */
export async function* bodySegments(
  source: ByteSource,
  limits: BodyLimits,
  onBytes: (piece: Uint8Array) => void,
): AsyncGenerator<Uint8Array, void, undefined> {
  const { segmentBytes, expectedBytes, maxBytes } = limits;
  let total = 0;
  for (;;) {
    const left = expectedBytes === undefined ? undefined : expectedBytes - total;
    // One byte more than is expected is the room to notice a body that is too long.
    const capacity = left === undefined ? (total === 0 ? FIRST_BUFFER_BYTES : segmentBytes) : left + 1;
    let buffer = new Uint8Array(Math.min(segmentBytes, capacity));
    let length = 0;
    let ended = false;
    while (length < segmentBytes && !ended) {
      if (length === buffer.length) buffer = grow(buffer, Math.min(segmentBytes, 4 * length));
      const read = await source.read(buffer, length);
      buffer = read.buffer;
      ended = read.filled === 0;
      total += read.filled;
      if (expectedBytes !== undefined && total > expectedBytes) throw wrongLength(expectedBytes, total);
      if (total > maxBytes) throw limits.overMax();
      if (!ended) onBytes(buffer.subarray(length, length + read.filled));
      length += read.filled;
    }
    if (ended && expectedBytes !== undefined && total !== expectedBytes) throw wrongLength(expectedBytes, total);
    if (length > 0 || total === 0) yield buffer.subarray(0, length);
    if (ended) return;
  }
}
