/**
 * btauth/1, signed requests between validators, edges and miners: signing, and checking in the order that the
 * specification gives (protocol.md §1). Eight lines are signed, joined by "\n", none trailing:
 *
 *   btauth/1 · scheme · METHOD · target exactly as sent · sha256 of the body in lowercase hex · nonce (ns) ·
 *   sender ss58 · receiver ss58 or "-"
 *
 * What a body's digest is when the body is large or a stream: `body-rule.ts`. Remembering nonces: `replay-guard.ts`.
 */
import { ed25519 } from '@noble/curves/ed25519.js';
import { fromHex, toHex, utf8 } from '#shared/primitives/bytes.ts';
import type { Random } from '#shared/primitives/effects.ts';
import { type Failure, fail, type Result, succeed } from '#shared/primitives/failure.ts';
import { type Hotkey, parseHotkey, publicKeyOf } from '#shared/primitives/ids.ts';
import type { Signer, VerifySr25519 } from '#shared/primitives/signer.ts';
import { NONCE_FUTURE_MS, NONCE_PAST_MS } from './limits.ts';

export type Scheme = 'sr25519' | 'ed25519';

/** SHA-256 of no bytes: line 5 of a request without a body, and of a shard stream. */
export const EMPTY_BODY_DIGEST = 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855';

export const BTAUTH_HEADERS = {
  version: 'x-bittensor-version',
  hotkey: 'x-bittensor-hotkey',
  receiver: 'x-bittensor-receiver',
  nonce: 'x-bittensor-nonce',
  crypto: 'x-bittensor-crypto',
  signature: 'x-bittensor-signature',
} as const;

export interface SignedFields {
  readonly scheme: Scheme;
  readonly method: string;
  /** Percent-encoded path and query exactly as sent. */
  readonly target: string;
  /** 64 characters of lowercase hex. */
  readonly bodyDigestHex: string;
  readonly nonce: bigint;
  readonly sender: Hotkey;
  /** Absent: signed for whoever receives it ("-"). */
  readonly receiver?: Hotkey;
}

/** The bytes that are signed. */
export const signedLines = (fields: SignedFields): Uint8Array =>
  utf8(
    [
      'btauth/1',
      fields.scheme,
      fields.method.toUpperCase(),
      fields.target,
      fields.bodyDigestHex,
      fields.nonce.toString(),
      fields.sender,
      fields.receiver ?? '-',
    ].join('\n'),
  );

const NS_PER_MS = 1_000_000n;
/** Last nonce of each signer of this process: they grow strictly, whatever the clock does. */
const lastNonces = new WeakMap<Signer, bigint>();

/**
 * Unix time in nanoseconds. Clocks give milliseconds at best, and a Worker's stands still while it computes, so the
 * digits below are random: two processes with one key do not meet.
 */
export function nextNonce(signer: Signer, nowMs: number, random: Random): bigint {
  const [a, b, c] = random(3) as Uint8Array & [number, number, number];
  // 24 random bits scaled to six digits; the slight unevenness is of no consequence here.
  const below = BigInt(Math.floor((((a << 16) | (b << 8) | c) * 1e6) / 2 ** 24));
  const candidate = BigInt(Math.floor(nowMs)) * NS_PER_MS + below;
  const last = lastNonces.get(signer) ?? 0n;
  const nonce = candidate > last ? candidate : last + 1n;
  lastNonces.set(signer, nonce);
  return nonce;
}

/**
 * The headers of one request. Call it when the request really leaves: the receiver allows 10 s. A retry signs anew.
 * @param bodyDigestHex sha256 of the body; EMPTY_BODY_DIGEST without one and for a shard stream
 */
export function signRequest(request: {
  readonly signer: Signer;
  readonly method: string;
  readonly target: string;
  readonly bodyDigestHex: string;
  readonly receiver: Hotkey;
  readonly nowMs: number;
  readonly random: Random;
}): Record<string, string> {
  const { signer, method, target, bodyDigestHex, receiver } = request;
  const nonce = nextNonce(signer, request.nowMs, request.random);
  const lines = signedLines({
    scheme: 'sr25519',
    method,
    target,
    bodyDigestHex,
    nonce,
    sender: signer.hotkey,
    receiver,
  });
  return {
    [BTAUTH_HEADERS.version]: '1',
    [BTAUTH_HEADERS.hotkey]: signer.hotkey,
    [BTAUTH_HEADERS.receiver]: receiver,
    [BTAUTH_HEADERS.nonce]: nonce.toString(),
    [BTAUTH_HEADERS.signature]: `0x${toHex(signer.sign(lines))}`,
  };
}

/** True when `signature` over `message` holds under the key and scheme. Never throws on bad input. */
export function verifyScheme(
  scheme: Scheme,
  verifySr25519: VerifySr25519,
  message: Uint8Array,
  signature: Uint8Array,
  publicKey: Uint8Array,
): boolean {
  if (scheme === 'sr25519') return verifySr25519(message, signature, publicKey);
  try {
    // RFC 8032 as it stands: ZIP 215 would accept several encodings of one signature.
    return ed25519.verify(signature, message, publicKey, { zip215: false });
  } catch {
    return false; // noble throws on points and lengths that are none
  }
}

export type AuthFailureCode =
  | 'unauthorized'
  | 'wrong-receiver'
  | 'clock-skew'
  | 'before-start'
  | 'bad-signature'
  | 'replayed'
  | 'busy';

export interface AuthFailure extends Failure {
  readonly code: AuthFailureCode;
}

