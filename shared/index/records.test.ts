import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { cidOf } from '#shared/codec/cid.ts';
import { fromBase64, toBase64 } from '#shared/primitives/bytes.ts';
import { type FileNumber, hexId, type MinerNumber } from '#shared/primitives/ids.ts';
import { CHANGING_OFFSET, MAX_NAME_BYTES, packChanging, packFile, parseFile } from './file-record.ts';
import type { FileRecord, SegmentRecord, ShardSlot } from './ports.ts';
import {
  packReceipts,
  packSegment,
  packSlot,
  packStray,
  parseReceipts,
  parseSegment,
  parseSlot,
  parseStray,
  SLOT_CHARS,
  segmentChars,
  segmentsPerChunk,
  slotOffset,
} from './records.ts';

const fixed = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });
const slot: fc.Arbitrary<ShardSlot> = fc.record({
  root: fixed(32),
  miner: fc.nat(2 ** 24 - 1).map((number) => number as MinerNumber),
  placement: fc.nat(0xffff),
  state: fc.constantFrom('stored', 'lost', 'dropped'),
});
const segmentOf = (n: number): fc.Arbitrary<SegmentRecord> =>
  fc.record({ hash: fixed(32), slots: fc.array(slot, { minLength: n, maxLength: n }) });
const u48 = fc.nat(2 ** 48 - 1);
const name = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 40 });

const file: fc.Arbitrary<FileRecord> = fc
  .record(
    {
      number: fc.nat(2 ** 40 - 1).map((number) => number as FileNumber),
      fileId: fixed(16).map((bytes) => hexId(bytes, 16)),
      owner: fixed(32).map((bytes) => hexId(bytes, 32)),
      cid: fixed(32).map(cidOf),
      bytes: fc.oneof(fc.nat(100), u48),
      k: fc.integer({ min: 1, max: 5 }),
      n: fc.integer({ min: 5, max: 256 }),
      segmentBytes: fc.integer({ min: 1, max: 2 ** 32 - 1 }),
      codingId: fixed(16),
      maskEpoch: fc.nat(0xffff),
      createdAtMs: u48,
      name,
      contentType: name,
    },
    {
      requiredKeys: [
        'number',
        'fileId',
        'owner',
        'cid',
        'bytes',
        'k',
        'n',
        'segmentBytes',
        'codingId',
        'maskEpoch',
        'createdAtMs',
      ],
    },
  )
  .map((record) => ({
    ...(record as Omit<FileRecord, 'segments' | 'expiresAtMs'>),
    segments: Math.max(1, Math.ceil(record.bytes / record.segmentBytes)),
    expiresAtMs: 0,
  }));
const changing = fc.record({
  expiresAtMs: u48,
  lost: fc.nat(2 ** 32 - 1),
  dropped: fc.nat(2 ** 32 - 1),
  settled: fc.constant(false),
});
const stored = fc.tuple(file, changing, fc.boolean()).chain(([record, change, hashIsCid]) =>
  segmentOf(record.n).map((segment) => {
    const whole = { ...record, expiresAtMs: change.expiresAtMs };
    const hash = hashIsCid ? digestIn(whole) : segment.hash;
    return { file: whole, changing: change, inline: whole.segments === 1 ? { ...segment, hash } : undefined };
  }),
);
const digestIn = (record: FileRecord): Uint8Array => {
  const bytes = fromBase64(
    packFile(
      { ...record, segments: Math.max(1, Math.ceil(record.bytes / record.segmentBytes)) },
      { expiresAtMs: 0, lost: 0, dropped: 0, settled: false },
    ),
  );
  return bytes?.slice(66, 98) ?? new Uint8Array(32);
};

describe('segment records', () => {
  it('come back, slot by slot, from a text of the promised length', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 40 }).chain(segmentOf), (record) => {
        const n = record.slots.length;
        const text = packSegment(record);
        expect(text.length).toBe(segmentChars(n));
        expect(text).not.toContain('=');
        expect(parseSegment(text, n)).toEqual(record);
        expect(parseSegment(packSegment(record, false), n, record.hash)).toEqual(record);
        for (const [i, each] of record.slots.entries()) {
          expect(text.slice(slotOffset(i), slotOffset(i) + SLOT_CHARS)).toBe(packSlot(each));
        }
      }),
    );
  });
  it('take a new slot in place', () => {
    fc.assert(
      fc.property(segmentOf(7), slot, fc.nat(6), (record, fresh, i) => {
        const text = packSegment(record);
        const patched = text.slice(0, slotOffset(i)) + packSlot(fresh) + text.slice(slotOffset(i + 1));
        expect(parseSegment(patched, 7)).toEqual({ ...record, slots: record.slots.with(i, fresh) });
      }),
    );
  });
  it('fit a chunk of 32 KB, at least two of them', () => {
    for (let n = 1; n <= 256; n++) {
      expect(segmentsPerChunk(n)).toBeGreaterThanOrEqual(2);
      expect(segmentsPerChunk(n) * segmentChars(n)).toBeLessThanOrEqual(32_768);
    }
  });
  it('and strays and slots are refused when anything is wrong with them', () => {
    const good: ShardSlot = { root: new Uint8Array(32), miner: 1 as MinerNumber, placement: 2, state: 'stored' };
    const text = packSlot(good);
    const changed = (at: number, value: number) => {
      const bytes = fromBase64(text) ?? new Uint8Array();
      bytes[at] = value;
      return toBase64(bytes);
    };
    expect(parseSlot(text)).toEqual(good);
    for (const bad of [
      '',
      text.slice(4),
      `${text}AAAA`,
      `*${text.slice(1)}`,
      ' '.repeat(52),
      changed(37, 3),
      changed(38, 1),
    ]) {
      expect(parseSlot(bad)).toBeUndefined();
    }
    const record = packSegment({ hash: new Uint8Array(32), slots: [good] });
    const reserved = fromBase64(record) ?? new Uint8Array();
    reserved[32] = 1;
    expect(parseSegment(record, 1)).toBeDefined();
    for (const bad of [toBase64(reserved), record.slice(4), `${record}AAAA`, '\0'.repeat(record.length)]) {
      expect(parseSegment(bad, 1)).toBeUndefined();
    }
    expect(parseSegment(record, 2)).toBeUndefined();
    const stray = { miner: 7 as MinerNumber, anchorId: new Uint8Array(32).fill(9), ref: 0xfedcba9876543210n };
    expect(parseStray(packStray(stray))).toEqual(stray);
    for (const bad of ['', packStray(stray).slice(4), `${packStray(stray).slice(0, -1)}B`])
      expect(parseStray(bad)).toBeUndefined();
    const batch = { file: 41 as FileNumber, segment: 7, receipts: [Uint8Array.of(1), Uint8Array.of(2)] };
    expect(packReceipts(batch)).toBe('41.7:AQ==,Ag==');
    expect(parseReceipts('41.7:AQ==,Ag==')).toEqual(batch);
    const wrong = ['41.7:AQ==,A', '41.7:AQ==;Ag==', '41.7:AQ', 'AQ==,Ag==', '41:AQ==', '041.7:AQ==', '-1.7:AQ=='];
    for (const text of wrong) expect(parseReceipts(text)).toBeUndefined();
  });
});

