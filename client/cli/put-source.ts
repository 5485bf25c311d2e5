/** What `put` was asked to store: opened, and found to be a file, a directory or standard input, before anything is sent. */
import { createReadStream, type Stats, statSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import { parseFileName } from '#shared/api/file-name.ts';
import { CommandFailed, usageError } from './command-failed.ts';
import type { Cli } from './command-spec.ts';
import { EXIT } from './exit-codes.ts';
import type { Given } from './given.ts';
import { mediaTypeOf } from './media-type.ts';

interface Named {
  readonly name: string | undefined;
  readonly contentType: string | undefined;
}
export type PutSource =
  | (Named & { readonly kind: 'file'; readonly path: string; readonly bytes: number; readonly stats: Stats })
  | (Named & { readonly kind: 'folder'; readonly path: string })
  | (Named & { readonly kind: 'pipe' });

/** Pieces as they are read from the disk; fewer, larger ones cost less. */
const READ_BYTES = 1024 * 1024;

export const readPieces = (path: string, start = 0): AsyncIterable<Uint8Array> =>
  createReadStream(path, { start, highWaterMark: READ_BYTES });

function checkedName(text: string): string {
  const parsed = parseFileName(text);
  if (parsed.ok) return parsed.name;
  throw usageError(
    `${JSON.stringify(text)} cannot be the file's name: ${parsed.message}`,
    '--name gives it another one',
  );
}

export async function openPutSource(cli: Cli, given: Given): Promise<PutSource> {
  const text = given.one(0, 'the file to store', 'filepath');
  const chosen = given.text('name');
  const named = (fallback: string | undefined): Named => {
    const name = chosen ?? fallback;
    const checked = name === undefined ? undefined : checkedName(name);
    return {
      name: checked,
      contentType: given.text('type') ?? (checked === undefined ? undefined : mediaTypeOf(checked)),
    };
  };
  if (text === '-') {
    if (cli.stdin.isTTY) cli.out.note('Reading standard input; Ctrl-D ends it.');
    return { kind: 'pipe', ...named(undefined) };
  }
  const path = resolve(cli.workingFolder, text);
  const stats = statSync(path, { throwIfNoEntry: false });
  if (!stats) throw new CommandFailed('no-such-file', `there is no ${path}`, EXIT.notFound);
  if (stats.isDirectory()) return { kind: 'folder', path, ...named(basename(path)) };
  if (stats.isFile()) return { kind: 'file', path, bytes: stats.size, stats, ...named(basename(path)) };
  // A named pipe, a device: no length, no second reading.
  throw usageError(`${path} is neither a file nor a directory; pipe it in: filetao put - < ${text}`);
}
