/**
 * What holds for every index: the contract of `shared/index/ports.ts` as tests. An adapter's own test hands over a way
 * to open it. Clients are separate, as two edges are; time can be set forward.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { AccessIndex, FileIndex, FileRecord, MinerDirectory, ShardSlot } from '#shared/index/ports.ts';
import { systemRandom } from '#shared/primitives/effects.ts';
import { type Hotkey, hotkeyOf, type MinerNumber, newFileId } from '#shared/primitives/ids.ts';
import {
  allFiles,
  expectConsistent,
  newFile,
  newOwner,
  newSegment,
  newSlot,
  stageFile,
  storeFile,
} from './index-files.ts';

export interface IndexClient {
  readonly files: FileIndex;
  readonly miners: MinerDirectory;
  readonly access: AccessIndex;
}

export interface IndexUnderTest {
  /** A client with state of its own. */
  connect(): IndexClient;
  nowMs(): number;
  advance(ms: number): void;
  close(): Promise<void>;
}

const HOUR_MS = 3600_000;

export function describeIndex(name: string, open: () => Promise<IndexUnderTest>): void {
  describe(name, () => {
    let world: IndexUnderTest;
    let index: FileIndex;
    let other: FileIndex;
    beforeAll(async () => {
      world = await open();
      index = world.connect().files;
      other = world.connect().files;
    });
    afterAll(() => world?.close());
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
      it('take strays once, in the order they came', async () => {
        while ((await index.takeStrays(1000)).length > 0);
        const strays = Array.from({ length: 25 }, (_, i) => ({ miner: i as MinerNumber, anchorId: systemRandom(32) }));
        await index.addStrays(strays.slice(0, 20));
        await other.addStrays(strays.slice(20));
        expect(await index.takeStrays(10)).toEqual(strays.slice(0, 10));
        expect(await other.takeStrays(100)).toEqual(strays.slice(10));
        expect(await index.takeStrays(10)).toEqual([]);
        await index.addStrays([]);
        await index.addReceipts([systemRandom(300), systemRandom(301)]);
        await index.addReceipts([]);
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
  });
}
