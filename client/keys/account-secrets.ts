/**
 * What an account's seed gives beside its signing key: keys for names, metadata and unchanged files, each
 * HKDF-SHA-256(ikm = seed, salt = "", info = label ‖ "\0", 32 bytes). They open no file's content.
 */
import { hkdf } from '@noble/hashes/hkdf.js';
import { hmac } from '@noble/hashes/hmac.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { toBase64Url, utf8 } from '#shared/primitives/bytes.ts';

const subkey = (accountSeed: Uint8Array, label: string): Uint8Array =>
  hkdf(sha256, accountSeed, new Uint8Array(), utf8(`${label}\0`), 32);

export const metadataKey = (accountSeed: Uint8Array): Uint8Array => subkey(accountSeed, 'filetao/metadata/v1');

/** Marks the edge's names of private files; a name of this shape that an owner gives by hand is just a name. */
const PRIVATE_NAME_PREFIX = '.ft1-';

/**
 * The name that an edge knows a private file by: the same for the same name, so that it is found, and telling nothing.
 * "." ‖ "ft1-" ‖ base64url(HMAC-SHA-256(names key, NFC of the name)).
 */
export function privateName(accountSeed: Uint8Array, name: string): string {
  const tag = hmac(sha256, subkey(accountSeed, 'filetao/names/v1'), utf8(name.normalize('NFC')));
  return PRIVATE_NAME_PREFIX + toBase64Url(tag);
}

export interface ContentTag {
  update(piece: Uint8Array): void;
  finish(): Uint8Array;
}

/** Recognizes content that was stored before; kept inside encrypted listings alone. The key is made once. */
export function contentTags(accountSeed: Uint8Array): () => ContentTag {
  const key = subkey(accountSeed, 'filetao/content/v1');
  return () => {
    const state = hmac.create(sha256, key);
    return {
      update: (piece) => {
        state.update(piece);
      },
      finish: () => state.digest(),
    };
  };
}
