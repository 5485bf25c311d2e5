/**
 * Key files on disk: read only when nobody else can, decrypted whichever of the three ways they are encrypted, written
 * whole or not at all and never over another. The password is asked for only when it is needed.
 */
import { link, mkdir, open, readFile, stat, unlink } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { toHex } from '#shared/primitives/bytes.ts';
import type { Random } from '#shared/primitives/effects.ts';
import { type Result, succeed } from '#shared/primitives/failure.ts';
import type { Sr25519 } from '#shared/primitives/signer.ts';
import { type Key, parseKeyFile } from './key-file.ts';
import { ANSIBLE_PREFIX, decryptAnsibleVault } from './node-ansible-vault.ts';
import { FERNET_PREFIX, fernetKey, openFernet } from './node-fernet.ts';
import { NACL_PREFIX, naclKey, openNacl } from './node-nacl.ts';
import { type WalletFailure, walletFailure } from './wallet-failure.ts';

/** Permission bits of group and others. */
const NOT_OWNER = 0o077;
/** The largest encrypted key file has some 3 KB. */
const MAX_BYTES = 64 * 1024;

/** Asked at most once a file; undefined: there is nobody to ask. */
export type AskPassword = (question: string) => Promise<string | undefined>;

/** @param secret false for public files, which everyone may read */
async function readKeyBytes(path: string, secret: boolean): Promise<Result<Uint8Array, WalletFailure>> {
  try {
    const { mode, size } = await stat(path);
    if (secret && (mode & NOT_OWNER) !== 0) {
      return walletFailure('readable-by-others', `${path} can be read by others: chmod 600 ${path}`);
    }
    if (size > MAX_BYTES) return walletFailure('bad-key-file', `${path} is too large for a key file`);
    return succeed(new Uint8Array(await readFile(path)));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return walletFailure('key-missing', `there is no key file ${path}`);
    return walletFailure(
      'unreadable',
      `${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
    );
  }
}

type Decrypt = (file: Uint8Array, password: string) => Promise<Uint8Array | undefined>;

const CIPHERS: readonly { readonly prefix: string; readonly decrypt: Decrypt }[] = [
  { prefix: NACL_PREFIX, decrypt: async (file, password) => openNacl(file, await naclKey(password)) },
  { prefix: ANSIBLE_PREFIX, decrypt: (file, password) => decryptAnsibleVault(latin1(file), password) },
  { prefix: FERNET_PREFIX, decrypt: async (file, password) => openFernet(latin1(file), await fernetKey(password)) },
];

const latin1 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('latin1');
const cipherOf = (file: Uint8Array) => CIPHERS.find(({ prefix }) => latin1(file.subarray(0, prefix.length)) === prefix);

/** A public file, or a plain private one; `password-needed` when it is encrypted. */
export async function readPublicKey(path: string, sr25519: Sr25519): Promise<Result<Key, WalletFailure>> {
  const file = await readKeyBytes(path, false);
  if (!file.ok) return file;
  if (cipherOf(file.value)) return walletFailure('password-needed', `${path} is encrypted`);
  return parseKeyFile(Buffer.from(file.value).toString('utf8'), sr25519, path);
}

export async function isEncrypted(path: string): Promise<Result<boolean, WalletFailure>> {
  const file = await readKeyBytes(path, false);
  return file.ok ? succeed(cipherOf(file.value) !== undefined) : file;
}

export async function readPrivateKey(
  path: string,
  sr25519: Sr25519,
  askPassword: AskPassword,
): Promise<Result<Key, WalletFailure>> {
  const text = await readPrivateText(path, askPassword);
  return text.ok ? parseKeyFile(text.value, sr25519, path) : text;
}

/** The JSON of a private file, decrypted. */
export async function readPrivateText(path: string, askPassword: AskPassword): Promise<Result<string, WalletFailure>> {
  const file = await readKeyBytes(path, true);
  if (!file.ok) return file;
  const cipher = cipherOf(file.value);
  if (!cipher) return succeed(Buffer.from(file.value).toString('utf8'));
  const password = await askPassword(`Password of ${path}`);
  if (!password) return walletFailure('password-needed', `${path} is encrypted and no password was given`);
  const plain = await cipher.decrypt(file.value, password);
  if (!plain) return walletFailure('wrong-password', `wrong password for ${path}, or the file is damaged`);
  return succeed(Buffer.from(plain).toString('utf8'));
}

/** Writes a new file, 0600, in folders of 0700: complete when it appears, refused when there is one. */
export async function writeKeyFile(
  path: string,
  content: string | Uint8Array,
  random: Random,
): Promise<Result<void, WalletFailure>> {
  const folder = dirname(path);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const draft = join(folder, `.${basename(path)}.${toHex(random(8))}`);
  const file = await open(draft, 'wx', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
    await file.close();
    // Unlike a rename, a link never replaces what is there.
    await link(draft, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'EEXIST') {
      return walletFailure('exists', `${path} exists and is not replaced; choose another name`);
    }
    return walletFailure(
      'unreadable',
      `${path} cannot be written: ${error instanceof Error ? error.message : String(error)}`,
    );
  } finally {
    await file.close().catch(() => undefined);
    await unlink(draft);
  }
  return succeed(undefined);
}
