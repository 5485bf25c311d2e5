/** `filetao get`: a file back, under its name only when all of it is there and right. */
import { existsSync, statSync } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { homedir } from 'node:os';
import { dirname, resolve } from 'node:path';
import type { RetrievedFile, RetrieveOptions } from '#client/client.ts';
import { isClientError } from '#client/client-error.ts';
import { parseCid } from '#shared/codec/cid.ts';
import { parseOwnerId } from '#shared/primitives/ids.ts';
import { CommandFailed, usageError } from '../command-failed.ts';
import type { Cli, Run } from '../command-spec.ts';
import { EXIT } from '../exit-codes.ts';
import { getFolder, openStoredFolder } from '../get-folder.ts';
import type { Given } from '../given.ts';
import { outputPath } from '../output-path.ts';
import { existsFailure, receiveFile, receiveToStream } from '../receive-file.ts';
import { openClient } from '../settings/open-client.ts';
import { readSecretLine } from '../settings/secrets-given.ts';
import { localNameOf, withTarget } from '../settings/target.ts';
import { printable } from '../terminal/table.ts';
import { formatBytes, formatDuration, formatRate, parseByteRange } from '../terminal/units.ts';

const IDENTITY_LINE = /^AGE-SECRET-KEY-[A-Z0-9-]+$/;

/** The keys that were given with this command, beside those of the machine or wallet. */
async function openersOf(cli: Cli, given: Given): Promise<Pick<RetrieveOptions, 'identities' | 'passphrase' | 'from'>> {
  const file = given.text('passphrase-file');
  const passphrase =
    file !== undefined
      ? await readSecretLine(cli, file)
      : given.flag('passphrase')
        ? await cli.prompt.secret('Passphrase')
        : undefined;
  if (given.flag('passphrase') && passphrase === undefined)
    throw usageError('there is nobody to ask: give --passphrase-file');
  const from = given.parsed(
    'from',
    (text) => (text === 'anyone' ? text : parseOwnerId(text)),
    '64 hex digits, or "anyone"',
  );
  const identityFile = given.text('identity');
  const identities =
    identityFile === undefined ? undefined : await readIdentityFile(resolve(cli.workingFolder, identityFile));
  return { ...(passphrase !== undefined && { passphrase }), ...(identities && { identities }), ...(from && { from }) };
}

/** As age writes them: a key a line, comments with #. */
async function readIdentityFile(path: string): Promise<readonly string[]> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    throw new CommandFailed('unreadable', `${path} cannot be read: ${error.code}`, EXIT.notFound);
  });
  const lines = text.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#'));
  if (lines.length === 0 || !lines.every((line) => IDENTITY_LINE.test(line))) {
    throw usageError(`${path} is no age identity file: lines of AGE-SECRET-KEY-…`);
  }
  return lines;
}

/** The wallet's coldkey is opened only for files that need it. */
async function retrieve(cli: Cli, given: Given, file: string, options: RetrieveOptions): Promise<RetrievedFile> {
  const attempt = async (purpose: 'list' | 'open') => {
    const client = await openClient(cli, given, purpose);
    return withTarget(cli, given, file, (target) => client.retrieve(target, options));
  };
  try {
    return await attempt('list');
  } catch (error) {
    if (!isClientError(error, 'no-keys')) throw error;
    return attempt('open');
  }
}

export const get: Run = async (cli, given) => {
  const file = given.one(0, 'the file', 'cid', 'data_hash');
  const range = given.parsed('range', parseByteRange, 'FIRST-LAST or FIRST-');
  const home = cli.environment.HOME || homedir();
  const folder = given.text('storage_basepath')?.replace(/^~(?=\/|$)/, home);
  const isFolder = (path: string) => existsSync(path) && statSync(path).isDirectory();
  const wanted = { output: given.text('output'), folder, isFolder };
  if (wanted.output === '-' && cli.out.json) throw usageError('--json and -o - both want standard output');
  const force = given.flag('force');
  const join = (...parts: readonly string[]) => resolve(cli.workingFolder, ...parts);
  const known = parseCid(file) ? await localNameOf(cli, given, file) : file;
  // Where the name is known before anything is asked, so is that it is taken.
  const early =
    known === undefined && wanted.output === undefined ? undefined : outputPath(wanted, [known, file], join).path;
  if (early !== undefined && !force && existsSync(early) && !isFolder(early)) throw existsFailure(early);

  const openers = await openersOf(cli, given);
  const sinceMs = performance.now();
  const bar = cli.out.progress(printable(known ?? file), undefined);
  const options = {
    ...openers,
    signal: cli.signal,
    onProgress: ({ bytes, totalBytes }: { bytes: number; totalBytes?: number }) => bar.update(bytes, totalBytes),
    ...(range && { range: { from: range.first, ...(range.last !== undefined && { to: range.last + 1 }) } }),
  };
  const found = await retrieve(cli, given, file, options);
  const { path } = outputPath(
    found.kind === 'tree' ? { ...wanted, isFolder: () => false } : wanted,
    [known, found.name, file],
    join,
  );
  try {
    if (found.kind === 'tree') {
      bar.done();
      await found.stream.cancel();
      return await getFolder(cli, given, await openStoredFolder(cli, given, found.cid, openers), { path, force });
    }
    if (given.text('path') !== undefined) throw usageError('--path is for directories, and this is a file');
    if (path === undefined) return void (await receiveToStream(found.stream, cli.stdout));
    if (!force && existsSync(path)) throw existsFailure(path);
    if (folder !== undefined) await mkdir(dirname(path), { recursive: true });
    const bytes = await receiveFile(found.stream, path, { force, signal: cli.signal });
    const ms = performance.now() - sinceMs;
    const speed = `${formatBytes(bytes)} in ${formatDuration(ms)}, ${formatRate((bytes * 1000) / ms)}`;
    const { cid, signer } = found;
    cli.out.result({ cid, bytes, path, private: found.private, ...(signer && { signer }) }, `${path}  ${speed}`);
  } finally {
    bar.done();
  }
};
