import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { silentLog } from '#shared/primitives/effects.ts';
import type { AnchorId } from '#shared/primitives/ids.ts';
import { makeFolder } from '../testing/loopback-miner.ts';
import { openDatabase } from './database.ts';
import { Eraser, TOMBSTONE_KEPT_MS } from './eraser.ts';
import { ShardRows } from './shard-rows.ts';

const folders: string[] = [];
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

it('refuses an anchor for as long as its tombstone is kept, and forgets all of them in one round of slices', async () => {
  const folder = await makeFolder();
  folders.push(folder);
  const db = openDatabase(join(folder, 'rows.db'));
  try {
    const rows = new ShardRows(db);
    db.exec("INSERT INTO tenants (id, hotkey) VALUES (1, 'a'), (2, 'b')");
    let nowMs = 1e12;
    const ports = { db, rows, nowMs: () => nowMs, log: silentLog, pathOf: () => '', onErased: () => undefined };
    const eraser = new Eraser(ports);
    const anchors = ['00', '01', '7f', 'fe', 'ff'].map((byte) => byte.repeat(32) as AnchorId);
    for (const tenant of [1, 2]) for (const anchor of anchors) rows.bury(tenant, anchor, nowMs);
    const kept = () => anchors.filter((anchor) => rows.buried(1, anchor) || rows.buried(2, anchor));
    const round = () => {
      for (let i = 0; i < 256; i++) eraser.forgetSlice();
    };
    nowMs += TOMBSTONE_KEPT_MS;
    rows.bury(1, '7e'.repeat(32) as AnchorId, nowMs);
    round();
    expect(kept()).toEqual(anchors);
    nowMs++;
    round();
    expect(kept()).toEqual([]);
    expect(rows.buried(1, '7e'.repeat(32) as AnchorId)).toBe(true);
  } finally {
    db.close();
  }
});
