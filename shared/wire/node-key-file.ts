/**
 * The hotkey of a long-lived program (miner, validator) from a Bittensor hotkey file: JSON with `secretSeed`, readable
 * by its owner alone. Mnemonics and encrypted files belong to the command line, which writes such a file.
 */
import { readFileSync, statSync } from 'node:fs';
import { fromHex } from '#shared/primitives/bytes.ts';
import { type Failure, fail, type Result, succeed } from '#shared/primitives/failure.ts';

export type KeyFileFailure = Failure & { readonly code: 'bad-key-file' };

const refuse = (message: string) => fail<KeyFileFailure>({ code: 'bad-key-file', fault: 'caller', message });

/** Permission bits of group and others. */
const NOT_OWNER = 0o077;
/** A hotkey file has a few hundred bytes. */
const MAX_KEY_FILE_BYTES = 16 * 1024;

/** The 32-byte seed. */
export function readKeyFile(path: string): Result<Uint8Array, KeyFileFailure> {
  let text: string;
  try {
    const { mode, size } = statSync(path);
    if ((mode & NOT_OWNER) !== 0) return refuse(`${path} can be read by others: chmod 600 ${path}`);
    if (size > MAX_KEY_FILE_BYTES) return refuse(`${path} is too large for a hotkey file`);
    text = readFileSync(path, 'utf8');
  } catch (error) {
    return refuse(`${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return refuse(`${path} is not JSON (an encrypted hotkey file has to be decrypted first)`);
  }
  const seed = typeof value === 'object' && value !== null ? (value as { secretSeed?: unknown }).secretSeed : undefined;
  const bytes =
    typeof seed === 'string' && seed.startsWith('0x') ? fromHex(seed.slice(2).toLowerCase(), 32) : undefined;
  return bytes ? succeed(bytes) : refuse(`${path} has no secretSeed of 0x and 64 hex digits`);
}
