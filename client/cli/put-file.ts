/** One source to the edge: how it is sealed and sent. Called by `put`. */
import { createHash } from 'node:crypto';
import type { StoredFile } from '#client/client.ts';
import { usageError } from './command-failed.ts';
import type { Cli } from './command-spec.ts';
import type { Given } from './given.ts';
import { putResumable } from './put-resumable.ts';
import { type PutSource, readPieces } from './put-source.ts';
import { chooseEdgeWithKey } from './settings/edge-choice.ts';
import { keyringFor } from './settings/keyring.ts';
import { openClient } from './settings/open-client.ts';
import { askNewSecret, readSecretLine } from './settings/secrets-given.ts';
import { printable } from './terminal/table.ts';
import { parseBytes, parseDuration } from './terminal/units.ts';
import { UploadJournal } from './upload-journal.ts';

/** Smaller files go in one request: to send them again costs less than to keep a journal. */
const RESUMABLE_BYTES = 8 * 2 ** 20;

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
  if (wantsPassphrase && recipients.length > 0) {
    throw usageError('a file opens with a passphrase or with keys, not with both');
  }
  if (!wantsPassphrase) return { plain, recipients };
  const passphrase =
    file === undefined
      ? await askNewSecret(cli, 'Passphrase', 'give --passphrase-file')
      : await readSecretLine(cli, file);
  return { plain, recipients, passphrase };
}

const parseProof = (text: string): 'por' | 'zk' | undefined => (text === 'por' || text === 'zk' ? text : undefined);

const partBytes = (text: string) => parseBytes(text) || undefined;

export async function optionsOf(cli: Cli, given: Given, source: PutSource) {
  const ttlSeconds = given.parsed('ttl', parseDuration, 'a duration such as 90s, 12h, 30d or 1y');
  const redundancy = given.parsed('redundancy', parseRedundancy, 'K,N such as 4,10');
  const proof = given.parsed('proof', parseProof, 'por or zk');
  const part = given.parsed('part-size', partBytes, 'a size such as 16M');
  const { name, contentType } = source;
  const privacy = await privacyOf(cli, given);
  return {
    ...privacy,
    name,
    contentType,
    ttlSeconds,
    redundancy,
    proof,
    ...(part && { partBytes: part }),
    signal: cli.signal,
  };
}

export async function putFile(
  cli: Cli,
  given: Given,
  source: Exclude<PutSource, { kind: 'folder' }>,
): Promise<StoredFile & { readonly sentBytes?: number }> {
  const options = await optionsOf(cli, given, source);
  const client = await openClient(cli, given, options.plain ? undefined : 'store');
  if (source.kind === 'file' && source.bytes > RESUMABLE_BYTES && options.proof !== 'zk' && !given.declined('resume')) {
    const { url, apiKey } = await chooseEdgeWithKey(cli, given);
    const { signal: _, passphrase, ...asked } = options;
    const { path, bytes, stats } = source;
    const keys = options.plain ? undefined : await keyringFor(cli, given, 'store');
    // Another account, or other keys, are another upload.
    const account = createHash('sha256')
      .update(JSON.stringify([apiKey, keys?.recipients]))
      .digest('hex');
    const told = { ...asked, account };
    // Whoever could read the journal could try passphrases: an upload with one is not resumable.
    const journal =
      passphrase === undefined
        ? await UploadJournal.open(cli.places.state, { url, path, bytes, mtimeMs: stats.mtimeMs, options: told })
        : undefined;
    if (journal) return putResumable(cli, client, journal, source, options);
    if (passphrase === undefined) cli.out.warn('another put of this file is running; this one will not be resumable');
  }
  const total = source.kind === 'file' ? source.bytes : undefined;
  const bar = cli.out.progress(printable(source.name ?? 'standard input'), total);
  try {
    const onProgress = ({ bytes, totalBytes }: { bytes: number; totalBytes?: number }) =>
      bar.update(bytes, totalBytes ?? total);
    return await client.store(source.kind === 'file' ? readPieces(source.path) : cli.stdin, { ...options, onProgress });
  } finally {
    bar.done();
  }
}
