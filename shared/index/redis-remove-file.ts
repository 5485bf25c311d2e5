/**
 * Deletion: one transaction turns a live file into a tombstone and takes it off every list; later the tombstone is
 * settled, and only the answer to "how far has the deletion come" stays for a while.
 */
import type { Cid, FileNumber, OwnerId } from '#shared/primitives/ids.ts';
import { packFile, parseFile, type StoredFile } from './file-record.ts';
import { keys } from './keys.ts';
import { checkInTime, LEASE_MS, type Lease, withLease } from './lease.ts';
import type { DeletionProgress, FileRecord, Page, Tombstone } from './ports.ts';
import { segmentsPerChunk } from './records.ts';
import { releaseFile } from './redis-change-file.ts';
import { countOf, nonsense } from './redis-connection.ts';
import { expirySlotOf, type IndexContext, isFileOf, mustParse, readStored, removeName } from './redis-context.ts';
import { countDeleted } from './redis-owner-counters.ts';
import { cidMember, cidTag, ownerCidTag, parseCidMember, prefixRange } from './tags.ts';

/** For so long `deletion` answers: well past the hold of 72 h that the miners' receipts wait for. */
const DELETION_KEPT_MS = 30 * 24 * 3600 * 1000;

/**
 * @param options.alone leaves other files of the same owner and CID alone; there are none but after a late commit,
 *   and the owner who deletes a CID means all of them
 */
export async function deleteFile(
  context: IndexContext,
  file: FileRecord,
  reason: 'deleted' | 'expired',
  options: { readonly alone?: boolean } = {},
): Promise<boolean> {
  const done = await withLease(context.clock, async (lease) => {
    const { tag, bucket } = ownerCidTag(file.owner, file.cid);
    const replies = await context.connection.multi((c) => {
      const { min, max } = prefixRange(tag);
      c.set(keys.fileLease(file.number), 1, { nx: true, px: LEASE_MS });
      c.mget(keys.live(file.number), keys.moved(file.number));
      c.zrange(keys.cidBucket(bucket), min, max, { byLex: true });
    });
    const held = replies.wasSet();
    const [text, moved] = replies.textsOrNulls(2);
    const members = replies.texts();
    if (!held && text != null) return undefined;
    const stored = text == null ? undefined : mustParse(file.number, text);
    const isOwn = (member: string) => parseCidMember(member)?.file === file.number;
    if (!stored || !isFileOf(stored.file, file.cid, file.owner)) {
      if (held) await releaseFile(context, file.number, lease);
      return { removed: false, others: [], moved };
    }
    const removed = await bury(context, stored, members.filter(isOwn), reason, lease);
    return {
      removed,
      moved: null,
      others: members.flatMap((member) => (isOwn(member) ? [] : (parseCidMember(member)?.file ?? []))),
    };
  });
  // Re-coded since the caller read it. (One that expires is found by its new number.)
  if (done.moved != null && reason === 'deleted' && !done.removed) {
    return deleteFile(context, { ...file, number: countOf(done.moved) as FileNumber }, reason, options);
  }
  if (!options.alone && reason === 'deleted') {
    for (const other of await readStored(context, done.others)) {
      if (isFileOf(other.file, file.cid, file.owner)) await deleteFile(context, other.file, reason, { alone: true });
    }
  }
  return done.removed;
}

async function bury(
  context: IndexContext,
  stored: StoredFile,
  members: readonly string[],
  reason: Tombstone['reason'],
  lease: Lease,
): Promise<boolean> {
  const { file } = stored;
  const byCid = cidTag(file.cid);
  const byOwner = ownerCidTag(file.owner, file.cid);
  const page = members.flatMap((member) => parseCidMember(member)?.page ?? [])[0];
  const nowMs = context.clock.nowMs();
  checkInTime(context.clock, lease);
  const replies = await context.connection.multi((c) => {
    c.rename(keys.live(file.number), keys.gone(file.number));
    countDeleted(c, file.owner, file.bytes, 1);
    c.zadd(keys.tombstones, {
      score: file.number,
      member: packTombstone({ number: file.number, deletedAtMs: nowMs, reason }),
    });
    c.set(keys.deletion(byOwner.tag), `${file.number} ${nowMs}`, { px: DELETION_KEPT_MS });
    c.zrem(keys.cidBucket(byCid.bucket), cidMember(byCid.tag, file.number), ...members);
    if (page !== undefined) c.zrem(keys.ownerPage(file.owner, page), file.number);
    if (file.expiresAtMs !== 0) c.zrem(keys.expirySlot(expirySlotOf(file.expiresAtMs)), file.number);
    removeName(c, stored);
    // With its envelope goes the only copy of what opens a private file.
    c.del(keys.envelope(file.number));
    // Its commit may have left a lease; the owner who deletes shall not wait to store the same bytes again.
    if (reason === 'deleted') c.del(keys.fileLease(file.number), keys.commitLease(byOwner.tag));
    else c.del(keys.fileLease(file.number));
  });
  if (replies.anyOrError() !== undefined) return true;
  // Our lease had ended and somebody else has deleted the file: its count was taken off twice.
  await context.connection.write((c) => countDeleted(c, file.owner, file.bytes, -1));
  return false;
}

