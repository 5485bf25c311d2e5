/**
 * One file's new coding: read segment by segment, stored anew under another coding id and file number with as many shards
 * as the network now allows, and switched in one step (`replaceFile`). Until the switch the old file is whole and the new
 * one an upload like any other: its intent is on record before a byte leaves, and whatever does not come to a switch is
 * handed over as strays. Receipts go the way that an edge's go. Called by `recode.ts`.
 */

import type { Redundancy } from '#shared/codec/redundancy.ts';
import { segmentLength } from '#shared/codec/segment.ts';
import { type FileRecord, IndexUnavailable, type Recoding } from '#shared/index/ports.ts';
import type { Failure } from '#shared/primitives/failure.ts';
import { type AnchorId, idBytes, type MinerNumber, newOrderId, refOf } from '#shared/primitives/ids.ts';
import { newCodingId } from '#shared/proof/mask.ts';
import { createBudget } from '#shared/transfer/budget.ts';
import { fetchSegments } from '#shared/transfer/fetch-segments.ts';
import type { FetchSegment, SlotComplaint } from '#shared/transfer/ports.ts';
import { storeSegments } from '#shared/transfer/store-segments.ts';
import { namedShards } from '#validator/domain/slot-anchors.ts';
import type { NetworkView } from './network-view.ts';
import type { RepairPorts } from './repair-ports.ts';

export type RecodePorts = Omit<RepairPorts, 'budget'>;

/** `waits`: nothing was lost, the next pass tries again. */
export type RecodeOutcome =
  | { readonly outcome: 'recoded'; readonly movedBytes: number }
  | { readonly outcome: 'file-changed' }
  | { readonly outcome: 'waits'; readonly reason: string };

/** Segment records read at once: at (16, 40) 30 KB. */
const SEGMENTS_AT_ONCE = 16;
/** Of one file at a time: what is read, and what is coded and sent; each has two full segments' room. */
const READ_BYTES = 24 * 2 ** 20;
const SEND_BYTES = 40 * 2 ** 20;
/** A switch whose answer was lost is asked again so often; it is safe to repeat. */
const SWITCH_ATTEMPTS = 3;
const SWITCH_PAUSE_MS = 200;

export interface RecodeFileSettings {
  /** The longest that one file may take: after that its intent has run out. */
  readonly sessionMs: number;
  /** For miners: how long a shard that no record names is kept after that. */
  readonly holdMs: number;
}

/** The old file cannot be read now. */
class Unreadable extends Error {
  override readonly name = 'Unreadable';
  readonly failure: Failure;
  constructor(failure: Failure) {
    super(failure.message);
    this.failure = failure;
  }
}

interface Sent {
  readonly miner: MinerNumber;
  readonly anchorId: AnchorId;
  readonly segment: number;
}

export async function recodeFile(
  ports: RecodePorts,
  settings: RecodeFileSettings,
  view: NetworkView,
  file: FileRecord,
  redundancy: Redundancy,
  signal: AbortSignal,
): Promise<RecodeOutcome> {
  const { files, transfer, clock, log } = ports;
  const secret = await ports.maskSecrets.of(file.maskEpoch);
  if (!secret.ok) return { outcome: 'waits', reason: secret.failure.code };
  const { owner, fileId, maskEpoch, anchorType } = file;
  const endsAtMs = clock.nowMs() + settings.sessionMs;
  const number = await files.beginUpload({ owner, fileId, expiresAtMs: endsAtMs });
  const recoding: Recoding = { number, ...redundancy, codingId: newCodingId(transfer.random), maskEpoch };
  const stored: Sent[] = [];
  const strays: Sent[] = [];
  const abandon = async () => {
    const late = (error: unknown) => log.warn('recoding-not-abandoned', { file: number, reason: String(error) });
    await Promise.all([files.abandonUpload(number), handOver(ports, number, [...stored, ...strays])]).catch(late);
  };
  try {
    const outcome = await storeSegments(
      transfer,
      {
        coding: { ...recoding, fileId, anchorType, maskSecret: secret.value },
        order: newOrderId(transfer.random),
        holdUntilMs: endsAtMs + settings.holdMs,
        peers: view.candidates,
        expectedBytes: file.bytes,
        budget: createBudget(SEND_BYTES),
        signal,
      },
      readFile(ports, view, file, redundancy, secret.value, signal),
      async ({ index, record, receipts }) => {
        for (const { slot, anchorId } of namedShards({ ...file, ...redundancy }, index, record)) {
          if (slot.state === 'stored') stored.push({ miner: slot.miner, anchorId, segment: index });
        }
        await files.stageSegment(number, index, record);
        await files.addReceipts({ file: number, segment: index, receipts });
      },
      (found) => strays.push(...found),
    );
    if (!outcome.ok) {
      await abandon();
      return { outcome: 'waits', reason: outcome.failure.code };
    }
  } catch (error) {
    await abandon();
    if (error instanceof Unreadable) return { outcome: 'waits', reason: error.failure.code };
    throw error;
  }
  // From here on the new number may be the file, whatever is answered: nothing of it is thrown away unless refused.
  if (!(await makeSwitch(ports, file, recoding))) {
    await abandon();
    return { outcome: 'file-changed' };
  }
  await handOver(ports, number, strays).catch((error: unknown) => {
    log.warn('strays-not-handed-over', { file: number, reason: String(error) });
  });
  return { outcome: 'recoded', movedBytes: movedBytesOf(file.bytes, redundancy) };
}

