/**
 * `UploadIndex` over Redis. Why a session ends in one way only: field `c` of `w:FILE` is written with HSETNX, by a
 * completion or an abort. A completion names which sending of each part it takes, and the records of a sending are never
 * written again (`ws:…:ATTEMPT:…`), so that completions at the same time, or one after a crash, write the same chunks
 * and commit the same file; a part that is sent again meanwhile changes nothing of it. Parts become visible with one
 * MULTI/EXEC. Every key but the intent ends by itself an hour after the session; the intent is the tenant's to expire.
 */

import { segmentCount } from '#shared/codec/segment.ts';
import type { FileNumber } from '#shared/primitives/ids.ts';
import { keys } from './keys.ts';
import { type FileRecord, IndexUnavailable, type SegmentRecord } from './ports.ts';
import { packSegment, parseSegment, segmentChars, segmentsPerChunk } from './records.ts';
import { commitStaged } from './redis-commit-file.ts';
import { countOf, nonsense } from './redis-connection.ts';
import type { IndexContext } from './redis-context.ts';
import { stageSegment } from './redis-stage-segment.ts';
import { StagedUpload } from './staged-uploads.ts';
import type { PartRecord, UploadCompletion, UploadIndex, UploadSession, UploadState } from './upload-ports.ts';
import { packEnd, packPart, packSession, parseEnd, parsePart, parseSession } from './upload-records.ts';

/** The tenant gives a session's intent up so long after its end: nobody can be committing it any more (`lease.ts`). */
const INTENT_GRACE_MS = 60_000;
/** For so long after a session's end its keys still answer. */
const KEPT_MS = 3_600_000;
const FIELDS = ['s', 'c', 'd'] as const;
/** Keys deleted, and pieces read, with one request. */
const KEYS_AT_ONCE = 500;
const PIECES_AT_ONCE = 8;
const PARTS_PER_PAGE = 500;

const segmentsOf = (session: UploadSession, bytes: number): number => segmentCount(bytes, session.segmentBytes);

/** Bytes of a part of a file of so many. */
const partLength = ({ partBytes }: UploadSession, part: number, fileBytes: number): number =>
  Math.min(partBytes, fileBytes - (part - 1) * partBytes);

/** Keys of one sending of a part with so many segments. */
function piecesOf(session: UploadSession, part: number, attempt: number, segments: number): readonly string[] {
  const length = Math.ceil(segments / segmentsPerChunk(session.n));
  return Array.from({ length }, (_, piece) => keys.sentPart(session.number, part, attempt, piece));
}

function stateOf(number: FileNumber, fields: readonly (string | null)[]): UploadState | undefined {
  const [text, endText, stored] = fields;
  if (text == null) return undefined;
  const session = parseSession(number, text) ?? nonsense('an upload session');
  const end = endText == null ? undefined : (parseEnd(endText) ?? nonsense('the end of an upload session'));
  return { session, ...(end && { end }), stored: stored === '1' };
}

/** A part that is sent again while its chain is added may stand there twice: the later sending counts. */
function partsOf(texts: readonly string[]): PartRecord[] {
  const parts = new Map<number, PartRecord>();
  for (const text of texts) {
    const part = parsePart(text) ?? nonsense('a part');
    const known = parts.get(part.number);
    if (!known || known.attempt < part.attempt || (known.attempt === part.attempt && part.chain)) {
      parts.set(part.number, part);
    }
  }
  return [...parts.values()];
}

async function endUpload(context: IndexContext, session: UploadSession, text: string): Promise<string> {
  const key = keys.session(session.number);
  const replies = await context.connection.multi((c) => {
    c.hsetnx(key, 'c', text);
    c.hget(key, 'c');
    c.pexpire(key, keepMs(context, session));
  });
  return replies.skip().textOrNull() ?? nonsense('the end of an upload session');
}

const keepMs = ({ clock }: IndexContext, session: UploadSession): number =>
  Math.max(1, session.endsAtMs + KEPT_MS - clock.nowMs());

async function removeKeys(context: IndexContext, names: readonly string[]): Promise<void> {
  for (let from = 0; from < names.length; from += KEYS_AT_ONCE) {
    await context.connection.write((c) => c.del(...names.slice(from, from + KEYS_AT_ONCE)));
  }
}

