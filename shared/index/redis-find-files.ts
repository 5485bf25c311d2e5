/**
 * Reading files: by CID, by name, by number, an owner's list, segment records. Every hit of a list is checked against
 * the file's own record, which alone says that a file is there.
 */
import type { Cid, FileNumber, OwnerId } from '#shared/primitives/ids.ts';
import type { StoredFile } from './file-record.ts';
import { keys } from './keys.ts';
import type { FileRecord, Page, SegmentRecord } from './ports.ts';
import { IndexUnavailable } from './ports.ts';
import { parseSegment, segmentChars, segmentsPerChunk } from './records.ts';
import { FILES_PER_PAGE, type IndexContext, isFileOf, isLive, mustParse, readCurrent } from './redis-context.ts';
import { askCounters, readCounters } from './redis-owner-counters.ts';
import { cidTag, nameTag, ownerCidTag, parseCidMember, parseNameMember, prefixRange } from './tags.ts';

/** Hits looked at together. */
const CANDIDATES = 16;
/** Pages of an owner's list, and chunks of segment records, per request. */
const LIST_PAGES = 32;
const CHUNKS = 16;
/** Requests one call may spend on stretches of a list where everything is deleted; then it returns a short page. */
const LIST_ROUNDS = 8;

export async function findFile(context: IndexContext, cid: Cid, owner?: OwnerId): Promise<FileRecord | undefined> {
  const { tag, bucket } = owner === undefined ? cidTag(cid) : ownerCidTag(owner, cid);
  const { min, max } = prefixRange(tag);
  for (let offset = 0; ; offset += CANDIDATES) {
    const limit = { byLex: true, offset, count: CANDIDATES } as const;
    const members = (await context.connection.read((c) => c.zrange(keys.cidBucket(bucket), min, max, limit))).texts();
    const numbers = members.flatMap((member) => parseCidMember(member)?.file ?? []);
    const found = await readCurrent(context, numbers);
    const nowMs = context.clock.nowMs();
    const hit = found.find(({ file }) => isFileOf(file, cid, owner) && isLive(file, nowMs));
    if (hit || members.length < CANDIDATES) return hit?.file;
  }
}

export async function findByName(context: IndexContext, owner: OwnerId, name: string): Promise<FileRecord | undefined> {
  const { tag, bucket } = nameTag(owner, name);
  const { min, max } = prefixRange(tag);
  // Reversed, Redis wants the upper bound first; the client's types know only one order.
  const limit = { byLex: true, rev: true, offset: 0, count: 1 } as const;
  const replies = await context.connection.read((c) => c.zrange(keys.nameBucket(bucket), max, min, limit));
  const [number] = replies.texts().flatMap((member) => parseNameMember(member) ?? []);
  if (number === undefined) return undefined;
  const [found] = await readCurrent(context, [number]);
  const hit = found?.file.owner === owner && found.file.name === name && isLive(found.file, context.clock.nowMs());
  return hit ? found.file : undefined;
}

/** A file's record, live (expired or not) or tombstoned. */
export async function readEither(context: IndexContext, number: FileNumber): Promise<StoredFile | undefined> {
  const replies = await context.connection.read((c) => c.mget(keys.live(number), keys.gone(number)));
  const [live, gone] = replies.textsOrNulls(2);
  const text = live ?? gone;
  return text == null ? undefined : mustParse(number, text);
}

/** Where a list goes on: below this place. */
interface Place {
  readonly page: number;
  /** Score and number of the last file returned; none: the whole page. */
  readonly score?: number;
  readonly number?: number;
}

function parseCursor(cursor: string): Place | undefined {
  const match = /^([0-9]{1,12})(?:\.([0-9]{1,15})\.([0-9]{1,15}))?$/.exec(cursor);
  if (!match) return undefined;
  const page = Number(match[1]);
  return match[2] === undefined ? { page } : { page, score: Number(match[2]), number: Number(match[3]) };
}

const isBelow = (entry: { score: number; number: number }, place: Place): boolean =>
  place.score === undefined ||
  entry.score < place.score ||
  (entry.score === place.score && entry.number < (place.number ?? 0));

