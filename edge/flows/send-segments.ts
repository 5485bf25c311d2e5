/**
 * The part of a store that leaves traces: intent, shards on miners, staged records, manifest; and their removal when
 * something fails. Called by `store-file.ts` with a redundancy chosen and the first segment in hand.
 */
import { BodyRefused } from '#edge/body/body-refused.ts';
import { type EdgeFailure, type EdgeResult, refuse } from '#edge/http/problem.ts';
import type { EdgePorts } from '#edge/ports.ts';
import type { Redundancy } from '#shared/codec/redundancy.ts';
import { SEGMENT_BYTES } from '#shared/codec/segment.ts';
import { type FileRecord, IndexUnavailable } from '#shared/index/ports.ts';
import { succeed } from '#shared/primitives/failure.ts';
import { type Cid, type FileNumber, newFileId, newOrderId } from '#shared/primitives/ids.ts';
import { newCodingId } from '#shared/proof/mask.ts';
import { ZK_ANCHOR_TYPE } from '#shared/proof/zk/zk-anchor.ts';
import type { FileCoding, Peer, StoreFailure } from '#shared/transfer/ports.ts';
import { commitSurely } from './commit-surely.ts';
import { keepLongest } from './keep-longest.ts';
import { StrayList } from './stray-list.ts';
import { type StoredFile, type Upload, wrongCid } from './upload.ts';

export interface Sending {
  readonly redundancy: Redundancy;
  readonly peers: readonly Peer[];
  readonly source: AsyncIterable<Uint8Array>;
  readonly expectedBytes: number | undefined;
  readonly budgetBytes: number;
  /** The CID of everything, once the source has ended. */
  readonly cidOfAll: () => Cid;
}

export async function sendSegments(ports: EdgePorts, input: Upload, sending: Sending): Promise<EdgeResult<StoredFile>> {
  const { settings, clock, random, files } = ports;
  const secret = await ports.maskSecrets.forStoring();
  if (!secret.ok) return secret;
  const createdAtMs = clock.nowMs();
  const sessionEndsAtMs = createdAtMs + settings.sessionMs;
  const fileId = newFileId(random);
  const number = await files.beginUpload({ owner: input.owner, fileId, expiresAtMs: sessionEndsAtMs });
  const anchoring = input.zk ? { anchorType: ZK_ANCHOR_TYPE } : {};
  const coding: FileCoding = {
    number,
    fileId,
    ...sending.redundancy,
    codingId: newCodingId(random),
    ...anchoring,
    maskEpoch: ports.maskSecrets.newestEpoch,
    maskSecret: secret.value,
  };
  const strays = new StrayList(coding);
  /** Takes away what this upload left. Never fails: what cannot be removed now is found by collection. */
  const abandon = async () => {
    try {
      strays.addStored();
      await Promise.all([files.abandonUpload(number), strays.hand(files)]);
    } catch (error) {
      ports.log.warn('upload-not-abandoned', { file: number, error: String(error) });
    }
  };

  // The engine may report a body that broke as it likes; what was wrong with it is remembered here.
  let refused: BodyRefused | undefined;
  const watched = watchSource(sending.source, (error) => {
    refused = error;
  });
  let committing = false;
  try {
    const session = AbortSignal.timeout(settings.sessionMs);
    const stored = await ports.storeSegments(
      ports.transfer,
      {
        coding,
        order: newOrderId(random),
        holdUntilMs: sessionEndsAtMs + settings.collectGraceMs,
        peers: sending.peers,
        ...(sending.expectedBytes === undefined ? {} : { expectedBytes: sending.expectedBytes }),
        budget: ports.newBudget(sending.budgetBytes),
        signal: AbortSignal.any([input.signal, session]),
      },
      watched,
      async (segment) => {
        strays.noteStored(segment);
        await Promise.all([
          files.stageSegment(number, segment.index, segment.record),
          files.addReceipts({ file: number, segment: segment.index, receipts: segment.receipts }),
        ]);
      },
      (found) => strays.add(found),
    );
    if (!stored.ok) {
      ports.background(abandon());
      return { ok: false, failure: refused?.failure ?? storeFailure(stored.failure, session.aborted) };
    }
    const cid = sending.cidOfAll();
    if (input.announcedCid && cid !== input.announcedCid) {
      await abandon();
      return wrongCid(cid, input.announcedCid);
    }
    const record: FileRecord = {
      number,
      fileId,
      owner: input.owner,
      cid,
      bytes: stored.value.bytes,
      ...sending.redundancy,
      segmentBytes: SEGMENT_BYTES,
      segments: stored.value.segments,
      codingId: coding.codingId,
      ...anchoring,
      maskEpoch: coding.maskEpoch,
      createdAtMs,
      expiresAtMs: input.expiresAtMs,
      ...(input.name === undefined ? {} : { name: input.name }),
      ...(input.contentType === undefined ? {} : { contentType: input.contentType }),
    };
    committing = true;
    const outcome = await commitSurely(ports, () => files.commitFile(record));
    if (outcome.outcome === 'stored') {
      ports.background(strays.hand(files).catch((error) => noteStraysLost(ports, number, error)));
      return succeed({ file: outcome.file, created: true });
    }
    ports.background(abandon());
    if (outcome.outcome === 'already')
      return succeed({ file: await keepLongest(ports, outcome.file, input), created: false });
    const { quotaBytes, usedBytes } = outcome;
    return refuse('over-quota', `${usedBytes} of ${quotaBytes} bytes are used`, { quotaBytes, usedBytes });
  } catch (error) {
    // After an unanswered commit the file may be there: then nothing of it may be thrown away.
    if (!committing) ports.background(abandon());
    if (refused) return { ok: false, failure: refused.failure };
    if (!committing || !(error instanceof IndexUnavailable)) throw error;
    ports.log.error('commit-unanswered', { file: number, error: String(error) });
    return refuse('index-unavailable', 'whether the file was stored is not known; send it again to be sure');
  }
}

/** Tells what was wrong with the body, on its way to the engine. */
export async function* watchSource<T>(
  source: AsyncIterable<T>,
  onRefused: (error: BodyRefused) => void,
): AsyncGenerator<T> {
  try {
    yield* source;
  } catch (error) {
    if (error instanceof BodyRefused) onRefused(error);
    throw error;
  }
}

function noteStraysLost(ports: EdgePorts, file: FileNumber, error: unknown): void {
  ports.log.warn('strays-not-handed-over', { file, error: String(error) });
}

/** The engine's failure as an answer. */
export function storeFailure(failure: StoreFailure, sessionOver: boolean): EdgeFailure {
  switch (failure.code) {
    case 'too-few-miners':
      return refuse('too-few-miners', failure.message, { needed: failure.needed, available: failure.available })
        .failure;
    case 'not-stored':
      return refuse('not-stored', failure.message, {
        segment: failure.segment,
        receipts: failure.receipts,
        needed: failure.needed,
      }).failure;
    case 'cancelled':
      if (sessionOver) return refuse('idle', 'the upload took longer than a session may last').failure;
      return refuse('cancelled', 'the client left; nothing was stored').failure;
  }
}
