/**
 * Folders on disk for trees (`tree/`), in Node. Walking reads names as bytes, so that one that is no UTF-8 is told and
 * not mangled. Restoring writes to a new folder beside the wanted one and renames it at the end: nothing is there before
 * everything is right, and nothing that was there is followed or overwritten. Links come last, and only those that stay
 * inside.
 */
import { createReadStream } from 'node:fs';
import {
  chmod,
  lstat,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  readlink,
  rename,
  rm,
  rmdir,
  symlink,
  utimes,
} from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { Readable } from 'node:stream';
import { ClientError } from './client-error.ts';
import type { TreeFile } from './tree/listing.ts';
import type { OpenTree } from './tree/read-tree.ts';
import type { TreeSource } from './tree/store-tree.ts';
import { linkStaysInside, parentsOf } from './tree/tree-path.ts';

const PERMISSIONS = 0o777;

function nameOf(raw: Buffer, folder: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(raw);
  } catch {
    throw new ClientError(
      'bad-name',
      `${folder} holds a name that is not UTF-8: ${JSON.stringify(raw.toString('latin1'))}`,
    );
  }
}

/** Everything below a folder, in the order of names; sockets and devices are told to `skipped`. */
export async function* walkFolder(
  root: string,
  skipped: (path: string) => void = () => {},
): AsyncGenerator<TreeSource> {
  yield* walk(root, '', skipped);
}

async function* walk(root: string, below: string, skipped: (path: string) => void): AsyncGenerator<TreeSource> {
  const folder = join(root, below);
  const names = (await readdir(folder, { encoding: 'buffer' })).map((raw) => nameOf(raw, folder)).sort();
  for (const name of names) {
    const path = below === '' ? name : `${below}/${name}`;
    const full = join(root, path);
    const stats = await lstat(full);
    const common = { path, mtimeMs: Math.round(stats.mtimeMs) };
    const mode = stats.mode & PERMISSIONS;
    if (stats.isSymbolicLink()) yield { ...common, type: 'link', target: await readlink(full) };
    else if (stats.isDirectory()) {
      yield { ...common, type: 'folder', mode };
      yield* walk(root, path, skipped);
    } else if (stats.isFile()) {
      const open = () => Readable.toWeb(createReadStream(full)) as ReadableStream<Uint8Array>;
      yield { ...common, type: 'file', mode, bytes: stats.size, open, read: () => readFile(full) };
    } else skipped(path);
  }
}

export interface RestoreOptions {
  /** One folder or file of the tree alone. */
  readonly path?: string | undefined;
  readonly signal?: AbortSignal | undefined;
  onFile?(path: string, bytes: number): void;
}

export interface RestoredFolder {
  readonly files: number;
  readonly bytes: number;
  /** Links that would have led out of the folder. */
  readonly leftOut: readonly string[];
}

/** @param target must not exist, or be an empty folder */
export async function restoreFolder(
  tree: OpenTree,
  target: string,
  options: RestoreOptions = {},
): Promise<RestoredFolder> {
  const wanted = tree.entries(options.path);
  if (wanted.length === 0 && options.path)
    throw new ClientError('not-found', `the directory has no ${JSON.stringify(options.path)}`);
  const unusable = wanted.find(({ path }) => sep !== '/' && /[\\:]/.test(path));
  if (unusable)
    throw new ClientError('unsafe-path', `${JSON.stringify(unusable.path)} cannot be a path on this system`);
  const full = resolve(target);
  await mkdir(dirname(full), { recursive: true });
  const staging = await mkdtemp(join(dirname(full), `.${basename(full).slice(0, 100)}.filetao-`));
  try {
    const restored = await fill(staging, tree, wanted, options);
    // An empty folder gives way; anything else in the way is an error.
    await rmdir(full).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT')
        throw new ClientError('conflict', `${target} is there already, and not an empty folder`);
    });
    await rename(staging, full);
    return restored;
  } catch (error) {
    await rm(staging, { recursive: true, force: true });
    throw error;
  }
}

async function fill(
  staging: string,
  tree: OpenTree,
  wanted: OpenTree['listing']['entries'],
  options: RestoreOptions,
): Promise<RestoredFolder> {
  const folders = wanted.filter((entry) => entry.type === 'folder');
  const files = wanted.filter((entry) => entry.type === 'file');
  const links = wanted.filter((entry) => entry.type === 'link');
  // Writable while it is filled; the folders' own modes and times are set at the end.
  for (const path of new Set(
    wanted.flatMap((entry) => [...parentsOf(entry.path), ...(entry.type === 'folder' ? [entry.path] : [])]),
  )) {
    await mkdir(join(staging, path), { recursive: true, mode: 0o700 });
  }
  let bytes = 0;
  const take = async (file: TreeFile, content: ReadableStream<Uint8Array>) => {
    // Nothing is there yet, so nothing is followed or replaced.
    const handle = await open(join(staging, file.path), 'wx', 0o600);
    let written = 0;
    try {
      for await (const piece of content as unknown as AsyncIterable<Uint8Array>) {
        await handle.writeFile(piece);
        written += piece.length;
      }
      if (written !== file.bytes) {
        throw new ClientError('wrong-bytes', `${file.path} has ${written} bytes, not ${file.bytes}`);
      }
      await handle.chmod(file.mode & PERMISSIONS);
      await handle.utimes(new Date(), new Date(file.mtimeMs));
    } finally {
      await handle.close();
    }
    bytes += written;
    options.onFile?.(file.path, written);
  };
  await tree.read(files, take, options.signal);
  const leftOut: string[] = [];
  for (const { path, target } of links) {
    if (linkStaysInside(path, target)) await symlink(target, join(staging, path));
    else leftOut.push(path);
  }
  for (const { path, mode, mtimeMs } of [...folders].reverse()) {
    await chmod(join(staging, path), mode & PERMISSIONS);
    await utimes(join(staging, path), new Date(), new Date(mtimeMs));
  }
  return { files: files.length, bytes, leftOut };
}
