/**
 * Phrases of 12 to 24 BIP39 words, and the sr25519 seed that Substrate makes of them: PBKDF2 over the *entropy*, not
 * over the words as BIP39 has it, so that a phrase gives the same key here, in btcli and in polkadot.js.
 * `@polkadot/wasm-crypto` computes both; its traps on bad words are kept out by validating first.
 */
import { bip39Generate, bip39ToMiniSecret, bip39Validate, waitReady } from '@polkadot/wasm-crypto';
import { type Result, succeed } from '#shared/primitives/failure.ts';
import { type WalletFailure, walletFailure } from './wallet-failure.ts';

export type PhraseWords = 12 | 15 | 18 | 21 | 24;

/** A new phrase out of the system's randomness. */
export async function newPhrase(words: PhraseWords): Promise<string> {
  await waitReady();
  return bip39Generate(words);
}

/** The 32-byte seed of a phrase; spaces and case do not matter. */
export async function seedOfPhrase(phrase: string): Promise<Result<Uint8Array, WalletFailure>> {
  await waitReady();
  const words = phrase.trim().toLowerCase().split(/\s+/);
  const text = words.join(' ');
  if (![12, 15, 18, 21, 24].includes(words.length) || !bip39Validate(text)) {
    return walletFailure('bad-phrase', 'the phrase is none: 12 to 24 words of the BIP39 list, the last one a checksum');
  }
  return succeed(bip39ToMiniSecret(text, ''));
}
