/**
 * Audit record: what a validator writes down of a round and signs, the unit of the ledger and of exports (por/v1 §9).
 * Miners keep the records that they receive: two of one round with different transcripts prove a fork.
 *
 *   "filetao/audit/v1/record\0"  u32 length  request statement  u64 sentAtMs  u32 elapsedMs  answerSignature₆₄ (or zeros)
 *   items × (u8 verdict  H(body)₃₂)  transcript₃₂            then the validator's signature₆₄
 */
import { type ChallengeRequest, encodeRequest, parseRequest } from './challenge-request.ts';
import {
  type Network,
  type Parsed,
  refuseStatement,
  SIGNATURE_BYTES,
  StatementReader,
  StatementWriter,
} from './statement.ts';
import { VERDICTS, type Verdict, verdictCode } from './transcript.ts';

export interface AuditRecord {
  readonly request: ChallengeRequest;
  readonly sentAtMs: number;
  readonly elapsedMs: number;
  /** The miner's, or 64 zero bytes when there was none that holds. */
  readonly answerSignature: Uint8Array;
  /** One a request item, in its order. */
  readonly items: readonly { readonly verdict: Verdict; readonly bodyHash: Uint8Array }[];
  readonly transcript: Uint8Array;
}

const TAG = 'filetao/audit/v1/record';
const ITEM_BYTES = 33;
const TRANSCRIPT_BYTES = 32;

export function encodeRecord(network: Network, record: AuditRecord): Uint8Array {
  const request = encodeRequest(network, record.request);
  const writer = new StatementWriter(TAG)
    .u32(request.length)
    .bytes(request)
    .u64(record.sentAtMs)
    .u32(record.elapsedMs)
    .fixed(record.answerSignature, SIGNATURE_BYTES);
  for (const { verdict, bodyHash } of record.items) writer.u8(verdictCode(verdict)).fixed(bodyHash, 32);
  return writer.fixed(record.transcript, TRANSCRIPT_BYTES).finish();
}

/** Refuses a request that is not one of this network, an unknown verdict, and more or fewer items than were asked. */
export function parseRecord(network: Network, bytes: Uint8Array): Parsed<AuditRecord> {
  const reader = new StatementReader('record', bytes, TAG);
  const requestBytes = reader.bytes(reader.u32());
  if (!reader.ok) return reader.failed();
  const request = parseRequest(network, requestBytes);
  if (!request.ok) return refuseStatement('record', request.failure.reason);
  const sentAtMs = reader.u64();
  const elapsedMs = reader.u32();
  const answerSignature = reader.copy(SIGNATURE_BYTES);
  const items = reader.items(request.value.items.length, ITEM_BYTES, TRANSCRIPT_BYTES, () => {
    const verdict = VERDICTS[reader.u8()];
    reader.require(verdict !== undefined, 'range');
    return { verdict: verdict ?? 'void', bodyHash: reader.copy(32) };
  });
  const transcript = reader.copy(TRANSCRIPT_BYTES);
  return reader.close({ request: request.value, sentAtMs, elapsedMs, answerSignature, items, transcript });
}
