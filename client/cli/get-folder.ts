/** A stored directory back: all of it, one folder of it, or one file. Called by `get`. */
import { existsSync } from 'node:fs';
import { basename, resolve } from 'node:path';
import type { RetrieveOptions } from '#client/client.ts';
import { restoreFolder } from '#client/node-folder.ts';
import type { OpenTree } from '#client/tree/read-tree.ts';
import { CommandFailed, usageError } from './command-failed.ts';
import type { Cli } from './command-spec.ts';
import { EXIT } from './exit-codes.ts';
import type { Given } from './given.ts';
import { outputPath } from './output-path.ts';
import { existsFailure, receiveFile, receiveToStream } from './receive-file.ts';
import { openClient } from './settings/open-client.ts';
import { withTarget } from './settings/target.ts';
import { printable } from './terminal/table.ts';
import { formatBytes, formatDuration } from './terminal/units.ts';

export interface FolderOutput {
  /** Undefined: standard output. */
  readonly path: string | undefined;
  readonly force: boolean;
}

export async function openStoredFolder(
  cli: Cli,
  given: Given,
  file: string,
  options: Pick<RetrieveOptions, 'identities' | 'passphrase' | 'from'> = {},
): Promise<OpenTree> {
  const client = await openClient(cli, given, 'open');
  return withTarget(cli, given, file, (target) => client.openTree(target, { ...options, signal: cli.signal }));
}

export async function getFolder(cli: Cli, given: Given, tree: OpenTree, { path, force }: FolderOutput): Promise<void> {
  const wanted = given.text('path')?.replace(/\/+$/, '');
  const entry = wanted === undefined ? undefined : tree.listing.entries.find((candidate) => candidate.path === wanted);
  if (wanted !== undefined && entry === undefined) {
    throw new CommandFailed(
      'not-found',
      `the directory has no ${printable(wanted)}: filetao ls lists it`,
      EXIT.notFound,
    );
  }
  if (entry?.type === 'file') {
    const content = await tree.open(entry, cli.signal);
    if (path === undefined) return void (await receiveToStream(content, cli.stdout));
    const names = { output: given.text('output'), folder: given.text('storage_basepath'), isFolder: () => false };
    const join = (...parts: readonly string[]) => resolve(cli.workingFolder, ...parts);
    const target = outputPath(names, [basename(entry.path)], join).path ?? path;
    if (!force && existsSync(target)) throw existsFailure(target);
    const bytes = await receiveFile(content, target, { force, signal: cli.signal, mode: entry.mode });
    cli.out.result({ cid: tree.cid, path: target, bytes }, `${target}  ${formatBytes(bytes)}`);
    return;
  }
  if (path === undefined) throw usageError('a directory does not go to standard output; --path names a file of it');
  const total = tree.entries(wanted).reduce((sum, part) => sum + (part.type === 'file' ? part.bytes : 0), 0);
  const bar = cli.out.progress(printable(tree.name ?? tree.cid), total);
  const sinceMs = performance.now();
  let done = 0;
  try {
    const restored = await restoreFolder(tree, path, {
      path: wanted,
      signal: cli.signal,
      onFile: (_, bytes) => {
        done += bytes;
        bar.update(done);
      },
    });
    bar.done();
    for (const left of restored.leftOut)
      cli.out.warn(`${printable(left)} is a link that leads out of the directory: left out`);
    const { files, bytes, leftOut } = restored;
    const took = formatDuration(performance.now() - sinceMs);
    cli.out.result(
      { cid: tree.cid, path, files, bytes, leftOut },
      `${path}  ${files} files, ${formatBytes(bytes)} in ${took}`,
    );
  } finally {
    bar.done();
  }
}
