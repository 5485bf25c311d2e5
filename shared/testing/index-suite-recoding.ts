/** The part of the index's contract about the switch of a re-coding (`index-suite.ts`, `memory-index.test.ts`). */
import { beforeAll, describe, expect, it } from 'vitest';
import { type FileIndex, type FileRecord, IndexUnavailable, type Recoding } from '#shared/index/ports.ts';
import { systemRandom } from '#shared/primitives/effects.ts';
import { allFiles, expectConsistent, newFile, newOwner, newSegment, newSlot, storeFile } from './index-files.ts';
import type { IndexUnderTest, Suite } from './index-suite.ts';

const HOUR_MS = 3600_000;

/** Stages a new coding of a stored file. */
export async function stageRecoding(index: FileIndex, file: FileRecord, endsAtMs: number): Promise<Recoding> {
  const { owner, fileId, segments } = file;
  const number = await index.beginUpload({ owner, fileId, expiresAtMs: endsAtMs });
  const hashes = (await index.readSegments(file, 0, segments)).map(({ hash }) => hash);
  for (const [i, hash] of hashes.entries()) await index.stageSegment(number, i, newSegment(10, [], hash));
  return { number, k: 4, n: 10, codingId: systemRandom(16), maskEpoch: 5 };
}

/** A file with everything that has an entry of its own. */
export const ladenFile = (nowMs: number, change: Partial<FileRecord> = {}): FileRecord =>
  newFile(nowMs, {
    ...{ name: 'n', contentType: 'text/plain', expiresAtMs: nowMs + HOUR_MS, bytes: 2000 },
    ...{ segmentBytes: 10, segments: 200 },
    ...change,
  });

