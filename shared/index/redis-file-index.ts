/**
 * `FileIndex` over Redis; the parts are in `redis-*-file.ts` and `redis-find-files.ts`, the keys in `keys.ts`.
 *
 * Why a crash at any point leaves the whole file or nothing: a file is live if and only if its record `f:FILE` is
 * there. Commit, delete and re-coding are one MULTI/EXEC each, which writes or renames that record together with every list
 * entry, counter and intent. What was staged before is under the upload's own number, found by its intent. A lost
 * answer is cleared up by asking for the record again; a lease left behind ends by itself.
 *
 * Why concurrent callers do not harm each other: list members name their file, so nobody writes another's; reading and
 * taking the lease are one transaction. A writer that came through after its lease ended (`lease.ts`: the index would
 * have to sleep on a request for seconds after its client left) notices: a commit that took as long as its lease looks
 * again and yields to the other file; a second count of the same number finds its record there (NX) or gone (RENAME
 * fails) and is taken back. Only such a writer that also dies in that moment leaves a trace: a second, consistent file
 * of the same bytes, which goes when its owner deletes the CID, or a counter that is off by one file.
 */

import { fromHex, toHex } from '#shared/primitives/bytes.ts';
import { systemRandom } from '#shared/primitives/effects.ts';
import type { FileNumber } from '#shared/primitives/ids.ts';
import { keys } from './keys.ts';
import { type FileIndex, IndexUnavailable, type UploadIntent } from './ports.ts';
import { packStray, parseStray } from './records.ts';
import { changeFile, replaceSlot } from './redis-change-file.ts';
import { abandon, commitFile } from './redis-commit-file.ts';
import { countOf, nonsense } from './redis-connection.ts';
import { type IndexContext, isLive, readStored } from './redis-context.ts';
import { readEnvelopes, writeEnvelope } from './redis-envelope.ts';
import { expiredFiles } from './redis-expired-files.ts';
import { findByName, findFile, listFiles, readEither, readSegments } from './redis-find-files.ts';
import { liveFiles } from './redis-live-files.ts';
import { askCounters, readCounters } from './redis-owner-counters.ts';
import { createReceiptList } from './redis-receipts.ts';
import { deleteFile, deletion, settleTombstone, tombstones } from './redis-remove-file.ts';
import { replaceFile } from './redis-replace-file.ts';
import { stageSegment } from './redis-stage-segment.ts';
import { abortSession } from './redis-upload-index.ts';

/** Strays kept when nobody takes them (6 MB); the oldest go, and collection finds them all the same. */
export const MAX_STRAYS = 100_000;
const STRAYS_PER_PUSH = 1000;

