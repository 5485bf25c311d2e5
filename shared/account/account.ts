/**
 * An account: an ed25519 key (RFC 8032) that names an owner and signs what the owner says. Its private half never
 * leaves its machine; an edge knows the owner id and API keys that hang on it. Used by client, edge and operators' tools.
 */
import { ed25519 } from '@noble/curves/ed25519.js';
import { utf8 } from '#shared/primitives/bytes.ts';
import { hexId, type OwnerId } from '#shared/primitives/ids.ts';
import { sha256 } from '#shared/primitives/sha256.ts';

export const ACCOUNT_KEY_BYTES = 32;
export const SIGNATURE_BYTES = 64;
const OWNER_TAG = utf8('filetao/owner/v1\0');

/** H("filetao/owner/v1\0" ‖ account key). */
export const ownerIdOf = (accountKey: Uint8Array): OwnerId => hexId<OwnerId>(sha256(OWNER_TAG, accountKey), 32);

export const accountKeyOf = (seed: Uint8Array): Uint8Array => ed25519.getPublicKey(seed);
export const signAsAccount = (seed: Uint8Array, statement: Uint8Array): Uint8Array => ed25519.sign(statement, seed);

/** False for anything that is no signature by this key, malformed keys among them; strict as RFC 8032 is, not ZIP 215. */
export function verifyAccount(accountKey: Uint8Array, statement: Uint8Array, signature: Uint8Array): boolean {
  if (accountKey.length !== ACCOUNT_KEY_BYTES || signature.length !== SIGNATURE_BYTES) return false;
  try {
    return ed25519.verify(signature, statement, accountKey, { zip215: false });
  } catch {
    return false;
  }
}
