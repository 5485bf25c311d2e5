import { describe, expect, it } from 'vitest';
import { systemRandom } from '#shared/primitives/effects.ts';
import { type AnchorId, newOrderId } from '#shared/primitives/ids.ts';
import { filesOf, until } from '../testing/conditions.ts';
import { HOUR_MS, randomFrame, STORE_SETTINGS } from '../testing/loopback-miner.ts';
import { bytesOf, clock, closeStore, codeOf, openStore, order, put, statesOf, TENANT } from '../testing/open-stores.ts';

describe('drop orders', () => {
  it('stop serving at once, restore while held, erase after, and refuse the anchor for good', async () => {
    const { store, root } = await openStore();
    const frame = randomFrame(3000);
    await put(store, frame);
    const dropped = order(store, [frame.anchorId]);
    expect(dropped).toMatchObject({ items: [{ state: 'held' }], eraseAtMs: expect.any(Number) });
    expect(await bytesOf(store, frame.anchorId)).toBe('dropped');
    expect(await codeOf(put(store, frame))).toBe('dropped');
    expect(store.list(TENANT, undefined, 10)[0]?.dropped).toBeDefined();
    expect(statesOf(order(store, [frame.anchorId], { action: 'restore' }))).toEqual(['restored']);
    expect(await bytesOf(store, frame.anchorId)).toEqual(frame.shard);
    order(store, [frame.anchorId]);
    clock.aheadMs = HOUR_MS + 1;
    // Any order makes the eraser look again at what is due.
    expect(statesOf(order(store, [randomFrame(32).anchorId]))).toEqual(['absent']);
    await until(async () => (await filesOf(root)).length === 0);
    expect(statesOf(order(store, [frame.anchorId], { action: 'restore' }))).toEqual(['erased']);
    expect(statesOf(order(store, [frame.anchorId]))).toEqual(['erased']);
    expect(await bytesOf(store, frame.anchorId)).toBe('dropped');
    expect(await codeOf(put(store, frame))).toBe('dropped');
    expect(store.list(TENANT, undefined, 10)).toEqual([]);
    expect(store.shards).toBe(0);
    expect(store.freeBytes).toBe(STORE_SETTINGS.capacityBytes);
  });

  it('are erased after a restart too', async () => {
    const { store, root } = await openStore();
    const frame = randomFrame(100);
    await put(store, frame);
    order(store, [frame.anchorId]);
    await closeStore(store);
    expect((await filesOf(root)).length).toBe(1);
    clock.aheadMs = HOUR_MS + 1;
    const again = await openStore(root);
    await until(async () => (await filesOf(root)).length === 0);
    expect(await codeOf(put(again.store, frame))).toBe('dropped');
  });

  it('count once: the same order gets the same receipt, its id for another order is refused', async () => {
    const { store } = await openStore();
    const frame = randomFrame(100);
    await put(store, frame);
    const id = newOrderId(systemRandom);
    const issuedAtMs = clock.nowMs();
    const first = order(store, [frame.anchorId], { order: id, issuedAtMs });
    order(store, [frame.anchorId], { action: 'restore' });
    expect(order(store, [frame.anchorId], { order: id, issuedAtMs })).toEqual(first);
    expect(await bytesOf(store, frame.anchorId)).toEqual(frame.shard);
    expect(order(store, [frame.anchorId], { order: id, issuedAtMs: issuedAtMs + 1 })).toBe('conflict');
  });

  it('drop at most a gibibyte of a small tenant’s bytes a day; restores give back, days pass', async () => {
    const { store, folders } = await openStore();
    // The rows say 400 MB each; the files need not, as nobody reads them here.
    const frames = [1, 2, 3].map(() => randomFrame(64));
    for (const frame of frames) await put(store, frame);
    await closeStore(store);
    const { DatabaseSync } = await import('node:sqlite');
    const db = new DatabaseSync(folders.database);
    db.exec('UPDATE shards SET bytes = 400000000');
    db.close();
    const { store: large } = await openStore(folders.root);
    const [a, b, c] = frames.map((frame) => frame.anchorId) as [AnchorId, AnchorId, AnchorId];
    expect(order(large, [a, b, c])).toBe('drain-limit');
    expect(statesOf(order(large, [a, b]))).toEqual(['held', 'held']);
    expect(order(large, [c])).toBe('drain-limit');
    // What is dropped already costs nothing more.
    expect(statesOf(order(large, [a]))).toEqual(['held']);
    expect(statesOf(order(large, [a], { action: 'restore' }))).toEqual(['restored']);
    expect(statesOf(order(large, [c]))).toEqual(['held']);
    expect(order(large, [a])).toBe('drain-limit');
    clock.aheadMs = 25 * HOUR_MS;
    expect(statesOf(order(large, [a]))).toEqual(['held']);
  });
});