const refuse = (code: AuthFailureCode, message: string) => fail<AuthFailure>({ code, fault: 'caller', message });

/** A request whose headers were checked, all but the signature. */
export interface Envelope {
  readonly method: string;
  readonly target: string;
  readonly caller: Hotkey;
  readonly receiver: Hotkey;
  readonly nonce: bigint;
  readonly signature: Uint8Array;
}

export interface ReceivedRequest {
  readonly method: string;
  /** As it came over the wire: never decoded, normalized or rebuilt from a parsed URL. */
  readonly target: string;
  /** A header's value by lowercase name; a repeated header comes joined by ", " and is then refused. */
  readonly header: (name: string) => string | undefined;
}

export interface Receiver {
  readonly hotkey: Hotkey;
  /** When this process began: older nonces may have been used before it. */
  readonly startedAtMs: number;
}

const NONCE = /^[1-9][0-9]{0,19}$/;
const SIGNATURE = /^0x[0-9a-f]{128}$/;

/** Steps 1 to 3: shape; the receiver is me; the nonce lies in the window. `arrivedAtMs`: when the headers came. */
export function checkEnvelope(
  request: ReceivedRequest,
  receiver: Receiver,
  arrivedAtMs: number,
): Result<Envelope, AuthFailure> {
  // 1. shape
  const { header } = request;
  if (header(BTAUTH_HEADERS.version) !== '1') return refuse('unauthorized', 'the request is not signed as btauth/1');
  const caller = parseHotkey(header(BTAUTH_HEADERS.hotkey) ?? '');
  if (!caller) return refuse('unauthorized', 'X-Bittensor-Hotkey is not an SS58 address with prefix 42');
  const nonceText = header(BTAUTH_HEADERS.nonce) ?? '';
  if (!NONCE.test(nonceText)) return refuse('unauthorized', 'X-Bittensor-Nonce is not a decimal number');
  const scheme = header(BTAUTH_HEADERS.crypto);
  if (scheme !== undefined && scheme !== 'sr25519' && scheme !== 'ed25519') {
    return refuse('unauthorized', 'X-Bittensor-Crypto names an unknown scheme');
  }
  const signatureText = header(BTAUTH_HEADERS.signature) ?? '';
  const signature = SIGNATURE.test(signatureText) ? fromHex(signatureText.slice(2), 64) : undefined;
  if (!signature) return refuse('unauthorized', 'X-Bittensor-Signature is not 0x and 128 lowercase hex digits');
  // 2. receiver
  if (header(BTAUTH_HEADERS.receiver) !== receiver.hotkey) {
    return refuse('wrong-receiver', `this is ${receiver.hotkey}`);
  }
  // 3. nonce
  const nonce = BigInt(nonceText);
  const arrived = BigInt(Math.floor(arrivedAtMs)) * NS_PER_MS;
  if (nonce < arrived - BigInt(NONCE_PAST_MS) * NS_PER_MS || nonce > arrived + BigInt(NONCE_FUTURE_MS) * NS_PER_MS) {
    return refuse(
      'clock-skew',
      `the nonce lies outside the window; this server's clock says ${Math.floor(arrivedAtMs)} ms`,
    );
  }
  if (nonce < BigInt(Math.floor(receiver.startedAtMs)) * NS_PER_MS) {
    return refuse('before-start', 'the request was signed before this server started; sign a new one');
  }
  return succeed({
    method: request.method,
    target: request.target,
    caller,
    receiver: receiver.hotkey,
    nonce,
    signature,
  });
}

export type NonceOutcome = 'fresh' | 'replayed' | 'full';

export interface SignatureCheck {
  readonly verify: VerifySr25519;
  /** The scheme that this server trusts for a sender; the header's word is not asked. */
  readonly schemeOf: (sender: Hotkey) => Scheme;
  /** Remembers (hotkey, nonce) and says whether it was there. Asked only for signatures that hold. */
  readonly claimNonce: (sender: Hotkey, nonce: bigint) => NonceOutcome | Promise<NonceOutcome>;
}

/** Steps 4 and 5: the signature over this body digest; the nonce was not seen before. */
export async function checkSignature(
  envelope: Envelope,
  bodyDigestHex: string,
  check: SignatureCheck,
): Promise<Result<Hotkey, AuthFailure>> {
  const { caller, method, target, nonce, receiver, signature } = envelope;
  // 4. signature
  const scheme = check.schemeOf(caller);
  const lines = signedLines({ scheme, method, target, bodyDigestHex, nonce, sender: caller, receiver });
  if (!verifyScheme(scheme, check.verify, lines, signature, publicKeyOf(caller))) {
    return refuse('bad-signature', `the ${scheme} signature over the eight lines does not hold`);
  }
  // 5. replay
  const outcome = await check.claimNonce(caller, nonce);
  if (outcome === 'replayed') return refuse('replayed', 'this nonce was used before; a retry signs a new one');
  if (outcome === 'full') return refuse('busy', 'too many signed requests in the last seconds');
  return succeed(caller);
}

/** All five steps, for when the digest is known from the headers or the body is already there. */
export async function verifyRequest(
  request: ReceivedRequest & { readonly bodyDigestHex: string },
  receiver: Receiver,
  arrivedAtMs: number,
  check: SignatureCheck,
): Promise<Result<Hotkey, AuthFailure>> {
  const envelope = checkEnvelope(request, receiver, arrivedAtMs);
  return envelope.ok ? checkSignature(envelope.value, request.bodyDigestHex, check) : envelope;
}