export function createRedisFileIndex(context: IndexContext): FileIndex {
  const { connection, clock, staged, numbers } = context;
  /** Appends, and trims to the newest `max` when that was too much. */
  async function pushBounded(key: string, values: readonly string[], max: number): Promise<void> {
    const length = (await connection.write((c) => c.rpush(key, ...values))).integer();
    if (length > max) await connection.write((c) => c.ltrim(key, -max, -1));
  }

  return {
    async beginUpload(intent: UploadIntent) {
      const file = await numbers.take();
      (await connection.write((c) => c.zadd(keys.uploads, { score: intent.expiresAtMs, member: file }))).integer();
      staged.open(file, intent, clock.nowMs());
      return file;
    },
    async stageSegment(file, segment, record) {
      const upload = staged.find(file);
      if (!upload) throw new IndexUnavailable('this upload was not begun here');
      staged.checkRoom();
      await stageSegment(context, file, upload, segment, record);
    },
    commitFile: (file) => commitFile(context, file),
    async abandonUpload(file) {
      const replies = await connection.read((c) => {
        c.hget(keys.uploadChunks, `${file}`);
        c.hmget(keys.session(file), 's', 'x');
      });
      const written = countOf(replies.textOrNull());
      const [session, writtenBySession] = replies.textsOrNulls(2);
      if (session != null) await abortSession(context, file, session);
      await abandon(context, file, Math.max(written, countOf(writtenBySession ?? null)));
    },

    findFile: (cid, owner) => findFile(context, cid, owner),
    findByName: (owner, name) => findByName(context, owner, name),
    async readFile(file) {
      const [found] = await readStored(context, [file]);
      return found && isLive(found.file, clock.nowMs()) ? found.file : undefined;
    },
    readSegments: (file, from, count) => readSegments(context, file, from, count),
    listFiles: (owner, cursor, limit) => listFiles(context, owner, cursor, limit),
    async usage(owner) {
      const replies = await connection.read((c) => askCounters(c, owner));
      const { files, bytes, quotaBytes } = readCounters(replies, context.defaultQuotaBytes);
      return { files, bytes, quotaBytes };
    },
    changeFile: (file, change) => changeFile(context, file, change),
    writeEnvelope: (file, revision, envelope, revisionOf) =>
      writeEnvelope(context, file, revision, envelope, revisionOf),
    readEnvelopes: (files) => readEnvelopes(context, files),
    deleteFile: (file, reason) => deleteFile(context, file, reason),
    deletion: (owner, cid) => deletion(context, owner, cid),
    replaceSlot: (file, segment, shardIndex, expected, slot) =>
      replaceSlot(context, file, segment, shardIndex, expected, slot),

    replaceFile: (file, recoding) => replaceFile(context, file, recoding),
    expiredFiles: (nowMs, limit) => expiredFiles(context, nowMs, limit),
    liveFiles: (cursor, limit) => liveFiles(context, cursor, limit),
    tombstones: (cursor, limit) => tombstones(context, cursor, limit),
    async readAnyFile(file) {
      const stored = await readEither(context, file);
      return stored && !stored.changing.settled ? stored.file : undefined;
    },
    settleTombstone: (file) => settleTombstone(context, file),
    async expiredUploads(nowMs, limit) {
      const range = { byScore: true, offset: 0, count: limit } as const;
      const replies = await connection.read((c) => c.zrange(keys.uploads, 0, nowMs, range));
      return replies.texts().map((text) => countOf(text) as FileNumber);
    },
    async uploadOpen(file) {
      return (await connection.read((c) => c.zscore(keys.uploads, file))).textOrNull() !== null;
    },

    async addStrays(strays) {
      for (let from = 0; from < strays.length; from += STRAYS_PER_PUSH) {
        const values = strays.slice(from, from + STRAYS_PER_PUSH).map(packStray);
        await pushBounded(keys.strays, values, MAX_STRAYS);
      }
    },
    async takeStrays(limit) {
      if (limit <= 0) return [];
      const taken = (await connection.write((c) => c.lpop(keys.strays, limit))).any();
      if (taken === null) return [];
      if (!Array.isArray(taken)) return nonsense('a list');
      return taken.map((text) => (typeof text === 'string' && parseStray(text)) || nonsense('a stray'));
    },
    ...createReceiptList(connection),

    async maskCheck(maskEpoch) {
      const text = (await connection.read((c) => c.hget(keys.maskChecks, `${maskEpoch}`))).textOrNull();
      return text === null ? undefined : (fromHex(text) ?? nonsense('a check value'));
    },
    async claimMaskCheck(maskEpoch, check) {
      const text = toHex(check);
      const replies = await connection.multi((c) => {
        c.hsetnx(keys.maskChecks, `${maskEpoch}`, text);
        c.hget(keys.maskChecks, `${maskEpoch}`);
      });
      const kept = replies.skip().textOrNull();
      return kept === null ? nonsense('a check value') : kept === text;
    },

    async identity() {
      const read = () => connection.read((c) => c.hmget(keys.identity, 'id', 'epoch'));
      let [id, epoch] = (await read()).textsOrNulls(2);
      if (id == null || epoch == null) {
        const made = await connection.multi((c) => {
          c.hsetnx(keys.identity, 'id', toHex(systemRandom(16)));
          c.hsetnx(keys.identity, 'epoch', 0);
        });
        made.skip(2);
        [id, epoch] = (await read()).textsOrNulls(2);
      }
      if (id == null || epoch == null) return nonsense('an identity');
      return { id, epoch: countOf(epoch) };
    },
    async advanceEpoch() {
      return (await connection.write((c) => c.hincrby(keys.identity, 'epoch', 1))).integer();
    },
  };
}
