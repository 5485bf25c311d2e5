/**
 * Keys out of a Bittensor wallet, so that a seed phrase alone brings everything back:
 *
 *   prk      HKDF-Extract(SHA-256, salt = "filetao/wallet/v1", ikm = the coldkey's secretSeed₃₂)
 *   secret   HKDF-Expand(prk, info, 32), with info
 *              "age/x25519\0" ‖ u32 i              → AGE-SECRET-KEY-1…
 *              "age/mlkem768x25519\0" ‖ u32 i      → AGE-SECRET-KEY-PQ-1…
 *              "account/ed25519\0" ‖ u32 i         → seed of the account's key (RFC 8032)
 *
 * i counts generations, from 0. Only a coldkey's seed: a hotkey lies unencrypted on servers; whoever reads the wallet
 * file sees to that (`readColdkeySeed`). Known answers: `test/vectors/wallet-keys-v1.json`.
 */
import { expand, extract } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { ByteWriter, utf8 } from '#shared/primitives/bytes.ts';
import { identityOf, type KeyKind, type Keyring, recipientOf } from './keyring.ts';

const SALT = utf8('filetao/wallet/v1');
const SEED_BYTES = 32;

function derive(seed: Uint8Array, label: string, generation: number): Uint8Array {
  if (seed.length !== SEED_BYTES) throw new RangeError(`a coldkey's seed has ${SEED_BYTES} bytes, not ${seed.length}`);
  const info = new ByteWriter(32).tag(label).u32(generation).finish();
  return expand(sha256, extract(sha256, seed, SALT), info, 32);
}

export interface WalletSecrets {
  readonly accountSeed: Uint8Array;
  readonly x25519: string;
  readonly hybrid: string;
}

/** @param seed the coldkey's secretSeed */
export const walletSecrets = (seed: Uint8Array, generation = 0): WalletSecrets => ({
  accountSeed: derive(seed, 'account/ed25519', generation),
  x25519: identityOf('x25519', derive(seed, 'age/x25519', generation)),
  hybrid: identityOf('hybrid', derive(seed, 'age/mlkem768x25519', generation)),
});

/** The keyring of a wallet: opens files of both kinds, and stores new ones for `kind`. */
export async function walletKeyring(
  seed: Uint8Array,
  kind: KeyKind = 'x25519',
  generation = 0,
): Promise<Required<Keyring>> {
  const { accountSeed, x25519, hybrid } = walletSecrets(seed, generation);
  return {
    accountSeed,
    identities: [x25519, hybrid],
    recipients: [await recipientOf(kind === 'hybrid' ? hybrid : x25519)],
  };
}
