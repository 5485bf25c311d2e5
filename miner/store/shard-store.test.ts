import { mkdir, readdir, readFile, rm, truncate, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { silentLog } from '#shared/primitives/effects.ts';
import { type AnchorId, type Hotkey, newOrderId, type OrderId } from '#shared/primitives/ids.ts';
import { sha256 } from '#shared/primitives/sha256.ts';
import type { DropOrder } from '#shared/proof/drop-order.ts';
import { parseDrop } from '#shared/proof/drop-receipt.ts';
import { SIGNATURE_BYTES } from '#shared/proof/statement.ts';
import { parseStore } from '#shared/proof/store-receipt.ts';
import {
  HOUR_MS,
  KEYS,
  kernel,
  makeFolder,
  NETWORK,
  randomFrame,
  STORE_SETTINGS,
  shiftedClock,
} from '../testing/loopback-miner.ts';
import { DatabaseRefused } from './database.ts';
import { foldersOf, shardPath } from './folders.ts';
import { ShardStore, type StoreSettings } from './shard-store.ts';

const TENANT = KEYS.tenant.hotkey;
const OTHER = KEYS.otherTenant.hotkey;
const random = (bytes: number) => crypto.getRandomValues(new Uint8Array(bytes));

const opened: ShardStore[] = [];
const roots: string[] = [];
const clock = shiftedClock();

async function openStore(root?: string, changes: Partial<StoreSettings> = {}, signer = KEYS.miner) {
  const folder = root ?? (await makeFolder());
  if (!roots.includes(folder)) roots.push(folder);
  const ports = { kernel, signer, network: NETWORK, clock, log: silentLog };
  const store = await ShardStore.open(ports, { ...STORE_SETTINGS, root: folder, ...changes });
  opened.push(store);
  return { store, root: folder, folders: foldersOf(folder) };
}
async function closeStore(store: ShardStore) {
  opened.splice(opened.indexOf(store), 1);
  await store.close();
}
afterEach(async () => {
  for (const store of opened.splice(0)) await store.close();
  for (const root of roots.splice(0)) await rm(root, { recursive: true, force: true });
  clock.aheadMs = 0;
});

interface Sent {
  readonly tenant?: Hotkey;
  readonly order?: OrderId;
  readonly holdUntilMs?: number;
}

async function put(store: ShardStore, frame: ReturnType<typeof randomFrame>, sent: Sent = {}) {
  const { tenant = TENANT, order = newOrderId(random), holdUntilMs = frame.holdUntilMs } = sent;
  const bytes = frame.shard.length;
  const reservation = store.reserve(tenant, bytes);
  if (!reservation.ok) return reservation;
  try {
    const incoming = await store.beginShard({ anchorId: frame.anchorId, bytes });
    await incoming.write(frame.shard);
    const arrived = await incoming.finish();
    if (!arrived.ok) return arrived;
    const { anchorId, ref, label } = frame;
    const offer = { tenant, caller: KEYS.edge.hotkey, order, anchorId, bytes, ref, holdUntilMs, label };
    return await store.commit(offer, arrived.value, reservation.value);
  } finally {
    reservation.value.release();
  }
}

function statementOf(signed: Uint8Array) {
  const parsed = parseStore(NETWORK, signed.subarray(0, signed.length - SIGNATURE_BYTES));
  if (!parsed.ok) throw new Error(parsed.failure.message);
  return parsed.value;
}
async function receiptOf(outcome: ReturnType<typeof put>) {
  const settled = await outcome;
  if (!settled.ok) throw new Error(settled.failure.message);
  return statementOf(settled.value);
}
const codeOf = async (outcome: ReturnType<typeof put>) => {
  const settled = await outcome;
  return settled.ok ? 'stored' : settled.failure.code;
};

async function bytesOf(store: ShardStore, anchorId: AnchorId, tenant: Hotkey = TENANT) {
  const shard = await store.openShard(tenant, anchorId);
  if (!shard.ok) return shard.failure.code;
  try {
    return new Uint8Array(await shard.value.handle.readFile());
  } finally {
    await shard.value.handle.close();
  }
}

function order(store: ShardStore, anchorIds: readonly AnchorId[], changes: Partial<DropOrder> = {}) {
  const whole: DropOrder = {
    tenant: TENANT,
    miner: KEYS.miner.hotkey,
    order: newOrderId(random),
    issuedAtMs: clock.nowMs(),
    action: 'drop',
    reason: 0,
    anchorIds,
    ...changes,
  };
  const outcome = store.carryOut(whole, sha256(new TextEncoder().encode(JSON.stringify(whole))));
  if (!outcome.ok) return outcome.failure.code;
  const parsed = parseDrop(NETWORK, outcome.value.subarray(0, outcome.value.length - SIGNATURE_BYTES));
  if (!parsed.ok) throw new Error(parsed.failure.message);
  return parsed.value;
}
const statesOf = (receipt: ReturnType<typeof order>) =>
  typeof receipt === 'string' ? receipt : receipt.items.map((item) => item.state);

/** Every file under the folder but the database's own. */
async function filesOf(root: string): Promise<readonly string[]> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile() && !entry.name.startsWith('miner.db')).map((entry) => entry.name);
}

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error('the condition did not come true');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

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
    const first = newOrderId(random);
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
    const only = newOrderId(random);
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
    const mine = newOrderId(random);
    const receipt = await put(store, frame, { order: mine });
    const found = store.receipt(TENANT, frame.anchorId, mine, KEYS.edge.hotkey);
    expect(found.ok && receipt.ok && found.value).toEqual(receipt.ok && receipt.value);
    expect(store.receipt(TENANT, frame.anchorId, mine, undefined).ok).toBe(true);
    expect(store.receipt(TENANT, frame.anchorId, mine, KEYS.stranger.hotkey).ok).toBe(false);
    expect(store.receipt(TENANT, frame.anchorId, newOrderId(random), KEYS.edge.hotkey).ok).toBe(false);
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
    const id = newOrderId(random);
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
