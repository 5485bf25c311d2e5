/**
 * Bittensor's wallet folders, `<root>/<wallet>/{coldkey, coldkeypub.txt, hotkeys/<hotkey>}`: load, create, list, show.
 * What `filetao wallet` and the programs call; questions and printing are the caller's.
 */
import { readdir } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type { Random } from '#shared/primitives/effects.ts';
import { type Result, succeed } from '#shared/primitives/failure.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';
import type { Signer, Sr25519 } from '#shared/primitives/signer.ts';
import { parseKeyFile, privateKeyFile, publicKeyFile, seedOfKeyFile } from './key-file.ts';
import { newPhrase, type PhraseWords } from './mnemonic.ts';
import {
  type AskPassword,
  isEncrypted,
  readPrivateKey,
  readPrivateText,
  readPublicKey,
  writeKeyFile,
} from './node-key-store.ts';
import { naclKey, sealNacl } from './node-nacl.ts';
import { type WalletFailure, walletFailure } from './wallet-failure.ts';

export const defaultWalletRoot = (): string => join(homedir(), '.bittensor', 'wallets');

export interface WalletPlace {
  readonly root: string;
  readonly wallet: string;
}
export interface HotkeyPlace extends WalletPlace {
  readonly hotkey: string;
}

/** Names become paths: nothing that climbs out, hides or needs quoting. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,63}$/;

function badName(...names: readonly string[]) {
  const bad = names.find((name) => !NAME.test(name));
  return bad === undefined
    ? undefined
    : walletFailure('bad-name', `"${bad}" is no name for a key: letters, digits, "_", "-" and ".", at most 64`);
}

const coldkeyPath = ({ root, wallet }: WalletPlace) => join(root, wallet, 'coldkey');
const coldkeyPubPath = ({ root, wallet }: WalletPlace) => join(root, wallet, 'coldkeypub.txt');
const hotkeyPath = ({ root, wallet, hotkey }: HotkeyPlace) => join(root, wallet, 'hotkeys', hotkey);
const hotkeyPubPath = (place: HotkeyPlace) => `${hotkeyPath(place)}pub.txt`;

async function load(path: string, sr25519: Sr25519, askPassword: AskPassword): Promise<Result<Signer, WalletFailure>> {
  const key = await readPrivateKey(path, sr25519, askPassword);
  if (!key.ok) return key;
  return key.value.signer
    ? succeed(key.value.signer)
    : walletFailure('public-only', `${path} holds an address and no secret: it cannot sign`);
}

/** A missing wallet is named as such, with what to do. */
async function missing(place: WalletPlace, failure: WalletFailure, mend: string) {
  if (failure.code !== 'key-missing') return { ok: false as const, failure };
  const known = await walletNames(place.root);
  if (known.includes(place.wallet)) return walletFailure('key-missing', `${failure.message}: ${mend}`);
  const there = known.length > 0 ? ` (there are ${known.join(', ')})` : '';
  return walletFailure(
    'wallet-missing',
    `there is no wallet ${place.wallet} in ${place.root}${there}: filetao wallet create`,
  );
}

export async function loadHotkey(
  place: HotkeyPlace,
  sr25519: Sr25519,
  askPassword: AskPassword,
): Promise<Result<Signer, WalletFailure>> {
  const bad = badName(place.wallet, place.hotkey);
  if (bad) return bad;
  const loaded = await load(hotkeyPath(place), sr25519, askPassword);
  return loaded.ok ? loaded : missing(place, loaded.failure, `filetao wallet create --wallet.hotkey ${place.hotkey}`);
}

export async function loadColdkey(
  place: WalletPlace,
  sr25519: Sr25519,
  askPassword: AskPassword,
): Promise<Result<Signer, WalletFailure>> {
  const bad = badName(place.wallet);
  if (bad) return bad;
  const loaded = await load(coldkeyPath(place), sr25519, askPassword);
  return loaded.ok ? loaded : missing(place, loaded.failure, 'the coldkey is kept elsewhere; run this where it is');
}

export interface ColdkeySeed {
  readonly address: Hotkey;
  /** 32 bytes: what everything else of the coldkey is derived from. */
  readonly seed: Uint8Array;
}

/** The coldkey's secret seed: keys of private files are derived from it. There is no such call for hotkeys. */
export async function readColdkeySeed(
  place: WalletPlace,
  sr25519: Sr25519,
  askPassword: AskPassword,
): Promise<Result<ColdkeySeed, WalletFailure>> {
  const bad = badName(place.wallet);
  if (bad) return bad;
  const path = coldkeyPath(place);
  const text = await readPrivateText(path, askPassword);
  if (!text.ok) return missing(place, text.failure, 'the coldkey is kept elsewhere; run this where it is');
  const key = await parseKeyFile(text.value, sr25519, path);
  if (!key.ok) return key;
  const seed = await seedOfKeyFile(text.value, path);
  if (!seed.ok) return seed;
  return seed.value
    ? succeed({ address: key.value.address, seed: seed.value })
    : walletFailure(
        'public-only',
        `${path} holds neither a phrase nor a seed: keys of files cannot be derived from it`,
      );
}

