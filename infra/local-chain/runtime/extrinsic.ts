/**
 * Signed extrinsics of version 4:
 *   Compact<u32> length ‖ 0x84 ‖ MultiAddress ‖ MultiSignature ‖ extensions in their order ‖ call
 * signed over call ‖ extensions ‖ implicit values, hashed with BLAKE2b-256 when longer than 256 bytes. And the one
 * unsigned extrinsic of a block, the time: length ‖ 0x04 ‖ call.
 */
import { ed25519 } from '@noble/curves/ed25519.js';
import { blake2b } from '@noble/hashes/blake2.js';
import { concatBytes } from '#shared/primitives/bytes.ts';
import type { VerifySr25519 } from '#shared/primitives/signer.ts';
import { RUNTIME } from '../metadata/runtime-declaration.ts';
import { type Reader, read, whole } from '../scale/decode.ts';
import { encode, encodeLength } from '../scale/encode.ts';
import type { ScaleValue } from '../scale/type.ts';
import { type Call, callOf, lookUp } from './calls.ts';
import type { AccountId } from './items.ts';
import type { Invalidity } from './validity.ts';

/** `System.BlockLength` allows 7.8 MB of normal extrinsics; nothing that this chain executes needs a hundredth. */
export const MAX_EXTRINSIC_BYTES = 65_536;
const SIGNED_V4 = 0x84;
const UNSIGNED_V4 = 0x04;
const BARE_V5 = 0x05;
const HASHED_ABOVE = 256;

export interface Era {
  readonly period: number;
  readonly phase: number;
}
export interface Extrinsic {
  readonly bytes: Uint8Array;
  readonly hash: Uint8Array;
  readonly signer: AccountId;
  readonly signature: { readonly type: string; readonly value: Uint8Array };
  readonly nonce: number;
  readonly tip: bigint;
  /** Undefined: immortal. */
  readonly era: Era | undefined;
  readonly call: Call;
  /** call ‖ extensions, as they travelled. */
  readonly signedPart: Uint8Array;
}
type Parsed = { readonly ok: true; readonly value: Extrinsic } | { readonly ok: false; readonly failure: Invalidity };
const no = (failure: Invalidity): Parsed => ({ ok: false, failure });

export const extrinsicHash = (bytes: Uint8Array): Uint8Array => blake2b(bytes, { dkLen: 32 });

interface Parts {
  readonly version: number;
  readonly address?: ScaleValue;
  readonly signature?: ScaleValue;
  readonly extensions: ReadonlyMap<string, ScaleValue>;
  readonly extensionBytes: Uint8Array;
  readonly callBytes: Uint8Array;
  readonly call: ScaleValue;
}

function readParts(bytes: Uint8Array, reader: Reader): Parts {
  const length = reader.length();
  const version = length === reader.remaining ? reader.byte() : 0;
  const extensions = new Map<string, ScaleValue>();
  const signed = version === SIGNED_V4;
  const address = signed ? read(reader, RUNTIME.addressType) : undefined;
  const signature = signed ? read(reader, RUNTIME.signatureType) : undefined;
  const extensionsAt = bytes.length - reader.remaining;
  if (signed) for (const { identifier, type } of RUNTIME.extensions) extensions.set(identifier, read(reader, type));
  const callAt = bytes.length - reader.remaining;
  const call = read(reader, RUNTIME.callType);
  return {
    version,
    address,
    signature,
    extensions,
    extensionBytes: bytes.subarray(extensionsAt, callAt),
    callBytes: bytes.subarray(callAt),
    call,
  };
}

