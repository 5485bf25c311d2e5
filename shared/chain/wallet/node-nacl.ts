/**
 * `$NACL` key files, what Bittensor wallets write today: "$NACL" ‖ nonce₂₄ ‖ secretbox, under
 * argon2i13(password, a fixed salt, 8 passes, 512 MiB). The parameters are given explicitly: libsodium's named limits
 * have moved since the Python wallet chose them.
 */
import { argon2 } from 'node:crypto';
import { promisify } from 'node:util';
import sodium from 'libsodium-wrappers-sumo';
import { concatBytes, fromHex, utf8 } from '#shared/primitives/bytes.ts';
import type { Random } from '#shared/primitives/effects.ts';

export const NACL_PREFIX = '$NACL';
const SALT = fromHex('137183dff15a09bc9c90b5518739e9b1', 16) as Uint8Array;
const PASSES = 8;
const MEMORY_BYTES = 512 * 1024 * 1024;
const KEY_BYTES = 32;
const NONCE_BYTES = 24;
const MAC_BYTES = 16;

const derive = promisify(argon2);

/** Some four seconds of work and 512 MiB, on a thread of its own (libsodium's WebAssembly would stop the process). */
export function naclKey(password: string): Promise<Uint8Array> {
  const cost = { passes: PASSES, memory: MEMORY_BYTES / 1024, parallelism: 1, tagLength: KEY_BYTES };
  return derive('argon2i', { message: password, nonce: SALT, ...cost });
}

/** Undefined for a wrong key or a damaged file. */
export async function openNacl(file: Uint8Array, key: Uint8Array): Promise<Uint8Array | undefined> {
  await sodium.ready;
  const nonce = file.subarray(NACL_PREFIX.length, NACL_PREFIX.length + NONCE_BYTES);
  const box = file.subarray(NACL_PREFIX.length + NONCE_BYTES);
  if (nonce.length !== NONCE_BYTES || box.length < MAC_BYTES) return undefined;
  try {
    return sodium.crypto_secretbox_open_easy(box, nonce, key);
  } catch {
    // The library throws on what does not authenticate; that is all it can mean here.
    return undefined;
  }
}

export async function sealNacl(text: string, key: Uint8Array, random: Random): Promise<Uint8Array> {
  await sodium.ready;
  const nonce = random(NONCE_BYTES);
  return concatBytes(utf8(NACL_PREFIX), nonce, sodium.crypto_secretbox_easy(utf8(text), nonce, key));
}
