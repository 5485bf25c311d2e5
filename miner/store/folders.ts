/**
 * Where things lie in the miner's data folder, and the two ways a folder is touched: made, and flushed. Names are made
 * of parsed identifiers only (hotkey text, hex), never of text from a request.
 *
 *   tmp/<number>                              a shard still arriving
 *   shards/<tenant hotkey>/<ab>/<anchorId>    a shard; ab = its first byte, so that no folder grows huge
 *   miner.db                                  rows of all of it
 */
import { type FileHandle, mkdir, open, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { AnchorId, Hotkey } from '#shared/primitives/ids.ts';
import { flushFolder } from '#shared/primitives/node-write-durably.ts';

export interface Folders {
  readonly root: string;
  readonly tmp: string;
  readonly shards: string;
  readonly database: string;
}

export const foldersOf = (root: string): Folders => ({
  root,
  tmp: join(root, 'tmp'),
  shards: join(root, 'shards'),
  database: join(root, 'miner.db'),
});

export const tenantFolder = (folders: Folders, tenant: Hotkey): string => join(folders.shards, tenant);
export const shardFolder = (folders: Folders, tenant: Hotkey, anchorId: AnchorId): string =>
  join(folders.shards, tenant, anchorId.slice(0, 2));
export const shardPath = (folders: Folders, tenant: Hotkey, anchorId: AnchorId): string =>
  join(shardFolder(folders, tenant, anchorId), anchorId);

/** Names of a tenant's folders: every first byte of an anchor id. */
export const SHARD_PREFIXES: readonly string[] = Array.from({ length: 256 }, (_, byte) =>
  byte.toString(16).padStart(2, '0'),
);

/**
 * Flushes folders over and over: a handle is opened once and kept, 256 a tenant at most (Node raises the process's limit
 * on its own), because opening and closing would double the trips to the thread pool that a small shard costs.
 */
export class FolderFlusher {
  readonly #handles = new Map<string, Promise<FileHandle>>();

  async flush(path: string): Promise<void> {
    let handle = this.#handles.get(path);
    if (!handle) {
      handle = open(path, 'r');
      this.#handles.set(path, handle);
      // A folder that cannot be opened now may be there again later.
      handle.catch(() => this.#handles.delete(path));
    }
    await (await handle).sync();
  }

  async close(): Promise<void> {
    for (const handle of this.#handles.values()) await (await handle).close();
    this.#handles.clear();
  }
}

/** The tenant's 256 folders, made and flushed at start so that storing a shard never has to. */
export async function makeTenantFolders(folders: Folders, tenant: Hotkey): Promise<void> {
  const base = tenantFolder(folders, tenant);
  await mkdir(base, { recursive: true });
  const there = new Set(await readdir(base));
  const missing = SHARD_PREFIXES.filter((prefix) => !there.has(prefix));
  if (missing.length === 0) return;
  await Promise.all(missing.map((prefix) => mkdir(join(base, prefix))));
  await flushFolder(base);
  await flushFolder(folders.shards);
}
