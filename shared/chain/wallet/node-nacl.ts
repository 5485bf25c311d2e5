/**
 * `$NACL` key files, what Bittensor wallets write today: "$NACL" ‖ nonce₂₄ ‖ secretbox, under
 * argon2i13(password, a fixed salt, 8 passes, 512 MiB). The parameters are given explicitly: libsodium's named limits
 * have moved since.
 */
import sodium from 'libsodium-wrappers-sumo';
import { concatBytes, fromHex, utf8 } from '#shared/primitives/bytes.ts';
import type { Random } from '#shared/primitives/effects.ts';

export const NACL_PREFIX = '$NACL';
const SALT = fromHex('137183dff15a09bc9c90b5518739e9b1', 16) as Uint8Array;
const PASSES = 8;
const MEMORY_BYTES = 512 * 1024 * 1024;
const KEY_BYTES = 32;
const NONCE_BYTES = 24;

async function keyOf(password: string): Promise<Uint8Array> {
  await sodium.ready;
  return sodium.crypto_pwhash(KEY_BYTES, password, SALT, PASSES, MEMORY_BYTES, sodium.crypto_pwhash_ALG_ARGON2I13);
}

/** Undefined for a wrong password or a damaged file; takes a second and 512 MiB. */
export async function decryptNacl(file: Uint8Array, password: string): Promise<Uint8Array | undefined> {
  const nonce = file.subarray(NACL_PREFIX.length, NACL_PREFIX.length + NONCE_BYTES);
  const box = file.subarray(NACL_PREFIX.length + NONCE_BYTES);
  const key = await keyOf(password);
  if (nonce.length !== NONCE_BYTES || box.length < sodium.crypto_secretbox_MACBYTES) return undefined;
  try {
    return sodium.crypto_secretbox_open_easy(box, nonce, key);
  } catch {
    // The library throws on what does not authenticate; that is all it can mean here.
    return undefined;
  }
}

export async function encryptNacl(text: string, password: string, random: Random): Promise<Uint8Array> {
  const nonce = random(NONCE_BYTES);
  const key = await keyOf(password);
  return concatBytes(utf8(NACL_PREFIX), nonce, sodium.crypto_secretbox_easy(utf8(text), nonce, key));
}
