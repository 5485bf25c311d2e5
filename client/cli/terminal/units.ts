/** How sizes, times and rates are written for people, and read from them. Pure. */

const UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'] as const;

/** "0 B", "1.5 KiB", "12 MiB": three figures at most. */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 1024 && unit < UNITS.length - 1) {
    value /= 1024;
    unit += 1;
  }
  // 1023.96 KiB would be written as 1024.0 KiB.
  if (unit > 0 && value >= 999.95 && value < 1024) return `${Math.round(value)} ${UNITS[unit]}`;
  const digits = unit === 0 || value >= 100 ? 0 : 1;
  return `${value.toFixed(digits).replace(/\.0$/, '')} ${UNITS[unit]}`;
}

export const formatRate = (bytesPerSecond: number): string => `${formatBytes(Math.round(bytesPerSecond))}/s`;

/** "0.4 s", "12 s", "1 min 05 s", "2 h 03 min", "3 d 4 h". */
export function formatDuration(ms: number): string {
  if (ms >= 0 && ms < 9950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.max(0, Math.round(ms / 1000));
  const two = (value: number) => String(value).padStart(2, '0');
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return `${minutes} min ${two(seconds % 60)} s`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${two(minutes % 60)} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** "2026-11-22 19:04" in UTC. */
export const formatTime = (iso: string): string => iso.slice(0, 16).replace('T', ' ');

const SECONDS = { s: 1, m: 60, h: 3600, d: 86_400, w: 604_800, y: 31_536_000 } as const;
const DURATION = /^(\d{1,9})([smhdwy]?)$/;

/** Seconds of "90", "90s", "15m", "12h", "30d", "2w", "1y"; undefined for anything else. */
export function parseDuration(text: string): number | undefined {
  const [, count, unit] = DURATION.exec(text) ?? [];
  if (count === undefined) return undefined;
  return Number(count) * SECONDS[(unit || 's') as keyof typeof SECONDS];
}

const SIZE = /^(\d{1,15})(?:([KMGT])(?:iB)?|B)?$/;
const POWERS = { K: 1, M: 2, G: 3, T: 4 } as const;

/** Bytes of "1000", "64K", "64KiB", "5M", "1G"; powers of 1024; undefined for anything else. */
export function parseBytes(text: string): number | undefined {
  const [, count, unit] = SIZE.exec(text) ?? [];
  if (count === undefined) return undefined;
  const bytes = Number(count) * 1024 ** (unit === undefined ? 0 : POWERS[unit as keyof typeof POWERS]);
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

export interface ByteRange {
  readonly first: number;
  /** Inclusive; absent: to the end. */
  readonly last: number | undefined;
}

/** "0-1023" or "1024-", bytes counted from 0 and both ends included, as in HTTP. */
export function parseByteRange(text: string): ByteRange | undefined {
  const [, first, last] = /^(\d{1,15})-(\d{1,15})?$/.exec(text) ?? [];
  if (first === undefined) return undefined;
  const range = { first: Number(first), last: last === undefined ? undefined : Number(last) };
  return range.last !== undefined && range.last < range.first ? undefined : range;
}
