/**
 * The keys of this machine for private files, made from a phrase of their own just as a wallet's are from its coldkey:
 * whoever has the words has the files, on any machine. `identity.json` in the settings folder, 0600.
 */
import { join } from 'node:path';
import type { Keyring } from '#client/keys/keyring.ts';
import { walletKeyring } from '#client/keys/wallet-keys.ts';
import { newPhrase, type PhraseWords, seedOfPhrase } from '#shared/chain/wallet/mnemonic.ts';
import { fromHex, toHex } from '#shared/primitives/bytes.ts';
import { orFail } from '../command-failed.ts';
import type { Places } from './places.ts';
import { readPrivateJson, writePrivateFile } from './private-file.ts';

export interface Identity {
  readonly phrase: string;
  /** 32 bytes, what the phrase stands for: kept beside it, so that no command has to compute it again. */
  readonly seed: Uint8Array;
}

export const identityPath = (places: Places): string => join(places.config, 'identity.json');

function checkIdentity(json: unknown): Identity | undefined {
  if (typeof json !== 'object' || json === null) return undefined;
  const { phrase, seed } = json as Record<string, unknown>;
  const bytes = typeof seed === 'string' ? fromHex(seed, 32) : undefined;
  return typeof phrase === 'string' && bytes ? { phrase, seed: bytes } : undefined;
}

export const readIdentity = (places: Places): Promise<Identity | undefined> =>
  readPrivateJson(identityPath(places), checkIdentity);

/** Of a phrase that is there, or of a new one. */
export async function makeIdentity(phrase: string | PhraseWords): Promise<Identity> {
  const words =
    typeof phrase === 'string' ? phrase.trim().toLowerCase().split(/\s+/).join(' ') : await newPhrase(phrase);
  return { phrase: words, seed: orFail(await seedOfPhrase(words)) };
}

/** The caller has seen to it that none is lost. */
export const writeIdentity = (places: Places, { phrase, seed }: Identity): Promise<void> =>
  writePrivateFile(identityPath(places), `${JSON.stringify({ phrase, seed: toHex(seed) }, undefined, 2)}\n`);

export const keyringOf = ({ seed }: Identity): Promise<Required<Keyring>> => walletKeyring(seed);
