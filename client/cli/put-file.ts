/** One source to the edge: how it is sealed and sent. Called by `put`. */
import type { StoredFile } from '#client/client.ts';
import { usageError } from './command-failed.ts';
import type { Cli } from './command-spec.ts';
import type { Given } from './given.ts';
import { type PutSource, readPieces } from './put-source.ts';
import { openClient } from './settings/open-client.ts';
import { askNewSecret, readSecretLine } from './settings/secrets-given.ts';
import { printable } from './terminal/table.ts';
import { parseDuration } from './terminal/units.ts';

export function parseRedundancy(text: string): { readonly k: number; readonly n: number } | undefined {
  const [, k, n] = /^([1-9]\d{0,2}),([1-9]\d{0,2})$/.exec(text) ?? [];
  return k === undefined || Number(k) > Number(n) ? undefined : { k: Number(k), n: Number(n) };
}

/** Who can read it, as it was asked for. */
async function privacyOf(cli: Cli, given: Given) {
  const recipients = given.texts('recipient');
  const file = given.text('passphrase-file');
  const wantsPassphrase = given.flag('passphrase') || file !== undefined;
  const plain = given.flag('public');
  if (plain && (wantsPassphrase || recipients.length > 0)) throw usageError('--public is for everyone: give it alone');
  if (wantsPassphrase && recipients.length > 0)
    throw usageError('a file opens with a passphrase or with keys, not with both');
  if (!wantsPassphrase) return { plain, recipients };
  const passphrase =
    file === undefined
      ? await askNewSecret(cli, 'Passphrase', 'give --passphrase-file')
      : await readSecretLine(cli, file);
  return { plain, recipients, passphrase };
}

export async function putFile(cli: Cli, given: Given, source: PutSource): Promise<StoredFile> {
  const ttlSeconds = given.parsed('ttl', parseDuration, 'a duration such as 90s, 12h, 30d or 1y');
  const redundancy = given.parsed('redundancy', parseRedundancy, 'K,N such as 4,10');
  const privacy = await privacyOf(cli, given);
  const client = await openClient(cli, given, privacy.plain ? undefined : 'store');
  if (source.kind === 'folder') throw usageError('directories are not wired yet');
  const total = source.kind === 'file' ? source.bytes : undefined;
  const bar = cli.out.progress(printable(source.name ?? 'standard input'), total);
  try {
    return await client.store(source.kind === 'file' ? readPieces(source.path) : cli.stdin, {
      ...privacy,
      name: source.name,
      contentType: source.contentType,
      ttlSeconds,
      redundancy,
      signal: cli.signal,
      onProgress: ({ bytes, totalBytes }) => bar.update(bytes, totalBytes ?? total),
    });
  } finally {
    bar.done();
  }
}