describe("a file's record", () => {
  it('comes back whole', () => {
    fc.assert(
      fc.property(stored, ({ file: record, changing: change, inline }) => {
        const parsed = parseFile(record.number, packFile(record, change, inline));
        expect(parsed?.file).toEqual(record);
        expect(parsed?.changing).toEqual(change);
        expect(parsed?.inline).toEqual(inline);
      }),
    );
  });
  it('takes a new changing block and a new inline slot in place', () => {
    fc.assert(
      fc.property(stored, changing, slot, ({ file: record, changing: change, inline }, next, fresh) => {
        const text = packFile(record, change, inline);
        const block = packChanging(next);
        const changed = text.slice(0, CHANGING_OFFSET) + block + text.slice(CHANGING_OFFSET + block.length);
        expect(parseFile(record.number, changed)?.file).toEqual({ ...record, expiresAtMs: next.expiresAtMs });
        const parsed = parseFile(record.number, text);
        if (!inline || !parsed) return;
        const at = parsed.slotsOffset + 2 * SLOT_CHARS;
        const patched = text.slice(0, at) + packSlot(fresh) + text.slice(at + SLOT_CHARS);
        expect(parseFile(record.number, patched)?.inline?.slots).toEqual(inline.slots.with(2, fresh));
      }),
    );
  });
  it('needs 180 characters without name and type, and no hash where the CID has it', () => {
    const [sample] = fc.sample(file, 1);
    if (!sample) throw new Error('no sample');
    const { name: _, contentType: __, ...plain } = { ...sample, bytes: 5, segmentBytes: 10, segments: 1 };
    const change = { expiresAtMs: 0, lost: 0, dropped: 0, settled: false };
    expect(packFile(plain, change).length).toBe(180);
    const slots = Array.from({ length: plain.n }, () => ({
      root: new Uint8Array(32),
      miner: 1 as MinerNumber,
      placement: 0,
      state: 'stored' as const,
    }));
    expect(packFile(plain, change, { hash: digestIn(plain), slots }).length).toBe(180 + 52 * plain.n);
    expect(packFile(plain, change, { hash: new Uint8Array(32), slots }).length).toBe(180 + 44 + 52 * plain.n);
  });
  it('is never read from garbage, and never throws', () => {
    fc.assert(
      fc.property(fc.oneof(fc.string(), fc.string({ unit: 'binary' }), fc.base64String()), (text) => {
        expect(parseFile(1 as FileNumber, text)).toBeUndefined();
      }),
    );
  });
  it('is refused or different after any change of one character, and never throws', () => {
    fc.assert(
      fc.property(
        stored,
        fc.nat(),
        fc.constantFrom(...'AZaz09+/=\0 ü'),
        ({ file: record, changing: change, inline }, at, letter) => {
          const text = packFile(record, change, inline);
          const i = at % text.length;
          const broken = text.slice(0, i) + letter + text.slice(i + 1);
          if (broken === text) return;
          const parsed = parseFile(record.number, broken);
          if (parsed)
            expect({ ...parsed, slotsOffset: 0 }).not.toEqual({
              file: record,
              changing: change,
              inline,
              slotsOffset: 0,
            });
          expect(parseFile(record.number, text.slice(0, i))).toBeUndefined();
        },
      ),
    );
  });
  it.each<[string, Partial<FileRecord>]>([
    ['a name too long', { name: 'x'.repeat(MAX_NAME_BYTES + 1) }],
    ['a content type too long', { contentType: 'x'.repeat(256) }],
    ['segments that its bytes do not make', { segments: 3 }],
    ['a CID of something else', { cid: 'bafy' as FileRecord['cid'] }],
    ['more shards than 256', { n: 257 }],
    ['a short codingId', { codingId: new Uint8Array(15) }],
    ['a negative time', { createdAtMs: -1 }],
  ])('is not made with %s', (_, change) => {
    const [sample] = fc.sample(file, 1);
    if (!sample) throw new Error('no sample');
    const broken = { ...sample, bytes: 5, segmentBytes: 10, segments: 1, ...change };
    expect(() => packFile(broken, { expiresAtMs: 0, lost: 0, dropped: 0, settled: false })).toThrow(RangeError);
  });
});
