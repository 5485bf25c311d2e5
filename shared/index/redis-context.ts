/** What the parts of the Redis file index share, and the reads that most of them begin with. */
import type { Pipeline } from '@upstash/redis/cloudflare';
import type { Clock } from '#shared/primitives/effects.ts';
import type { Cid, FileNumber, OwnerId } from '#shared/primitives/ids.ts';
import type { FileNumbers } from './file-numbers.ts';
import { parseFile, type StoredFile } from './file-record.ts';
import { keys } from './keys.ts';
import type { FileRecord } from './ports.ts';
import { countOf, nonsense, type RedisConnection } from './redis-connection.ts';
import type { StagedUploads } from './staged-uploads.ts';
import { nameMember, nameTag } from './tags.ts';

export interface IndexContext {
  readonly connection: RedisConnection;
  readonly clock: Clock;
  readonly staged: StagedUploads;
  readonly numbers: FileNumbers;
  /** Quota of an owner to whom none was set. */
  readonly defaultQuotaBytes: number;
}

/** Files on one page of an owner's list. */
export const FILES_PER_PAGE = 64;

/** A record's text as the file it must be. */
export function mustParse(number: FileNumber, text: string): StoredFile {
  return parseFile(number, text) ?? nonsense("a file's record");
}

/** The records of these files that are in the index as live, expired ones included, in the order asked. */
export async function readStored(context: IndexContext, numbers: readonly FileNumber[]): Promise<StoredFile[]> {
  if (numbers.length === 0) return [];
  const replies = await context.connection.read((c) => c.mget(...numbers.map((number) => keys.live(number))));
  const texts = replies.textsOrNulls(numbers.length);
  return numbers.flatMap((number, i) => {
    const text = texts[i];
    return text == null ? [] : [mustParse(number, text)];
  });
}

/** The same, and where a file was re-coded between a caller's reading of a list and now, what it is now. */
export async function readCurrent(context: IndexContext, numbers: readonly FileNumber[]): Promise<StoredFile[]> {
  const found = await readStored(context, numbers);
  if (found.length === numbers.length) return found;
  const byNumber = new Map(found.map((stored) => [stored.file.number, stored]));
  const missing = numbers.filter((number) => !byNumber.has(number));
  const replies = await context.connection.read((c) => c.mget(...missing.map((number) => keys.moved(number))));
  const moved = new Map<FileNumber, FileNumber>();
  for (const [i, text] of replies.textsOrNulls(missing.length).entries()) {
    if (text != null) moved.set(missing[i] as FileNumber, countOf(text) as FileNumber);
  }
  if (moved.size === 0) return found;
  const current = numbers.map((number) => moved.get(number) ?? number);
  return readCurrent(
    context,
    current.filter((number) => byNumber.has(number) || [...moved.values()].includes(number)),
  );
}

/** Expired files are not live, collected or not. */
export const isLive = (file: FileRecord, nowMs: number): boolean => file.expiresAtMs === 0 || file.expiresAtMs > nowMs;

export const isFileOf = (file: FileRecord, cid: Cid, owner?: OwnerId): boolean =>
  file.cid === cid && (owner === undefined || file.owner === owner);

/**
 * Expiry entries: the two minutes they fall in, and the milliseconds within. At a file a second that is 120 entries,
 * which Redis still keeps as one compact list (`zset-max-listpack-entries` 128 by default).
 */
export const EXPIRY_SLOT_MS = 120_000;
export const expirySlotOf = (expiresAtMs: number): number => Math.floor(expiresAtMs / EXPIRY_SLOT_MS);

/** Where the member that gives a file its name stands, and the range of members that gave it to older files. */
export function nameEntryOf(file: FileRecord, name: string, namedAtMs: number) {
  const { tag, bucket } = nameTag(file.owner, name);
  const member = nameMember(tag, namedAtMs, file.number);
  return { key: keys.nameBucket(bucket), member, older: { min: `[${tag}`, max: `(${member}` } } as const;
}

/** Takes a file's name away; it does not fall back to an older file. */
export function removeName(commands: Pipeline, stored: StoredFile): void {
  if (stored.file.name === undefined) return;
  const { key, member, older } = nameEntryOf(stored.file, stored.file.name, stored.namedAtMs);
  commands.zrem(key, member);
  commands.zremrangebylex(key, older.min, older.max);
}
