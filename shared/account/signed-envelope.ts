/**
 * What makes a stored body a private file, kept beside its manifest and replaced without touching the body: the
 * envelope (an age message with the body's own identity, for its recipients), the owner's encrypted metadata, and the
 * account's signature over both and over the body's CID, because age authenticates no sender.
 *
 *    0   1  u8 version 1
 *    1  16  fileId
 *   17   8  u64 revision                 from 1, grows with every replacement
 *   25  32  account                      ed25519 key of who signs
 *   57   2  u16 envelopeBytes            1 to 8192
 *   59   …  envelope
 *    …   2  u16 metadataBytes            0 to 8192
 *    …   …  metadata
 *    …  64  signature over
 *           "filetao/file/v1\0" ‖ ownerId₃₂ ‖ fileId₁₆ ‖ u64 revision ‖ CID digest₃₂ ‖ u64 bytes ‖ H(envelope) ‖ H(metadata)
 *
 * ownerId is H("filetao/owner/v1\0" ‖ account); bytes are those of the stored body. An edge checks the shape, the
 * fileId and that the revision grows; whoever opens a file checks the signature.
 */
import { ByteReader, ByteWriter } from '#shared/primitives/bytes.ts';
import { type FileId, hexId, idBytes, type OwnerId } from '#shared/primitives/ids.ts';
import { sha256 } from '#shared/primitives/sha256.ts';
import { ACCOUNT_KEY_BYTES, ownerIdOf, SIGNATURE_BYTES, signAsAccount, verifyAccount } from './account.ts';

const VERSION = 1;
/** Room for some seventy X25519 recipients, or four post-quantum ones. Base64 of the whole stays below 32 KB, one key of hosted Redis. */
export const MAX_ENVELOPE_BYTES = 8192;
export const MAX_METADATA_BYTES = 8192;
const FIXED_BYTES = 1 + 16 + 8 + ACCOUNT_KEY_BYTES + 2 + 2 + SIGNATURE_BYTES;
export const MAX_SIGNED_ENVELOPE_BYTES = FIXED_BYTES + MAX_ENVELOPE_BYTES + MAX_METADATA_BYTES;

export interface EnvelopeContent {
  readonly fileId: FileId;
  readonly revision: number;
  readonly envelope: Uint8Array;
  /** Empty: none. */
  readonly metadata: Uint8Array;
}

export interface SignedEnvelope extends EnvelopeContent {
  readonly account: Uint8Array;
  readonly signature: Uint8Array;
}

/** The body that an envelope is signed for. */
export interface StoredBody {
  /** Of its CID. */
  readonly digest: Uint8Array;
  readonly bytes: number;
}

function statementOf(owner: OwnerId, content: EnvelopeContent, body: StoredBody): Uint8Array {
  return new ByteWriter(256)
    .tag('filetao/file/v1')
    .fixed(idBytes(owner), 32)
    .fixed(idBytes(content.fileId), 16)
    .u64(content.revision)
    .fixed(body.digest, 32)
    .u64(body.bytes)
    .fixed(sha256(content.envelope), 32)
    .fixed(sha256(content.metadata), 32)
    .finish();
}

/** @param seed of the account's key */
export function signEnvelope(
  seed: Uint8Array,
  account: Uint8Array,
  content: EnvelopeContent,
  body: StoredBody,
): SignedEnvelope {
  const signature = signAsAccount(seed, statementOf(ownerIdOf(account), content, body));
  return { ...content, account, signature };
}

/** Who signed; undefined when the signature does not hold for this body. */
export function signerOf(signed: SignedEnvelope, body: StoredBody): OwnerId | undefined {
  const owner = ownerIdOf(signed.account);
  return verifyAccount(signed.account, statementOf(owner, signed, body), signed.signature) ? owner : undefined;
}

/** @throws RangeError when a part is larger than the format allows */
export function packSignedEnvelope(signed: SignedEnvelope): Uint8Array {
  const { envelope, metadata } = signed;
  if (envelope.length === 0 || envelope.length > MAX_ENVELOPE_BYTES || metadata.length > MAX_METADATA_BYTES) {
    throw new RangeError('an envelope or its metadata does not fit');
  }
  return new ByteWriter(FIXED_BYTES + envelope.length + metadata.length)
    .u8(VERSION)
    .fixed(idBytes(signed.fileId), 16)
    .u64(signed.revision)
    .fixed(signed.account, ACCOUNT_KEY_BYTES)
    .u16(envelope.length)
    .bytes(envelope)
    .u16(metadata.length)
    .bytes(metadata)
    .fixed(signed.signature, SIGNATURE_BYTES)
    .finish();
}

/** Undefined for anything that `packSignedEnvelope` would not have written. Says nothing of the signature. */
export function parseSignedEnvelope(bytes: Uint8Array): SignedEnvelope | undefined {
  if (bytes.length > MAX_SIGNED_ENVELOPE_BYTES) return undefined;
  const reader = new ByteReader(bytes);
  const version = reader.u8();
  const fileId = reader.bytes(16);
  const revision = reader.u64();
  const account = reader.bytes(ACCOUNT_KEY_BYTES).slice();
  const envelope = reader.bytes(reader.u16()).slice();
  const metadata = reader.bytes(reader.u16()).slice();
  const signature = reader.bytes(SIGNATURE_BYTES).slice();
  if (!reader.finished || version !== VERSION || revision < 1) return undefined;
  if (envelope.length === 0 || envelope.length > MAX_ENVELOPE_BYTES || metadata.length > MAX_METADATA_BYTES) {
    return undefined;
  }
  return { fileId: hexId<FileId>(fileId, 16), revision, account, envelope, metadata, signature };
}
