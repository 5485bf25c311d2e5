/**
 * All live files in order of their numbers, for the tenant's surveys: numbers are dense enough that asking for a run of
 * them is a page, and no list of all files has to be kept.
 */
import type { FileNumber } from '#shared/primitives/ids.ts';
import { keys } from './keys.ts';
import type { FileRecord, Page } from './ports.ts';
import { countOf } from './redis-connection.ts';
import { type IndexContext, readStored } from './redis-context.ts';

/** Numbers that one call may pass over where nothing is live; then it returns a short page. */
const MAX_NUMBERS = 1024;

export async function liveFiles(
  context: IndexContext,
  cursor: string | undefined,
  limit: number,
): Promise<Page<FileRecord>> {
  const last = countOf((await context.connection.read((c) => c.get(keys.nextNumber))).textOrNull());
  const first = cursor !== undefined && /^[0-9]{1,13}$/.test(cursor) ? Number(cursor) + 1 : 1;
  const items: FileRecord[] = [];
  let next = first;
  while (next <= last && next < first + MAX_NUMBERS && items.length < limit) {
    const count = Math.min(limit - items.length, last - next + 1);
    const numbers = Array.from({ length: count }, (_, i) => (next + i) as FileNumber);
    for (const { file } of await readStored(context, numbers)) items.push(file);
    next += count;
  }
  return next <= last ? { items, next: `${next - 1}` } : { items };
}
