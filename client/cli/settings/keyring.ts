/**
 * Which keys a command uses for private files: those of the wallet that was named, else those of this machine, made at
 * the first put. Of a wallet only what storing needs is kept here (the account's seed and the recipients); reading asks
 * for the coldkey.
 */
import { join } from 'node:path';
import { type Keyring, withoutIdentities } from '#client/keys/keyring.ts';
import { walletKeyring } from '#client/keys/wallet-keys.ts';
import { readColdkeySeed, showWallet } from '#shared/chain/wallet/node-wallets.ts';
import { fromHex, toHex } from '#shared/primitives/bytes.ts';
import { loadSr25519 } from '#shared/wire/node-sr25519.ts';
import { CommandFailed, orFail } from '../command-failed.ts';
import type { Cli } from '../command-spec.ts';
import { EXIT } from '../exit-codes.ts';
import type { Given } from '../given.ts';
import { phraseText } from '../terminal/phrase.ts';
import { type Identity, identityPath, keyringOf, makeIdentity, readIdentity, writeIdentity } from './identity-file.ts';
import { readPrivateJson, writePrivateFile } from './private-file.ts';
import { passwordAsker } from './secrets-given.ts';
import { namesWallet, walletPlace } from './wallet-place.ts';

/** What a command wants the keys for. */
export type Purpose =
  /** Keys are made when there are none. */
  | 'store'
  /** Names in listings; undefined when there are none. */
  | 'list'
  /** With what opens files; undefined when there are none. */
  | 'open';

export async function keyringFor(cli: Cli, given: Given, purpose: 'store'): Promise<Keyring>;
export async function keyringFor(cli: Cli, given: Given, purpose: Purpose): Promise<Keyring | undefined>;
export async function keyringFor(cli: Cli, given: Given, purpose: Purpose): Promise<Keyring | undefined> {
  if (namesWallet(cli, given)) return walletKeys(cli, given, purpose === 'open');
  const identity = await readIdentity(cli.places);
  if (identity) return keyringOf(identity);
  return purpose === 'store' ? keyringOf(await firstIdentity(cli)) : undefined;
}

/** The first put of a machine without keys: they are made, and the person is told what the words are for. */
async function firstIdentity(cli: Cli): Promise<Identity> {
  const identity = await makeIdentity(12);
  await writeIdentity(cli.places, identity);
  const path = identityPath(cli.places);
  if (!cli.out.interactive) {
    cli.out.warn(`keys for your private files were made: ${path}. Back them up: filetao identity backup`);
    return identity;
  }
  cli.out.note(
    `${cli.out.bold('Your files are encrypted on this machine, with keys that were just made.')}
These words bring the keys back on any machine. Without them, and without this machine, nobody can
read your files again, and nobody can help. Write them down, on paper:

${phraseText(identity.phrase)}

Kept in ${path}; filetao identity backup shows the words again.\n`,
  );
  return identity;
}

interface KeptWallet {
  readonly coldkey: string;
  readonly keys: Keyring;
}

const keptPath = (cli: Cli, wallet: string): string => join(cli.places.config, 'wallets', `${wallet}.json`);

function checkKept(json: unknown): KeptWallet | undefined {
  if (typeof json !== 'object' || json === null) return undefined;
  const { coldkey, accountSeed, recipients } = json as Record<string, unknown>;
  const seed = typeof accountSeed === 'string' ? fromHex(accountSeed, 32) : undefined;
  if (typeof coldkey !== 'string' || !seed || !Array.isArray(recipients)) return undefined;
  if (recipients.length === 0 || !recipients.every((recipient) => typeof recipient === 'string')) return undefined;
  return { coldkey, keys: { accountSeed: seed, recipients } };
}

/** @param open with the identities, for which the coldkey is opened */
async function walletKeys(cli: Cli, given: Given, open: boolean): Promise<Keyring> {
  const place = walletPlace(cli, given);
  const sr25519 = await loadSr25519();
  const { coldkey } = orFail(await showWallet(place, sr25519));
  const path = keptPath(cli, place.wallet);
  const kept = await readPrivateJson(path, checkKept);
  if (!open && kept && (coldkey.address === undefined || kept.coldkey === coldkey.address)) return kept.keys;
  if (kept && coldkey.address !== undefined && kept.coldkey !== coldkey.address) {
    const message = `wallet ${place.wallet} has another coldkey than the one that files were stored with`;
    throw new CommandFailed('other-coldkey', message, EXIT.refused, `if that is right, move ${path} away`);
  }
  const seed = orFail(await readColdkeySeed(place, sr25519, passwordAsker(cli, given.text('password-file'))));
  const keys = await walletKeyring(seed.seed);
  if (!kept) {
    const { accountSeed, recipients } = withoutIdentities(keys);
    const json = { coldkey: seed.address, accountSeed: toHex(accountSeed), recipients };
    await writePrivateFile(path, `${JSON.stringify(json, undefined, 2)}\n`);
  }
  return keys;
}
