/**
 * `filetao recover`: on a new machine, from the phrase alone: keys, an API key by the account's signature, then the list
 * of everything, and with --all everything itself.
 */
import { existsSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { resolve } from 'node:path';
import type { Client } from '#client/client.ts';
import { ClientError, isClientError } from '#client/client-error.ts';
import { createClient } from '#client/create-client.ts';
import { nodeSha256 } from '#client/node-client.ts';
import { restoreFolder } from '#client/node-folder.ts';
import type { ListedFile } from '#client/private/list-private.ts';
import { equalBytes } from '#shared/primitives/bytes.ts';
import { asFailed, CommandFailed, usageError } from '../command-failed.ts';
import type { Cli, Run } from '../command-spec.ts';
import { EXIT } from '../exit-codes.ts';
import type { Given } from '../given.ts';
import { outputPath } from '../output-path.ts';
import { receiveFile } from '../receive-file.ts';
import { chooseEdge, readLogin, writeLogin } from '../settings/edge-choice.ts';
import {
  type Identity,
  identityPath,
  keyringOf,
  makeIdentity,
  readIdentity,
  writeIdentity,
} from '../settings/identity-file.ts';
import { readSecretLine } from '../settings/secrets-given.ts';
import { printable } from '../terminal/table.ts';
import { formatBytes } from '../terminal/units.ts';

async function readPhrase(cli: Cli, given: Given): Promise<string> {
  const file = given.text('phrase-file');
  if (file !== undefined) return readSecretLine(cli, file);
  const typed = await cli.prompt.secret('Your phrase, 12 to 24 words');
  if (typed === undefined) throw usageError('there is nobody to ask for the phrase: give --phrase-file');
  return typed;
}

async function keep(cli: Cli, identity: Identity): Promise<void> {
  const before = await readIdentity(cli.places);
  if (!before) return writeIdentity(cli.places, identity);
  if (equalBytes(before.seed, identity.seed)) return;
  const message = 'this machine has the keys of another phrase, and they are not replaced';
  throw new CommandFailed('exists', message, EXIT.refused, `move ${identityPath(cli.places)} away, and keep it`);
}

/** With the key that is there, else with one that the account's signature gets. */
async function openAccount(cli: Cli, given: Given, identity: Identity): Promise<Client> {
  const keys = await keyringOf(identity);
  const { url, apiKey } = await chooseEdge(cli, given);
  if (apiKey !== undefined) return createClient({ url, apiKey, keys, newDigest: nodeSha256 });
  try {
    const made = await createClient({ url, keys }).login('recovered', cli.signal);
    const login = await readLogin(cli.places);
    await writeLogin(cli.places, { url, keys: { ...login.keys, [url]: made.key } });
    cli.out.note(`Logged in to ${url} with the account of this phrase.`);
    return createClient({ url, apiKey: made.key, keys, newDigest: nodeSha256 });
  } catch (error) {
    if (!isClientError(error, 'forbidden')) throw error;
    const hint = `filetao login ${url}     with an API key of your account, then run this again`;
    throw new CommandFailed('forbidden', asFailed(error).message, EXIT.refused, hint);
  }
}

export const recover: Run = async (cli, given) => {
  const identity = await makeIdentity(await readPhrase(cli, given));
  const client = await openAccount(cli, given, identity);
  await keep(cli, identity);
  const files: ListedFile[] = [];
  for await (const file of client.list({ signal: cli.signal })) files.push(file);
  const unread = files.filter(({ problem }) => problem !== undefined).length;
  const bytes = files.reduce((sum, file) => sum + file.bytes, 0);
  cli.out.note(
    `${files.length} files, ${formatBytes(bytes)}${unread > 0 ? `; ${unread} are not readable with this phrase` : ''}`,
  );
  const folder = given.text('all');
  const all =
    folder === undefined
      ? { restored: [], leftOut: [] }
      : await restoreAll(cli, client, files, resolve(cli.workingFolder, folder));
  const listed = files.map(({ cid, name, bytes: size, problem }) => ({
    cid,
    name,
    bytes: size,
    ...(problem && { problem }),
  }));
  const text =
    folder === undefined
      ? 'Your keys are here again: filetao ls, filetao get NAME'
      : `${all.restored.length} files are in ${folder}.`;
  cli.out.result({ files: listed, ...all }, text);
};

interface Restored {
  readonly restored: readonly { readonly cid: string; readonly path: string }[];
  /** Files that these keys do not open, such as those with a passphrase, and why. */
  readonly leftOut: readonly { readonly cid: string; readonly name: string | undefined; readonly code: string }[];
}

/** Everything that can be read; a name that is taken gets its CID behind it. One that cannot be read stops no other. */
async function restoreAll(cli: Cli, client: Client, files: readonly ListedFile[], folder: string): Promise<Restored> {
  await mkdir(folder, { recursive: true });
  const restored: { cid: string; path: string }[] = [];
  const leftOut: { cid: string; name: string | undefined; code: string }[] = [];
  for (const { cid, name, problem, kind } of files) {
    const wanted = { output: undefined, folder, isFolder: () => false };
    const { path: plain = '' } = outputPath(wanted, [name, cid], resolve);
    const path = existsSync(plain) ? `${plain}.${cid}` : plain;
    if (existsSync(path)) continue;
    try {
      if (problem !== undefined) throw new ClientError('wrong-key', problem);
      await restoreOne(cli, client, { cid, name, kind }, path);
      restored.push({ cid, path });
    } catch (error) {
      if (!isClientError(error)) throw error;
      cli.out.note(`${printable(name ?? cid)} is left out: ${error.message}`);
      leftOut.push({ cid, name, code: error.code });
    }
  }
  return { restored, leftOut };
}

async function restoreOne(
  { out, signal }: Cli,
  client: Client,
  { cid, name, kind }: Pick<ListedFile, 'cid' | 'kind'> & { readonly name: string | undefined },
  path: string,
): Promise<void> {
  if (kind === 'tree') return void (await restoreFolder(await client.openTree(cid, { signal }), path, { signal }));
  const bar = out.progress(printable(name ?? cid), undefined);
  try {
    const onProgress = ({ bytes, totalBytes }: { bytes: number; totalBytes?: number }) => bar.update(bytes, totalBytes);
    const { stream } = await client.retrieve(cid, { signal, onProgress });
    await receiveFile(stream, path, { force: false, signal });
  } finally {
    bar.done();
  }
}