/** A cursor that is none of ours gives an empty last page. */
export async function listFiles(
  context: IndexContext,
  owner: OwnerId,
  cursor: string | undefined,
  limit: number,
): Promise<Page<FileRecord>> {
  let place: Place | undefined;
  if (cursor === undefined) {
    const replies = await context.connection.read((c) => askCounters(c, owner));
    place = { page: Math.floor(readCounters(replies, context.defaultQuotaBytes).committed / FILES_PER_PAGE) };
  } else place = parseCursor(cursor);
  const items: FileRecord[] = [];
  for (let round = 0; place && round < LIST_ROUNDS; round++) {
    const step: ListStep = await readList(context, owner, place, limit - items.length);
    items.push(...step.files);
    place = step.next;
    if (place && items.length >= limit) break;
  }
  if (!place) return { items };
  const { page, score, number } = place;
  return { items, next: score === undefined ? `${page}` : `${page}.${score}.${number}` };
}

interface ListStep {
  readonly files: readonly FileRecord[];
  readonly next: Place | undefined;
}

async function readList(context: IndexContext, owner: OwnerId, from: Place, limit: number): Promise<ListStep> {
  const pages: number[] = [];
  // Enough pages for what is wanted if they are full, and at most LIST_PAGES of them once they prove sparse.
  const wanted = Math.min(LIST_PAGES, Math.ceil(limit / FILES_PER_PAGE) + 1);
  for (let page = from.page; page >= 0 && pages.length < wanted; page--) pages.push(page);
  const replies = await context.connection.read((c) => {
    for (const page of pages) c.zrange(keys.ownerPage(owner, page), 0, -1, { withScores: true });
  });
  const entries: { page: number; score: number; number: number }[] = [];
  for (const page of pages) {
    const texts = replies.texts();
    const onPage: typeof entries = [];
    for (let i = 0; i + 1 < texts.length; i += 2) {
      const [number, score] = [Number(texts[i]), Number(texts[i + 1])];
      if (!Number.isSafeInteger(number) || !Number.isSafeInteger(score))
        throw new IndexUnavailable('a list is garbage');
      if (page !== from.page || isBelow({ score, number }, from)) onPage.push({ page, score, number });
    }
    entries.push(...onPage.sort((a, b) => b.score - a.score || b.number - a.number));
  }
  const taken = entries.slice(0, limit);
  const stored = await readCurrent(
    context,
    taken.map((entry) => entry.number as FileNumber),
  );
  const nowMs = context.clock.nowMs();
  const files = stored.map(({ file }) => file).filter((file) => file.owner === owner && isLive(file, nowMs));
  const last = taken.at(-1);
  if (last && taken.length < entries.length) return { files, next: last };
  const nextPage = from.page - pages.length;
  return { files, next: nextPage >= 0 ? { page: nextPage } : undefined };
}

export async function readSegments(
  context: IndexContext,
  file: Pick<FileRecord, 'number' | 'n' | 'segments'>,
  from: number,
  count: number,
): Promise<readonly SegmentRecord[]> {
  const end = Math.min(file.segments, from + count);
  if (from >= end) return [];
  if (file.segments === 1) {
    const stored = await readEither(context, file.number);
    if (!stored?.inline) throw new IndexUnavailable('the segment record is not there');
    return [stored.inline];
  }
  const per = segmentsPerChunk(file.n);
  const records: SegmentRecord[] = [];
  while (from + records.length < end) {
    const start = from + records.length;
    const stop = Math.min(end, (Math.floor(start / per) + CHUNKS) * per);
    records.push(...(await readRun(context, file, start, stop, per)));
  }
  return records;
}

/** Segments [start, stop), in at most CHUNKS chunks. */
async function readRun(
  context: IndexContext,
  file: Pick<FileRecord, 'number' | 'n'>,
  start: number,
  stop: number,
  per: number,
): Promise<SegmentRecord[]> {
  const chars = segmentChars(file.n);
  const runs: { chunk: number; from: number; to: number }[] = [];
  for (let at = start; at < stop; at = (Math.floor(at / per) + 1) * per) {
    const chunk = Math.floor(at / per);
    runs.push({ chunk, from: at - chunk * per, to: Math.min(per, stop - chunk * per) });
  }
  const replies = await context.connection.read((c) => {
    for (const { chunk, from, to } of runs) c.getrange(keys.chunk(file.number, chunk), from * chars, to * chars - 1);
  });
  return runs.flatMap(({ from, to }) => {
    const text = replies.textOrNull() ?? '';
    return Array.from({ length: to - from }, (_, i) => {
      const record = parseSegment(text.slice(i * chars, (i + 1) * chars), file.n);
      if (!record) throw new IndexUnavailable('a segment record is not there or is garbage');
      return record;
    });
  });
}
