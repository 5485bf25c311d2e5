/**
 * The switch of an upload: one transaction, after which the whole file is there, or nothing of it. What may have
 * happened before an `IndexUnavailable` is found out by calling again: a file's own record is written with NX in the
 * same transaction as every list and counter. How this bears crashes and late writers: `redis-file-index.ts`.
 */
import type { FileNumber } from '#shared/primitives/ids.ts';
import { packFile, type StoredFile } from './file-record.ts';
import { keys } from './keys.ts';
import { checkInTime, LEASE_MS, type Lease, mayHaveEnded, withLease } from './lease.ts';
import { type CommitOutcome, type FileRecord, IndexUnavailable } from './ports.ts';
import { changeFile } from './redis-change-file.ts';
import {
  EXPIRY_SLOT_MS,
  expirySlotOf,
  FILES_PER_PAGE,
  type IndexContext,
  isFileOf,
  isLive,
  nameEntryOf,
  readStored,
} from './redis-context.ts';
import { readEither } from './redis-find-files.ts';
import { askCounters, countFile, type OwnerCounters, readBytesNow, readCounters } from './redis-owner-counters.ts';
import { deleteFile, removeChunks } from './redis-remove-file.ts';
import type { Chunk, StagedUpload } from './staged-uploads.ts';
import { cidMember, cidTag, ownerCidMember, ownerCidTag, parseCidMember, prefixRange } from './tags.ts';

interface Situation {
  readonly held: boolean;
  readonly counters: OwnerCounters;
  /** Files of this owner with this CID: live, or expired and not yet collected. */
  readonly stored: readonly StoredFile[];
  readonly intentGone: boolean;
}

/** What the switch writes of the file itself, made before any lease is taken. */
interface Prepared {
  readonly upload: StagedUpload;
  readonly text: string;
  /** Of a file with several segments. */
  readonly chunks: readonly Chunk[];
}

/** @throws RangeError when the file and what was staged of it do not fit together */
export async function commitFile(context: IndexContext, file: FileRecord): Promise<CommitOutcome> {
  const outcome = await commitStaged(context, file, context.staged.find(file.number));
  context.staged.forget(file.number);
  return outcome;
}

/** @param upload what was staged; undefined only where the file may have been committed before */
export function commitStaged(
  context: IndexContext,
  file: FileRecord,
  upload: StagedUpload | undefined,
): Promise<CommitOutcome> {
  const prepared = upload && prepare(file, upload);
  return withLease(context.clock, (lease) => attempt(context, file, upload, prepared, lease));
}

function prepare(file: FileRecord, upload: StagedUpload): Prepared {
  const chunks = upload.lastChunks(file.segments);
  if (!chunks) throw new RangeError(`${upload.segments} of ${file.segments} segments are staged`);
  const changing = { expiresAtMs: file.expiresAtMs, lost: upload.lost, dropped: 0, settled: false };
  const inline = file.segments === 1 ? upload.held.get(0) : undefined;
  return { upload, text: packFile(file, changing, inline), chunks: inline ? [] : chunks };
}

/** Takes the lease and reads all that decides, at one moment. */
async function look(context: IndexContext, file: FileRecord, upload: StagedUpload | undefined): Promise<Situation> {
  const { tag, bucket } = ownerCidTag(file.owner, file.cid);
  const replies = await context.connection.multi((c) => {
    const { min, max } = prefixRange(tag);
    c.set(keys.commitLease(tag), file.number, { nx: true, px: LEASE_MS });
    c.zrange(keys.cidBucket(bucket), min, max, { byLex: true });
    askCounters(c, file.owner);
    if (!upload || upload.uncertain) c.zscore(keys.uploads, file.number);
  });
  const held = replies.wasSet();
  const numbers = replies.texts().flatMap((member) => parseCidMember(member)?.file ?? []);
  const counters = readCounters(replies, context.defaultQuotaBytes);
  const intentGone = !upload || upload.uncertain ? replies.textOrNull() === null : false;
  const stored = (await readStored(context, numbers)).filter((other) => isFileOf(other.file, file.cid, file.owner));
  return { held, counters, stored, intentGone };
}

async function attempt(
  context: IndexContext,
  file: FileRecord,
  upload: StagedUpload | undefined,
  prepared: Prepared | undefined,
  lease: Lease,
): Promise<CommitOutcome | undefined> {
  const { held, counters, stored, intentGone } = await look(context, file, upload);
  const own = stored.find((other) => other.file.number === file.number);
  if (own) {
    if (held) await release(context, file, lease);
    return { outcome: 'stored', file: own.file };
  }
  const nowMs = context.clock.nowMs();
  const live = stored.find((other) => isLive(other.file, nowMs));
  if (live) return keepLater(context, file, upload, live.file, held ? lease : undefined);
  if (!held) return undefined;
  if (intentGone) return tellOfTheGone(context, file, lease);
  // (The commit's lease stays ours: collection of the expired leaves it alone.)
  let usedBytes = counters.bytes;
  for (const expired of stored) {
    if (await deleteFile(context, expired.file, 'expired')) usedBytes -= expired.file.bytes;
  }
  if (usedBytes + file.bytes > counters.quotaBytes) {
    // A session can be completed again when there is room.
    if (!upload?.shared) await abandon(context, file.number, upload?.writtenChunks ?? 0);
    await release(context, file, lease);
    return { outcome: 'over-quota', quotaBytes: counters.quotaBytes, usedBytes };
  }
  if (!prepared) throw new IndexUnavailable('this upload was not staged here');
  return makeVisible(context, file, prepared, counters, lease);
}

