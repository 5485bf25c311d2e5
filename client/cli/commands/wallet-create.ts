/** `filetao wallet create`: a coldkey and a hotkey; every phrase is shown this once. */

import type { PhraseWords } from '#shared/chain/wallet/mnemonic.ts';
import { type CreatedKey, createColdkey, createHotkey, showWallet } from '#shared/chain/wallet/node-wallets.ts';
import { systemRandom } from '#shared/primitives/effects.ts';
import { loadSr25519 } from '#shared/wire/node-sr25519.ts';
import { CommandFailed, orFail, usageError } from '../command-failed.ts';
import type { Cli, Run } from '../command-spec.ts';
import { EXIT } from '../exit-codes.ts';
import type { Given } from '../given.ts';
import { askNewSecret, readSecretLine } from '../settings/secrets-given.ts';
import { walletPlace } from '../settings/wallet-place.ts';
import { phraseText } from '../terminal/phrase.ts';

type Kind = 'coldkey' | 'hotkey';

/** Undefined: the person wants none. */
async function coldkeyPassword(cli: Cli, given: Given): Promise<string | undefined> {
  if (given.declined('password')) return undefined;
  const file = given.text('password-file');
  if (file !== undefined) return readSecretLine(cli, file);
  return askNewSecret(cli, 'Password of the new coldkey', 'give --password-file or --no-password');
}

export const createWallet: Run = async (cli, given) => {
  const place = walletPlace(cli, given);
  const only = given.text('only') as Kind | undefined;
  const kinds: readonly Kind[] = only === undefined ? ['coldkey', 'hotkey'] : [only];
  const phraseFile = given.text('phrase-file');
  if (phraseFile !== undefined && only === undefined)
    throw usageError('--phrase-file needs --only coldkey or --only hotkey');
  await refuseExisting(place, kinds);
  const phrase = phraseFile === undefined ? undefined : await readSecretLine(cli, phraseFile);
  const password = kinds.includes('coldkey') ? await coldkeyPassword(cli, given) : undefined;
  const words = Number(given.text('words') ?? 12) as PhraseWords;
  const key = { random: systemRandom, words, ...(phrase !== undefined && { phrase }) };

  const made: { kind: Kind; created: CreatedKey }[] = [];
  for (const kind of kinds) {
    if (kind === 'coldkey' && password !== undefined) cli.out.note('Encrypting the coldkey takes some seconds …');
    const created =
      kind === 'coldkey'
        ? await createColdkey(place, { ...key, ...(password !== undefined && { password }) })
        : await createHotkey(place, key);
    made.push({ kind, created: orFail(created) });
  }

  const json = Object.fromEntries(
    made.map(({ kind, created: { address, phrase: words } }) => [
      kind,
      { address, ...(phrase === undefined && { phrase: words }) },
    ]),
  );
  const told = made.map(({ kind, created }) => {
    const name = kind === 'coldkey' ? `${place.wallet}` : `${place.wallet}/${place.hotkey}`;
    const head = `${cli.out.bold(`${kind} ${name}`)}  ${created.address}`;
    return phrase === undefined ? `${head}\n\n${phraseText(created.phrase)}\n` : head;
  });
  const warning =
    phrase === undefined
      ? `\nWrite the words down, on paper, and keep them where only you are: they are shown this once,\nand whoever has them has the keys.`
      : '';
  cli.out.result(
    { wallet: place.wallet, hotkey: place.hotkey, folder: place.root, ...json },
    told.join('\n') + warning,
  );
};

/** Looked at before anything is made: half a wallet is nobody's wish. */
async function refuseExisting(place: ReturnType<typeof walletPlace>, kinds: readonly Kind[]): Promise<void> {
  const shown = await showWallet(place, await loadSr25519());
  if (!shown.ok) {
    if (shown.failure.code !== 'wallet-missing') orFail(shown);
    return;
  }
  const { coldkey, hotkeys } = shown.value;
  const there = { coldkey: coldkey.encrypted !== undefined, hotkey: hotkeys.some(({ name }) => name === place.hotkey) };
  const existing = kinds.filter((kind) => there[kind]);
  if (existing.length === 0) return;
  const names = { coldkey: `the coldkey of ${place.wallet}`, hotkey: `hotkey ${place.wallet}/${place.hotkey}` };
  throw new CommandFailed(
    'exists',
    `${existing.map((kind) => names[kind]).join(' and ')} exists and is not replaced`,
    EXIT.refused,
    '--only hotkey --wallet.hotkey NAME     makes another hotkey\n--wallet.name NAME                     makes another wallet',
  );
}
