/**
 * The body of `POST /v1/challenges`, and how long its answer may take (protocol.md §2, §5): the signed request, and the
 * signed record of the request before it, once there is one. Built by `MinerClient.challenge`, read by the miner.
 *
 *   u32 requestBytes   request statement ‖ signature₆₄   [record statement ‖ signature₆₄]
 */
import { ByteReader, ByteWriter } from '#shared/primitives/bytes.ts';
import { MAX_REQUEST_ITEMS } from '#shared/proof/challenge-request.ts';

/** Statement head and signature of a request beside its items (22 + 36 + 2 × 32 + 16 + 3 × 32 + 8 + 2 × 32 + 4 + 64). */
const REQUEST_HEAD_BYTES = 512;
const ITEM_BYTES = 34;
/** A record has a request inside, and 24 + 4 + 8 + 4 + 64 + 32 + 64 bytes besides its items of 33. */
const RECORD_HEAD_BYTES = 256;
const RECORD_ITEM_BYTES = 33;
const MAX_REQUEST_BYTES = REQUEST_HEAD_BYTES + MAX_REQUEST_ITEMS * ITEM_BYTES;
/** The largest body: held in memory, far below what needs a digest. */
export const MAX_CHALLENGE_BYTES = 2 * MAX_REQUEST_BYTES + RECORD_HEAD_BYTES + MAX_REQUEST_ITEMS * RECORD_ITEM_BYTES;

/** por/v1 §12: 4 s, and the bytes asked at 1 MB/s. */
const ANSWER_MS = 4000;
const ANSWER_BYTES_PER_MS = 1000;

/** Until when a whole answer must be there, in milliseconds from sending. */
export const challengeDeadlineMs = (answerBytes: number): number =>
  ANSWER_MS + Math.ceil(answerBytes / ANSWER_BYTES_PER_MS);

export interface ChallengeBody {
  /** statement ‖ signature. */
  readonly request: Uint8Array;
  /** statement ‖ signature of the record of the request before; absent at the start of a chain. */
  readonly record?: Uint8Array;
}

export const encodeChallengeBody = ({ request, record }: ChallengeBody): Uint8Array =>
  new ByteWriter(4 + request.length + (record?.length ?? 0))
    .u32(request.length)
    .bytes(request)
    .bytes(record ?? new Uint8Array(0))
    .finish();

/** Undefined when it is cut short. Views of the body. */
export function parseChallengeBody(body: Uint8Array): ChallengeBody | undefined {
  const reader = new ByteReader(body);
  const request = reader.bytes(reader.u32());
  const record = reader.bytes(reader.remaining);
  if (!reader.finished) return undefined;
  return record.length > 0 ? { request, record } : { request };
}
