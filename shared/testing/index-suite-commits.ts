/** The part of the index's contract about commits and lists (`index-suite.ts`). */
import { beforeAll, describe, expect, it } from 'vitest';
import type { FileIndex, FileRecord } from '#shared/index/ports.ts';
import { systemRandom } from '#shared/primitives/effects.ts';
import { newFileId } from '#shared/primitives/ids.ts';
import { allFiles, expectConsistent, newFile, newOwner, newSegment, stageFile, storeFile } from './index-files.ts';
import type { IndexUnderTest, Suite } from './index-suite.ts';

const HOUR_MS = 3600_000;

export function describeCommits(use: () => Suite): void {
  let world: IndexUnderTest;
  let index: FileIndex;
  let other: FileIndex;
  beforeAll(() => {
    ({ world, index, other } = use());
  });
  const fresh = (change: Partial<FileRecord> = {}) => newFile(world.nowMs(), change);

  describe('commits', () => {
    it('make a file visible everywhere at once', async () => {
      const file = await storeFile(index, fresh({ name: 'a/b ü.txt', contentType: 'text/plain', bytes: 12 }));
      expect(await index.findFile(file.cid)).toEqual(file);
      expect(await other.findFile(file.cid, file.owner)).toEqual(file);
      expect(await other.findFile(file.cid, newOwner())).toBeUndefined();
      expect(await other.findByName(file.owner, 'a/b ü.txt')).toEqual(file);
      expect(await other.readFile(file.number)).toEqual(file);
      expect(await other.readAnyFile(file.number)).toEqual(file);
      expect(await other.listFiles(file.owner, undefined, 10)).toEqual({ items: [file] });
      expect(await other.usage(file.owner)).toMatchObject({ files: 1, bytes: 12 });
      expect(await other.uploadOpen(file.number)).toBe(false);
    });
    it('show nothing of an upload before', async () => {
      const file = fresh({ bytes: 9 });
      const number = await index.beginUpload({ ...file, expiresAtMs: world.nowMs() + HOUR_MS });
      await index.stageSegment(number, 0, newSegment(file.n));
      expect(await other.findFile(file.cid)).toBeUndefined();
      expect(await other.readAnyFile(number)).toBeUndefined();
      expect(await other.listFiles(file.owner, undefined, 10)).toEqual({ items: [] });
      expect(await other.uploadOpen(number)).toBe(true);
      await index.abandonUpload(number);
      expect(await other.uploadOpen(number)).toBe(false);
    });
    it.each([
      ['an empty file', 0, 5, 1],
      ['one segment of many shards', 100, 256, 100],
      ['two segments', 200, 5, 100],
      ['segments in several pieces', 4_000, 40, 100],
      ['segments of many shards', 900, 256, 100],
    ])('keep every segment record: %s', async (_, bytes, n, segmentBytes) => {
      const segments = Math.max(1, Math.ceil(bytes / segmentBytes));
      const file = fresh({ bytes, n, k: 1, segmentBytes, segments });
      const records = Array.from({ length: segments }, () => newSegment(n));
      const stored = await storeFile(index, file, { records, backwards: true });
      expect(await other.readSegments(stored, 0, segments + 5)).toEqual(records);
      expect(await other.readSegments(stored, segments - 1, 1)).toEqual(records.slice(-1));
      const from = Math.floor(segments / 3);
      expect(await other.readSegments(stored, from, 17)).toEqual(records.slice(from, from + 17));
      expect(await other.readSegments(stored, segments, 3)).toEqual([]);
    });
    it('refuse a file of which a segment is missing', async () => {
      const file = fresh({ bytes: 300, segmentBytes: 100, segments: 3 });
      const number = await index.beginUpload({ ...file, expiresAtMs: world.nowMs() + HOUR_MS });
      await index.stageSegment(number, 0, newSegment(file.n));
      await index.stageSegment(number, 2, newSegment(file.n));
      await expect(index.commitFile({ ...file, number })).rejects.toThrow(RangeError);
      expect(await other.findFile(file.cid)).toBeUndefined();
      await index.abandonUpload(number);
    });
    it('can be asked for again', async () => {
      const file = await storeFile(index, fresh());
      expect(await index.commitFile(file)).toEqual({ outcome: 'stored', file });
      expect(await index.usage(file.owner)).toMatchObject({ files: 1 });
    });
    it('keep one file of equal bytes of one owner, and the later expiry', async () => {
      const base = world.nowMs();
      const first = await storeFile(index, fresh({ expiresAtMs: base + HOUR_MS }));
      for (const [asked, kept] of [
        [base + HOUR_MS / 2, base + HOUR_MS],
        [base + 2 * HOUR_MS, base + 2 * HOUR_MS],
        [0, 0],
        [base + 3 * HOUR_MS, 0],
      ]) {
        const again = { ...fresh(), owner: first.owner, cid: first.cid, expiresAtMs: asked ?? 0 };
        const number = await other.beginUpload({ ...again, expiresAtMs: world.nowMs() + HOUR_MS });
        await other.stageSegment(number, 0, newSegment(again.n));
        const outcome = await other.commitFile({ ...again, number });
        expect(outcome).toEqual({ outcome: 'already', file: { ...first, expiresAtMs: kept } });
        expect(await index.uploadOpen(number)).toBe(false);
      }
      await expectConsistent(index, first.owner);
    });
    it('keep equal bytes of two owners apart, and find the older one', async () => {
      const one = await storeFile(index, fresh());
      const two = await storeFile(index, fresh({ cid: one.cid }));
      expect((await index.findFile(one.cid))?.number).toBe(one.number);
      expect((await index.findFile(one.cid, two.owner))?.number).toBe(two.number);
      expect(await index.deleteFile(one, 'deleted')).toBe(true);
      expect((await index.findFile(one.cid))?.number).toBe(two.number);
    });
    it('of the same bytes at the same time store one and find it already there otherwise', async () => {
      const model = fresh({ bytes: 7 });
      const clients = [index, other, index, other, index, other];
      const outcomes = await Promise.all(
        clients.map(async (client) => {
          const file = { ...model, fileId: newFileId(systemRandom) };
          const number = await client.beginUpload({ ...file, expiresAtMs: world.nowMs() + HOUR_MS });
          await client.stageSegment(number, 0, newSegment(file.n));
          return client.commitFile({ ...file, number });
        }),
      );
      const stored = outcomes.filter(({ outcome }) => outcome === 'stored');
      expect(stored).toHaveLength(1);
      expect(outcomes.filter(({ outcome }) => outcome === 'already')).toHaveLength(5);
      const [first] = stored;
      for (const each of outcomes)
        expect(each).toMatchObject({ file: { number: first && 'file' in first && first.file.number } });
      expect(await expectConsistent(index, model.owner)).toHaveLength(1);
    });
    it('and deletions at the same time leave counters and lists in agreement', async () => {
      const model = fresh({ bytes: 11, name: 'n' });
      let kept = await storeFile(index, model);
      for (let round = 0; round < 6; round++) {
        const again = { ...fresh({ bytes: 11, name: 'n' }), owner: model.owner, cid: model.cid };
        const number = await other.beginUpload({ ...again, expiresAtMs: world.nowMs() + HOUR_MS });
        await other.stageSegment(number, 0, newSegment(again.n));
        const [deleted, twice, outcome] = await Promise.all([
          index.deleteFile(kept, 'deleted'),
          other.deleteFile(kept, 'deleted'),
          other.commitFile({ ...again, number }),
        ]);
        expect([deleted, twice].filter(Boolean)).toHaveLength(1);
        const files = await expectConsistent(index, model.owner);
        expect(files.length).toBe(outcome.outcome === 'stored' ? 1 : 0);
        kept =
          files[0] ??
          (await storeFile(index, { ...fresh({ bytes: 11, name: 'n' }), owner: model.owner, cid: model.cid }));
      }
    });
  });

  describe('lists', () => {
    it('give every file once, newest first, whatever the page size', async () => {
      const owner = newOwner();
      const stage = (i: number) => stageFile(i % 2 ? index : other, fresh({ owner, bytes: i }));
      const files = await Promise.all(Array.from({ length: 150 }, (_, i) => stage(i)));
      for (const [i, file] of files.entries()) await (i % 2 ? index : other).commitFile(file);
      for (const limit of [1000, 64, 7]) expect(await allFiles(index, owner, limit)).toEqual(files.toReversed());
      // Holes: whole stretches deleted, in the middle and at the end.
      const gone = files.filter((_, i) => i < 70 || (i > 80 && i < 140));
      const deleted = await Promise.all(gone.map((file) => index.deleteFile(file, 'deleted')));
      expect(deleted).toEqual(gone.map(() => true));
      const left = files.filter((file) => !gone.includes(file));
      for (const limit of [1000, 5]) expect(await allFiles(other, owner, limit)).toEqual(left.toReversed());
      await expectConsistent(index, owner);
    });
    it('go on where they were when files come and go in between', async () => {
      const owner = newOwner();
      const files: FileRecord[] = [];
      for (let i = 0; i < 6; i++) files.push(await storeFile(index, fresh({ owner })));
      const first = await index.listFiles(owner, undefined, 3);
      await index.deleteFile(files[4] as FileRecord, 'deleted');
      await storeFile(index, fresh({ owner }));
      const rest = await index.listFiles(owner, first.next, 3);
      expect(rest.items).toEqual(files.slice(0, 3).toReversed());
    });
    it.each(['', 'x', '-1', '1.2', '1e9', '99999999999999999999', 'NaN.1.1'])(
      'have nothing at cursor %j',
      async (cursor) => {
        const file = await storeFile(index, fresh());
        expect(await index.listFiles(file.owner, cursor, 3)).toEqual({ items: [] });
      },
    );
  });
}