/** `number base 36, d(eleted), x(pired) or r(ecoded), time`; scored by number, so that pages are exact. */
export const packTombstone = ({ number, deletedAtMs, reason }: Tombstone): string =>
  `${number.toString(36)}:${REASON_LETTERS[reason]}:${deletedAtMs}`;

const REASON_LETTERS = { deleted: 'd', expired: 'x', recoded: 'r' } as const;

function parseTombstone(member: string): Tombstone {
  const match = /^([0-9a-z]{1,8}):([dxr]):([0-9]{1,15})$/.exec(member);
  if (!match) return nonsense('a tombstone');
  return {
    number: Number.parseInt(match[1] ?? '', 36) as FileNumber,
    deletedAtMs: Number(match[3]),
    reason: match[2] === 'd' ? 'deleted' : match[2] === 'x' ? 'expired' : 'recoded',
  };
}

export async function tombstones(
  context: IndexContext,
  cursor: string | undefined,
  limit: number,
): Promise<Page<Tombstone>> {
  const after = cursor !== undefined && /^[0-9]{1,13}$/.test(cursor) ? (`(${Number(cursor)}` as const) : '-inf';
  const range = { byScore: true, offset: 0, count: limit } as const;
  const replies = await context.connection.read((c) => c.zrange(keys.tombstones, after, '+inf', range));
  const items = replies.texts().map(parseTombstone);
  const last = items.at(-1);
  return last && items.length === limit ? { items, next: `${last.number}` } : { items };
}

export async function settleTombstone(context: IndexContext, number: FileNumber): Promise<void> {
  const text = (await context.connection.read((c) => c.get(keys.gone(number)))).textOrNull();
  const stored = text === null ? undefined : mustParse(number, text);
  if (stored && !stored.changing.settled && stored.file.segments > 1) {
    await removeChunks(context, number, Math.ceil(stored.file.segments / segmentsPerChunk(stored.file.n)));
  }
  await context.connection.multi((c) => {
    c.zremrangebyscore(keys.tombstones, number, number);
    if (stored) {
      const settled = packFile(stored.file, { ...stored.changing, settled: true }, undefined, stored.namedAtMs);
      c.set(keys.gone(number), settled, { px: DELETION_KEPT_MS });
    }
  });
}

export async function deletion(context: IndexContext, owner: OwnerId, cid: Cid): Promise<DeletionProgress | undefined> {
  const { tag } = ownerCidTag(owner, cid);
  const pointer = (await context.connection.read((c) => c.get(keys.deletion(tag)))).textOrNull();
  if (pointer === null) return undefined;
  const match = /^([0-9]{1,13}) ([0-9]{1,15})$/.exec(pointer);
  if (!match) return nonsense('a deletion');
  const number = Number(match[1]) as FileNumber;
  const text = (await context.connection.read((c) => c.get(keys.gone(number)))).textOrNull();
  if (text === null) return undefined;
  const stored = parseFile(number, text) ?? nonsense("a file's record");
  if (!isFileOf(stored.file, cid, owner)) return undefined;
  const shards = stored.file.segments * stored.file.n - stored.changing.lost;
  return { deletedAtMs: Number(match[2]), shards, dropped: stored.changing.dropped };
}

/** Chunks removed per command. */
const CHUNKS_PER_DELETE = 500;

export async function removeChunks(context: IndexContext, file: FileNumber, chunks: number): Promise<void> {
  for (let from = 0; from < chunks; from += CHUNKS_PER_DELETE) {
    const length = Math.min(CHUNKS_PER_DELETE, chunks - from);
    const names = Array.from({ length }, (_, i) => keys.chunk(file, from + i));
    await context.connection.write((c) => c.del(...names));
  }
}
