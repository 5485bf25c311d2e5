/**
 * How files are found by CID, by owner and CID, and by owner and name: members of sorted sets with score 0, each
 * `tag ‖ file number`, looked up by the tag as a prefix (ZRANGE BYLEX). A tag is 9 bytes of a hash: a reader checks
 * every hit against the file's own record, so a collision or a leftover costs a look and never a wrong answer.
 * Since a member names its file, writers of different files never touch each other's members. Sets are 4096 buckets,
 * small enough to rest as compact lists in Redis up to some 10⁵ files (10⁶ with `zset-max-listpack-entries 1024`).
 */
import { sha256 } from '@noble/hashes/sha2.js';
import { toBase64Url, toHex, utf8 } from '#shared/primitives/bytes.ts';
import type { Cid, FileNumber, OwnerId } from '#shared/primitives/ids.ts';

const TAG_BYTES = 9;
const TAG_CHARS = 12;
/** 36^8 > 2^40: every file number, in an order that text keeps. */
const NUMBER_CHARS = 8;
/** 36^9 > 10^14 ms. */
const TIME_CHARS = 9;

export interface Tag {
  readonly tag: string;
  /** Three hex digits. */
  readonly bucket: string;
}

const hashed = (text: string): { tag: string; bucket: string } => {
  const digest = sha256(utf8(text));
  return { tag: toBase64Url(digest.subarray(0, TAG_BYTES)), bucket: toHex(digest.subarray(30)).slice(1) };
};

/** Both tags of a CID share its bucket, so that one command writes both members. */
export const cidTag = (cid: Cid): Tag => hashed(`cid ${cid}`);
export const ownerCidTag = (owner: OwnerId, cid: Cid): Tag => ({
  tag: hashed(`owner ${owner} ${cid}`).tag,
  bucket: cidTag(cid).bucket,
});
export const nameTag = (owner: OwnerId, name: string): Tag => hashed(`name ${owner} ${name}`);
/** A nonce's key: fixed length whatever a caller sends, and long enough that none finds another's. */
export const nonceTag = (identity: string, nonce: string): string =>
  toBase64Url(sha256(utf8(`nonce ${identity.length} ${identity} ${nonce}`)).subarray(0, 16));

/** ZRANGE BYLEX bounds of everything with this prefix ('~' sorts after every character of a member). */
export const prefixRange = (prefix: string): { min: `[${string}`; max: `(${string}` } => ({
  min: `[${prefix}`,
  max: `(${prefix}~`,
});

const padded = (value: number, chars: number): string => value.toString(36).padStart(chars, '0');

export const cidMember = (tag: string, file: FileNumber): string => tag + padded(file, NUMBER_CHARS);
/** Carries the page of the owner's list that the file stands on. */
export const ownerCidMember = (tag: string, file: FileNumber, page: number): string =>
  tag + padded(file, NUMBER_CHARS) + page.toString(36);
/** Sorts by when the name was given. */
export const nameMember = (tag: string, givenAtMs: number, file: FileNumber): string =>
  tag + padded(givenAtMs, TIME_CHARS) + padded(file, NUMBER_CHARS);

function parse36(text: string): number | undefined {
  const value = /^[0-9a-z]+$/.test(text) ? Number.parseInt(text, 36) : Number.NaN;
  return Number.isSafeInteger(value) ? value : undefined;
}

/** The file (and page, if one is there) of a CID member; undefined for what is none. */
export function parseCidMember(member: string): { file: FileNumber; page?: number } | undefined {
  const file = parse36(member.slice(TAG_CHARS, TAG_CHARS + NUMBER_CHARS));
  if (file === undefined) return undefined;
  const rest = member.slice(TAG_CHARS + NUMBER_CHARS);
  const page = parse36(rest);
  if (rest !== '' && page === undefined) return undefined;
  return page === undefined ? { file: file as FileNumber } : { file: file as FileNumber, page };
}

export function parseNameMember(member: string): FileNumber | undefined {
  if (member.length !== TAG_CHARS + TIME_CHARS + NUMBER_CHARS) return undefined;
  return parse36(member.slice(TAG_CHARS + TIME_CHARS)) as FileNumber | undefined;
}
