/**
 * The switch of a re-coding: one transaction makes a staged upload live in place of a stored file (same owner, CID,
 * `fileId`, name, expiry, envelope, place in the owner's list) and the old coding a tombstone. Before it the old file is
 * whole, after it the new one. Both leases are held: the file's, so that a change or deletion comes before or after, and
 * the CID's, so that an upload of the same bytes finds one of the two. Whoever still knows the file by its old number is
 * led on for a while by a pointer. How this bears crashes and late writers: `redis-file-index.ts`.
 */
import { equalBytes } from '#shared/primitives/bytes.ts';
import { packFile, type StoredFile } from './file-record.ts';
import { keys } from './keys.ts';
import { checkInTime, LEASE_MS, type Lease, mayHaveEnded, WRITE_WITHIN_MS, withLease } from './lease.ts';
import { type FileRecord, IndexUnavailable, type Recoding } from './ports.ts';
import { countOf, nonsense, REQUEST_TIMEOUT_MS } from './redis-connection.ts';
import {
  EXPIRY_SLOT_MS,
  expirySlotOf,
  type IndexContext,
  isFileOf,
  isLive,
  mustParse,
  nameEntryOf,
  removeName,
} from './redis-context.ts';
import { packTombstone } from './redis-remove-file.ts';
import type { StagedUpload } from './staged-uploads.ts';
import { cidMember, cidTag, ownerCidMember, ownerCidTag, parseCidMember, prefixRange } from './tags.ts';

/** For so long the old number leads to the new one: longer than any request that read the old one may take. */
export const MOVED_KEPT_MS = 3_600_000;

/** What stands under both leases. */
interface Situation {
  readonly held: boolean;
  readonly old: StoredFile | undefined;
  /** The new number is live, or was: this switch has been made. */
  readonly done: boolean;
  readonly intentGone: boolean;
  readonly members: readonly string[];
  readonly envelope: boolean;
}

/** @throws RangeError when the re-coding and what was staged of it do not fit together */
export async function replaceFile(context: IndexContext, file: FileRecord, recoding: Recoding): Promise<boolean> {
  const upload = context.staged.find(recoding.number);
  const replaced = await withLease(context.clock, (lease) => attempt(context, file, recoding, upload, lease));
  if (replaced) context.staged.forget(recoding.number);
  return replaced;
}

async function look(context: IndexContext, file: FileRecord, { number }: Recoding): Promise<Situation> {
  const { tag, bucket } = ownerCidTag(file.owner, file.cid);
  const { min, max } = prefixRange(tag);
  const replies = await context.connection.multi((c) => {
    c.set(keys.fileLease(file.number), 1, { nx: true, px: LEASE_MS });
    c.set(keys.commitLease(tag), number, { nx: true, px: LEASE_MS });
    c.get(keys.commitLease(tag));
    c.pttl(keys.commitLease(tag));
    c.mget(keys.live(file.number), keys.moved(file.number));
    c.zscore(keys.uploads, number);
    c.zrange(keys.cidBucket(bucket), min, max, { byLex: true });
    c.exists(keys.envelope(file.number));
  });
  const [ofFile, taken] = [replies.wasSet(), replies.wasSet()];
  // The lease that the file's own commit has left keeps others away as well as ours would, if it lasts long enough.
  const isItsOwn = replies.textOrNull() === `${file.number}`;
  const ofCid = replies.integer() >= WRITE_WITHIN_MS + REQUEST_TIMEOUT_MS ? taken || isItsOwn : taken;
  const [text, moved] = replies.textsOrNulls(2);
  const intentGone = replies.textOrNull() === null;
  const members = replies.texts().filter((member) => parseCidMember(member)?.file === file.number);
  const envelope = replies.integer() > 0;
  // One without the other is given back at once: two that wait for each other would both wait long.
  const alone = ofFile && !ofCid ? keys.fileLease(file.number) : taken && !ofFile ? keys.commitLease(tag) : undefined;
  if (alone !== undefined) await context.connection.write((c) => c.del(alone));
  return {
    held: ofFile && ofCid,
    old: text == null ? undefined : mustParse(file.number, text),
    done: moved != null && countOf(moved) === number,
    ...{ intentGone, members, envelope },
  };
}

async function attempt(
  context: IndexContext,
  file: FileRecord,
  recoding: Recoding,
  upload: StagedUpload | undefined,
  lease: Lease,
): Promise<boolean | undefined> {
  const seen = await look(context, file, recoding);
  const { held, old, done, members } = seen;
  const giveBack = () => (held ? release(context, file, lease) : undefined);
  if (done) {
    await giveBack();
    return true;
  }
  const isThis =
    old !== undefined &&
    isFileOf(old.file, file.cid, file.owner) &&
    isLive(old.file, context.clock.nowMs()) &&
    equalBytes(old.file.codingId, file.codingId);
  if (!isThis) {
    await giveBack();
    return false;
  }
  if (!held) return undefined;
  const page = members.flatMap((member) => parseCidMember(member)?.page ?? [])[0];
  if (!upload || seen.intentGone || page === undefined) {
    await giveBack();
    throw new IndexUnavailable(upload ? 'this re-coding was abandoned' : 'this re-coding was not staged here');
  }
  return makeSwitch(context, old, { recoding, upload, page, members, envelope: seen.envelope }, lease);
}

