/** The part of the index's contract about upload sessions (`index-suite.ts`). */
import { beforeAll, describe, expect, it } from 'vitest';
import { cidOf } from '#shared/codec/cid.ts';
import type { FileIndex, SegmentRecord } from '#shared/index/ports.ts';
import type { PartRecord, UploadCompletion, UploadIndex, UploadSession } from '#shared/index/upload-ports.ts';
import { systemRandom } from '#shared/primitives/effects.ts';
import { type FileNumber, newFileId, type OwnerId } from '#shared/primitives/ids.ts';
import { expectConsistent, newOwner, newSegment } from './index-files.ts';
import type { IndexUnderTest, Suite } from './index-suite.ts';

const HOUR_MS = 3600_000;
const N = 40;
/** Forty segments a part: three pieces. */
const SEGMENT_BYTES = 1000;
const PART_BYTES = 40 * SEGMENT_BYTES;
const MANY = 100;

export function describeUploads(use: () => Suite): void {
  let world: IndexUnderTest;
  let index: FileIndex;
  let uploads: UploadIndex;
  let other: UploadIndex;
  beforeAll(() => {
    ({ world, index } = use());
    uploads = world.connect().uploads;
    other = world.connect().uploads;
  });

  async function open(owner: OwnerId = newOwner(), change: Partial<UploadSession> = {}): Promise<UploadSession> {
    const session = {
      ...{ fileId: newFileId(systemRandom), owner, codingId: systemRandom(16), maskEpoch: 3, k: 16, n: N },
      ...{ segmentBytes: SEGMENT_BYTES, partBytes: PART_BYTES, openedAtMs: world.nowMs() },
      ...{ endsAtMs: world.nowMs() + HOUR_MS, ttlMs: 0, ...change },
    };
    const opened = await uploads.openUpload(session, MANY);
    if (!opened) throw new Error('not opened');
    expect(opened).toEqual({ ...session, number: opened.number });
    return opened;
  }

  async function put(
    session: UploadSession,
    number: number,
    bytes = PART_BYTES,
    by = uploads,
  ): Promise<{ part: PartRecord; records: readonly SegmentRecord[] }> {
    const attempt = await by.beginPart(session, number);
    const part = { number, attempt, bytes, hash: systemRandom(32), lost: 2 };
    const records = Array.from({ length: Math.max(1, Math.ceil(bytes / session.segmentBytes)) }, () => newSegment(N));
    expect((await by.putPart(session, part, records)).outcome).toBe('stored');
    return { part, records };
  }

  const completionOf = (bytes: number, attempts: readonly number[]): UploadCompletion => ({
    ...{ cid: cidOf(systemRandom(32)), bytes, createdAtMs: world.nowMs(), expiresAtMs: 0, attempts },
  });

  describe('upload sessions', () => {
    it('are known to every client, with their parts in order', async () => {
      const session = await open(newOwner(), { name: 'ü', contentType: 'a/b', bytes: 5, cid: cidOf(systemRandom(32)) });
      expect(await other.readUpload(session.number)).toEqual({ session, stored: false });
      expect(await other.readUpload((2 ** 39) as FileNumber)).toBeUndefined();
      expect(await other.openUploads(session.owner)).toEqual([session]);
      expect(await other.openUploads(newOwner())).toEqual([]);
      expect(await index.uploadOpen(session.number)).toBe(true);
      const puts = await Promise.all([3, 1, 7].map((number, i) => put(session, number, 999, i % 2 ? uploads : other)));
      const parts = puts.map(({ part }) => part).sort((a, b) => a.number - b.number);
      expect(await other.listParts(session.number, 1, 10)).toEqual(parts);
      expect(await other.listParts(session.number, 2, 1)).toEqual(parts.slice(1, 2));
      expect(await other.listParts(session.number, 8, 10)).toEqual([]);
    });

    it('number the sendings of a part, whoever asks', async () => {
      const session = await open();
      const numbers = await Promise.all([uploads, other, uploads, other].map((each) => each.beginPart(session, 5)));
      expect(numbers.toSorted()).toEqual([0, 1, 2, 3]);
      expect(await uploads.beginPart(session, 6)).toBe(0);
    });

    it('keep the sending of a part that came last', async () => {
      const session = await open();
      const first = await put(session, 2);
      expect(await other.readPart(session, 2, 0)).toEqual(first.records);
      const attempt = await other.beginPart(session, 2);
      const part = { ...first.part, attempt, bytes: 1500, hash: systemRandom(32) };
      const records = [newSegment(N), newSegment(N)];
      expect(await other.putPart(session, part, records)).toEqual({ outcome: 'stored', replaced: true });
      expect(await uploads.listParts(session.number, 1, 10)).toEqual([part]);
      expect(await uploads.readPart(session, 2, attempt)).toEqual(records);
      expect(await uploads.readPart(session, 2, 0)).toBeUndefined();
      expect(await uploads.readPart(session, 9, 0)).toBeUndefined();
    });

    it('learn the states of the hash around a part, of the sending that counts alone', async () => {
      const session = await open();
      const { part } = await put(session, 1);
      const chain = { before: systemRandom(32), after: systemRandom(32) };
      await other.chainPart(session, { ...part, chain });
      expect(await uploads.listParts(session.number, 1, 10)).toEqual([{ ...part, chain }]);
      const { part: again } = await put(session, 1);
      await other.chainPart(session, { ...part, chain });
      expect(await uploads.listParts(session.number, 1, 10)).toEqual([again]);
    });

    it('are limited in number for one owner, open ones alone', async () => {
      const owner = newOwner();
      const [one] = [await open(owner), await open(owner)];
      const { number: _, ...model } = one;
      expect(await other.openUpload({ ...model, fileId: newFileId(systemRandom) }, 2)).toBeUndefined();
      await uploads.endUpload(one, 'aborted');
      await uploads.clearUpload(one);
      expect(await other.openUpload({ ...model, fileId: newFileId(systemRandom) }, 2)).toBeDefined();
    });
  });

  describe('the end of a session', () => {
    it('is decided once, by whoever comes first', async () => {
      const session = await open();
      const completion = completionOf(100, [0]);
      const [one, two] = await Promise.all([
        uploads.endUpload(session, 'aborted'),
        other.endUpload(session, completion),
      ]);
      expect(one).toEqual(two);
      expect(await other.readUpload(session.number)).toEqual({ session, end: one, stored: false });
      expect(await uploads.openUploads(session.owner)).toEqual([]);
    });

    it('lets no part in', async () => {
      const session = await open();
      await put(session, 1, 500);
      const attempt = await uploads.beginPart(session, 1);
      await other.endUpload(session, 'aborted');
      const part = { number: 1, attempt, bytes: 1, hash: systemRandom(32), lost: 0 };
      expect(await uploads.putPart(session, part, [newSegment(N)])).toEqual({ outcome: 'ended' });
      await other.clearUpload(session);
      expect(await uploads.listParts(session.number, 1, 10)).toEqual([]);
      expect(await index.uploadOpen(session.number)).toBe(false);
    });

    it.each([
      ['one segment', 1, 700],
      ['many', 3, 12_345],
    ])('makes a file of %s visible at once, even when several commit it', async (_, count, lastBytes) => {
      const session = await open(newOwner(), { name: 'n', contentType: 't/x' });
      const puts = [];
      for (let i = 1; i <= count; i++) puts.push(await put(session, i, i < count ? PART_BYTES : lastBytes));
      const bytes = (count - 1) * PART_BYTES + lastBytes;
      const completion = completionOf(
        bytes,
        puts.map(({ part }) => part.attempt),
      );
      expect(await uploads.endUpload(session, completion)).toEqual(completion);
      const clients = [uploads, other, world.connect().uploads];
      const outcomes = await Promise.all(clients.map((each) => each.commitUpload(session, completion)));
      for (const each of outcomes) expect(each).toMatchObject({ outcome: 'stored', file: { number: session.number } });
      const [file] = await expectConsistent(index, session.owner);
      if (!file) throw new Error('no file');
      expect(file).toMatchObject({ bytes, cid: completion.cid, name: 'n', contentType: 't/x', k: 16, n: N });
      expect(await index.readSegments(file, 0, file.segments)).toEqual(puts.flatMap(({ records }) => records));
      await uploads.clearUpload(session);
      expect(await uploads.commitUpload(session, completion).catch(() => 'gone')).toBeDefined();
      expect(await other.readUpload(session.number)).toMatchObject({ stored: true, end: completion });
    });

    it('finds the file there already when its owner stored the same bytes', async () => {
      const owner = newOwner();
      const [one, two] = [await open(owner), await open(owner)];
      const [a, b] = [await put(one, 1, 900), await put(two, 1, 900)];
      const completion = completionOf(900, [a.part.attempt]);
      await uploads.endUpload(one, completion);
      await other.endUpload(two, { ...completion, attempts: [b.part.attempt] });
      const outcomes = await Promise.all([
        uploads.commitUpload(one, completion),
        other.commitUpload(two, { ...completion, attempts: [b.part.attempt] }),
      ]);
      expect(outcomes.map(({ outcome }) => outcome).sort()).toEqual(['already', 'stored']);
      await expectConsistent(index, owner);
    });

    it('over the quota leaves the session to be completed later', async () => {
      const owner = newOwner();
      const { access } = world.connect();
      await access.setQuota(owner, 500);
      const session = await open(owner);
      const { part } = await put(session, 1, 900);
      const completion = completionOf(900, [part.attempt]);
      await uploads.endUpload(session, completion);
      expect(await uploads.commitUpload(session, completion)).toMatchObject({ outcome: 'over-quota', quotaBytes: 500 });
      await access.setQuota(owner, 5000);
      expect(await other.commitUpload(session, completion)).toMatchObject({ outcome: 'stored' });
      await expectConsistent(index, owner);
    });

    it('that nobody decided is the tenant’s, once its time is over', async () => {
      const session = await open(newOwner(), { endsAtMs: world.nowMs() + 1000 });
      await put(session, 1, 5 * PART_BYTES);
      const overMs = world.nowMs() + 120_000;
      expect(await index.expiredUploads(world.nowMs() + 2000, 1000)).not.toContain(session.number);
      expect(await index.expiredUploads(overMs, 1000)).toContain(session.number);
      await index.abandonUpload(session.number);
      expect(await index.uploadOpen(session.number)).toBe(false);
      expect(await index.expiredUploads(overMs, 1000)).not.toContain(session.number);
    });
  });
}
