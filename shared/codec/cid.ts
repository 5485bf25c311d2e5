/**
 * The name that a file is found by: CIDv1, codec raw, sha2-256 of the stored bytes, base32 lowercase
 * (github.com/multiformats/cid). Exactly one spelling of each is taken, so that equal CIDs are equal texts. The digest
 * is streamed outside of here, by node:crypto or a DigestStream. Used by edge, client and validator.
 */
import { CID } from 'multiformats/cid';
import * as digests from 'multiformats/hashes/digest';
import type { Cid } from '#shared/primitives/ids.ts';

/** Multicodec table: raw binary. */
const RAW = 0x55;
/** Multicodec table: sha2-256. */
const SHA2_256 = 0x12;
const DIGEST_BYTES = 32;
/** "b" and 58 letters of base32 for 36 bytes. */
const CID_LENGTH = 59;

/** The CID of bytes with this SHA-256. */
export function cidOf(digest: Uint8Array): Cid {
  if (digest.length !== DIGEST_BYTES) throw new RangeError(`a digest has 32 bytes, not ${digest.length}`);
  return CID.createV1(RAW, digests.create(SHA2_256, digest)).toString() as Cid;
}

/** A CID in text that came from outside, and its digest; undefined for any other version, codec, hash or spelling. */
export function parseCid(text: string): { readonly cid: Cid; readonly digest: Uint8Array } | undefined {
  if (text.length !== CID_LENGTH || !text.startsWith('b')) return undefined;
  let parsed: CID;
  try {
    parsed = CID.parse(text);
  } catch {
    return undefined;
  }
  const { digest, code } = parsed.multihash;
  if (parsed.version !== 1 || parsed.code !== RAW || code !== SHA2_256 || digest.length !== DIGEST_BYTES)
    return undefined;
  const cid = cidOf(digest);
  return cid === text ? { cid, digest } : undefined;
}
