/**
 * The store engine (contract: `ports.ts`): takes segments from a source, keeps two in flight, and reports each as soon
 * as it is stored. Called by the edge's store flow and by re-coding; knows no runtime and no index. Everything that was
 * sent and is in no reported record ends up in `onStrays`, on every way out.
 */

import { shardBytesOf } from '#shared/codec/reed-solomon.ts';
import { SEGMENT_BYTES } from '#shared/codec/segment.ts';
import { fail, invariant, succeed } from '#shared/primitives/failure.ts';
import { createBudget } from './budget.ts';
import { MinerStreams } from './miner-streams.ts';
import { DEFAULT_PACE } from './pace.ts';
import type { ReleaseBytes, StoredSegment, StoreFailure, StoreSegments } from './ports.ts';
import { type FileKeys, fileKeysOf, ROW_GROUP_BYTES, SegmentEncoder } from './segment-encoder.ts';
import { SegmentStore, type UploadState } from './segment-store.ts';
import { segmentRecordOf, straysOf } from './store-slots.ts';
import { untilAborted } from './wake.ts';

/** One is read or coded while the receipts of the one before are awaited. */
const SEGMENTS_IN_FLIGHT = 2;
/** Masked shards of a segment that wait for their transport: 24 MiB = 2 · (4 segment + 2 parity group + 6). */
const WINDOW_BYTES = 6 * 2 ** 20;

const windowOf = (k: number, n: number, segmentBytes: number): number => {
  const shardBytes = shardBytesOf(segmentBytes, k);
  return Math.max(shardBytes, Math.min(WINDOW_BYTES, n * shardBytes));
};

/** All that a segment needs at once: itself, a group of parity, and masked shards on their way. */
function workingBytes(k: number, n: number, segmentBytes: number): number {
  const group = k === 1 ? 0 : Math.min(ROW_GROUP_BYTES, (n - k) * shardBytesOf(segmentBytes, k));
  return segmentBytes + group + windowOf(k, n, segmentBytes);
}

/** What one miner gets of an upload of so many bytes. */
function shareBytes(k: number, fileBytes: number): number {
  const whole = Math.floor(fileBytes / SEGMENT_BYTES);
  return whole * shardBytesOf(SEGMENT_BYTES, k) + shardBytesOf(fileBytes - whole * SEGMENT_BYTES, k);
}

export const storeSegments: StoreSegments = async (ports, request, source, onStored, onStrays) => {
  const { coding, expectedBytes } = request;
  const firstSegment = request.part?.firstSegment ?? 0;
  const ended = new AbortController();
  const signal = AbortSignal.any([request.signal, ended.signal]);
  const pace = ports.pace ?? DEFAULT_PACE;
  const share = expectedBytes === undefined ? undefined : shareBytes(coding.k, expectedBytes);
  const streams = new MinerStreams(ports, pace, request.order, share, signal);
  const upload: UploadState = { ports, pace, request, streams, lastIndex: new Map(), signal };

  const keys = await fileKeysOf(coding);
  const running = new Set<Promise<void>>();
  let failure: StoreFailure | undefined;
  let defect: { readonly error: unknown } | undefined;
  let segments = 0;
  let bytes = 0;

  const launch = (segment: Uint8Array, release: ReleaseBytes): void => {
    const task: Promise<void> = storeSegment(upload, keys, firstSegment + segments, segment, onStored, onStrays)
      .then((failed) => {
        if (failed) failure ??= failed;
      })
      .catch((error: unknown) => {
        defect ??= { error };
      })
      .finally(() => {
        running.delete(task);
        release();
        if (failure || defect) ended.abort();
      });
    running.add(task);
    segments++;
    bytes += segment.length;
  };

  const iterator = source[Symbol.asyncIterator]();
  let exhausted = false;
  try {
    while (!signal.aborted && !exhausted) {
      const expected = expectedBytes === undefined ? SEGMENT_BYTES : Math.max(0, expectedBytes - bytes);
      const reserved = workingBytes(coding.k, coding.n, Math.min(SEGMENT_BYTES, expected));
      const release = await request.budget.acquire(reserved, signal);
      const next = await untilAborted(iterator.next(), signal, () => undefined).catch((error: unknown) => {
        release();
        throw error;
      });
      exhausted = next?.done === true;
      // A source that is empty is an empty file, and that is one empty segment.
      const segment = next?.done ? (segments === 0 ? new Uint8Array(0) : undefined) : next?.value;
      if (segment) launch(segment, await resize(upload, release, reserved, segment.length));
      else release();
      while (running.size >= SEGMENTS_IN_FLIGHT && !signal.aborted) await Promise.race(running);
    }
    await Promise.all(running);
    if (!signal.aborted) await streams.finish();
  } catch (error) {
    // An acquisition that the signal ended is no defect.
    if (!signal.aborted) defect ??= { error };
  }
  ended.abort();
  streams.abort();
  if (!exhausted) {
    iterator.return?.()?.catch((error: unknown) => ports.log.debug('source not ended', { error: String(error) }));
  }
  await Promise.all(running);

  if (request.signal.aborted) {
    return fail({ code: 'cancelled', fault: 'caller', message: 'the upload was cancelled' } as const);
  }
  if (defect) throw defect.error;
  return failure ? fail(failure) : succeed({ segments, bytes });
};

/** The acquired bytes for the segment that has really come, which may be shorter than expected, or longer. */
async function resize(upload: UploadState, release: ReleaseBytes, reserved: number, segmentBytes: number) {
  const { coding, budget } = upload.request;
  invariant(segmentBytes <= SEGMENT_BYTES, `a segment of ${segmentBytes} bytes`);
  const wanted = workingBytes(coding.k, coding.n, segmentBytes);
  if (wanted <= reserved) {
    release(wanted);
    return release;
  }
  // Given back first: whoever waits for more while holding some could wait forever.
  release();
  return budget.acquire(wanted, upload.signal);
}

/** One segment from its bytes to `onStored`; answers why it could not be stored. */
async function storeSegment(
  upload: UploadState,
  keys: FileKeys,
  index: number,
  bytes: Uint8Array,
  onStored: (segment: StoredSegment) => Promise<void>,
  onStrays: Parameters<StoreSegments>[4],
): Promise<StoreFailure | undefined> {
  const { ports, request } = upload;
  const { holdUntilMs, expectedBytes, coding, part } = request;
  const fileBytes = part ? part.fileBytes : expectedBytes;
  const terms = fileBytes === undefined ? { holdUntilMs } : { holdUntilMs, fileBytes };
  const encoder = new SegmentEncoder(ports, coding, keys, terms, index, bytes);
  const window = createBudget(windowOf(coding.k, coding.n, bytes.length));
  const store = new SegmentStore(upload, index, encoder, window);
  let recorded = false;
  try {
    const [stored, hash] = await Promise.all([store.run(), ports.sha256(bytes)]);
    if (!stored.ok) return stored.failure;
    recorded = true;
    const receipts = stored.value.map((receipt) => receipt.signed);
    await onStored({ index, bytes: bytes.length, record: segmentRecordOf(store.slots, hash), receipts });
    return undefined;
  } finally {
    await store.drain();
    // Every task that reads it has ended; only after a failure its hash may still be in the making.
    if (recorded) ports.letGo?.(bytes);
    const strays = straysOf(store.slots, index, recorded);
    if (strays.length > 0) onStrays(strays);
  }
}
