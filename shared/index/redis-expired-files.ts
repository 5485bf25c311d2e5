/**
 * Files whose expiry has come. Entries lie in sets of two minutes; a cursor says which sets are done with, so that a
 * call reads a handful of sets, however many files there are.
 */
import type { FileNumber } from '#shared/primitives/ids.ts';
import { keys } from './keys.ts';
import type { FileRecord } from './ports.ts';
import { countOf } from './redis-connection.ts';
import { EXPIRY_SLOT_MS, expirySlotOf, type IndexContext, readStored } from './redis-context.ts';

/** Sets per request, and requests per call: 17 days of standstill are caught up in one call. */
const SLOTS = 192;
const ROUNDS = 64;
/** The cursor stays so many sets behind, since an edge's clock may be behind ours: 30 minutes. */
const SLOTS_BEHIND = 15;

export async function expiredFiles(
  context: IndexContext,
  nowMs: number,
  limit: number,
): Promise<readonly FileRecord[]> {
  const { connection } = context;
  const nowSlot = expirySlotOf(nowMs);
  const cursor = (await connection.read((c) => c.get(keys.expiryCursor))).textOrNull();
  if (cursor === null || limit <= 0) return [];
  const files: FileRecord[] = [];
  let slot = countOf(cursor);
  let doneBefore = slot;
  for (let round = 0; round < ROUNDS && slot <= nowSlot && files.length < limit; round++) {
    const slots = Array.from({ length: Math.min(SLOTS, nowSlot - slot + 1) }, (_, i) => slot + i);
    const replies = await connection.read((c) => {
      const range = { byScore: true, offset: 0, count: limit } as const;
      for (const each of slots) {
        const last = each === nowSlot ? nowMs % EXPIRY_SLOT_MS : EXPIRY_SLOT_MS;
        c.zrange(keys.expirySlot(each), 0, last, range);
      }
    });
    for (const each of slots) {
      const numbers = replies.texts().map((text) => countOf(text) as FileNumber);
      if (numbers.length > 0) files.push(...(await dueOf(context, each, numbers, nowMs)));
      else if (each === doneBefore) doneBefore++;
      if (files.length >= limit) break;
    }
    slot += slots.length;
  }
  const newCursor = Math.min(doneBefore, nowSlot - SLOTS_BEHIND);
  if (newCursor > countOf(cursor)) await connection.write((c) => c.set(keys.expiryCursor, newCursor));
  return files.slice(0, limit);
}

/** The files of these entries that are really due; entries without such a file go. */
async function dueOf(
  context: IndexContext,
  slot: number,
  numbers: readonly FileNumber[],
  nowMs: number,
): Promise<FileRecord[]> {
  const stored = await readStored(context, numbers);
  const inSlot = stored.filter(({ file }) => file.expiresAtMs !== 0 && expirySlotOf(file.expiresAtMs) === slot);
  const known = new Set(inSlot.map(({ file }) => file.number));
  const stale = numbers.filter((number) => !known.has(number));
  if (stale.length > 0) await context.connection.write((c) => c.zrem(keys.expirySlot(slot), ...stale));
  return inSlot.map(({ file }) => file).filter((file) => file.expiresAtMs <= nowMs);
}