export function describeRecoding(use: () => Pick<Suite, 'index' | 'other'> & { world: Pick<IndexUnderTest, 'nowMs'> }) {
  let index: FileIndex;
  let other: FileIndex;
  let nowMs: () => number;
  beforeAll(() => {
    ({ index, other } = use());
    nowMs = () => use().world.nowMs();
  });
  const revisionOf = (bytes: Uint8Array) => bytes[0] ?? 0;
  const stage = (file: FileRecord) => stageRecoding(index, file, nowMs() + HOUR_MS);

  describe('a re-coding', () => {
    it.each([
      ['one segment', () => newFile(nowMs(), { name: 'one' })],
      ['many segments', () => ladenFile(nowMs())],
      ['anchors of type 2', () => newFile(nowMs(), { anchorType: 2 })],
    ])('puts the new number in place of the old one, and changes nothing else of a file with %s', async (_, make) => {
      const owner = newOwner();
      const before = await storeFile(index, newFile(nowMs(), { owner }));
      const file = await storeFile(index, { ...make(), owner });
      const after = await storeFile(index, newFile(nowMs(), { owner }));
      await index.writeEnvelope(file, 1, Uint8Array.of(1, 7), revisionOf);
      const usage = await index.usage(owner);
      const recoding = await stage(file);
      expect(await index.replaceFile(file, recoding)).toBe(true);
      const recoded = { ...file, ...recoding };
      expect(await expectConsistent(other, owner)).toEqual([after, recoded, before]);
      expect(await index.usage(owner)).toEqual(usage);
      expect(await other.findFile(file.cid)).toEqual(recoded);
      if (file.name !== undefined) expect(await other.findByName(owner, file.name)).toEqual(recoded);
      expect(await other.readFile(file.number)).toBeUndefined();
      expect(await other.readEnvelopes([file.number, recoding.number])).toEqual([undefined, Uint8Array.of(1, 7)]);
      expect((await other.readSegments(recoded, 0, 1000)).every(({ slots }) => slots.length === 10)).toBe(true);
    });
    it('leaves the old coding a tombstone, readable until it is settled, and no deletion of the owner', async () => {
      const file = await storeFile(index, ladenFile(nowMs()));
      const segments = await index.readSegments(file, 0, file.segments);
      await index.replaceFile(file, await stage(file));
      const { items } = await index.tombstones(undefined, 10_000);
      expect(items.filter(({ number }) => number === file.number)).toMatchObject([{ reason: 'recoded' }]);
      expect(await other.readAnyFile(file.number)).toEqual(file);
      expect(await other.readSegments(file, 0, file.segments)).toEqual(segments);
      expect(await index.deletion(file.owner, file.cid)).toBeUndefined();
      await index.settleTombstone(file.number);
      expect(await index.readAnyFile(file.number)).toBeUndefined();
      expect(await expectConsistent(other, file.owner)).toHaveLength(1);
    });
    it('keeps the name and expiry that the file was given while it was made', async () => {
      const file = await storeFile(index, ladenFile(nowMs()));
      const recoding = await stage(file);
      const change = { name: 'other', expiresAtMs: nowMs() + 2 * HOUR_MS };
      await other.changeFile(file, change);
      expect(await index.replaceFile(file, recoding)).toBe(true);
      expect(await expectConsistent(other, file.owner)).toEqual([{ ...file, ...recoding, ...change }]);
      expect(await index.findByName(file.owner, 'n')).toBeUndefined();
    });
    it('is refused when the file was deleted while it was made, or has been re-coded already', async () => {
      const file = await storeFile(index, ladenFile(nowMs()));
      const [one, two] = [await stage(file), await stage(file)];
      expect(await index.replaceFile(file, one)).toBe(true);
      expect(await index.replaceFile(file, one)).toBe(true);
      expect(await index.replaceFile(file, two)).toBe(false);
      await index.abandonUpload(two.number);
      const recoded = { ...file, ...one };
      const three = await stage(recoded);
      await other.deleteFile(recoded, 'deleted');
      expect(await index.replaceFile(recoded, three)).toBe(false);
      await index.abandonUpload(three.number);
      expect(await allFiles(index, file.owner, 10)).toEqual([]);
      expect(await index.usage(file.owner)).toMatchObject({ files: 0, bytes: 0 });
      expect(await other.uploadOpen(three.number)).toBe(false);
    });
    it('loses no change of somebody who read the file before', async () => {
      const file = await storeFile(index, ladenFile(nowMs()));
      const one = await stage(file);
      await index.replaceFile(file, one);
      const again = { ...file, ...one };
      const two = await stage(again);
      await index.replaceFile(again, two);
      const recoded = { ...file, ...two, name: 'late' };
      expect(await other.changeFile(file, { name: 'late' })).toEqual(recoded);
      expect(await other.writeEnvelope(file, 1, Uint8Array.of(1), revisionOf)).toMatchObject({ written: true });
      expect(await other.readEnvelopes([two.number])).toEqual([Uint8Array.of(1)]);
      expect(await expectConsistent(index, file.owner)).toEqual([recoded]);
      expect(await other.deleteFile(file, 'expired')).toBe(false);
      expect(await other.deleteFile(file, 'deleted')).toBe(true);
      expect(await expectConsistent(index, file.owner)).toEqual([]);
      expect(await index.deletion(file.owner, file.cid)).toMatchObject({ shards: 2000, dropped: 0 });
    });
    it('does not stand in the way of an upload of the same bytes', async () => {
      const file = await storeFile(index, ladenFile(nowMs(), { expiresAtMs: 0 }));
      const recoding = await stage(file);
      const number = await other.beginUpload({ ...file, expiresAtMs: nowMs() + HOUR_MS });
      for (let i = 0; i < file.segments; i++) await other.stageSegment(number, i, newSegment(file.n));
      const [replaced, committed] = await Promise.all([
        index.replaceFile(file, recoding),
        other.commitFile({ ...file, number }),
      ]);
      expect(replaced).toBe(true);
      expect(committed).toMatchObject({ outcome: 'already' });
      expect(await expectConsistent(index, file.owner)).toEqual([{ ...file, ...recoding }]);
    });
    it('whose records are not here is not made', async () => {
      const file = await storeFile(index, newFile(nowMs()));
      const recoding = await stage(file);
      await index.abandonUpload(recoding.number);
      await expect(index.replaceFile(file, recoding)).rejects.toBeInstanceOf(IndexUnavailable);
      expect(await expectConsistent(index, file.owner)).toEqual([file]);
    });
    it('counts shards that could not be placed as lost', async () => {
      const file = await storeFile(index, newFile(nowMs()));
      const { owner, fileId } = file;
      const number = await index.beginUpload({ owner, fileId, expiresAtMs: nowMs() + HOUR_MS });
      const slots = Array.from({ length: 10 }, (_, i) => newSlot(i < 2 ? 'lost' : 'stored'));
      await index.stageSegment(number, 0, { hash: systemRandom(32), slots });
      await index.replaceFile(file, { number, k: 4, n: 10, codingId: systemRandom(16), maskEpoch: 3 });
      await index.deleteFile({ ...file, number }, 'deleted');
      expect(await index.deletion(owner, file.cid)).toMatchObject({ shards: 8 });
    });
  });
}