/** Read once, and sent as n shards of a k-th each. */
const movedBytesOf = (bytes: number, { k, n }: Redundancy): number => bytes + Math.ceil((bytes * n) / k);

async function makeSwitch({ files, clock }: RecodePorts, file: FileRecord, recoding: Recoding): Promise<boolean> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await files.replaceFile(file, recoding);
    } catch (error) {
      if (attempt === SWITCH_ATTEMPTS || !(error instanceof IndexUnavailable)) throw error;
      await clock.sleep(SWITCH_PAUSE_MS * attempt);
    }
  }
}

/** The file's bytes, checked segment by segment, no faster than the bandwidth that repair shares allows. */
async function* readFile(
  ports: RecodePorts,
  view: NetworkView,
  file: FileRecord,
  redundancy: Redundancy,
  maskSecret: Uint8Array,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const request = {
    coding: { ...file, maskSecret },
    peers: view.sources,
    budget: createBudget(READ_BYTES),
    signal,
  };
  const complain = (complaint: SlotComplaint) => reportLoss(ports, file, complaint);
  const segments = segmentsOf(ports, file, redundancy, signal);
  for await (const part of fetchSegments(ports.transfer, request, segments, complain)) {
    if (!part.ok) throw new Unreadable(part.failure);
    yield part.value.bytes;
    part.value.release();
  }
}

async function* segmentsOf(
  { files, bandwidth }: RecodePorts,
  file: FileRecord,
  redundancy: Redundancy,
  signal: AbortSignal,
): AsyncGenerator<FetchSegment> {
  for (let from = 0; from < file.segments; from += SEGMENTS_AT_ONCE) {
    const count = Math.min(SEGMENTS_AT_ONCE, file.segments - from);
    const records = await files.readSegments(file, from, count);
    if (records.length !== count) throw new IndexUnavailable(`file ${file.number} lacks segments`);
    for (const [i, record] of records.entries()) {
      const bytes = segmentLength(file.bytes, file.segmentBytes, from + i);
      await bandwidth.take(movedBytesOf(bytes, redundancy), signal);
      yield { index: from + i, bytes, record };
    }
  }
}

/** Wrong or absent is certain, as for repair; unreachable is the monitor's to judge. */
function reportLoss({ repairs }: RecodePorts, file: FileRecord, { segment, shardIndex, slot, what }: SlotComplaint) {
  if (what === 'unreachable') return;
  const evidence = `recode:${file.number}.${segment}`;
  repairs.report({ file: file.number, segment, shardIndex, placement: slot.placement, reason: what, evidence });
}

async function handOver({ files }: RecodePorts, number: FileRecord['number'], sent: readonly Sent[]): Promise<void> {
  if (sent.length === 0) return;
  await files.addStrays(
    sent.map(({ miner, anchorId, segment }) => ({ miner, anchorId: idBytes(anchorId), ref: refOf(number, segment) })),
  );
}
