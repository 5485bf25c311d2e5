import { mkdir, rm, unlink, writeFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { systemRandom } from '#shared/primitives/effects.ts';
import { type AnchorId, newOrderId } from '#shared/primitives/ids.ts';
import { filesOf } from '../testing/conditions.ts';
import { KEYS, randomFrame, STORE_SETTINGS } from '../testing/loopback-miner.ts';
import { bytesOf, codeOf, OTHER, openStore, order, put, receiptOf, statesOf, TENANT } from '../testing/open-stores.ts';

describe('storing', () => {
  it('gives every shard back byte for byte, with seq growing', async () => {
    const { store } = await openStore();
    const frames = [32, 1023, 1024, 1025, 300_000].map((bytes) => randomFrame(bytes));
    const seqs = [];
    for (const frame of frames) seqs.push((await receiptOf(put(store, frame))).seq);
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
    expect(new Set(seqs).size).toBe(frames.length);
    for (const frame of frames) expect(await bytesOf(store, frame.anchorId)).toEqual(frame.shard);
    expect(store.shards).toBe(frames.length);
  });

  it('gives shards that are committed together receipts of their own', async () => {
    const { store, root } = await openStore();
    const frames = Array.from({ length: 100 }, () => randomFrame(100));
    const receipts = await Promise.all(frames.map((frame) => receiptOf(put(store, frame))));
    expect(new Set(receipts.map((receipt) => receipt.seq)).size).toBe(100);
    expect(receipts.map((receipt) => receipt.anchorId)).toEqual(frames.map((frame) => frame.anchorId));
    expect((await filesOf(root)).length).toBe(100);
  });

  it('leaves nothing of a shard with other bytes than its anchor', async () => {
    const { store, root } = await openStore();
    const frame = randomFrame(2000);
    frame.shard[1999] = (frame.shard[1999] ?? 0) ^ 1;
    expect(await codeOf(put(store, frame))).toBe('wrong-anchor');
    expect(await filesOf(root)).toEqual([]);
    expect(store.shards).toBe(0);
    expect(await bytesOf(store, frame.anchorId)).toBe('absent');
  });

  it('answers the same order with the same receipt, another order with a new one, and keeps one copy', async () => {
    const { store, root } = await openStore();
    const frame = randomFrame(5000);
    const first = newOrderId(systemRandom);
    const a = await receiptOf(put(store, frame, { order: first }));
    const again = await receiptOf(put(store, frame, { order: first }));
    const b = await receiptOf(put(store, frame));
    expect(again).toEqual(a);
    expect(b.seq).toBeGreaterThan(a.seq);
    expect(b.storedAtMs).toBe(a.storedAtMs);
    expect((await filesOf(root)).length).toBe(1);
    expect(store.shards).toBe(1);
    expect(store.freeBytes).toBe(STORE_SETTINGS.capacityBytes - 5000);
  });

  it('keeps the later hold, and signs a longer one anew', async () => {
    const { store } = await openStore();
    const frame = randomFrame(64);
    const only = newOrderId(systemRandom);
    await put(store, frame, { order: only, holdUntilMs: 1000 });
    const longer = await receiptOf(put(store, frame, { order: only, holdUntilMs: 2000 }));
    expect(longer.holdUntilMs).toBe(2000);
    expect(await receiptOf(put(store, frame, { order: only, holdUntilMs: 1500 }))).toEqual(longer);
    expect(store.list(TENANT, undefined, 10)[0]?.holdUntilMs).toBe(2000);
  });

  it('stores one shard once when it arrives many times at once', async () => {
    const { store, root } = await openStore();
    const frame = randomFrame(10_000);
    const receipts = await Promise.all(Array.from({ length: 10 }, () => receiptOf(put(store, frame))));
    expect(new Set(receipts.map((receipt) => receipt.seq)).size).toBe(10);
    expect((await filesOf(root)).length).toBe(1);
    expect(store.shards).toBe(1);
  });

  it('says full when the file cannot be made, and leaves nothing', async () => {
    const { store, root, folders } = await openStore();
    await rm(folders.tmp, { recursive: true });
    await writeFile(folders.tmp, 'no folder');
    expect(await codeOf(put(store, randomFrame(100)))).toBe('internal');
    await unlink(folders.tmp);
    await mkdir(folders.tmp);
    expect(await filesOf(root)).toEqual([]);
    expect(await codeOf(put(store, randomFrame(100)))).toBe('stored');
  });

  it('refuses what does not fit, and goes on with what does', async () => {
    const { store } = await openStore(undefined, { capacityBytes: 1000 });
    expect(await codeOf(put(store, randomFrame(1001)))).toBe('full');
    expect(await codeOf(put(store, randomFrame(1000)))).toBe('stored');
    expect(await codeOf(put(store, randomFrame(32)))).toBe('full');
  });
});

describe('tenants', () => {
  it('do not see, list or drop one another’s shards, even of one anchor', async () => {
    const { store } = await openStore();
    const mine = randomFrame(100);
    const both = randomFrame(200);
    await put(store, mine);
    await put(store, both);
    await put(store, both, { tenant: OTHER });
    expect(await bytesOf(store, mine.anchorId, OTHER)).toBe('absent');
    expect(store.list(OTHER, undefined, 10).map((row) => row.anchorId)).toEqual([both.anchorId]);
    expect(statesOf(order(store, [mine.anchorId, both.anchorId], { tenant: OTHER }))).toEqual(['absent', 'held']);
    expect(await bytesOf(store, both.anchorId, OTHER)).toBe('dropped');
    expect(await bytesOf(store, both.anchorId)).toEqual(both.shard);
  });

  it('find a receipt by order and caller', async () => {
    const { store } = await openStore();
    const frame = randomFrame(100);
    const mine = newOrderId(systemRandom);
    const receipt = await put(store, frame, { order: mine });
    const found = store.receipt(TENANT, frame.anchorId, mine, KEYS.edge.hotkey);
    expect(found.ok && receipt.ok && found.value).toEqual(receipt.ok && receipt.value);
    expect(store.receipt(TENANT, frame.anchorId, mine, KEYS.stranger.hotkey).ok).toBe(false);
    expect(store.receipt(TENANT, frame.anchorId, newOrderId(systemRandom), KEYS.edge.hotkey).ok).toBe(false);
    expect(store.receipt(OTHER, frame.anchorId, mine, KEYS.edge.hotkey).ok).toBe(false);
  });

  it('list page by page, each shard once, in order', async () => {
    const { store } = await openStore();
    const frames = Array.from({ length: 25 }, () => randomFrame(40));
    await Promise.all(frames.map((frame) => put(store, frame)));
    const seen: AnchorId[] = [];
    for (let after: AnchorId | undefined; ; after = seen.at(-1)) {
      const page = store.list(TENANT, after, 7);
      if (page.length === 0) break;
      seen.push(...page.map((row) => row.anchorId));
    }
    expect(seen).toEqual(frames.map((frame) => frame.anchorId).sort());
    const row = store.list(TENANT, undefined, 1)[0];
    const frame = frames.find((one) => one.anchorId === row?.anchorId);
    expect(row).toMatchObject({ ref: frame?.ref, label: frame?.label, bytes: 40 });
  });
});