export interface CreatedKey {
  readonly address: Hotkey;
  /** The only way back to the key: shown once, kept nowhere but in the file. */
  readonly phrase: string;
}

interface NewKey {
  /** Given: the key of this phrase instead of a new one. */
  readonly phrase?: string;
  readonly words?: PhraseWords;
  /** Given: the file is encrypted with it. */
  readonly password?: string;
  readonly random: Random;
}

async function create(path: string, pubPath: string, key: NewKey): Promise<Result<CreatedKey, WalletFailure>> {
  const phrase = key.phrase?.trim().toLowerCase().split(/\s+/).join(' ') ?? (await newPhrase(key.words ?? 12));
  const file = await privateKeyFile(phrase);
  if (!file.ok) return file;
  const { text, address } = file.value;
  const content = key.password ? await sealNacl(text, await naclKey(key.password), key.random) : text;
  // The secret first: without it the public half is a trap.
  const written = await writeKeyFile(path, content, key.random);
  if (!written.ok) return written;
  const publicWritten = await writeKeyFile(pubPath, publicKeyFile(address), key.random);
  return publicWritten.ok ? succeed({ address, phrase }) : publicWritten;
}

export async function createColdkey(place: WalletPlace, key: NewKey): Promise<Result<CreatedKey, WalletFailure>> {
  return badName(place.wallet) ?? create(coldkeyPath(place), coldkeyPubPath(place), key);
}

export async function createHotkey(place: HotkeyPlace, key: NewKey): Promise<Result<CreatedKey, WalletFailure>> {
  return badName(place.wallet, place.hotkey) ?? create(hotkeyPath(place), hotkeyPubPath(place), key);
}

export interface ShownKey {
  readonly name: string;
  /** Undefined: encrypted, and no public file beside it. */
  readonly address: Hotkey | undefined;
  /** Undefined: only the public half is here. */
  readonly encrypted: boolean | undefined;
  /** Why the file is of no use as it is. */
  readonly problem?: string;
}
export interface ShownWallet {
  readonly name: string;
  readonly coldkey: ShownKey;
  readonly hotkeys: readonly ShownKey[];
}

async function names(folder: string): Promise<readonly string[]> {
  try {
    return (await readdir(folder)).filter((name) => NAME.test(name)).sort();
  } catch {
    // No such folder: nothing in it.
    return [];
  }
}

const walletNames = names;

async function showKey(name: string, path: string, pubPath: string, sr25519: Sr25519): Promise<ShownKey> {
  const encrypted = await isEncrypted(path);
  const publicHalf = await readPublicKey(pubPath, sr25519);
  const key = publicHalf.ok ? publicHalf : await readPublicKey(path, sr25519);
  return {
    name,
    address: key.ok ? key.value.address : undefined,
    encrypted: encrypted.ok ? encrypted.value : undefined,
    ...(!key.ok && key.failure.code !== 'password-needed' && { problem: key.failure.message }),
  };
}

/** Asks for no password. */
export async function showWallet(place: WalletPlace, sr25519: Sr25519): Promise<Result<ShownWallet, WalletFailure>> {
  const bad = badName(place.wallet);
  if (bad) return bad;
  if (!(await walletNames(place.root)).includes(place.wallet)) {
    return walletFailure(
      'wallet-missing',
      `there is no wallet ${place.wallet} in ${place.root}: filetao wallet create`,
    );
  }
  const files = await names(join(place.root, place.wallet, 'hotkeys'));
  const isPublic = (file: string) => file.endsWith('pub.txt');
  const hotkeys = files.filter((file) => !isPublic(file));
  return succeed({
    name: place.wallet,
    coldkey: await showKey('coldkey', coldkeyPath(place), coldkeyPubPath(place), sr25519),
    hotkeys: await Promise.all(
      hotkeys.map((hotkey) => {
        const at = { ...place, hotkey };
        return showKey(hotkey, hotkeyPath(at), hotkeyPubPath(at), sr25519);
      }),
    ),
  });
}

export async function listWallets(root: string, sr25519: Sr25519): Promise<readonly ShownWallet[]> {
  const shown = await Promise.all((await walletNames(root)).map((wallet) => showWallet({ root, wallet }, sr25519)));
  return shown.flatMap((wallet) => (wallet.ok ? [wallet.value] : []));
}
