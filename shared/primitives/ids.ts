/**
 * Identifiers as branded text, so that a hotkey is never passed where an anchor id is meant. Each has one spelling
 * and one parser; a parser answers undefined and never guesses.
 */
import { blake2b } from '@noble/hashes/blake2.js';
import { base58 } from '@scure/base';
import { concatBytes, equalBytes, fromHex, toHex, utf8 } from './bytes.ts';
import type { Random } from './effects.ts';

declare const brand: unique symbol;
type Branded<T, Name extends string> = T & { readonly [brand]: Name };

/** A 32-byte public key as SS58 text with prefix 42: miners, validators, edges. */
export type Hotkey = Branded<string, 'Hotkey'>;
/** SHA-256 over tag, leaf size, bytes and root of a shard, in hex: its name on the wire and on disk. */
export type AnchorId = Branded<string, 'AnchorId'>;
/** CIDv1, raw, sha2-256, base32 text ("bafkrei…"). */
export type Cid = Branded<string, 'Cid'>;
/** 16 random bytes in hex: one stored file, whoever else stored the same bytes. */
export type FileId = Branded<string, 'FileId'>;
/** 16 random bytes in hex: one upload or one drop. */
export type OrderId = Branded<string, 'OrderId'>;
/** 32 bytes in hex: who owns files. */
export type OwnerId = Branded<string, 'OwnerId'>;
/** Dense number of a file in the index, 40 bits, never reused; upper part of a shard's `ref`. */
export type FileNumber = Branded<number, 'FileNumber'>;
/** Dense number of a miner in the index, 24 bits, never reused. */
export type MinerNumber = Branded<number, 'MinerNumber'>;

export const SS58_PREFIX = 42;
const SS58_CHECKSUM_TAG = utf8('SS58PRE');

function ss58Checksum(body: Uint8Array): Uint8Array {
  return blake2b(concatBytes(SS58_CHECKSUM_TAG, body), { dkLen: 64 }).subarray(0, 2);
}

/** SS58 text of a raw 32-byte public key. */
export function hotkeyOf(publicKey: Uint8Array): Hotkey {
  if (publicKey.length !== 32) throw new RangeError(`a public key has 32 bytes, not ${publicKey.length}`);
  const body = concatBytes(Uint8Array.of(SS58_PREFIX), publicKey);
  return base58.encode(concatBytes(body, ss58Checksum(body))) as Hotkey;
}

/** The raw public key of SS58 text, or undefined when it is not one with our prefix and a right checksum. */
export function parseSs58(text: string): Uint8Array | undefined {
  if (text.length < 46 || text.length > 49) return undefined;
  let raw: Uint8Array;
  try {
    raw = base58.decode(text);
  } catch {
    return undefined;
  }
  if (raw.length !== 35 || raw[0] !== SS58_PREFIX) return undefined;
  return equalBytes(ss58Checksum(raw.subarray(0, 33)), raw.subarray(33)) ? raw.slice(1, 33) : undefined;
}

export const parseHotkey = (text: string): Hotkey | undefined => (parseSs58(text) ? (text as Hotkey) : undefined);

/** A subnet has 256 places (bittensor.md), and a tenant some edges. */
const REMEMBERED_KEYS = 1024;
const rememberedKeys = new Map<Hotkey, Uint8Array>();

/**
 * The raw public key of a hotkey; not to be written to. Remembered: base58 and the checksum take 10 to 30 µs in Node,
 * and a stored shard asks for some ten keys of the same few parties.
 */
export function publicKeyOf(hotkey: Hotkey): Uint8Array {
  const known = rememberedKeys.get(hotkey);
  if (known) return known;
  const key = parseSs58(hotkey);
  if (!key) throw new TypeError('not a hotkey');
  if (rememberedKeys.size >= REMEMBERED_KEYS) rememberedKeys.clear();
  rememberedKeys.set(hotkey, key);
  return key;
}

const parseFixedHex = (text: string, bytes: number): string | undefined => (fromHex(text, bytes) ? text : undefined);

export const parseAnchorId = (text: string): AnchorId | undefined => parseFixedHex(text, 32) as AnchorId | undefined;
export const parseOrderId = (text: string): OrderId | undefined => parseFixedHex(text, 16) as OrderId | undefined;
export const parseOwnerId = (text: string): OwnerId | undefined => parseFixedHex(text, 32) as OwnerId | undefined;

export const newFileId = (random: Random): FileId => toHex(random(16)) as FileId;
export const newOrderId = (random: Random): OrderId => toHex(random(16)) as OrderId;
export const newOwnerId = (random: Random): OwnerId => toHex(random(32)) as OwnerId;

/** Brands bytes that our own code made as the hex identifier they are; the width is checked. */
export function hexId<Id extends AnchorId | FileId | OrderId | OwnerId>(bytes: Uint8Array, width: 16 | 32): Id {
  if (bytes.length !== width) throw new RangeError(`expected ${width} bytes, got ${bytes.length}`);
  return toHex(bytes) as Id;
}

/** Raw bytes of a hex identifier. */
export function idBytes(id: AnchorId | FileId | OrderId | OwnerId): Uint8Array {
  const bytes = fromHex(id);
  if (!bytes) throw new TypeError('not a hex identifier');
  return bytes;
}

export const SEGMENT_BITS = 24;
export const MAX_MINER_NUMBER = 2 ** 24 - 1;

/**
 * `ref`, the u64 that a miner keeps beside a shard and returns in listings: file number (40 bits) ‖ segment (24 bits).
 * It tells the tenant which segment a shard belongs to without a lookup by anchor.
 */
export const refOf = (file: FileNumber, segment: number): bigint =>
  (BigInt(file) << BigInt(SEGMENT_BITS)) | BigInt(segment);
export const splitRef = (ref: bigint): { file: FileNumber; segment: number } => ({
  file: Number(ref >> BigInt(SEGMENT_BITS)) as FileNumber,
  segment: Number(ref & ((1n << BigInt(SEGMENT_BITS)) - 1n)),
});
