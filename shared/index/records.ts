/**
 * Segment records as the index keeps them: base64 text (REST carries text) whose parts fall on character borders, so
 * that one slot can be replaced in place.
 *
 *   slot     root₃₂ ‖ miner u24 ‖ placement u16 ‖ state u8 ‖ 0        39 bytes = 52 characters
 *   segment  hash₃₂ ‖ 0 (44 characters) ‖ n slots
 *   stray    miner u24 ‖ anchorId₃₂ ‖ ref u64 ‖ 0 0                   45 bytes = 60 characters
 *
 * Parsers refuse with undefined and never guess: what they read lay in a database that others can write to.
 */
import { ByteReader, ByteWriter, fromBase64, toBase64 } from '#shared/primitives/bytes.ts';
import type { FileNumber, MinerNumber } from '#shared/primitives/ids.ts';
import type { ReceiptBatch, SegmentRecord, ShardSlot, ShardState, StrayShard } from './ports.ts';

export const SLOT_CHARS = 52;
export const SEGMENT_HEAD_CHARS = 44;
const SLOT_BYTES = 39;
const STATES: readonly ShardState[] = ['stored', 'lost', 'dropped'];

export const segmentChars = (n: number): number => SEGMENT_HEAD_CHARS + n * SLOT_CHARS;
/** Where slot `shardIndex` starts in a segment record's text. */
export const slotOffset = (shardIndex: number): number => SEGMENT_HEAD_CHARS + shardIndex * SLOT_CHARS;

function writeSlot(writer: ByteWriter, slot: ShardSlot): void {
  writer.fixed(slot.root, 32).uint(slot.miner, 3).u16(slot.placement).u8(STATES.indexOf(slot.state)).u8(0);
}

function readSlot(reader: ByteReader): ShardSlot | undefined {
  const root = reader.bytes(32).slice();
  const miner = reader.uint(3) as MinerNumber;
  const placement = reader.u16();
  const state = STATES[reader.u8()];
  return state !== undefined && reader.u8() === 0 && reader.ok ? { root, miner, placement, state } : undefined;
}

export function packSlot(slot: ShardSlot): string {
  const writer = new ByteWriter(SLOT_BYTES);
  writeSlot(writer, slot);
  return toBase64(writer.finish());
}

export function parseSlot(text: string): ShardSlot | undefined {
  const bytes = text.length === SLOT_CHARS ? fromBase64(text) : undefined;
  return bytes && readSlot(new ByteReader(bytes));
}

/** The record's text; without its hash when that stands in the file's record (`file-record.ts`). */
export function packSegment(record: SegmentRecord, withHash = true): string {
  const writer = new ByteWriter(33 + SLOT_BYTES * record.slots.length);
  if (withHash) writer.fixed(record.hash, 32).u8(0);
  for (const slot of record.slots) writeSlot(writer, slot);
  return toBase64(writer.finish());
}

/** @param hash when the text has none of its own */
export function parseSegment(text: string, n: number, hash?: Uint8Array): SegmentRecord | undefined {
  if (text.length !== segmentChars(n) - (hash ? SEGMENT_HEAD_CHARS : 0)) return undefined;
  const bytes = fromBase64(text);
  if (!bytes) return undefined;
  const reader = new ByteReader(bytes);
  const ownHash = hash ?? reader.bytes(32).slice();
  if (!hash && reader.u8() !== 0) return undefined;
  const slots: ShardSlot[] = [];
  for (let i = 0; i < n; i++) {
    const slot = readSlot(reader);
    if (!slot) return undefined;
    slots.push(slot);
  }
  return reader.finished ? { hash: ownHash, slots } : undefined;
}

const STRAY_BYTES = 45;

export const packStray = (stray: StrayShard): string =>
  toBase64(
    new ByteWriter(STRAY_BYTES).uint(stray.miner, 3).fixed(stray.anchorId, 32).u64(stray.ref).u8(0).u8(0).finish(),
  );

export function parseStray(text: string): StrayShard | undefined {
  const bytes = fromBase64(text);
  if (bytes?.length !== STRAY_BYTES || bytes[43] !== 0 || bytes[44] !== 0) return undefined;
  const reader = new ByteReader(bytes);
  return { miner: reader.uint(3) as MinerNumber, anchorId: reader.bytes(32).slice(), ref: reader.u64big() };
}

/** Segment records of larger files rest in chunks, each below what a hosted plan allows for a key (32 KB). */
const CHUNK_CHARS = 32_000;

export const segmentsPerChunk = (n: number): number => Math.max(1, Math.floor(CHUNK_CHARS / segmentChars(n)));

/** FILE.SEGMENT: the place, in decimal; then one batch of signed receipts as base64 texts, joined by commas. */
export const packReceipts = ({ file, segment, receipts }: ReceiptBatch): string =>
  `${file}.${segment}:${receipts.map(toBase64).join(',')}`;

const RECEIPTS = /^(0|[1-9][0-9]{0,12})\.(0|[1-9][0-9]{0,7}):(.*)$/;

export function parseReceipts(text: string): ReceiptBatch | undefined {
  const [, file, segment, joined] = RECEIPTS.exec(text) ?? [];
  if (file === undefined || joined === undefined) return undefined;
  const receipts = joined.split(',').map(fromBase64);
  if (!receipts.every((receipt) => receipt !== undefined)) return undefined;
  return { file: Number(file) as FileNumber, segment: Number(segment), receipts };
}