/** Reads what was submitted. Nothing about the state is known or asked here. */
export function parseExtrinsic(bytes: Uint8Array): Parsed {
  if (bytes.length > MAX_EXTRINSIC_BYTES) return no({ code: 'invalid', reason: 'exhaustsResources' });
  const found = whole(bytes, (reader) => readParts(bytes, reader));
  if (!found) return no({ code: 'bad-format' });
  const { version, address, signature, extensions, extensionBytes, callBytes, call } = found.value;
  if (version === UNSIGNED_V4 || version === BARE_V5) return no({ code: 'unknown', reason: 'noUnsignedValidator' });
  if (version !== SIGNED_V4) return no({ code: 'bad-format' });
  const signer = lookUp(address);
  if (!signer) return no({ code: 'unknown', reason: 'cannotLookup' });
  const era = eraOf(extensions.get('CheckMortality') as { type: string; value?: number });
  if (era === 'malformed') return no({ code: 'bad-format' });
  const parsedCall = callOf(call);
  if (!parsedCall.ok) return no({ code: 'invalid', reason: 'call' });
  const { mode } = extensions.get('CheckMetadataHash') as { mode: { type: string } };
  // We have no merkleized metadata to check the signer's against.
  if (mode.type !== 'Disabled') return no({ code: 'unknown', reason: 'cannotLookup' });
  return {
    ok: true,
    value: {
      bytes,
      hash: extrinsicHash(bytes),
      signer,
      signature: signature as { type: string; value: Uint8Array },
      nonce: extensions.get('CheckNonce') as number,
      tip: extensions.get('ChargeTransactionPayment') as bigint,
      era,
      call: parsedCall.value,
      signedPart: concatBytes(callBytes, extensionBytes),
    },
  };
}

/** Two bytes: the low nibble is log₂(period) − 1, the rest the phase in steps of max(1, period / 4096). */
function eraOf({ type, value }: { type: string; value?: number }): Era | undefined | 'malformed' {
  if (type === 'Immortal') return undefined;
  const encoded = Number(type.slice('Mortal'.length)) + (value ?? 0) * 256;
  const period = 2 << (encoded % 16);
  const phase = (encoded >> 4) * Math.max(1, period >> 12);
  return period >= 4 && phase < period ? { period, phase } : 'malformed';
}

/** The block whose hash a mortal extrinsic signs. */
export const birthBlock = ({ period, phase }: Era, block: number): number =>
  Math.floor((Math.max(block, phase) - phase) / period) * period + phase;

/** What is signed but does not travel. */
export interface Implicit {
  readonly specVersion: number;
  readonly transactionVersion: number;
  readonly genesisHash: Uint8Array;
  readonly birthHash: Uint8Array;
}

export function signedPayload(signedPart: Uint8Array, implicit: Implicit): Uint8Array {
  const values: Readonly<Record<string, ScaleValue>> = {
    CheckSpecVersion: implicit.specVersion,
    CheckTxVersion: implicit.transactionVersion,
    CheckGenesis: implicit.genesisHash,
    CheckMortality: implicit.birthHash,
  };
  const parts = RUNTIME.extensions.map(({ identifier, implicit: type }) =>
    type.kind === 'tuple' ? new Uint8Array(0) : encode(type, values[identifier]),
  );
  const payload = concatBytes(signedPart, ...parts);
  return payload.length > HASHED_ABOVE ? blake2b(payload, { dkLen: 32 }) : payload;
}

export function isSignatureValid(extrinsic: Extrinsic, implicit: Implicit, verifySr25519: VerifySr25519): boolean {
  const payload = signedPayload(extrinsic.signedPart, implicit);
  const { type, value } = extrinsic.signature;
  if (type === 'Sr25519') return verifySr25519(payload, value, extrinsic.signer);
  if (type !== 'Ed25519') return false;
  try {
    return ed25519.verify(value, payload, extrinsic.signer);
  } catch {
    // Points that do not decode: not valid, never an exception.
    return false;
  }
}

export function unsignedExtrinsic(call: ScaleValue): Uint8Array {
  const body = concatBytes(Uint8Array.of(UNSIGNED_V4), encode(RUNTIME.callType, call));
  return concatBytes(encodeLength(body.length), body);
}
