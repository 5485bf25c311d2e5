/**
 * Makes rows and files agree at start, whatever ended the last run. Files that were still arriving go; a file without
 * a row goes (no receipt was ever given for it, or it was being erased); a row without a file is marked lost, and is
 * found again if its file comes back. Sizes of the others are judged when they are read: a million `stat`s would make
 * every start slow. Called once by `shard-store.ts`.
 */
import { readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { DatabaseSync } from 'node:sqlite';
import type { Log } from '#shared/primitives/effects.ts';
import { type AnchorId, parseAnchorId, parseHotkey } from '#shared/primitives/ids.ts';
import { DatabaseRefused, inTransaction } from './database.ts';
import { type Folders, makeTenantFolders, SHARD_PREFIXES, tenantFolder } from './folders.ts';
import { unlinkQuietly } from './incoming-shard.ts';
import type { ShardRows } from './shard-rows.ts';

export interface Recovered {
  readonly temporaryFiles: number;
  readonly strayFiles: number;
  readonly lostShards: number;
  readonly foundShards: number;
}

/** A new database beside old shards would make every one of them a stray: that is an operator's mistake, not a crash. */
export async function refuseForeignShards(folders: Folders): Promise<void> {
  const tenants = (await readdir(folders.shards)).filter((name) => parseHotkey(name));
  for (const tenant of tenants) {
    for (const prefix of await readdir(join(folders.shards, tenant))) {
      const names = await readdir(join(folders.shards, tenant, prefix));
      if (names.length > 0) {
        throw new DatabaseRefused(
          `${folders.shards} holds shards but ${folders.database} is new: put the database back`,
        );
      }
    }
  }
}

export async function recover(
  db: DatabaseSync,
  rows: ShardRows,
  folders: Folders,
  nowMs: () => number,
  log: Log,
): Promise<Recovered> {
  const temporary = await readdir(folders.tmp);
  for (const name of temporary) await rm(join(folders.tmp, name), { force: true, recursive: true });
  let [strayFiles, lostShards, foundShards] = [0, 0, 0];
  for (const { id, hotkey } of rows.tenants()) {
    await makeTenantFolders(folders, hotkey);
    for (const [prefix, name] of SHARD_PREFIXES.entries()) {
      const folder = join(tenantFolder(folders, hotkey), name);
      const names = new Set(await readdir(folder));
      for (const row of rows.withPrefix(id, prefix)) {
        // What was found too short or too long once does not come back by itself.
        if (row.lost && names.has(row.anchorId) && (await stat(join(folder, row.anchorId))).size !== row.bytes) {
          names.delete(row.anchorId);
          await unlinkQuietly(join(folder, row.anchorId));
        }
      }
      const found = agree(db, rows, id, prefix, names, nowMs);
      for (const stray of found.strays) await unlinkQuietly(join(folder, stray));
      strayFiles += found.strays.length;
      lostShards += found.lost.length;
      foundShards += found.found;
      for (const anchorId of found.lost) log.error('shard-lost', { tenant: hotkey, anchorId });
    }
  }
  return { temporaryFiles: temporary.length, strayFiles, lostShards, foundShards };
}

/** One folder against its rows, in one transaction. */
function agree(
  db: DatabaseSync,
  rows: ShardRows,
  tenantId: number,
  prefix: number,
  names: ReadonlySet<string>,
  nowMs: () => number,
): { readonly strays: readonly string[]; readonly lost: readonly AnchorId[]; readonly found: number } {
  const expected = rows.withPrefix(tenantId, prefix);
  const known = new Set<string>(expected.map((row) => row.anchorId));
  const lost: AnchorId[] = [];
  let found = 0;
  const changes = expected.filter((row) => names.has(row.anchorId) === row.lost);
  if (changes.length > 0) {
    inTransaction(db, () => {
      for (const row of changes) {
        if (row.lost) {
          rows.setLost(tenantId, row.anchorId, false);
          found++;
        } else if (row.dropped) {
          // Its erase was under way when the last run ended.
          rows.bury(tenantId, row.anchorId, nowMs());
        } else {
          rows.setLost(tenantId, row.anchorId, true);
          lost.push(row.anchorId);
        }
      }
    });
  }
  // Names that are no anchors are not ours: an operator's note is left alone.
  return { strays: [...names].filter((name) => parseAnchorId(name) && !known.has(name)), lost, found };
}
