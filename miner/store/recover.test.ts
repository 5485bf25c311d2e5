import { readFile, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { filesOf } from '../testing/conditions.ts';
import { HOUR_MS, KEYS, randomFrame } from '../testing/loopback-miner.ts';
import {
  bytesOf,
  clock,
  closeStore,
  codeOf,
  OTHER,
  openStore,
  put,
  receiptOf,
  TENANT,
} from '../testing/open-stores.ts';
import { DatabaseRefused } from './database.ts';
import { shardPath } from './folders.ts';

describe('recovery', () => {
  it('empties tmp, removes files without rows, marks rows without files, and leaves the rest', async () => {
    const { store, root, folders } = await openStore();
    const kept = randomFrame(100);
    const gone = randomFrame(100);
    const stray = randomFrame(100);
    for (const frame of [kept, gone]) await put(store, frame);
    await closeStore(store);
    await writeFile(join(folders.tmp, '17'), 'half a shard');
    await writeFile(shardPath(folders, TENANT, stray.anchorId), stray.shard);
    const note = join(folders.shards, TENANT, '00', 'README');
    await writeFile(note, 'an operator’s note');
    const saved = await readFile(shardPath(folders, TENANT, gone.anchorId));
    await unlink(shardPath(folders, TENANT, gone.anchorId));

    const { store: again } = await openStore(root);
    expect(again.recovered).toEqual({ temporaryFiles: 1, strayFiles: 1, lostShards: 1, foundShards: 0 });
    expect([...(await filesOf(root))].sort()).toEqual([kept.anchorId, 'README'].sort());
    expect(await bytesOf(again, kept.anchorId)).toEqual(kept.shard);
    expect(await bytesOf(again, gone.anchorId)).toBe('absent');
    expect(again.list(TENANT, undefined, 10).map((row) => row.anchorId)).toEqual([kept.anchorId]);
    expect(again.shards).toBe(1);
    await closeStore(again);

    await writeFile(shardPath(folders, TENANT, gone.anchorId), saved);
    const { store: third } = await openStore(root);
    expect(third.recovered).toMatchObject({ lostShards: 0, foundShards: 1 });
    expect(await bytesOf(third, gone.anchorId)).toEqual(gone.shard);
  });

  it('does not serve a file of the wrong size, and takes the shard again', async () => {
    const { store, root, folders } = await openStore();
    const frame = randomFrame(1000);
    await put(store, frame);
    await truncate(shardPath(folders, TENANT, frame.anchorId), 999);
    expect(await bytesOf(store, frame.anchorId)).toBe('absent');
    expect(store.shards).toBe(0);
    expect(await codeOf(put(store, frame))).toBe('stored');
    expect(await bytesOf(store, frame.anchorId)).toEqual(frame.shard);
    await truncate(shardPath(folders, TENANT, frame.anchorId), 1001);
    expect(await bytesOf(store, frame.anchorId)).toBe('absent');
    await closeStore(store);
    const { store: again } = await openStore(root);
    expect(again.recovered).toMatchObject({ foundShards: 0 });
    expect(await filesOf(root)).toEqual([]);
  });

  it('never repeats a seq, not even when an older database is put back', async () => {
    const { store, root, folders } = await openStore();
    await put(store, randomFrame(64));
    await closeStore(store);
    const old = await readFile(folders.database);
    const { store: second } = await openStore(root);
    const late = await receiptOf(put(second, randomFrame(64)));
    await closeStore(second);
    await writeFile(folders.database, old);
    const { store: third } = await openStore(root);
    expect((await receiptOf(put(third, randomFrame(64)))).seq).toBeGreaterThan(late.seq);
  });

  it('goes on counting when the clock was set back', async () => {
    const { store, root } = await openStore();
    const first = await receiptOf(put(store, randomFrame(64)));
    await closeStore(store);
    clock.aheadMs = -24 * HOUR_MS;
    const { store: again } = await openStore(root);
    expect((await receiptOf(put(again, randomFrame(64)))).seq).toBeGreaterThan(first.seq);
  });

  it('refuses a folder in use, another miner’s folder, and shards without their database', async () => {
    const { store, root, folders } = await openStore();
    await put(store, randomFrame(64));
    await expect(openStore(root)).rejects.toThrow(/in use by another miner/);
    await closeStore(store);
    await expect(openStore(root, {}, KEYS.stranger)).rejects.toThrow(/belongs to the miner/);
    await unlink(folders.database);
    await expect(openStore(root)).rejects.toThrow(/put the database back/);
    await writeFile(folders.database, 'no database at all, but long enough to be read as the head of one'.repeat(20));
    await expect(openStore(root)).rejects.toThrow(DatabaseRefused);
  });

  it('keeps a former tenant’s shards and gives it nothing more', async () => {
    const { store, root } = await openStore();
    const frame = randomFrame(64);
    await put(store, frame, { tenant: OTHER });
    await closeStore(store);
    const { store: again } = await openStore(root, { tenants: [{ hotkey: TENANT, quotaBytes: 1000 }] });
    expect(await bytesOf(again, frame.anchorId, OTHER)).toEqual(frame.shard);
    expect(await codeOf(put(again, randomFrame(64), { tenant: OTHER }))).toBe('tenant-quota');
  });
});
