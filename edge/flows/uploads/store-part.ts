/**
 * Takes one part of an upload session: its segments go to miners under the file's own numbers and with masks of this
 * sending's own, and one switch in the index makes it the sending that counts. The same bytes again change nothing;
 * other bytes take the place of the old, whose shards collection drops. While the part streams past, two hashes see
 * it: its own, and the file's, if the state before it is known (`shared/codec/sha256-chain.ts`).
 */
import { BodyRefused } from '#edge/body/body-refused.ts';
import { type BodyLimits, bodySegments } from '#edge/body/body-segments.ts';
import type { ByteSource } from '#edge/body/byte-source.ts';
import { reachMiners } from '#edge/flows/reach-miners.ts';
import { storeFailure, watchSource } from '#edge/flows/send-segments.ts';
import { StrayList } from '#edge/flows/stray-list.ts';
import { uploadBudgetFor } from '#edge/flows/upload.ts';
import { type EdgeResult, refuse } from '#edge/http/problem.ts';
import { type Claim, LEAST_TRANSFER_BYTES } from '#edge/network/admission.ts';
import type { EdgePorts } from '#edge/ports.ts';
import { MAX_PARTS } from '#shared/api/upload-schemas.ts';
import { Sha256Chain, sha256Start } from '#shared/codec/sha256-chain.ts';
import { IndexUnavailable, type SegmentRecord } from '#shared/index/ports.ts';
import type { PartRecord, PutPartOutcome, UploadSession, UploadState } from '#shared/index/upload-ports.ts';
import { equalBytes } from '#shared/primitives/bytes.ts';
import { succeed } from '#shared/primitives/failure.ts';
import { newOrderId } from '#shared/primitives/ids.ts';
import type { StoredSegment } from '#shared/transfer/ports.ts';
import { openSession } from './find-upload.ts';
import { checkRoom } from './open-upload.ts';
import { firstSegmentOf, lengthsOf, MAX_SENDINGS, offsetOf, PLACINGS_PER_SENDING } from './part-plan.ts';

/** A switch whose answer was lost is asked again so often; it is safe to repeat. */
const PUT_ATTEMPTS = 3;
const PUT_PAUSE_MS = 200;

export interface NewPart {
  readonly number: number;
  readonly source: ByteSource;
  /** The announced length, when there is one. */
  readonly expectedBytes?: number | undefined;
  /** SHA-256 of the part, when the client says it. */
  readonly hash?: Uint8Array | undefined;
  /** State of the file's SHA-256 before this part, as the client has it: believed only once the part before agrees. */
  readonly before?: Uint8Array | undefined;
  readonly signal: AbortSignal;
}

export interface StoredPart {
  readonly part: PartRecord;
  /** False: these bytes were there already. */
  readonly created: boolean;
}

export async function storePart(ports: EdgePorts, state: UploadState, input: NewPart): Promise<EdgeResult<StoredPart>> {
  const opened = openSession(ports, state);
  if (!opened.ok) return opened;
  const session = opened.value;
  const { number, expectedBytes } = input;
  if (number > MAX_PARTS) return refuse('bad-request', `parts are numbered from 1 to ${MAX_PARTS}`);
  const { least, most } = lengthsOf(session, number);
  if (least > most) return refuse('bad-request', `a file of ${session.bytes} bytes has no part ${number}`);
  if (expectedBytes !== undefined && expectedBytes > most) return tooLong(session, most);
  if (expectedBytes !== undefined && expectedBytes < least) return tooShort(session, number, expectedBytes);

  const around = await ports.uploads.listParts(session.number, Math.max(1, number - 1), 2);
  const had = around.find((part) => part.number === number);
  if (had && input.hash && equalBytes(had.hash, input.hash)) return succeed({ part: had, created: false });
  const fits = await checkRoom(ports, session.owner, offsetOf(session, number) + (expectedBytes ?? least));
  if (!fits.ok) return fits;
  const previous = around.find((part) => part.number === number - 1);
  const before = number === 1 ? sha256Start() : (input.before ?? previous?.chain?.after);

  const claim = await ports.admission.claim(uploadBudgetFor(expectedBytes), ports.clock, input.signal);
  if (!claim) return refuse('overloaded', 'this edge has too many transfers under way; try again shortly');
  try {
    const { mostBytes, overMost } = fits.value;
    const room = mostBytes - offsetOf(session, number);
    const limits = {
      segmentBytes: session.segmentBytes,
      expectedBytes,
      maxBytes: Math.min(most, room),
      overMax: () =>
        room < most
          ? new BodyRefused(...overMost)
          : new BodyRefused('too-large', `this part has at most ${most} bytes`, { limitBytes: most }),
    };
    return await sendPart(ports, session, input, limits, had, before, claim);
  } finally {
    claim.release();
  }
}

const tooLong = ({ bytes, partBytes }: UploadSession, most: number) =>
  refuse('too-large', bytes === undefined ? `parts have ${partBytes} bytes` : `this part has ${most} bytes`, {
    limitBytes: most,
  });
const tooShort = ({ partBytes, bytes }: UploadSession, number: number, length: number) => {
  const text = `part ${number} has ${length} bytes; of a file of ${bytes} bytes every part but the last has ${partBytes}`;
  return refuse('length-mismatch', text, { partBytes });
};

