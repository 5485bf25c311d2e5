/**
 * Fernet key files of the oldest Bittensor wallets (`gAAAAA…`, base64url): version₁ ‖ time₈ ‖ IV₁₆ ‖ AES-128-CBC ‖
 * HMAC₃₂; signing key₁₆ ‖ cipher key₁₆ = PBKDF2-SHA256(password, a fixed salt, 10,000,000 rounds).
 * Sources: the Fernet specification; bittensor-wallet `keyfile`.
 */
import { createDecipheriv, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

export const FERNET_PREFIX = 'gAAAAA';
const SALT = 'Iguesscyborgslikemyselfhaveatendencytobeparanoidaboutourorigins';
const ROUNDS = 10_000_000;
const IV_AT = 9;
const SEALED_AT = 25;
const MAC_BYTES = 32;

const derive = promisify(pbkdf2);

/** Signing key₁₆ ‖ cipher key₁₆; a second or two of work on a thread of its own. */
export const fernetKey = (password: string): Promise<Uint8Array> => derive(password, SALT, ROUNDS, 32, 'sha256');

/** Undefined for a wrong key or a damaged file. */
export async function openFernet(file: string, key: Uint8Array): Promise<Uint8Array | undefined> {
  const token = Buffer.from(file.trim(), 'base64url');
  if (token.length < SEALED_AT + 16 + MAC_BYTES || token[0] !== 0x80) return undefined;
  const signed = token.subarray(0, -MAC_BYTES);
  const expected = createHmac('sha256', key.subarray(0, 16)).update(signed).digest();
  if (!timingSafeEqual(token.subarray(-MAC_BYTES), expected)) return undefined;
  const cipher = createDecipheriv('aes-128-cbc', key.subarray(16), token.subarray(IV_AT, SEALED_AT));
  try {
    return new Uint8Array(Buffer.concat([cipher.update(signed.subarray(SEALED_AT)), cipher.final()]));
  } catch {
    // Padding that is wrong under a right HMAC: not written by Fernet.
    return undefined;
  }
}
