/**
 * Reads one file, or one range of it, from its miners. The first segment is rebuilt and checked before this returns,
 * so that a file that cannot be rebuilt is a clear 503 and not a broken 200; what fails later breaks the body, which
 * never ends early and whole-looking. Called by the file routes and the by-name route.
 */
import { type EdgeFailure, type EdgeResult, refuse } from '#edge/http/problem.ts';
import type { Claim } from '#edge/network/admission.ts';
import type { EdgePorts } from '#edge/ports.ts';
import { type SegmentSlice, segmentLength, slicesOf } from '#shared/codec/segment.ts';
import type { FileRecord } from '#shared/index/ports.ts';
import { succeed } from '#shared/primitives/failure.ts';
import type { Cid, OwnerId } from '#shared/primitives/ids.ts';
import type { FetchFailure, FetchSegment } from '#shared/transfer/ports.ts';
import { ComplaintTally } from './complaint-tally.ts';
import { reachMiners } from './reach-miners.ts';

/** Buffers of one download: two segments with their shards, of which k + 2 may be on their way at once. */
const DOWNLOAD_BUDGET_BYTES = 24 * 1024 * 1024;
const DOWNLOAD_FLOOR_BYTES = 256 * 1024;
/** The segment, its shards and the two more that race with them; at k = 1 that is three copies and the segment. */
const BUFFER_BYTES_PER_FILE_BYTE = 4;
/** Segment records that one question to the index brings: at (16, 40) about 125 KB. */
const RECORDS_PER_PAGE = 64;

/** Anyone who may read may read any CID (it is the capability); the caller's own file comes first. */
export async function findReadable(
  ports: Pick<EdgePorts, 'files'>,
  cid: Cid,
  caller: OwnerId | undefined,
): Promise<FileRecord | undefined> {
  const own = caller === undefined ? undefined : await ports.files.findFile(cid, caller);
  return own ?? (await ports.files.findFile(cid));
}

/** Hands the bytes on, piece by piece; a rejection (the client left) stops the retrieval. */
export type Deliver = (piece: Uint8Array) => Promise<void>;

export interface Retrieval {
  /**
   * Delivers everything, the first segment's bytes already checked. Resolves with the failure that stopped it, if one
   * did; then fewer bytes were delivered than promised. Must be called, or `cancel`.
   */
  deliver(to: Deliver): Promise<EdgeFailure | undefined>;
  cancel(): Promise<void>;
}

export interface RetrieveInput {
  readonly file: FileRecord;
  /** First byte, and the one after the last. */
  readonly from: number;
  readonly to: number;
  readonly signal: AbortSignal;
}

export async function retrieveFile(ports: EdgePorts, input: RetrieveInput): Promise<EdgeResult<Retrieval>> {
  const { file, from, to } = input;
  const secret = await ports.maskSecrets.forReading(file.maskEpoch);
  if (!secret.ok) return secret;
  const reached = await reachMiners(ports);
  if (!reached.ok) return reached;
  const wanted = Math.min(DOWNLOAD_BUDGET_BYTES, DOWNLOAD_FLOOR_BYTES + BUFFER_BYTES_PER_FILE_BYTE * file.bytes);
  const stop = new AbortController();
  const signal = AbortSignal.any([input.signal, stop.signal]);
  const claim = await ports.admission.claim(wanted, ports.clock, signal);
  if (!claim) return refuse('overloaded', 'this edge has too many transfers under way; try again shortly');

  const complaints = new ComplaintTally(file);
  try {
    const peers = new Map(reached.value.map((peer) => [peer.number, peer]));
    const { number, fileId, k, n, codingId, anchorType, maskEpoch } = file;
    const coding = { number, fileId, k, n, codingId, anchorType, maskEpoch, maskSecret: secret.value };
    const budget = ports.newBudget(claim.bytes);
    const slices = [...slicesOf(file.bytes, file.segmentBytes, from, to)];
    const request = { coding, peers, budget, signal };
    const fetched = ports.fetchSegments(ports.transfer, request, segmentsOf(ports, file, slices), (complaint) =>
      complaints.add(complaint),
    );
    const iterator = fetched[Symbol.asyncIterator]();
    const close = closing(iterator, stop, claim, () => complaints.report(ports.log));
    const first = await iterator.next();
    if (first.done) throw new Error('invariant broken: a fetch of segments yields one, or a failure');
    if (!first.value.ok) {
      await close();
      return { ok: false, failure: fetchFailure(first.value.failure) };
    }
    return succeed({ deliver: deliverer(iterator, first.value, slices, claim, close), cancel: close });
  } catch (error) {
    claim.release();
    throw error;
  }
}

type Fetched = AsyncIterator<
  { ok: true; value: { index: number; bytes: Uint8Array; release(): void } } | { ok: false; failure: FetchFailure }
>;

/** Ends the fetches, frees the memory and reports, once. */
function closing(iterator: Fetched, stop: AbortController, claim: Claim, report: () => void): () => Promise<void> {
  let closed = false;
  return async () => {
    if (closed) return;
    closed = true;
    stop.abort(new Error('the retrieval has ended'));
    try {
      await iterator.return?.();
    } finally {
      claim.release();
      report();
    }
  };
}

function deliverer(
  iterator: Fetched,
  first: { ok: true; value: { index: number; bytes: Uint8Array; release(): void } },
  slices: readonly SegmentSlice[],
  claim: Claim,
  close: () => Promise<void>,
): Retrieval['deliver'] {
  return async (to) => {
    try {
      let next: Awaited<ReturnType<Fetched['next']>> = { done: false, value: first };
      for (const slice of slices) {
        if (next.done) throw new Error('invariant broken: fewer segments came than were asked for');
        if (!next.value.ok) return fetchFailure(next.value.failure);
        const { index, bytes, release } = next.value.value;
        if (index !== slice.segment) throw new Error('invariant broken: segments came out of order');
        claim.renew();
        try {
          if (slice.to > slice.from) await to(bytes.subarray(slice.from, slice.to));
        } finally {
          release();
        }
        next = await iterator.next();
      }
      return undefined;
    } finally {
      await close();
    }
  };
}

/** The records of the wanted segments, asked for page by page as the engine comes to them. */
async function* segmentsOf(
  ports: EdgePorts,
  file: FileRecord,
  slices: readonly SegmentSlice[],
): AsyncGenerator<FetchSegment, void, undefined> {
  for (let at = 0; at < slices.length; at += RECORDS_PER_PAGE) {
    const page = slices.slice(at, at + RECORDS_PER_PAGE);
    const firstSegment = page[0]?.segment ?? 0;
    const records = await ports.files.readSegments(file, firstSegment, page.length);
    if (records.length !== page.length) throw new Error('the manifest lacks segments: deleted while it was read');
    for (const [offset, record] of records.entries()) {
      const index = firstSegment + offset;
      yield { index, bytes: segmentLength(file.bytes, file.segmentBytes, index), record };
    }
  }
}

/** The engine's failure as an answer. */
export function fetchFailure(failure: FetchFailure): EdgeFailure {
  switch (failure.code) {
    case 'unrecoverable': {
      const { segment, healthy, needed } = failure;
      const text = `segment ${segment}: ${healthy} of the ${needed} shards that are needed can be reached`;
      return refuse('unrecoverable', text, { segment, healthy, needed }).failure;
    }
    case 'corrupt':
      return refuse('corrupt', 'the rebuilt bytes are not those that were stored', { segment: failure.segment })
        .failure;
    case 'cancelled':
      return refuse('cancelled', 'the client left').failure;
  }
}
