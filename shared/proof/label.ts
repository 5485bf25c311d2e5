/**
 * Label: what a shard is, sealed for its tenant alone. It travels with every frame, the miner keeps it and returns it
 * in listings, so that a lost index can be rebuilt from what the miners hold. To the miner it is 86 opaque bytes; it
 * opens only for this anchor on this miner. Written by the engines, read by recovery (`docs/protocol.md` §6).
 *
 *   u16 maskEpoch  nonce₁₂  AES-256-GCM( fileId₁₆  codingId₁₆  u32 segment  u16 shardIndex  u16 placement  u16 k  u16 n
 *                                        u32 segmentBytes  u64 fileBytes )  tag₁₆          aad = anchorId₃₂ ‖ miner₃₂
 */
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { ByteReader, ByteWriter, concatBytes, toHex, utf8 } from '#shared/primitives/bytes.ts';
import type { Random } from '#shared/primitives/effects.ts';
import { type Failure, fail, invariant, type Result, succeed } from '#shared/primitives/failure.ts';
import { type AnchorId, type FileId, type Hotkey, idBytes, publicKeyOf } from '#shared/primitives/ids.ts';

export interface Label {
  readonly fileId: FileId;
  /** 16 bytes. */
  readonly codingId: Uint8Array;
  readonly segment: number;
  readonly shardIndex: number;
  readonly placement: number;
  readonly k: number;
  readonly n: number;
  /** Bytes of the segment before padding. */
  readonly segmentBytes: number;
  /** Bytes of the whole file; absent when they were not known yet, as in a chunked upload. */
  readonly fileBytes?: number;
}

export interface LabelFailure extends Failure {
  readonly code: 'bad-label';
}

/** Where a label belongs; it opens nowhere else. */
export interface LabelPlace {
  readonly anchorId: AnchorId;
  readonly miner: Hotkey;
}

/** A key of one mask epoch, ready for many labels: derive it once an upload. */
export interface LabelKey {
  readonly maskEpoch: number;
  readonly aes: CryptoKey;
}

export const LABEL_BYTES = 86;
const INFO = utf8('filetao/label/v1\0');
const EPOCH_BYTES = 2;
const NONCE_BYTES = 12;
/** `fileBytes` of a file whose length was not known when the shard left. */
const UNKNOWN = (1n << 64n) - 1n;

/** HKDF-SHA-256(ikm = secret of the mask epoch, salt = "", info = "filetao/label/v1\0"), 32 bytes. */
export async function labelKeyOf(secret: Uint8Array, maskEpoch: number): Promise<LabelKey> {
  invariant(secret.length === 32, 'a mask secret has 32 bytes');
  const raw = hkdf(sha256, secret, undefined, INFO, 32);
  const aes = await crypto.subtle.importKey('raw', raw as BufferSource, 'AES-GCM', false, ['encrypt', 'decrypt']);
  return { maskEpoch, aes };
}

const gcm = (place: LabelPlace, nonce: Uint8Array) => ({
  name: 'AES-GCM',
  iv: nonce as BufferSource,
  additionalData: concatBytes(idBytes(place.anchorId), publicKeyOf(place.miner)) as BufferSource,
});

/** Random nonces are safe for 2³² labels of one mask epoch (NIST SP 800-38D §8.3): rotate the epoch before that. */
export async function sealLabel(key: LabelKey, place: LabelPlace, label: Label, random: Random): Promise<Uint8Array> {
  const plain = new ByteWriter(64)
    .fixed(idBytes(label.fileId), 16)
    .fixed(label.codingId, 16)
    .u32(label.segment)
    .u16(label.shardIndex)
    .u16(label.placement)
    .u16(label.k)
    .u16(label.n)
    .u32(label.segmentBytes)
    .u64(label.fileBytes ?? UNKNOWN)
    .finish();
  const nonce = random(NONCE_BYTES);
  const sealed = await crypto.subtle.encrypt(gcm(place, nonce), key.aes, plain as BufferSource);
  return concatBytes(new ByteWriter(2).u16(key.maskEpoch).finish(), nonce, new Uint8Array(sealed));
}

/** The mask epoch that a label says it was sealed under, in the clear: which secret to open it with. */
export const labelEpoch = (sealed: Uint8Array): number | undefined =>
  sealed.length === LABEL_BYTES ? new ByteReader(sealed).u16() : undefined;

/** Refuses a label of another length, epoch, key, anchor or miner, and one with any bit changed. */
export async function openLabel(
  key: LabelKey,
  place: LabelPlace,
  sealed: Uint8Array,
): Promise<Result<Label, LabelFailure>> {
  const refused = fail<LabelFailure>({
    code: 'bad-label',
    fault: 'peer',
    message: 'the label was not sealed by this tenant for this shard and miner',
  });
  if (labelEpoch(sealed) !== key.maskEpoch) return refused;
  const nonce = sealed.subarray(EPOCH_BYTES, EPOCH_BYTES + NONCE_BYTES);
  const body = sealed.subarray(EPOCH_BYTES + NONCE_BYTES);
  const plain = await crypto.subtle.decrypt(gcm(place, nonce), key.aes, body as BufferSource).catch(() => undefined);
  if (!plain) return refused;
  const reader = new ByteReader(new Uint8Array(plain));
  const label = {
    fileId: toHex(reader.bytes(16)) as FileId,
    codingId: reader.bytes(16).slice(),
    segment: reader.u32(),
    shardIndex: reader.u16(),
    placement: reader.u16(),
    k: reader.u16(),
    n: reader.u16(),
    segmentBytes: reader.u32(),
  };
  const fileBytes = reader.u64big();
  if (!reader.finished) return refused;
  return succeed(fileBytes === UNKNOWN ? label : { ...label, fileBytes: Number(fileBytes) });
}
