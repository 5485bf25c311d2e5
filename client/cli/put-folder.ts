/** A directory to the edge: one private file that lists what is in it, and the content, of which what was there stays. */
import { walkFolder } from '#client/node-folder.ts';
import { usageError } from './command-failed.ts';
import type { Cli } from './command-spec.ts';
import type { Given } from './given.ts';
import { optionsOf } from './put-file.ts';
import type { PutSource } from './put-source.ts';
import { rememberName } from './settings/names-file.ts';
import { openClient } from './settings/open-client.ts';
import { printable } from './terminal/table.ts';
import { formatBytes, formatDuration } from './terminal/units.ts';

type FolderSource = Extract<PutSource, { kind: 'folder' }>;

/** Bytes and files below a folder, before anything is read: for the bar. */
async function measure(path: string): Promise<{ readonly bytes: number; readonly files: number }> {
  let [bytes, files] = [0, 0];
  for await (const entry of walkFolder(path)) {
    if (entry.type !== 'file') continue;
    bytes += entry.bytes;
    files += 1;
  }
  return { bytes, files };
}

export async function putFolder(cli: Cli, given: Given, source: FolderSource): Promise<void> {
  const { plain, ...options } = await optionsOf(cli, given, source);
  if (plain)
    throw usageError('a directory is always private: pack it first, tar c DIR | filetao put - --public -n NAME.tar');
  if (options.passphrase !== undefined) throw usageError('a directory opens with keys, not with a passphrase');
  if (options.proof === 'zk') throw usageError('a directory goes in packs that are too large for --proof zk');
  const { name, recipients, ttlSeconds, redundancy, signal } = options;
  const client = await openClient(cli, given, 'store');
  const sinceMs = performance.now();
  const { bytes, files } = await measure(source.path);
  const bar = cli.out.progress(printable(name ?? source.path), bytes);
  try {
    const entries = walkFolder(source.path, (path) =>
      cli.out.warn(`${printable(path)} is neither file, folder nor link: left out`),
    );
    const stored = await client.storeTree(entries, {
      ...{ name, recipients, ttlSeconds, redundancy, signal },
      onProgress: ({ bytes: done }) => bar.update(done, bytes),
    });
    if (name !== undefined) await rememberName(cli, given, name, stored.cid);
    const { cid, sentBytes, keptBytes } = stored;
    const kept = keptBytes > 0 ? `, ${formatBytes(keptBytes)} were there already` : '';
    cli.out.note(
      `${printable(name ?? '')}: ${files} files, ${formatBytes(bytes)} in ${formatDuration(performance.now() - sinceMs)}${kept}`,
    );
    cli.out.result({ cid, name, kind: 'tree', files, bytes, sentBytes, keptBytes, private: true }, cid);
  } finally {
    bar.done();
  }
}
