/** Secrets that a person types or a file holds; never words on the command line, which others can see. */
import { readFile } from 'node:fs/promises';
import { resolve } from 'node:path';
import { text as readAll } from 'node:stream/consumers';
import { CommandFailed, usageError } from '../command-failed.ts';
import type { Cli } from '../command-spec.ts';
import { EXIT } from '../exit-codes.ts';

/** First line of a file, or of standard input for "-". */
export async function readSecretLine(cli: Cli, path: string): Promise<string> {
  let text: string;
  try {
    text = path === '-' ? await readAll(cli.stdin) : await readFile(resolve(cli.workingFolder, path), 'utf8');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new CommandFailed(
      'unreadable',
      `${path} cannot be read: ${code}`,
      code === 'ENOENT' ? EXIT.notFound : EXIT.failed,
    );
  }
  const [line = ''] = text.split(/\r?\n/);
  if (line === '') throw usageError(`${path === '-' ? 'standard input' : path} holds nothing on its first line`);
  return line;
}

/** A new secret, asked for twice. */
export async function askNewSecret({ prompt }: Cli, what: string, instead: string): Promise<string> {
  const first = await prompt.secret(what);
  if (first === undefined) throw usageError(`there is nobody to ask for the ${what.toLowerCase()}: ${instead}`);
  if (first === '') throw usageError('an empty one protects nothing');
  if ((await prompt.secret('The same again')) !== first) throw usageError('the two are not the same: nothing was done');
  return first;
}

/** What a decryption asks: the file's line, else the person. */
export const passwordAsker =
  (cli: Cli, path: string | undefined) =>
  async (question: string): Promise<string | undefined> =>
    path === undefined ? cli.prompt.secret(question) : readSecretLine(cli, path);
