/** `filetao identity show|new|backup|export`. */
import { ownerOf } from '#client/keys/keyring.ts';
import type { PhraseWords } from '#shared/chain/wallet/mnemonic.ts';
import { CommandFailed, usageError } from '../command-failed.ts';
import type { Cli, Run } from '../command-spec.ts';
import { EXIT } from '../exit-codes.ts';
import {
  type Identity,
  identityPath,
  keyringOf,
  makeIdentity,
  readIdentity,
  writeIdentity,
} from '../settings/identity-file.ts';
import { keyringFor } from '../settings/keyring.ts';
import { namesWallet, walletPlace } from '../settings/wallet-place.ts';
import { phraseText } from '../terminal/phrase.ts';
import { formatPairs } from '../terminal/table.ts';

const noIdentity = (): CommandFailed =>
  new CommandFailed(
    'no-identity',
    'this machine has no keys for private files yet',
    EXIT.notFound,
    'filetao identity new     makes them\nfiletao recover          makes those of a phrase that you have',
  );

async function existing({ places }: Cli): Promise<Identity> {
  const identity = await readIdentity(places);
  if (!identity) throw noIdentity();
  return identity;
}

export const showIdentity: Run = async (cli, given) => {
  const keys = await keyringFor(cli, given, 'list');
  if (!keys) throw noIdentity();
  const { owner } = ownerOf(keys);
  const where = namesWallet(cli, given) ? `wallet ${walletPlace(cli, given).wallet}` : identityPath(cli.places);
  cli.out.result(
    { recipients: keys.recipients, owner, from: where },
    formatPairs([
      ...keys.recipients.map((recipient) => ['recipient', recipient] as const),
      ['owner', owner],
      ['keys of', where],
    ]),
  );
};

const WARNING = 'Write the words down, on paper: whoever has them can read your files, and without them nobody can.';

export const newIdentity: Run = async (cli, given) => {
  if (await readIdentity(cli.places)) {
    const path = identityPath(cli.places);
    const hint = `filetao identity backup shows its words. To begin anew, move ${path} away, and keep it`;
    throw new CommandFailed('exists', 'this machine has keys already, and they are not replaced', EXIT.refused, hint);
  }
  const identity = await makeIdentity(Number(given.text('words') ?? 12) as PhraseWords);
  await writeIdentity(cli.places, identity);
  const { recipients } = await keyringOf(identity);
  const path = identityPath(cli.places);
  cli.out.result(
    { phrase: identity.phrase, recipients, path },
    `${phraseText(identity.phrase)}\n\n${WARNING}\nKept in ${path}.\n\nyour recipient  ${recipients.join(' ')}`,
  );
};

/** Secrets go on the screen only when the person wants them there. */
async function agreeToShow({ prompt }: Cli, yes: boolean, what: string): Promise<void> {
  if (yes) return;
  const agreed = await prompt.confirm(`${what} will be on the screen. Does nobody look?`);
  if (agreed === undefined) throw usageError('there is nobody to ask: give --yes');
  if (!agreed) throw new CommandFailed('not-agreed', 'nothing was shown', EXIT.refused);
}

export const backupIdentity: Run = async (cli, given) => {
  const { phrase } = await existing(cli);
  await agreeToShow(cli, given.flag('yes'), 'The phrase');
  cli.out.result({ phrase }, `${phraseText(phrase)}\n\n${WARNING}`);
};

export const exportIdentity: Run = async (cli, given) => {
  await agreeToShow(cli, given.flag('yes'), 'Secret keys');
  const keys = await keyringFor(cli, given, 'open');
  if (!keys) throw noIdentity();
  const { identities = [], recipients } = keys;
  const lines = [
    '# age identities of FileTAO: whoever has them can read your files',
    ...recipients.map((text) => `# public key: ${text}`),
    ...identities,
  ];
  cli.out.result({ identities, recipients }, lines.join('\n'));
};