/** Before an upload's chunks are removed: nobody commits it as a session any more. */
export async function abortSession(context: IndexContext, number: FileNumber, text: string): Promise<void> {
  const session = parseSession(number, text) ?? nonsense('an upload session');
  if (context.clock.nowMs() < session.endsAtMs) await endUpload(context, session, packEnd('aborted'));
}

export function createRedisUploadIndex(context: IndexContext): UploadIndex {
  const { connection, clock, numbers } = context;

  async function listParts(number: FileNumber, from: number, limit: number): Promise<readonly PartRecord[]> {
    const parts: PartRecord[] = [];
    for (let next = from; parts.length < limit; next = (parts.at(-1)?.number ?? next) + 1) {
      const count = limit - parts.length;
      const range = { byScore: true, offset: 0, count } as const;
      const replies = await connection.read((c) => c.zrange(keys.sessionParts(number), next, '+inf', range));
      const texts = replies.texts();
      parts.push(...partsOf(texts));
      if (texts.length < count) break;
    }
    return parts;
  }

  async function readSent(session: UploadSession, part: number, attempt: number, segments: number) {
    const names = piecesOf(session, part, attempt, segments);
    const records: SegmentRecord[] = [];
    const chars = segmentChars(session.n);
    for (let from = 0; from < names.length; from += PIECES_AT_ONCE) {
      const some = names.slice(from, from + PIECES_AT_ONCE);
      const texts = (await connection.read((c) => c.mget(...some))).textsOrNulls(some.length);
      for (const text of texts) {
        if (text == null) return undefined;
        for (let at = 0; at < text.length; at += chars) {
          records.push(parseSegment(text.slice(at, at + chars), session.n) ?? nonsense('a segment record'));
        }
      }
    }
    return records.length === segments ? records : nonsense('the segments of a part');
  }

  async function findPart(number: FileNumber, part: number): Promise<PartRecord | undefined> {
    const texts = (
      await connection.read((c) => c.zrange(keys.sessionParts(number), part, part, { byScore: true }))
    ).texts();
    return partsOf(texts)[0];
  }

  const uploads: UploadIndex = {
    async openUpload(opened, maxOpen) {
      const own = keys.ownerSessions(opened.owner);
      const nowMs = clock.nowMs();
      const before = await connection.write((c) => {
        c.zremrangebyscore(own, 0, nowMs);
        c.zcard(own);
      });
      if (before.skip().integer() >= maxOpen) return undefined;
      const session: UploadSession = { ...opened, number: await numbers.take() };
      const key = keys.session(session.number);
      const replies = await connection.multi((c) => {
        c.zadd(keys.uploads, { score: session.endsAtMs + INTENT_GRACE_MS, member: session.number });
        c.hset(key, { s: packSession(session) });
        c.pexpire(key, keepMs(context, session));
        c.zadd(own, { score: session.endsAtMs, member: session.number });
        c.pexpire(own, keepMs(context, session));
      });
      replies.skip(5);
      return session;
    },

    async readUpload(number) {
      const replies = await connection.read((c) => c.hmget(keys.session(number), ...FIELDS));
      return stateOf(number, replies.textsOrNulls(FIELDS.length));
    },

    async openUploads(owner) {
      const range = { byScore: true } as const;
      const texts = (
        await connection.read((c) => c.zrange(keys.ownerSessions(owner), `(${clock.nowMs()}`, '+inf', range))
      ).texts();
      if (texts.length === 0) return [];
      const found = texts.map((text) => countOf(text) as FileNumber);
      const replies = await connection.read((c) => {
        for (const number of found) c.hmget(keys.session(number), ...FIELDS);
      });
      return found.flatMap((number) => {
        const state = stateOf(number, replies.textsOrNulls(FIELDS.length));
        return state && !state.end && state.session.owner === owner ? [state.session] : [];
      });
    },

    async beginPart(session, part) {
      const key = keys.session(session.number);
      const replies = await connection.multi((c) => {
        c.hincrby(key, `a${part}`, 1);
        c.pexpire(key, keepMs(context, session));
      });
      return replies.integer() - 1;
    },

    async putPart(session, part, segments) {
      const per = segmentsPerChunk(session.n);
      const names = piecesOf(session, part.number, part.attempt, segments.length);
      const parts = keys.sessionParts(session.number);
      const member = packPart(part);
      const px = keepMs(context, session);
      const replies = await connection.multi((c) => {
        c.hmget(keys.session(session.number), ...FIELDS);
        names.forEach((name, piece) => {
          const records = segments.slice(piece * per, (piece + 1) * per);
          c.set(name, records.map((record) => packSegment(record)).join(''), { px });
        });
        c.zremrangebyscore(parts, part.number, part.number);
        c.zadd(parts, { score: part.number, member });
        c.pexpire(parts, px);
      });
      const state = stateOf(session.number, replies.textsOrNulls(FIELDS.length));
      const replaced = replies.skip(names.length).integer() > 0;
      const end = state?.end;
      if (state && !end) return { outcome: 'stored', replaced };
      // Asked again after a lost answer, in between a completion has taken this very sending.
      if (end && end !== 'aborted' && end.attempts[part.number - 1] === part.attempt) {
        return { outcome: 'stored', replaced: false };
      }
      await connection.write((c) => {
        c.del(...names);
        c.zrem(parts, member);
      });
      return { outcome: 'ended' };
    },

    async chainPart(session, part) {
      const found = await findPart(session.number, part.number);
      if (found?.attempt !== part.attempt) return;
      const parts = keys.sessionParts(session.number);
      const replies = await connection.multi((c) => {
        c.zrem(parts, packPart(found));
        c.zadd(parts, { score: part.number, member: packPart(part) });
        c.pexpire(parts, keepMs(context, session));
      });
      replies.skip(3);
    },

    listParts,

    async readPart(session, part, attempt) {
      const found = await findPart(session.number, part);
      if (found?.attempt !== attempt) return undefined;
      return readSent(session, part, attempt, segmentsOf(session, found.bytes));
    },

    async endUpload(session, end) {
      return parseEnd(await endUpload(context, session, packEnd(end))) ?? nonsense('the end of an upload session');
    },

    async commitUpload(session, completion) {
      const { number, fileId, owner } = session;
      const upload = new StagedUpload({ owner, fileId, expiresAtMs: session.endsAtMs }, true);
      let segment = 0;
      for (const [index, attempt] of completion.attempts.entries()) {
        const count = segmentsOf(session, partLength(session, index + 1, completion.bytes));
        const records = await readSent(session, index + 1, attempt, count);
        if (!records) throw new IndexUnavailable(`part ${index + 1} is not there any more`);
        for (const record of records) await stageSegment(context, number, upload, segment++, record);
      }
      const outcome = await commitStaged(context, fileOf(session, completion, segment), upload);
      if (outcome.outcome !== 'over-quota') {
        await connection.multi((c) => {
          c.hset(keys.session(number), { d: 1 });
          c.pexpire(keys.session(number), keepMs(context, session));
        });
      }
      return outcome;
    },

    async clearUpload(session) {
      const { number, owner } = session;
      const names: string[] = [];
      for (let from = 1; ; ) {
        const page = await listParts(number, from, PARTS_PER_PAGE);
        for (const part of page)
          names.push(...piecesOf(session, part.number, part.attempt, segmentsOf(session, part.bytes)));
        const last = page.at(-1);
        if (!last || page.length < PARTS_PER_PAGE) break;
        from = last.number + 1;
      }
      await removeKeys(context, names);
      await connection.multi((c) => {
        c.del(keys.sessionParts(number));
        c.zrem(keys.ownerSessions(owner), number);
        c.zrem(keys.uploads, number);
      });
    },
  };
  return uploads;
}

function fileOf(session: UploadSession, completion: UploadCompletion, segments: number): FileRecord {
  const { number, fileId, owner, k, n, segmentBytes, codingId, maskEpoch, name, contentType } = session;
  const { cid, bytes, createdAtMs, expiresAtMs } = completion;
  return {
    ...{ number, fileId, owner, cid, bytes, k, n, segmentBytes, segments, codingId, maskEpoch },
    ...{ createdAtMs, expiresAtMs },
    ...(name !== undefined && { name }),
    ...(contentType !== undefined && { contentType }),
  };
}
