/**
 * An owner's counters and quota: four signed 64-bit numbers side by side in one string (BITFIELD), so that one command
 * of a transaction changes several, as each command is paid for. Files ever committed place the next one in the owner's
 * list. Used by the parts of the file index and by the access index; nothing else touches the key.
 *
 *   0   files now      8   their bytes      16   files ever deleted      24   quota in bytes + 1; 0: none was set
 */
import type { Pipeline } from '@upstash/redis/cloudflare';
import type { OwnerId } from '#shared/primitives/ids.ts';
import { keys } from './keys.ts';
import type { OwnerUsage } from './ports.ts';
import { nonsense, type Replies } from './redis-connection.ts';

const I64 = 'i64';
const FILES = '#0';
const BYTES = '#1';
const DELETED = '#2';
const QUOTA = '#3';

export interface OwnerCounters extends OwnerUsage {
  /** Files ever committed: the next one's place in the owner's list. */
  readonly committed: number;
}

export function askCounters(commands: Pipeline, owner: OwnerId): void {
  const fields = commands.bitfield(keys.usage(owner));
  fields.get(I64, FILES).get(I64, BYTES).get(I64, DELETED).get(I64, QUOTA).exec();
}

/** The reply to `askCounters`. */
export function readCounters(replies: Replies, defaultQuotaBytes: number): OwnerCounters {
  const [files = 0, bytes = 0, deleted = 0, quota = 0] = replies.integers(4).map((value) => Math.max(0, value));
  return { files, bytes, quotaBytes: quota === 0 ? defaultQuotaBytes : quota - 1, committed: files + deleted };
}

/** One file more (1) or one less (-1). */
export function countFile(commands: Pipeline, owner: OwnerId, bytes: number, sign: 1 | -1): void {
  commands
    .bitfield(keys.usage(owner))
    .incrby(I64, FILES, sign)
    .incrby(I64, BYTES, sign * bytes)
    .exec();
}

/** The reply to `countFile`: the owner's bytes now. */
export const readBytesNow = (replies: Replies): number => replies.integers(2)[1] ?? nonsense('a counter');

/** A file moves from those there are to those deleted (1), or back (-1). */
export function countDeleted(commands: Pipeline, owner: OwnerId, bytes: number, sign: 1 | -1): void {
  commands
    .bitfield(keys.usage(owner))
    .incrby(I64, FILES, -sign)
    .incrby(I64, BYTES, -sign * bytes)
    .incrby(I64, DELETED, sign)
    .exec();
}

export function setQuota(commands: Pipeline, owner: OwnerId, quotaBytes: number): void {
  commands
    .bitfield(keys.usage(owner))
    .set(I64, QUOTA, quotaBytes + 1)
    .exec();
}

export function askQuota(commands: Pipeline, owner: OwnerId): void {
  commands.bitfield(keys.usage(owner)).get(I64, QUOTA).exec();
}

/** The reply to `askQuota`: whether one was set. */
export const readHasQuota = (replies: Replies): boolean => replies.integers(1)[0] !== 0;
