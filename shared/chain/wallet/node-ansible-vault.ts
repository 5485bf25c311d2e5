/**
 * `$ANSIBLE_VAULT;1.1;AES256` key files of older Bittensor wallets: hex of three lines of hex (salt, HMAC, ciphertext);
 * PBKDF2-SHA256 with 10,000 rounds gives cipher key₃₂ ‖ HMAC key₃₂ ‖ counter₁₆; HMAC-SHA256 over the ciphertext,
 * AES-256-CTR, PKCS#7 padding. Source: Ansible `lib/ansible/parsing/vault`.
 */
import { createDecipheriv, createHmac, pbkdf2, timingSafeEqual } from 'node:crypto';
import { promisify } from 'node:util';

export const ANSIBLE_PREFIX = '$ANSIBLE_VAULT';
const HEADER = /^\$ANSIBLE_VAULT;1\.[12];AES256(?:;[^\n]*)?$/;
const ROUNDS = 10_000;
const BLOCK_BYTES = 16;

const derive = promisify(pbkdf2);
const unhex = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'hex');

/** Undefined for a wrong password or a damaged file. */
export async function decryptAnsibleVault(file: string, password: string): Promise<Uint8Array | undefined> {
  const [header = '', ...body] = file.trim().split(/\r?\n/);
  if (!HEADER.test(header.trim())) return undefined;
  const [salt, mac, sealed] = unhex(body.map((line) => line.trim()).join(''))
    .toString('latin1')
    .split('\n')
    .map(unhex);
  if (!salt || !mac || !sealed) return undefined;
  const keys = await derive(password, salt, ROUNDS, 32 + 32 + BLOCK_BYTES, 'sha256');
  const expected = createHmac('sha256', keys.subarray(32, 64)).update(sealed).digest();
  if (mac.length !== expected.length || !timingSafeEqual(mac, expected)) return undefined;
  const cipher = createDecipheriv('aes-256-ctr', keys.subarray(0, 32), keys.subarray(64));
  const padded = Buffer.concat([cipher.update(sealed), cipher.final()]);
  const padding = padded.at(-1) ?? 0;
  if (padding < 1 || padding > BLOCK_BYTES || padding > padded.length) return undefined;
  return new Uint8Array(padded.subarray(0, padded.length - padding));
}
