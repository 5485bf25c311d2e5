/**
 * The JSON of a Bittensor key file, decrypted: reading it with the precedence of the Python wallet (phrase, seed,
 * private key, address alone) and writing one that the Python wallet reads. All fields are optional there; whatever
 * can be checked against another field is.
 */
import { sr25519KeypairFromSeed, waitReady } from '@polkadot/wasm-crypto';
import { getPublicKey, sign } from '@scure/sr25519';
import { fromHex, toHex } from '#shared/primitives/bytes.ts';
import { type Result, succeed } from '#shared/primitives/failure.ts';
import { type Hotkey, hotkeyOf, parseSs58 } from '#shared/primitives/ids.ts';
import type { Signer, Sr25519 } from '#shared/primitives/signer.ts';
import { seedOfPhrase } from './mnemonic.ts';
import { type WalletFailure, walletFailure } from './wallet-failure.ts';

/** sr25519 in the files' numbering; 0 is ed25519. Absent: sr25519. */
const SR25519_TYPE = 1;

export interface Key {
  readonly address: Hotkey;
  /** Absent in files with the public half alone. */
  readonly signer: Signer | undefined;
}

const hexField = (value: unknown, bytes: number): Uint8Array | undefined =>
  typeof value === 'string' ? fromHex(value.replace(/^0x/, '').toLowerCase(), bytes) : undefined;

/** @param path only named in failures */
export async function parseKeyFile(text: string, sr25519: Sr25519, path: string): Promise<Result<Key, WalletFailure>> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return walletFailure('bad-key-file', `${path} is neither JSON nor an encrypted key file`);
  }
  if (typeof json !== 'object' || json === null) return walletFailure('bad-key-file', `${path} holds no key`);
  const fields = json as Record<string, unknown>;
  const { cryptoType } = fields;
  if (cryptoType !== undefined && cryptoType !== null && cryptoType !== SR25519_TYPE) {
    return walletFailure(
      'unsupported-key',
      `${path} holds a key of type ${String(cryptoType)}; only sr25519 (1) works here`,
    );
  }
  const address = addressField(fields);
  const signer = await signerField(fields, sr25519, path);
  if (!signer.ok) return signer;
  const found = signer.value?.hotkey ?? address;
  if (!found) return walletFailure('bad-key-file', `${path} holds neither a secret nor an address`);
  if (address && address !== found) {
    return walletFailure('bad-key-file', `${path} contradicts itself: its secret is not that of ${address}`);
  }
  return succeed({ address: found, signer: signer.value });
}

function addressField({ ss58Address, publicKey, accountId }: Record<string, unknown>): Hotkey | undefined {
  const fromText = typeof ss58Address === 'string' ? parseSs58(ss58Address) : undefined;
  const bytes = fromText ?? hexField(publicKey, 32) ?? hexField(accountId, 32);
  return bytes && hotkeyOf(bytes);
}

/**
 * The 32-byte secret seed of a private file: of its phrase, else as it stands there; undefined where there is only a
 * private key, which no seed can be made of.
 */
export async function seedOfKeyFile(
  text: string,
  path: string,
): Promise<Result<Uint8Array | undefined, WalletFailure>> {
  const { secretPhrase, secretSeed } = JSON.parse(text) as Record<string, unknown>;
  if (typeof secretPhrase !== 'string' || secretPhrase === '') return succeed(hexField(secretSeed, 32));
  const seed = await seedOfPhrase(secretPhrase);
  return seed.ok ? seed : walletFailure('bad-key-file', `${path}: ${seed.failure.message}`);
}

async function signerField(
  { secretPhrase, secretSeed, privateKey }: Record<string, unknown>,
  sr25519: Sr25519,
  path: string,
): Promise<Result<Signer | undefined, WalletFailure>> {
  if (typeof secretPhrase === 'string' && secretPhrase !== '') {
    const seed = await seedOfPhrase(secretPhrase);
    return seed.ok
      ? succeed(sr25519.signerFromSeed(seed.value))
      : walletFailure('bad-key-file', `${path}: ${seed.failure.message}`);
  }
  const seed = hexField(secretSeed, 32);
  if (seed) return succeed(sr25519.signerFromSeed(seed));
  if (typeof secretSeed === 'string' && secretSeed !== '') {
    return walletFailure('bad-key-file', `${path}: secretSeed is not 0x and 64 hex digits`);
  }
  const secret = hexField(privateKey, 64);
  return succeed(secret && signerFromPrivateKey(secret));
}

/**
 * The files keep scalar₃₂ ‖ nonce₃₂ (schnorrkel's canonical form). Libraries of the Substrate family take the scalar
 * times 8 (its ed25519 form).
 */
function signerFromPrivateKey(privateKey: Uint8Array): Signer {
  const secret = privateKey.slice();
  secret.set(shiftLeft3(privateKey.subarray(0, 32)));
  const publicKey = getPublicKey(secret);
  return { hotkey: hotkeyOf(publicKey), publicKey, sign: (message) => sign(secret, message) };
}

const shiftLeft3 = (bytes: Uint8Array): Uint8Array =>
  bytes.map((byte, i) => ((byte << 3) | ((bytes[i - 1] ?? 0) >> 5)) & 0xff);
const shiftRight3 = (bytes: Uint8Array): Uint8Array =>
  bytes.map((byte, i) => (byte >> 3) | (((bytes[i + 1] ?? 0) << 5) & 0xff));

/** The private text of a key file, with the fields of the Python wallet. */
export async function privateKeyFile(
  phrase: string,
): Promise<Result<{ text: string; address: Hotkey }, WalletFailure>> {
  const seed = await seedOfPhrase(phrase);
  if (!seed.ok) return seed;
  await waitReady();
  const pair = sr25519KeypairFromSeed(seed.value);
  const publicKey = pair.subarray(64);
  const privateKey = pair.slice(0, 64);
  privateKey.set(shiftRight3(pair.subarray(0, 32)));
  const text = JSON.stringify({
    ...publicFields(publicKey),
    privateKey: `0x${toHex(privateKey)}`,
    secretPhrase: phrase,
    secretSeed: `0x${toHex(seed.value)}`,
  });
  return succeed({ text, address: hotkeyOf(publicKey) });
}

const publicFields = (publicKey: Uint8Array) => ({
  accountId: `0x${toHex(publicKey)}`,
  publicKey: `0x${toHex(publicKey)}`,
  ss58Address: hotkeyOf(publicKey),
  cryptoType: SR25519_TYPE,
});

/** The text of a file with the public half alone (`coldkeypub.txt`, `<hotkey>pub.txt`). */
export function publicKeyFile(address: Hotkey): string {
  const publicKey = parseSs58(address);
  if (!publicKey) throw new TypeError('not an address');
  return JSON.stringify(publicFields(publicKey));
}
