import { TypeRegistry } from '@polkadot/types';
import { xxhashAsU8a } from '@polkadot/util-crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '#shared/primitives/bytes.ts';
import { RUNTIME } from '../metadata/runtime-declaration.ts';
import { decode } from './decode.ts';
import { encode } from './encode.ts';
import type { ScaleValue, Type } from './type.ts';
import { TypeTable } from './type-table.ts';
import { twox64, twox128 } from './xxhash64.ts';

const types = new TypeTable({
  Pair: 'test::Pair { left: u16, right: Option<Vec<u8>> }',
  Choice: 'test::Choice | Nothing | One#4(u32) | Two(u8, bool) | Named { at: Compact<u64> }',
});

/** Any value of a type. */
function anyOf(type: Type): fc.Arbitrary<ScaleValue> {
  switch (type.kind) {
    case 'primitive': {
      if (type.name === 'bool') return fc.boolean();
      if (type.name === 'str') return fc.string({ unit: 'grapheme', maxLength: 20 });
      const bits = Number(type.name.slice(1));
      const signed = type.name.startsWith('i');
      if (bits <= 32) {
        return signed
          ? fc.integer({ min: -(2 ** (bits - 1)), max: 2 ** (bits - 1) - 1 })
          : fc.integer({ min: 0, max: 2 ** bits - 1 });
      }
      const range = 1n << BigInt(bits);
      return signed ? fc.bigInt({ min: -range / 2n, max: range / 2n - 1n }) : fc.bigInt({ min: 0n, max: range - 1n });
    }
    case 'compact':
      return anyOf(type.of);
    case 'sequence':
      if (type.of.kind === 'primitive' && type.of.name === 'u8') return fc.uint8Array({ maxLength: 80 });
      return fc.array(anyOf(type.of), { maxLength: 5 });
    case 'array':
      if (type.of.kind === 'primitive' && type.of.name === 'u8') {
        return fc.uint8Array({ minLength: type.length, maxLength: type.length });
      }
      return fc.array(anyOf(type.of), { minLength: type.length, maxLength: type.length });
    case 'tuple':
      return fc.tuple(...type.of.map(anyOf));
    case 'wrapper':
      if (type.name === 'Cow') return anyOf(type.of);
      if (type.name === 'BoundedVec') return anyOf({ kind: 'sequence', of: type.of });
      return fc.oneof(
        fc.constant(undefined),
        anyOf(type.of).map((value) => value ?? null),
      );
    case 'struct':
      return fieldsOf(type.fields);
    case 'enum':
      return fc.oneof(
        ...type.variants.map(({ name, fields }) =>
          fields.length === 0 ? fc.constant({ type: name }) : fieldsOf(fields).map((value) => ({ type: name, value })),
        ),
      );
  }
}

function fieldsOf(fields: readonly { readonly name?: string; readonly type: Type }[]): fc.Arbitrary<ScaleValue> {
  if (fields.length === 0) return fc.constant({});
  if (fields[0]?.name === undefined) {
    const values = fields.map((field) => anyOf(field.type));
    return values.length === 1 ? (values[0] as fc.Arbitrary<ScaleValue>) : fc.tuple(...values);
  }
  return fc.record(Object.fromEntries(fields.map((field) => [field.name as string, anyOf(field.type)])));
}

const NAMES = [
  'AccountInfo',
  'RuntimeCall',
  'Vec<EventRecord>',
  'Metagraph',
  'SelectiveMetagraph',
  'NeuronInfo',
  'RuntimeVersion',
];

describe('the SCALE codec', () => {
  it.each(NAMES)('gives every %s back', (name) => {
    const type = RUNTIME.types.get(name);
    fc.assert(
      fc.property(anyOf(type), (value) => {
        expect(decode(type, encode(type, value))?.value).toEqual(value);
      }),
      { numRuns: 30 },
    );
  });

  it.each(NAMES)('takes of any bytes as %s only what it would write itself', (name) => {
    const type = RUNTIME.types.get(name);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 120 }), (bytes) => {
        const found = decode(type, bytes);
        if (found) expect(toHex(encode(type, found.value))).toBe(toHex(bytes));
      }),
      { numRuns: 300 },
    );
  });

  it('writes compact integers as the client library does', () => {
    const registry = new TypeRegistry();
    const type = types.get('Compact<u128>');
    fc.assert(
      fc.property(fc.bigInt({ min: 0n, max: (1n << 128n) - 1n }), fc.nat(127), (wide, shift) => {
        const value = wide >> BigInt(shift);
        expect(toHex(encode(type, value))).toBe(toHex(registry.createType('Compact<u128>', value).toU8a()));
      }),
    );
  });

  it.each([
    ['a compact of one byte too many', 'Compact<u32>', '0100'],
    ['a compact of four bytes for two', 'Compact<u32>', '02000000'],
    ['a compact beyond its type', 'Compact<u16>', '02000400'],
    ['a compact with leading zeros', 'Compact<u64>', '070000000000'],
    ['a bool of 2', 'bool', '02'],
    ['an Option of 2', 'Option<u8>', '0205'],
    ['an unknown variant', 'Choice', '02'],
    ['a vector longer than its bytes', 'Vec<u16>', '0c0100'],
    ['a vector of 2^30', 'Vec<u16>', '03000000400100'],
    ['text that is no UTF-8', 'str', '08c328'],
    ['too few bytes', 'Pair', '01'],
    ['too many bytes', 'Pair', '01000000'],
    ['nothing', 'u8', ''],
  ])('refuses %s', (_, name, hex) => {
    expect(decode(types.get(name), Uint8Array.from(Buffer.from(hex, 'hex')))).toBeUndefined();
  });

  it('refuses to write what does not fit', () => {
    expect(() => encode(types.get('u8'), 256)).toThrow();
    expect(() => encode(types.get('u64'), 1n << 64n)).toThrow();
    expect(() => encode(types.get('[u8; 4]'), new Uint8Array(3))).toThrow();
    expect(() => encode(types.get('Choice'), { type: 'Three' })).toThrow();
  });
});

describe('twox', () => {
  it('is the hash of the client library', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        expect(toHex(twox64(bytes))).toBe(toHex(xxhashAsU8a(bytes, 64)));
        expect(toHex(twox128(bytes))).toBe(toHex(xxhashAsU8a(bytes, 128)));
      }),
    );
  });
});

describe('type text', () => {
  it.each(['Vec<u8', 'u8 u8', 'Missing', 'Set<u8>', '(u8', '[u8; ]', 'u8!'])('refuses %j', (text) => {
    expect(() => types.get(text)).toThrow();
  });
});
