import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteReader, ByteWriter, concatBytes, equalBytes, fromBase64, fromHex, toBase64, toHex } from './bytes.ts';

describe('hex and base64', () => {
  it('give every byte string back', () => {
    fc.assert(
      fc.property(fc.uint8Array(), (bytes) => {
        expect(fromHex(toHex(bytes))).toEqual(bytes);
        expect(fromBase64(toBase64(bytes))).toEqual(bytes);
      }),
    );
  });
  it.each(['0', 'A0', 'g0', ' 00', '0x00'])('refuse %j as hex', (text) => {
    expect(fromHex(text)).toBeUndefined();
  });
  it.each(['A', 'AB', 'AA', 'A===', 'AA=A', 'AB=='])('refuse %j as base64', (text) => {
    expect(fromBase64(text)).toBeUndefined();
  });
});

describe('ByteWriter and ByteReader', () => {
  it('agree on every width', () => {
    fc.assert(
      fc.property(
        fc.nat(0xff),
        fc.nat(0xffff),
        fc.nat(2 ** 24 - 1),
        fc.integer({ min: 0, max: 2 ** 32 - 1 }),
        fc.integer({ min: 0, max: 2 ** 40 - 1 }),
        fc.bigInt({ min: 0n, max: 2n ** 64n - 1n }),
        (a, b, c, d, e, f) => {
          const bytes = new ByteWriter(1).tag('t').u8(a).u16(b).uint(c, 3).u32(d).uint(e, 5).u64(f).finish();
          const reader = new ByteReader(bytes);
          expect(reader.tag('t')).toBe(true);
          expect([reader.u8(), reader.u16(), reader.uint(3), reader.u32(), reader.uint(5), reader.u64big()]).toEqual([
            a,
            b,
            c,
            d,
            e,
            f,
          ]);
          expect(reader.finished).toBe(true);
        },
      ),
    );
  });
  it('never reads past the end', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 7 }), (bytes) => {
        const reader = new ByteReader(bytes);
        reader.u64big();
        expect(reader.ok).toBe(false);
        expect(reader.finished).toBe(false);
      }),
    );
  });
  it('refuses a value that does not fit', () => {
    expect(() => new ByteWriter().u8(256)).toThrow(RangeError);
    expect(() => new ByteWriter().u32(-1)).toThrow(RangeError);
    expect(() => new ByteWriter().u64(2 ** 53)).toThrow(RangeError);
    expect(() => new ByteWriter().u64(1n << 64n)).toThrow(RangeError);
  });
});

describe('equalBytes', () => {
  it('is equality', () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (a, b) => {
        expect(equalBytes(a, b)).toBe(toHex(a) === toHex(b));
      }),
    );
    expect(equalBytes(concatBytes(Uint8Array.of(1), Uint8Array.of(2)), Uint8Array.of(1, 2))).toBe(true);
  });
});
