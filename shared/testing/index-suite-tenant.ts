/** The part of the index's contract about the tenant's jobs, miners and access (`index-suite.ts`). */
import { beforeAll, describe, expect, it } from 'vitest';
import type { FileIndex, FileRecord } from '#shared/index/ports.ts';
import { systemRandom } from '#shared/primitives/effects.ts';
import { type FileNumber, type Hotkey, hotkeyOf, type MinerNumber, newFileId } from '#shared/primitives/ids.ts';
import { newFile, newOwner, newSegment, storeFile } from './index-files.ts';
import type { IndexUnderTest, Suite } from './index-suite.ts';

const HOUR_MS = 3600_000;

export function describeTenantAndAccess(use: () => Suite): void {
  let world: IndexUnderTest;
  let index: FileIndex;
  let other: FileIndex;
  beforeAll(() => {
    ({ world, index, other } = use());
  });
  const fresh = (change: Partial<FileRecord> = {}) => newFile(world.nowMs(), change);

  describe("the tenant's jobs", () => {
    it('find uploads that ran out, and those alone', async () => {
      const start = world.nowMs();
      const { owner, fileId } = fresh();
      const one = await index.beginUpload({ owner, fileId, expiresAtMs: start + HOUR_MS });
      const two = await index.beginUpload({ owner, fileId, expiresAtMs: start + 2 * HOUR_MS });
      const three = await storeFile(index, fresh());
      const found = await other.expiredUploads(start + HOUR_MS + 1, 100);
      expect(found).toContain(one);
      expect(found).not.toContain(two);
      expect(found).not.toContain(three.number);
      for (const number of [one, two]) await other.abandonUpload(number);
      expect(await other.expiredUploads(start + 3 * HOUR_MS, 100)).toEqual(expect.not.arrayContaining([one, two]));
    });
    it('remove what an upload of many segments left', async () => {
      const file = fresh({ bytes: 5000, segmentBytes: 100, segments: 50, n: 40, k: 1 });
      const number = await index.beginUpload({ ...file, expiresAtMs: world.nowMs() + HOUR_MS });
      for (let i = 0; i < 50; i++) await index.stageSegment(number, i, newSegment(40));
      await other.abandonUpload(number);
      await expect(other.readSegments({ ...file, number }, 0, 1)).rejects.toMatchObject({ name: 'IndexUnavailable' });
    });
    it('page through all live files by number, and nothing else', async () => {
      const numbers: number[] = [];
      const dead = await storeFile(index, fresh());
      const stored = [await storeFile(index, fresh()), await storeFile(index, fresh())];
      await index.deleteFile(dead, 'deleted');
      const seen = async () => {
        numbers.length = 0;
        let cursor: string | undefined;
        do {
          const page = await other.liveFiles(cursor, 2);
          expect(page.items.length).toBeLessThanOrEqual(2);
          numbers.push(...page.items.map(({ number }) => number));
          cursor = page.next;
        } while (cursor !== undefined);
        return numbers;
      };
      expect(await seen()).toEqual(expect.arrayContaining(stored.map(({ number }) => number)));
      expect(numbers).not.toContain(dead.number);
      expect(numbers).toEqual([...new Set(numbers)].sort((a, b) => a - b));
    });
    it('take strays once, in the order they came', async () => {
      while ((await index.takeStrays(1000)).length > 0);
      const strays = Array.from({ length: 25 }, (_, i) => ({
        miner: i as MinerNumber,
        anchorId: systemRandom(32),
        ref: (BigInt(i) << 59n) + 5n,
      }));
      await index.addStrays(strays.slice(0, 20));
      await other.addStrays(strays.slice(20));
      expect(await index.takeStrays(10)).toEqual(strays.slice(0, 10));
      expect(await other.takeStrays(100)).toEqual(strays.slice(10));
      expect(await index.takeStrays(10)).toEqual([]);
      await index.addStrays([]);
    });
    it('read receipts as often as they like, oldest first, until they forget them', async () => {
      while ((await index.readReceipts(1000)).entries > 0) await index.forgetReceipts(1000);
      const batches = Array.from({ length: 7 }, (_, i) => ({
        file: (2 ** 40 - 1 - i) as FileNumber,
        segment: 3 * i,
        receipts: [systemRandom(300), systemRandom(301)],
      }));
      for (const batch of batches) await (batch.segment % 2 ? other : index).addReceipts(batch);
      await index.addReceipts({ file: 1 as FileNumber, segment: 0, receipts: [] });
      expect(await index.readReceipts(5)).toEqual({ batches: batches.slice(0, 5), entries: 5 });
      expect(await other.readReceipts(5)).toEqual({ batches: batches.slice(0, 5), entries: 5 });
      await index.forgetReceipts(3);
      await index.forgetReceipts(0);
      expect(await index.readReceipts(100)).toEqual({ batches: batches.slice(3), entries: 4 });
      await other.forgetReceipts(4);
      expect(await index.readReceipts(100)).toEqual({ batches: [], entries: 0 });
      expect(await index.readReceipts(0)).toEqual({ batches: [], entries: 0 });
    });
    it('keep the first check value of a mask epoch, whoever comes first', async () => {
      const epoch = 40_000 + Math.floor(Math.random() * 25_000);
      const [mine, theirs] = [systemRandom(16), systemRandom(16)];
      expect(await index.maskCheck(epoch)).toBeUndefined();
      const [one, two] = await Promise.all([index.claimMaskCheck(epoch, mine), other.claimMaskCheck(epoch, theirs)]);
      expect([one, two].filter(Boolean)).toHaveLength(1);
      const [kept, refused] = one ? [mine, theirs] : [theirs, mine];
      for (const client of [index, other]) {
        expect(await client.claimMaskCheck(epoch, kept)).toBe(true);
        expect(await client.claimMaskCheck(epoch, refused)).toBe(false);
        expect(await client.maskCheck(epoch)).toEqual(kept);
      }
      expect(await index.claimMaskCheck(epoch - 1, refused)).toBe(true);
    });
    it('see one identity and an epoch that grows', async () => {
      const first = await index.identity();
      expect(first.id.length).toBeGreaterThanOrEqual(16);
      expect(await other.identity()).toEqual(first);
      expect(await other.advanceEpoch()).toBe(first.epoch + 1);
      expect(await index.identity()).toEqual({ id: first.id, epoch: first.epoch + 1 });
    });
  });

  describe('miners', () => {
    const hotkey = (): Hotkey => hotkeyOf(systemRandom(32));
    it('have numbers for good, whoever asks first', async () => {
      const [one, two] = [world.connect().miners, world.connect().miners];
      const hotkeys = Array.from({ length: 6 }, hotkey);
      const [mine, theirs] = await Promise.all([one.numberOf(hotkeys), two.numberOf(hotkeys)]);
      expect(theirs).toEqual(mine);
      expect(new Set(mine.values()).size).toBe(6);
      const more = await one.numberOf([...hotkeys.slice(3), hotkey()]);
      for (const key of hotkeys.slice(3)) expect(more.get(key)).toBe(mine.get(key));
      expect(new Set([...mine.values(), ...more.values()]).size).toBe(7);
      expect(await one.numberOf([])).toEqual(new Map());
    });
    it('are read as one whole snapshot while another is published', async () => {
      const { miners } = world.connect();
      const reader = world.connect().miners;
      const entries = (generation: number, count: number) =>
        Array.from({ length: count }, (_, i) => ({
          ...{
            number: i as MinerNumber,
            hotkey: hotkey(),
            coldkey: hotkeyOf(systemRandom(32)),
            accepting: i % 2 === 0,
          },
          address: { ip: i % 2 ? '10.0.0.1' : '2001:db9::1', port: 9000 + i },
          ...{ freeBytes: generation, capacityBytes: 2 ** 40 },
        }));
      const first = { takenAtMs: 1, miners: entries(1, 700) };
      await miners.publish(first);
      expect(await reader.read()).toEqual(first);
      let publishing = true;
      const publish = (async () => {
        for (let i = 2; i < 8; i++) await miners.publish({ takenAtMs: i, miners: entries(i, i === 5 ? 1 : 700) });
        publishing = false;
      })();
      while (publishing) {
        const snapshot = await reader.read();
        for (const miner of snapshot.miners) expect(miner.freeBytes).toBe(snapshot.takenAtMs);
      }
      await publish;
      await miners.publish({ takenAtMs: 9, miners: [] });
      expect(await reader.read()).toEqual({ takenAtMs: 9, miners: [] });
    });
  });

  describe('access', () => {
    it('finds keys by their hash alone, until they are revoked', async () => {
      const { access } = world.connect();
      const owner = newOwner();
      const hash = systemRandom(32);
      const key = { keyId: 'k1', owner, label: 'läptop "x"', createdAtMs: 5 };
      await access.addKey(key, hash);
      await access.addKey({ ...key, keyId: 'k2', createdAtMs: 4 }, systemRandom(32));
      expect(await access.findKey(hash)).toEqual(key);
      expect(await access.findKey(systemRandom(32))).toBeUndefined();
      expect((await access.listKeys(owner)).map(({ keyId }) => keyId)).toEqual(['k2', 'k1']);
      expect(await access.revokeKey(newOwner(), 'k1')).toBe(false);
      expect(await access.revokeKey(owner, 'k1')).toBe(true);
      expect(await access.revokeKey(owner, 'k1')).toBe(false);
      expect(await access.findKey(hash)).toBeUndefined();
      expect(await access.listKeys(newOwner())).toEqual([]);
    });
    it('knows owners who have a key or a quota', async () => {
      const { access } = world.connect();
      const [byKey, byQuota] = [newOwner(), newOwner()];
      expect(await access.isKnownOwner(byKey)).toBe(false);
      await access.addKey({ keyId: 'k1', owner: byKey, label: '', createdAtMs: 5 }, systemRandom(32));
      await access.setQuota(byQuota, 0);
      expect([await access.isKnownOwner(byKey), await access.isKnownOwner(byQuota)]).toEqual([true, true]);
      await access.revokeKey(byKey, 'k1');
      expect(await access.isKnownOwner(byKey)).toBe(false);
    });
    it('keeps the newest grant of an edge', async () => {
      const { access } = world.connect();
      const edge = hotkeyOf(systemRandom(32));
      expect(await access.readGrant(edge)).toBeUndefined();
      await access.writeGrant(edge, Uint8Array.of(1));
      await access.writeGrant(edge, Uint8Array.of(2, 0, 255));
      expect(await access.readGrant(edge)).toEqual(Uint8Array.of(2, 0, 255));
    });
    it('lets a nonce through once', async () => {
      const { access } = world.connect();
      const nonce = newFileId(systemRandom);
      const claims = await Promise.all(Array.from({ length: 5 }, () => access.claimNonce('who', nonce, 60_000)));
      expect(claims.filter(Boolean)).toHaveLength(1);
      expect(await access.claimNonce('another', nonce, 60_000)).toBe(true);
      expect(await access.claimNonce('wh', `o${nonce}`, 60_000)).toBe(true);
    });
  });
}