async function sendPart(
  ports: EdgePorts,
  session: UploadSession,
  input: NewPart,
  limits: BodyLimits,
  had: PartRecord | undefined,
  before: Uint8Array | undefined,
  claim: Claim,
): Promise<EdgeResult<StoredPart>> {
  const { number } = input;
  const [secret, reached] = await Promise.all([ports.maskSecrets.forReading(session.maskEpoch), reachMiners(ports)]);
  if (!secret.ok) return secret;
  if (!reached.ok) return reached;
  const attempt = await ports.uploads.beginPart(session, number);
  if (attempt >= MAX_SENDINGS) return refuse('part-busy', `part ${number} was sent ${MAX_SENDINGS} times already`);

  const digest = ports.newSha256();
  const chain = before && new Sha256Chain(ports.transfer.kernel, before, offsetOf(session, number));
  const { least } = lengthsOf(session, number);
  const segments = bodySegments(input.source, limits, (piece) => {
    digest.update(piece);
    chain?.update(piece);
    claim.renew();
  });
  let refused: BodyRefused | undefined;
  const watched = watchSource(segments, (error) => {
    refused = error;
  });

  const { fileId, k, n, codingId, maskEpoch, bytes: fileBytes } = session;
  const strays = new StrayList(session);
  const hand = () =>
    ports.background(
      strays.hand(ports.files).catch((error) => {
        ports.log.warn('strays-not-handed-over', { file: session.number, error: String(error) });
      }),
    );
  const forget = () => {
    strays.addStored();
    hand();
  };
  const stored: StoredSegment[] = [];
  let putting = false;
  try {
    const left = AbortSignal.timeout(
      Math.max(0, Math.min(session.endsAtMs - ports.clock.nowMs(), ports.settings.sessionMs)),
    );
    const outcome = await ports.storeSegments(
      ports.transfer,
      {
        coding: { number: session.number, fileId, k, n, codingId, maskEpoch, maskSecret: secret.value },
        order: newOrderId(ports.random),
        holdUntilMs: session.endsAtMs + ports.settings.collectGraceMs,
        peers: reached.value,
        ...(input.expectedBytes === undefined ? {} : { expectedBytes: input.expectedBytes }),
        part: {
          firstSegment: firstSegmentOf(session, number),
          firstPlacement: attempt * PLACINGS_PER_SENDING,
          ...(fileBytes === undefined ? {} : { fileBytes }),
        },
        budget: ports.newBudget(Math.max(claim.bytes, LEAST_TRANSFER_BYTES)),
        signal: AbortSignal.any([input.signal, left]),
      },
      watched,
      async (segment) => {
        strays.noteStored(segment);
        stored.push(segment);
        const { index, receipts } = segment;
        await ports.files.addReceipts({ file: session.number, segment: index, receipts });
      },
      (found) => strays.add(found),
    );
    if (!outcome.ok) {
      forget();
      return { ok: false, failure: refused?.failure ?? storeFailure(outcome.failure, left.aborted) };
    }
    const { bytes } = outcome.value;
    const hash = digest.finish();
    const wrong = bytes < least ? tooShort(session, number, bytes) : hashRefusal(hash, input.hash);
    if (wrong) {
      forget();
      return wrong;
    }
    const after = bytes === session.partBytes ? chain?.state() : chain?.digest();
    const known = before && after ? { chain: { before, after } } : {};
    if (had && equalBytes(had.hash, hash) && had.bytes === bytes) {
      forget();
      const part = had.chain ? had : { ...had, ...known };
      if (part !== had) await ports.uploads.chainPart(session, part);
      return succeed({ part, created: false });
    }
    stored.sort((a, b) => a.index - b.index);
    const records = stored.map(({ record }) => record);
    const part: PartRecord = { number, attempt, bytes, hash, lost: countLost(records), ...known };
    putting = true;
    const put = await putPart(ports, session, part, records);
    if (put.outcome === 'ended') {
      forget();
      return refuse('upload-ended', 'the upload was completed or aborted meanwhile');
    }
    hand();
    return succeed({ part, created: true });
  } catch (error) {
    // After an unanswered switch the part may count: then nothing of it may be thrown away.
    if (!putting) forget();
    if (refused) return { ok: false, failure: refused.failure };
    throw error;
  }
}

const hashRefusal = (hash: Uint8Array, said: Uint8Array | undefined) =>
  said && !equalBytes(hash, said)
    ? refuse('digest-mismatch', 'the part does not have the announced SHA-256; nothing of it was kept')
    : undefined;

const countLost = (records: readonly SegmentRecord[]): number =>
  records.reduce((sum, { slots }) => sum + slots.filter((slot) => slot.state === 'lost').length, 0);

async function putPart(
  ports: EdgePorts,
  session: UploadSession,
  part: PartRecord,
  records: readonly SegmentRecord[],
): Promise<PutPartOutcome> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ports.uploads.putPart(session, part, records);
    } catch (error) {
      if (attempt === PUT_ATTEMPTS || !(error instanceof IndexUnavailable)) throw error;
      await ports.clock.sleep(PUT_PAUSE_MS * attempt);
    }
  }
}