async function makeVisible(
  context: IndexContext,
  file: FileRecord,
  { upload, text, chunks }: Prepared,
  counters: OwnerCounters,
  lease: Lease,
): Promise<CommitOutcome> {
  if (upload.intent.expiresAtMs <= context.clock.nowMs()) throw new IndexUnavailable('the upload has run out of time');
  const page = Math.floor(counters.committed / FILES_PER_PAGE);
  const byCid = cidTag(file.cid);
  const byOwner = ownerCidTag(file.owner, file.cid);
  checkInTime(context.clock, lease);
  upload.uncertain = true;
  const replies = await context.connection.multi((c) => {
    c.set(keys.live(file.number), text, { nx: true });
    countFile(c, file.owner, file.bytes, 1);
    c.zrem(keys.uploads, file.number);
    c.zadd(
      keys.cidBucket(byCid.bucket),
      { score: 0, member: cidMember(byCid.tag, file.number) },
      { score: 0, member: ownerCidMember(byOwner.tag, file.number, page) },
    );
    c.zadd(keys.ownerPage(file.owner, page), { score: counters.committed, member: file.number });
    if (file.expiresAtMs !== 0) {
      const score = file.expiresAtMs % EXPIRY_SLOT_MS;
      c.zadd(keys.expirySlot(expirySlotOf(file.expiresAtMs)), { score, member: file.number });
    }
    if (file.name !== undefined) {
      const { key, member } = nameEntryOf(file, file.name, file.createdAtMs);
      c.zadd(key, { score: 0, member });
    }
    for (const { chunk, text: records } of chunks) c.set(keys.chunk(file.number, chunk), records);
    if (upload.writtenChunks > 0 && !upload.shared) c.hdel(keys.uploadChunks, `${file.number}`);
  });
  const first = replies.wasSet();
  const bytesNow = readBytesNow(replies);
  if (!first) {
    // An earlier switch of ours came through late, counted once already: take the second count back.
    await context.connection.write((c) => countFile(c, file.owner, file.bytes, -1));
  } else if (bytesNow > counters.quotaBytes) {
    // Another file of the owner was committed in between: the one that came later goes.
    await deleteFile(context, file, 'deleted');
    return { outcome: 'over-quota', quotaBytes: counters.quotaBytes, usedBytes: bytesNow - file.bytes };
  }
  // The lease is left to end by itself, and a deletion ends it: nobody waits for it who can see the file.
  if (mayHaveEnded(context.clock, lease)) return yieldToOther(context, file);
  return { outcome: 'stored', file };
}

/** Our lease ended before our switch: if another file of the same bytes is there, ours goes. */
function yieldToOther(context: IndexContext, file: FileRecord): Promise<CommitOutcome> {
  return withLease(context.clock, async (lease): Promise<CommitOutcome | undefined> => {
    const { held, stored } = await look(context, file, undefined);
    if (!held) return undefined;
    const nowMs = context.clock.nowMs();
    const other = stored.find(({ file: found }) => found.number !== file.number && isLive(found, nowMs));
    if (other) await deleteFile(context, file, 'deleted', { alone: true });
    await release(context, file, lease);
    return other ? { outcome: 'already', file: other.file } : { outcome: 'stored', file };
  });
}

async function keepLater(
  context: IndexContext,
  file: FileRecord,
  upload: StagedUpload | undefined,
  live: FileRecord,
  lease: Lease | undefined,
): Promise<CommitOutcome | undefined> {
  const later = live.expiresAtMs !== 0 && (file.expiresAtMs === 0 || file.expiresAtMs > live.expiresAtMs);
  const kept = later ? await changeFile(context, live, { expiresAtMs: file.expiresAtMs }) : live;
  if (kept) await abandon(context, file.number, upload?.writtenChunks ?? 0);
  if (lease) await release(context, file, lease);
  // Deleted just now: look again.
  return kept && { outcome: 'already', file: kept };
}

/** The intent is gone and the file is not live: it was committed and deleted since, or the upload was abandoned. */
async function tellOfTheGone(context: IndexContext, file: FileRecord, lease: Lease): Promise<CommitOutcome> {
  await release(context, file, lease);
  const gone = await readEither(context, file.number);
  if (gone) return { outcome: 'stored', file: gone.file };
  throw new IndexUnavailable('this upload was abandoned');
}

/** Gives the lease back, unless it may be another's by now. */
async function release(context: IndexContext, file: FileRecord, lease: Lease): Promise<void> {
  if (mayHaveEnded(context.clock, lease)) return;
  await context.connection.write((c) => c.del(keys.commitLease(ownerCidTag(file.owner, file.cid).tag)));
}

/** Removes staged chunks, then the intent: a crash in between leaves the intent, which finds them again. */
export async function abandon(context: IndexContext, file: FileNumber, chunks: number): Promise<void> {
  await removeChunks(context, file, chunks);
  await context.connection.multi((c) => {
    c.zrem(keys.uploads, file);
    if (chunks > 0) c.hdel(keys.uploadChunks, `${file}`);
  });
  context.staged.forget(file);
}
