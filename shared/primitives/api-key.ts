/**
 * API keys: `ftk_` and 256 random bits as base64url. Their text is shown once; the index keeps SHA-256 of it, so that a
 * leaked index opens nothing, and finding a key by its hash tells a timing attacker about hashes alone. Made by the
 * edge's key routes and by the local network.
 */
import { toBase64Url, toHex, utf8 } from './bytes.ts';
import type { Random } from './effects.ts';
import { sha256 } from './sha256.ts';

const PREFIX = 'ftk_';
const SECRET_BYTES = 32;
const KEY_ID_BYTES = 8;
/** 32 bytes in base64url are 43 characters. */
const SHAPE = /^ftk_[A-Za-z0-9_-]{43}$/;

export interface NewApiKey {
  /** Names the key in listings; not secret. */
  readonly keyId: string;
  /** What its owner sends as `Authorization: Bearer …`. */
  readonly text: string;
  /** What the index keeps. */
  readonly hash: Uint8Array;
}

export const isApiKeyText = (text: string): boolean => SHAPE.test(text);

export const apiKeyHash = (text: string): Uint8Array => sha256(utf8(text));

export function newApiKey(random: Random): NewApiKey {
  const text = PREFIX + toBase64Url(random(SECRET_BYTES));
  return { keyId: toHex(random(KEY_ID_BYTES)), text, hash: apiKeyHash(text) };
}
