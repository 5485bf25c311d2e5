/**
 * Challenge answer: a miner's reply to a challenge request (por/v1 §9). Bodies carry no length: the request and the
 * anchors determine it. The signature stands in front and binds the request and every body by hash.
 *
 *   on the wire   signature₆₄  items × (u8 status: 1 here, 2 missing; [1] body)
 *   signed        "filetao/por/v1/answer\0"  H(request)₃₂  items × (u8 status  H(body)₃₂)
 */
import { ByteReader, concatBytes } from '#shared/primitives/bytes.ts';
import { succeed } from '#shared/primitives/failure.ts';
import { sha256 } from '#shared/primitives/sha256.ts';
import type { Signer } from '#shared/primitives/signer.ts';
import { type Parsed, refuseStatement, SIGNATURE_BYTES, StatementWriter, signStatement } from './statement.ts';
import { EMPTY_HASH } from './transcript.ts';

/** The body of one item, or undefined where the miner declares the shard missing. */
export type AnswerItem = Uint8Array | undefined;

export interface ChallengeAnswer {
  readonly signature: Uint8Array;
  /** One a request item, in its order; views of the answer's bytes. */
  readonly items: readonly AnswerItem[];
}

const TAG = 'filetao/por/v1/answer';
const HERE = 1;
const MISSING = 2;

/** The bytes that the miner signs. @param request the request statement, without its signature */
export const encodeAnswerStatement = (request: Uint8Array, items: readonly AnswerItem[]): Uint8Array =>
  encodeAnswerHashes(
    request,
    items.map((body) => body && sha256(body)),
  );

/** The same from the bodies' hashes, as a record keeps them; undefined where the shard was declared missing. */
export function encodeAnswerHashes(request: Uint8Array, hashes: readonly (Uint8Array | undefined)[]): Uint8Array {
  const writer = new StatementWriter(TAG).fixed(sha256(request), 32);
  for (const hash of hashes) writer.u8(hash ? HERE : MISSING).fixed(hash ?? EMPTY_HASH, 32);
  return writer.finish();
}

export function encodeAnswer(answer: ChallengeAnswer): Uint8Array {
  const parts = answer.items.flatMap((body) => (body ? [Uint8Array.of(HERE), body] : [Uint8Array.of(MISSING)]));
  return concatBytes(answer.signature, ...parts);
}

/** The whole answer of a miner. */
export function signAnswer(signer: Signer, request: Uint8Array, items: readonly AnswerItem[]): Uint8Array {
  const signed = signStatement(signer, encodeAnswerStatement(request, items));
  return encodeAnswer({ signature: signed.subarray(signed.length - SIGNATURE_BYTES), items });
}

/** @param bodyBytes per item the one length that its body has (`bodyBytesOf`) */
export function parseAnswer(answer: Uint8Array, bodyBytes: readonly number[]): Parsed<ChallengeAnswer> {
  const reader = new ByteReader(answer);
  const signature = reader.bytes(SIGNATURE_BYTES).slice();
  const items: AnswerItem[] = [];
  for (const bytes of bodyBytes) {
    const status = reader.u8();
    if (reader.ok && status !== HERE && status !== MISSING) return refuseStatement('answer', 'range');
    items.push(status === HERE ? reader.bytes(bytes) : undefined);
  }
  return reader.finished ? succeed({ signature, items }) : refuseStatement('answer', 'length');
}
