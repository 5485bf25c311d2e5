/** The part of the index's contract about what becomes of stored files (`index-suite.ts`). */
import { beforeAll, describe, expect, it } from 'vitest';
import type { FileIndex, FileRecord, ShardSlot } from '#shared/index/ports.ts';
import type { MinerNumber } from '#shared/primitives/ids.ts';
import { allFiles, expectConsistent, newFile, newOwner, newSegment, newSlot, storeFile } from './index-files.ts';
import type { IndexUnderTest, Suite } from './index-suite.ts';

const HOUR_MS = 3600_000;

export function describeChanges(use: () => Suite): void {
  let world: IndexUnderTest;
  let index: FileIndex;
  let other: FileIndex;
  beforeAll(() => {
    ({ world, index, other } = use());
  });
  const fresh = (change: Partial<FileRecord> = {}) => newFile(world.nowMs(), change);

  describe('names', () => {
    it('belong to the file they were last given to, and go with it', async () => {
      const owner = newOwner();
      const one = await storeFile(index, fresh({ owner, name: 'n' }));
      world.advance(1);
      const two = await storeFile(other, fresh({ owner, name: 'n' }));
      expect((await index.findByName(owner, 'n'))?.number).toBe(two.number);
      await index.deleteFile(two, 'deleted');
      expect(await index.findByName(owner, 'n')).toBeUndefined();
      expect((await index.findFile(one.cid))?.number).toBe(one.number);
      expect(await index.findByName(newOwner(), 'n')).toBeUndefined();
    });
    it('of any text stay what they are', async () => {
      for (const text of ['', ' ', '\0', '../..', 'ü\u{1f30d}', '"\\', 'x'.repeat(1024), '*', '~']) {
        if (text === '') continue;
        const file = await storeFile(index, fresh({ name: text }));
        expect((await other.findByName(file.owner, text))?.name).toBe(text);
      }
    });
    it('and expiries change', async () => {
      const file = await storeFile(index, fresh({ name: 'old' }));
      const expiresAtMs = world.nowMs() + HOUR_MS;
      const changed = await other.changeFile(file, { name: 'new', expiresAtMs });
      expect(changed).toEqual({ ...file, name: 'new', expiresAtMs });
      expect(await index.findFile(file.cid)).toEqual(changed);
      expect(await index.findByName(file.owner, 'old')).toBeUndefined();
      expect(await index.findByName(file.owner, 'new')).toEqual(changed);
      const { name: _, ...nameless } = { ...file, expiresAtMs: 0 };
      expect(await index.changeFile(file, { name: null, expiresAtMs: 0 })).toEqual(nameless);
      expect(await index.findByName(file.owner, 'new')).toBeUndefined();
      expect(await index.readSegments(file, 0, 1)).toHaveLength(1);
      await index.deleteFile(file, 'deleted');
      expect(await index.changeFile(file, { name: 'x' })).toBeUndefined();
      await expectConsistent(index, file.owner);
    });
  });

  describe('envelopes', () => {
    const revisionOf = (bytes: Uint8Array) => bytes[0] ?? 0;
    const envelope = (revision: number, rest: number) => Uint8Array.of(revision, rest, 0, 255);
    it('are kept by growing revision, and the same one again is no conflict', async () => {
      const file = await storeFile(index, fresh());
      const plain = await storeFile(index, fresh());
      const write = (on: FileIndex, bytes: Uint8Array) => on.writeEnvelope(file, revisionOf(bytes), bytes, revisionOf);
      expect(await write(index, envelope(1, 1))).toEqual({ written: true, current: envelope(1, 1) });
      expect(await write(other, envelope(1, 1))).toEqual({ written: true, current: envelope(1, 1) });
      expect(await write(other, envelope(1, 2))).toEqual({ written: false, current: envelope(1, 1) });
      expect(await write(other, envelope(3, 3))).toEqual({ written: true, current: envelope(3, 3) });
      expect(await write(index, envelope(2, 2))).toEqual({ written: false, current: envelope(3, 3) });
      expect(await index.readEnvelopes([plain.number, file.number])).toEqual([undefined, envelope(3, 3)]);
      expect(await index.readEnvelopes([])).toEqual([]);
      expect((await index.changeFile(file, { name: 'n' }))?.name).toBe('n');
    });
    it('have one winner when two write at once', async () => {
      const file = await storeFile(index, fresh());
      const outcomes = await Promise.all(
        [index, other, index].map((on, i) => on.writeEnvelope(file, 1, envelope(1, i), revisionOf)),
      );
      expect(outcomes.filter((outcome) => outcome?.written)).toHaveLength(1);
    });
    it('go with their file', async () => {
      const file = await storeFile(index, fresh());
      await index.writeEnvelope(file, 1, envelope(1, 1), revisionOf);
      await index.deleteFile(file, 'deleted');
      expect(await other.readEnvelopes([file.number])).toEqual([undefined]);
      expect(await index.writeEnvelope(file, 2, envelope(2, 1), revisionOf)).toBeUndefined();
      expect(await other.readEnvelopes([file.number])).toEqual([undefined]);
    });
  });

  describe('expiry', () => {
    it('hides a file at once and hands it to the collector, oldest first', async () => {
      const owner = newOwner();
      const start = world.nowMs();
      const later = await storeFile(index, fresh({ owner, expiresAtMs: start + 5 * HOUR_MS }));
      const moved = await storeFile(index, fresh({ owner, expiresAtMs: start + HOUR_MS }));
      const soon = await storeFile(index, fresh({ owner, expiresAtMs: start + HOUR_MS, name: 'n' }));
      const kept = await storeFile(index, fresh({ owner }));
      await index.changeFile(moved, { expiresAtMs: start + 3 * HOUR_MS });
      expect(await index.expiredFiles(world.nowMs(), 10)).toEqual([]);
      world.advance(4 * HOUR_MS);
      expect(await index.findFile(soon.cid)).toBeUndefined();
      expect(await index.findByName(owner, 'n')).toBeUndefined();
      expect(await index.readFile(soon.number)).toBeUndefined();
      expect(await index.changeFile(soon, { expiresAtMs: 0 })).toBeUndefined();
      expect(await allFiles(index, owner, 10)).toEqual([kept, later]);
      const due = (await index.expiredFiles(world.nowMs(), 10)).map((file) => file.number);
      expect(due).toEqual([soon.number, moved.number]);
      expect(await index.expiredFiles(world.nowMs(), 1)).toHaveLength(1);
      for (const file of await index.expiredFiles(world.nowMs(), 10)) {
        expect(await index.deleteFile(file, 'expired')).toBe(true);
      }
      world.advance(2 * HOUR_MS);
      expect((await index.expiredFiles(world.nowMs(), 10)).map((file) => file.number)).toEqual([later.number]);
      await index.deleteFile(later, 'expired');
      expect(await index.expiredFiles(world.nowMs(), 10)).toEqual([]);
      expect(await expectConsistent(index, owner)).toEqual([kept]);
    });
    it('lets the same bytes come again before collection', async () => {
      const file = await storeFile(index, fresh({ expiresAtMs: world.nowMs() + HOUR_MS }));
      world.advance(2 * HOUR_MS);
      const again = await storeFile(index, fresh({ owner: file.owner, cid: file.cid }));
      expect((await index.findFile(file.cid))?.number).toBe(again.number);
      expect(await index.expiredFiles(world.nowMs(), 10)).toEqual([]);
      expect(await expectConsistent(index, file.owner)).toHaveLength(1);
    });
  });

  describe('deletion', () => {
    it('is told to the tenant page by page, and its progress to the owner', async () => {
      const file = await storeFile(index, fresh({ n: 5, k: 1 }), { records: [newSegment(5, ['lost'])] });
      expect(await index.deletion(file.owner, file.cid)).toBeUndefined();
      expect(await index.deleteFile(file, 'deleted')).toBe(true);
      expect(await other.deleteFile(file, 'deleted')).toBe(false);
      expect(await index.findFile(file.cid)).toBeUndefined();
      expect(await index.readAnyFile(file.number)).toEqual(file);
      const deletedAtMs = expect.any(Number) as number;
      expect(await index.deletion(file.owner, file.cid)).toEqual({ deletedAtMs, shards: 4, dropped: 0 });
      const [record] = await index.readSegments(file, 0, 1);
      for (const [i, slot] of (record?.slots ?? []).entries()) {
        if (slot.state === 'lost') continue;
        expect(await index.replaceSlot(file.number, 0, i, slot, { ...slot, state: 'dropped' })).toBe(true);
        expect(await index.replaceSlot(file.number, 0, i, slot, { ...slot, state: 'dropped' })).toBe(true);
      }
      const done = { deletedAtMs, shards: 4, dropped: 4 };
      expect(await index.deletion(file.owner, file.cid)).toEqual(done);
      await index.settleTombstone(file.number);
      expect(await index.deletion(file.owner, file.cid)).toEqual(done);
      expect(await index.readAnyFile(file.number)).toBeUndefined();
    });
    it('lists each tombstone once until it is settled', async () => {
      const files: FileRecord[] = [];
      for (let i = 0; i < 7; i++)
        files.push(await storeFile(index, fresh({ bytes: 900, segmentBytes: 100, segments: 9 })));
      for (const file of files) await index.deleteFile(file, 'deleted');
      const seen: number[] = [];
      for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
        const page = await index.tombstones(cursor, 3);
        seen.push(...page.items.map((item) => item.number));
        cursor = page.next;
      }
      expect(new Set(seen).size).toBe(seen.length);
      for (const file of files) expect(seen).toContain(file.number);
      for (const file of files) await index.settleTombstone(file.number);
      const { items } = await index.tombstones(undefined, 1000);
      for (const file of files) expect(items.map((item) => item.number)).not.toContain(file.number);
    });
  });

  describe('slots', () => {
    it.each([
      ['in a small file', 1, 5],
      ['in a large file', 50, 40],
    ])('are replaced when they are what was expected: %s', async (_, segments, n) => {
      const file = await storeFile(index, fresh({ bytes: segments * 100, segmentBytes: 100, segments, n, k: 1 }));
      const segment = segments - 1;
      const before = await index.readSegments(file, 0, segments);
      const expected = before[segment]?.slots[n - 1] as ShardSlot;
      const slot = newSlot();
      for (const wrong of [
        { ...expected, root: newSlot().root },
        { ...expected, miner: (expected.miner + 1) as MinerNumber },
        { ...expected, placement: expected.placement + 1 },
      ]) {
        expect(await index.replaceSlot(file.number, segment, n - 1, wrong, slot)).toBe(false);
      }
      expect(await index.replaceSlot(file.number, segments, 0, expected, slot)).toBe(false);
      expect(await index.replaceSlot(file.number, segment, n, expected, slot)).toBe(false);
      const both = await Promise.all([
        index.replaceSlot(file.number, segment, n - 1, expected, slot),
        other.replaceSlot(file.number, segment, n - 1, expected, { ...slot, placement: slot.placement + 1 }),
      ]);
      expect(both.filter(Boolean)).toHaveLength(1);
      const after = await index.readSegments(file, 0, segments);
      const placement = both[0] ? slot.placement : slot.placement + 1;
      expect(after[segment]?.slots[n - 1]).toEqual({ ...slot, placement });
      expect(after.slice(0, -1)).toEqual(before.slice(0, -1));
      expect(after[segment]?.slots.slice(0, -1)).toEqual(before[segment]?.slots.slice(0, -1));
      expect(await index.findFile(file.cid)).toEqual(file);
    });
  });

  describe('quota', () => {
    it('is never passed, not even by commits at the same time', async () => {
      const owner = newOwner();
      await world.connect().access.setQuota(owner, 100);
      expect(await index.usage(owner)).toEqual({ files: 0, bytes: 0, quotaBytes: 100 });
      await storeFile(index, fresh({ owner, bytes: 40 }));
      const outcomes = await Promise.all(
        [index, other, index, other].map(async (client) => {
          const file = fresh({ owner, bytes: 50 });
          const number = await client.beginUpload({ ...file, expiresAtMs: world.nowMs() + HOUR_MS });
          await client.stageSegment(number, 0, newSegment(file.n));
          return (await client.commitFile({ ...file, number })).outcome;
        }),
      );
      expect(outcomes.toSorted()).toEqual(['over-quota', 'over-quota', 'over-quota', 'stored']);
      expect(await index.usage(owner)).toEqual({ files: 2, bytes: 90, quotaBytes: 100 });
      await expectConsistent(index, owner);
    });
  });
}
