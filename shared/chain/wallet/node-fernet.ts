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

/** Undefined for a wrong password or a damaged file; takes some seconds. */
export async function decryptFernet(file: string, password: string): Promise<Uint8Array | undefined> {
  const token = Buffer.from(file.trim(), 'base64url');
  if (token.length < SEALED_AT + 16 + MAC_BYTES || token[0] !== 0x80) return undefined;
  const keys = await derive(password, SALT, ROUNDS, 32, 'sha256');
  const signed = token.subarray(0, -MAC_BYTES);
  const expected = createHmac('sha256', keys.subarray(0, 16)).update(signed).digest();
  if (!timingSafeEqual(token.subarray(-MAC_BYTES), expected)) return undefined;
  const cipher = createDecipheriv('aes-128-cbc', keys.subarray(16), token.subarray(IV_AT, SEALED_AT));
  try {
    return new Uint8Array(Buffer.concat([cipher.update(signed.subarray(SEALED_AT)), cipher.final()]));
  } catch {
    // Padding that is wrong under a right HMAC: not written by Fernet.
    return undefined;
  }
}
