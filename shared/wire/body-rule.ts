/**
 * Our profile of btauth/1 for bodies (protocol.md §1): where line 5 of the signed lines comes from, told from the
 * headers alone. Small bodies may be held and hashed; larger ones must name their digest (RFC 9530), so that the
 * signature is checked before a byte is read; only the shard stream is chunked.
 */
import { fromBase64, toBase64, toHex } from '#shared/primitives/bytes.ts';
import { type Failure, fail, type Result, succeed } from '#shared/primitives/failure.ts';
import { EMPTY_BODY_DIGEST, type ReceivedRequest } from './btauth.ts';
import { MAX_UNDIGESTED_BODY_BYTES } from './limits.ts';

/** What the headers say of the body. */
export type BodyRule =
  /** No body, or the shard stream: line 5 is the hash of the empty string. */
  | { readonly kind: 'none' | 'stream'; readonly bytes: 0; readonly digestHex: string }
  /** The digest is announced: check the signature, then read exactly `bytes`, then compare. */
  | { readonly kind: 'digested'; readonly bytes: number; readonly digestHex: string }
  /** Read exactly `bytes` (at most 64 KiB), hash them, then check the signature. */
  | { readonly kind: 'held'; readonly bytes: number };

export interface BodyFailure extends Failure {
  readonly code: 'bad-request' | 'length-required' | 'digest-required' | 'too-large' | 'unsupported-encoding';
}

const refuse = (code: BodyFailure['code'], message: string) => fail<BodyFailure>({ code, fault: 'caller', message });

const LENGTH = /^(?:0|[1-9][0-9]{0,15})$/;
const DIGEST = /^sha-256=:([A-Za-z0-9+/]{43}=):$/;

/** The header value for a digest of 32 bytes. */
export const contentDigest = (sha256: Uint8Array): string => `sha-256=:${toBase64(sha256)}:`;

/** The digest of a `Content-Digest` with sha-256 and nothing else; undefined for any other spelling. */
export function parseContentDigest(value: string): Uint8Array | undefined {
  const text = DIGEST.exec(value)?.[1];
  return text === undefined ? undefined : fromBase64(text);
}

/**
 * @param maxBytes the largest body of this route
 * @param stream this route is the shard stream, whose body has no announced length
 */
export function bodyRule(
  header: ReceivedRequest['header'],
  maxBytes: number,
  stream = false,
): Result<BodyRule, BodyFailure> {
  const encoding = header('content-encoding');
  if (encoding !== undefined && encoding !== 'identity') {
    return refuse('unsupported-encoding', 'send the body as it is');
  }
  // Content-Length is believed only where no Transfer-Encoding overrides it (RFC 9112 §6.3).
  if (stream) return succeed({ kind: 'stream', bytes: 0, digestHex: EMPTY_BODY_DIGEST });
  if (header('transfer-encoding') !== undefined)
    return refuse('length-required', 'chunked bodies are not accepted here');
  const lengthText = header('content-length') ?? '0';
  if (!LENGTH.test(lengthText)) return refuse('bad-request', 'Content-Length is not a number');
  const bytes = Number(lengthText);
  if (bytes > maxBytes) return refuse('too-large', `${bytes} bytes are announced, ${maxBytes} may come`);
  const digestText = header('content-digest');
  if (digestText === undefined) {
    if (bytes === 0) return succeed({ kind: 'none', bytes: 0, digestHex: EMPTY_BODY_DIGEST });
    if (bytes > MAX_UNDIGESTED_BODY_BYTES) return refuse('digest-required', 'send Content-Digest: sha-256=:…:');
    return succeed({ kind: 'held', bytes });
  }
  const digest = parseContentDigest(digestText);
  if (!digest) return refuse('bad-request', 'Content-Digest is not sha-256=:base64:');
  return succeed({ kind: 'digested', bytes, digestHex: toHex(digest) });
}
