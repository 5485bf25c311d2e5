/** Files for tests of the index, and the check that its lists, counters and lookups tell the same story. */
import { expect } from 'vitest';
import { cidOf, parseCid } from '#shared/codec/cid.ts';
import type { FileIndex, FileRecord, SegmentRecord, ShardSlot, ShardState } from '#shared/index/ports.ts';
import { systemRandom } from '#shared/primitives/effects.ts';
import { type FileNumber, type MinerNumber, newFileId, newOwnerId, type OwnerId } from '#shared/primitives/ids.ts';

export const newOwner = (): OwnerId => newOwnerId(systemRandom);

const smallNumber = (): number => (systemRandom(1)[0] ?? 0) + 1;

export const newSlot = (state: ShardState = 'stored'): ShardSlot => ({
  root: systemRandom(32),
  miner: smallNumber() as MinerNumber,
  placement: smallNumber(),
  state,
});

/** @param states of the first slots; the rest are stored */
export const newSegment = (n: number, states: readonly ShardState[] = [], hash = systemRandom(32)): SegmentRecord => ({
  hash,
  slots: Array.from({ length: n }, (_, i) => newSlot(states[i])),
});

/** A file with bytes of its own, never expiring, one segment, (1, 5), without a number yet. */
export const newFile = (nowMs: number, change: Partial<FileRecord> = {}): FileRecord => ({
  number: 0 as FileNumber,
  fileId: newFileId(systemRandom),
  owner: newOwner(),
  cid: cidOf(systemRandom(32)),
  bytes: 1000,
  k: 1,
  n: 5,
  segmentBytes: 4 * 1024 * 1024,
  segments: 1,
  codingId: systemRandom(16),
  maskEpoch: 3,
  createdAtMs: nowMs,
  expiresAtMs: 0,
  ...change,
});

interface StoreOptions {
  readonly records?: readonly SegmentRecord[];
  readonly backwards?: boolean;
}

/** Begins and stages an upload: what is left is its commit. */
export async function stageFile(index: FileIndex, file: FileRecord, options: StoreOptions = {}): Promise<FileRecord> {
  const { owner, fileId } = file;
  const number = await index.beginUpload({ owner, fileId, expiresAtMs: file.createdAtMs + 24 * 3600_000 });
  const own = file.segments === 1 ? parseCid(file.cid)?.digest : undefined;
  const order = Array.from({ length: file.segments }, (_, i) => (options.backwards ? file.segments - 1 - i : i));
  for (const i of order) await index.stageSegment(number, i, options.records?.[i] ?? newSegment(file.n, [], own));
  return { ...file, number };
}

export async function storeFile(index: FileIndex, file: FileRecord, options: StoreOptions = {}): Promise<FileRecord> {
  const staged = await stageFile(index, file, options);
  expect(await index.commitFile(staged)).toEqual({ outcome: 'stored', file: staged });
  return staged;
}

export async function allFiles(index: FileIndex, owner: OwnerId, limit: number): Promise<FileRecord[]> {
  const files: FileRecord[] = [];
  for (let cursor: string | undefined, more = true; more; more = cursor !== undefined) {
    const page = await index.listFiles(owner, cursor, limit);
    expect(page.items.length).toBeLessThanOrEqual(limit);
    files.push(...page.items);
    cursor = page.next;
  }
  return files;
}

/** The owner's files, after checking that counters, list, CIDs, numbers and names agree on them. */
export async function expectConsistent(index: FileIndex, owner: OwnerId): Promise<readonly FileRecord[]> {
  const files = await allFiles(index, owner, 1000);
  const { files: count, bytes } = await index.usage(owner);
  expect({ count, bytes }).toEqual({ count: files.length, bytes: files.reduce((sum, file) => sum + file.bytes, 0) });
  expect(new Set(files.map((file) => file.cid)).size).toBe(files.length);
  for (const file of files) {
    expect(await index.findFile(file.cid, owner)).toEqual(file);
    expect(await index.readFile(file.number)).toEqual(file);
    expect(await index.readSegments(file, 0, file.segments)).toHaveLength(file.segments);
    expect(await index.uploadOpen(file.number)).toBe(false);
    if (file.name !== undefined) expect((await index.findByName(owner, file.name))?.owner).toBe(owner);
  }
  return files;
}
