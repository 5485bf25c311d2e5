/** Changes to a stored file, each under the file's lease: its expiry and name, and one slot of a segment (repair). */

import { equalBytes } from '#shared/primitives/bytes.ts';
import type { FileNumber } from '#shared/primitives/ids.ts';
import { CHANGING_OFFSET, type Changing, packChanging, packFile, type StoredFile } from './file-record.ts';
import { keys } from './keys.ts';
import { checkInTime, LEASE_MS, type Lease, mayHaveEnded, withLease } from './lease.ts';
import type { FileChange, FileRecord, ShardSlot, ShardState } from './ports.ts';
import { packSlot, parseSlot, SLOT_CHARS, segmentChars, segmentsPerChunk, slotOffset } from './records.ts';
import { countOf, nonsense } from './redis-connection.ts';
import {
  EXPIRY_SLOT_MS,
  expirySlotOf,
  type IndexContext,
  isLive,
  mustParse,
  nameEntryOf,
  removeName,
} from './redis-context.ts';

/** Takes the file's lease and reads its record at the same moment. */
export async function lookUnderLease(
  context: IndexContext,
  file: FileNumber,
): Promise<{ held: boolean; live?: StoredFile; gone?: StoredFile; moved?: FileNumber }> {
  const replies = await context.connection.multi((c) => {
    c.set(keys.fileLease(file), 1, { nx: true, px: LEASE_MS });
    c.mget(keys.live(file), keys.gone(file), keys.moved(file));
  });
  const held = replies.wasSet();
  const [live, gone, moved] = replies.textsOrNulls(3);
  return {
    held,
    ...(live == null && moved != null && { moved: countOf(moved) as FileNumber }),
    ...(live != null && { live: mustParse(file, live) }),
    ...(gone != null && { gone: mustParse(file, gone) }),
  };
}

export async function releaseFile(context: IndexContext, file: FileNumber, lease: Lease): Promise<void> {
  if (mayHaveEnded(context.clock, lease)) return;
  await context.connection.write((c) => c.del(keys.fileLease(file)));
}

export async function changeFile(
  context: IndexContext,
  { number }: Pick<FileRecord, 'number'>,
  change: FileChange,
): Promise<FileRecord | undefined> {
  const done = await withLease(context.clock, async (lease) => {
    const { held, live, moved } = await lookUnderLease(context, number);
    if (!held) return undefined;
    if (!live || !isLive(live.file, context.clock.nowMs())) {
      await releaseFile(context, number, lease);
      return { file: undefined, moved };
    }
    return { file: await applyChange(context, live, change, lease), moved: undefined };
  });
  // Re-coded since the caller read it: it is the same file under another number.
  return done.moved === undefined ? done.file : changeFile(context, { number: done.moved }, change);
}

async function applyChange(
  context: IndexContext,
  stored: StoredFile,
  change: FileChange,
  lease: Lease,
): Promise<FileRecord | undefined> {
  const { file } = stored;
  const { name: oldName, ...nameless } = file;
  const name = change.name === undefined ? oldName : (change.name ?? undefined);
  const expiresAtMs = change.expiresAtMs ?? file.expiresAtMs;
  const changed: FileRecord = { ...nameless, expiresAtMs, ...(name !== undefined && { name }) };
  const namedAtMs = change.name === undefined ? stored.namedAtMs : context.clock.nowMs();
  const text = packFile(changed, { ...stored.changing, expiresAtMs }, stored.inline, namedAtMs);
  checkInTime(context.clock, lease);
  const replies = await context.connection.multi((c) => {
    c.set(keys.live(file.number), text, { xx: true });
    c.del(keys.fileLease(file.number));
    if (expiresAtMs !== file.expiresAtMs) {
      if (file.expiresAtMs !== 0) c.zrem(keys.expirySlot(expirySlotOf(file.expiresAtMs)), file.number);
      if (expiresAtMs !== 0) {
        const score = expiresAtMs % EXPIRY_SLOT_MS;
        c.zadd(keys.expirySlot(expirySlotOf(expiresAtMs)), { score, member: file.number });
      }
    }
    if (change.name === undefined) return;
    removeName(c, stored);
    if (name === undefined) return;
    const { key, member } = nameEntryOf(file, name, namedAtMs);
    c.zadd(key, { score: 0, member });
  });
  return replies.wasSet() ? changed : undefined;
}

const isSameShard = (a: ShardSlot, b: ShardSlot): boolean =>
  a.miner === b.miner && a.placement === b.placement && equalBytes(a.root, b.root);

const delta = (state: ShardState, before: ShardState, after: ShardState): number =>
  Number(after === state) - Number(before === state);

export async function replaceSlot(
  context: IndexContext,
  number: FileNumber,
  segment: number,
  shardIndex: number,
  expected: ShardSlot,
  slot: ShardSlot,
): Promise<boolean> {
  const done = await withLease(context.clock, async (lease) => {
    const { held, live, gone } = await lookUnderLease(context, number);
    if (!held) return undefined;
    const stored = live ?? gone;
    const key = live ? keys.live(number) : keys.gone(number);
    const place = stored && placeOf(stored, key, segment, shardIndex);
    const current = place && (await readSlot(context, stored, place, shardIndex));
    if (!place || !current || !isSameShard(current, expected)) {
      await releaseFile(context, number, lease);
      return { replaced: false };
    }
    const { changing } = stored;
    const next: Changing = {
      ...changing,
      lost: Math.max(0, changing.lost + delta('lost', current.state, slot.state)),
      dropped: Math.max(0, changing.dropped + delta('dropped', current.state, slot.state)),
    };
    checkInTime(context.clock, lease);
    await context.connection.multi((c) => {
      c.setrange(place.key, place.offset, packSlot(slot));
      if (next.lost !== changing.lost || next.dropped !== changing.dropped) {
        c.setrange(key, CHANGING_OFFSET, packChanging(next));
      }
      c.del(keys.fileLease(number));
    });
    return { replaced: true };
  });
  return done.replaced;
}

interface SlotPlace {
  readonly key: string;
  readonly offset: number;
}

function placeOf(stored: StoredFile, key: string, segment: number, shardIndex: number): SlotPlace | undefined {
  const { file } = stored;
  const inFile = segment >= 0 && segment < file.segments && shardIndex >= 0 && shardIndex < file.n;
  if (!inFile || stored.changing.settled) return undefined;
  if (file.segments === 1) return { key, offset: stored.slotsOffset + shardIndex * SLOT_CHARS };
  const per = segmentsPerChunk(file.n);
  const within = (segment % per) * segmentChars(file.n);
  return { key: keys.chunk(file.number, Math.floor(segment / per)), offset: within + slotOffset(shardIndex) };
}

async function readSlot(
  context: IndexContext,
  stored: StoredFile,
  { key, offset }: SlotPlace,
  shardIndex: number,
): Promise<ShardSlot | undefined> {
  if (stored.inline) return stored.inline.slots[shardIndex];
  const replies = await context.connection.read((c) => c.getrange(key, offset, offset + SLOT_CHARS - 1));
  return parseSlot(replies.textOrNull() ?? '') ?? nonsense('a slot');
}