interface Switch {
  readonly recoding: Recoding;
  readonly upload: StagedUpload;
  readonly page: number;
  readonly members: readonly string[];
  readonly envelope: boolean;
}

async function makeSwitch(
  context: IndexContext,
  stored: StoredFile,
  { recoding, upload, page, members, envelope }: Switch,
  lease: Lease,
): Promise<boolean> {
  const { file: old, namedAtMs } = stored;
  const { number, k, n, codingId, maskEpoch } = recoding;
  const file: FileRecord = { ...old, number, k, n, codingId, maskEpoch };
  const chunks = upload.lastChunks(file.segments);
  if (!chunks || upload.n !== file.n) throw new RangeError('not all of the file was staged as it was re-coded');
  const inline = file.segments === 1 ? upload.held.get(0) : undefined;
  const changing = { expiresAtMs: file.expiresAtMs, lost: upload.lost, dropped: 0, settled: false };
  const text = packFile(file, changing, inline, namedAtMs);
  const name = file.name === undefined ? undefined : nameEntryOf(file, file.name, namedAtMs);
  const oldName = old.name === undefined ? undefined : nameEntryOf(old, old.name, namedAtMs);
  const places = await context.connection.read((c) => {
    c.zscore(keys.ownerPage(old.owner, page), old.number);
    if (oldName) c.zscore(oldName.key, oldName.member);
  });
  const place = places.textOrNull() ?? nonsense("a file's place in its owner's list");
  // A newer file of this name, deleted since, took the name with it: it must not come back.
  const isNamed = oldName !== undefined && places.textOrNull() !== null;
  const byCid = cidTag(file.cid);
  const byOwner = ownerCidTag(file.owner, file.cid);
  const nowMs = context.clock.nowMs();
  if (upload.intent.expiresAtMs <= nowMs) throw new IndexUnavailable('the re-coding has run out of time');
  checkInTime(context.clock, lease);
  const replies = await context.connection.multi((c) => {
    c.set(keys.live(number), text, { nx: true });
    c.rename(keys.live(old.number), keys.gone(old.number));
    c.set(keys.moved(old.number), number, { px: MOVED_KEPT_MS });
    c.zadd(keys.tombstones, {
      score: old.number,
      member: packTombstone({ number: old.number, deletedAtMs: nowMs, reason: 'recoded' }),
    });
    c.zrem(keys.uploads, number);
    if (upload.writtenChunks > 0) c.hdel(keys.uploadChunks, `${number}`);
    for (const { chunk, text: records } of inline ? [] : chunks) c.set(keys.chunk(number, chunk), records);
    c.zrem(keys.cidBucket(byCid.bucket), cidMember(byCid.tag, old.number), ...members);
    c.zadd(
      keys.cidBucket(byCid.bucket),
      { score: 0, member: cidMember(byCid.tag, number) },
      { score: 0, member: ownerCidMember(byOwner.tag, number, page) },
    );
    c.zrem(keys.ownerPage(old.owner, page), old.number);
    c.zadd(keys.ownerPage(old.owner, page), { score: countOf(place), member: number });
    if (file.expiresAtMs !== 0) {
      const slot = keys.expirySlot(expirySlotOf(file.expiresAtMs));
      c.zrem(slot, old.number);
      c.zadd(slot, { score: file.expiresAtMs % EXPIRY_SLOT_MS, member: number });
    }
    if (name && oldName && isNamed) {
      c.zrem(oldName.key, oldName.member);
      c.zadd(name.key, { score: 0, member: name.member });
    }
    if (envelope) c.rename(keys.envelope(old.number), keys.envelope(number));
    c.del(keys.fileLease(old.number), keys.commitLease(byOwner.tag));
  });
  const first = replies.wasSet();
  const wasThere = replies.anyOrError() !== undefined;
  if (wasThere || !first) return true;
  // Our lease had ended and somebody has deleted the file in the meantime: what is deleted stays deleted.
  await takeBack(context, { ...stored, file }, page);
  return false;
}

/** A switch that came through after the file's deletion: off every list again; the counters never knew of it. */
async function takeBack(context: IndexContext, stored: StoredFile, page: number): Promise<void> {
  const { file } = stored;
  const byCid = cidTag(file.cid);
  const byOwner = ownerCidTag(file.owner, file.cid);
  await context.connection.multi((c) => {
    c.rename(keys.live(file.number), keys.gone(file.number));
    c.zadd(keys.tombstones, {
      score: file.number,
      member: packTombstone({ number: file.number, deletedAtMs: context.clock.nowMs(), reason: 'deleted' }),
    });
    c.zrem(
      keys.cidBucket(byCid.bucket),
      cidMember(byCid.tag, file.number),
      ownerCidMember(byOwner.tag, file.number, page),
    );
    c.zrem(keys.ownerPage(file.owner, page), file.number);
    if (file.expiresAtMs !== 0) c.zrem(keys.expirySlot(expirySlotOf(file.expiresAtMs)), file.number);
    removeName(c, stored);
    c.del(keys.envelope(file.number));
  });
}

async function release(context: IndexContext, file: FileRecord, lease: Lease): Promise<void> {
  if (mayHaveEnded(context.clock, lease)) return;
  const { tag } = ownerCidTag(file.owner, file.cid);
  await context.connection.write((c) => c.del(keys.fileLease(file.number), keys.commitLease(tag)));
}
