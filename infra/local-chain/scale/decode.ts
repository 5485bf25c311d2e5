/**
 * SCALE decoding of bytes that came from outside: extrinsics, arguments of runtime calls, metadata blobs. Strict: one
 * spelling a value (canonical compacts, 0 or 1 for bool and Option, known variants, UTF-8), nothing left over. A wrong
 * byte yields undefined, never an exception; lengths are checked before anything is allocated.
 */
import { invariant } from '#shared/primitives/failure.ts';
import { type Field, INTEGER_BYTES, isBytes, type ScaleValue, type Type } from './type.ts';

/** Items that take no bytes (`Vec<()>`) cannot be bounded by what remains; nothing real has so many. */
const MAX_EMPTY_ITEMS = 1024;

const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Thrown inside this file only, caught by its exported functions. */
class Malformed extends Error {}

export class Reader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }
  get remaining(): number {
    return this.#bytes.length - this.#at;
  }
  /** A copy of the next `count` bytes. */
  take(count: number): Uint8Array {
    if (count > this.remaining) throw new Malformed('bytes end early');
    this.#at += count;
    return this.#bytes.slice(this.#at - count, this.#at);
  }
  byte(): number {
    const value = this.#bytes[this.#at];
    if (value === undefined) throw new Malformed('bytes end early');
    this.#at++;
    return value;
  }
  integer(bytes: number, signed: boolean): number | bigint {
    const raw = this.take(bytes);
    if (bytes <= 4) {
      let value = 0;
      for (let i = bytes - 1; i >= 0; i--) value = value * 256 + (raw[i] as number);
      return signed && value >= 256 ** bytes / 2 ? value - 256 ** bytes : value;
    }
    let value = 0n;
    for (let i = bytes - 1; i >= 0; i--) value = (value << 8n) | BigInt(raw[i] as number);
    return signed ? BigInt.asIntN(bytes * 8, value) : value;
  }
  compact(): bigint {
    const first = this.byte();
    const mode = first & 3;
    if (mode === 0) return BigInt(first >> 2);
    const more = mode === 1 ? 1 : mode === 2 ? 3 : (first >> 2) + 4;
    const tail = this.take(more);
    let value = 0n;
    for (let i = more - 1; i >= 0; i--) value = (value << 8n) | BigInt(tail[i] as number);
    if (mode !== 3) value = (value << 6n) | BigInt(first >> 2);
    const least = mode === 1 ? 1n << 6n : mode === 2 ? 1n << 14n : 1n << 30n;
    const canonical = value >= least && (mode !== 3 || more === 4 || value >> BigInt(8 * (more - 1)) > 0n);
    if (!canonical) throw new Malformed('a compact integer is longer than it need be');
    return value;
  }
  length(): number {
    const value = this.compact();
    if (value > BigInt(Math.max(this.remaining, MAX_EMPTY_ITEMS))) throw new Malformed('a length exceeds the bytes');
    return Number(value);
  }
}

/** The value, in a box because undefined is a value too; undefined when the bytes are not exactly one of this type. */
export function decode(type: Type, bytes: Uint8Array): { readonly value: ScaleValue } | undefined {
  return whole(bytes, (reader) => read(reader, type));
}

/** The same for a list of fields: the arguments of a runtime call. */
export function decodeFields(fields: readonly Field[], bytes: Uint8Array): { readonly value: ScaleValue } | undefined {
  return whole(bytes, (reader) => readFields(reader, fields));
}

/** Runs `parse` over all of `bytes`; undefined when it fails or leaves something over. */
export function whole<T>(bytes: Uint8Array, parse: (reader: Reader) => T): { readonly value: T } | undefined {
  const reader = new Reader(bytes);
  try {
    const value = parse(reader);
    return reader.remaining === 0 ? { value } : undefined;
  } catch (error) {
    if (error instanceof Malformed) return undefined;
    throw error;
  }
}

/** One value from `reader`; for parsers that run inside `whole`. */
export function read(reader: Reader, type: Type): ScaleValue {
  switch (type.kind) {
    case 'primitive':
      if (type.name === 'bool') return bit(reader) === 1;
      if (type.name === 'str') return utf8Text(reader.take(reader.length()));
      return reader.integer(INTEGER_BYTES[type.name], type.name.startsWith('i'));
    case 'compact':
      return compactOf(reader, type.of);
    case 'sequence': {
      const length = reader.length();
      if (isBytes(type.of)) return reader.take(length);
      const items: ScaleValue[] = [];
      for (let i = 0; i < length; i++) items.push(read(reader, type.of));
      return items;
    }
    case 'array': {
      if (isBytes(type.of)) return reader.take(type.length);
      return Array.from({ length: type.length }, () => read(reader, type.of));
    }
    case 'tuple':
      return type.of.map((part) => read(reader, part));
    case 'wrapper':
      if (type.name === 'BoundedVec') return read(reader, { kind: 'sequence', of: type.of });
      if (type.name === 'Cow') return read(reader, type.of);
      if (bit(reader) === 0) return undefined;
      return read(reader, type.of) ?? null;
    case 'struct':
      return readFields(reader, type.fields);
    case 'enum': {
      const index = reader.byte();
      const variant = type.variants.find((candidate) => candidate.index === index);
      if (!variant) throw new Malformed(`${type.path} has no variant ${index}`);
      if (variant.fields.length === 0) return { type: variant.name };
      return { type: variant.name, value: readFields(reader, variant.fields) };
    }
  }
}

function readFields(reader: Reader, fields: readonly Field[]): ScaleValue {
  const [first] = fields;
  if (!first) return {};
  if (first.name === undefined) {
    if (fields.length === 1) return read(reader, first.type);
    return fields.map((field) => read(reader, field.type));
  }
  const value: Record<string, ScaleValue> = {};
  for (const field of fields) value[field.name as string] = read(reader, field.type);
  return value;
}

function bit(reader: Reader): number {
  const value = reader.byte();
  if (value > 1) throw new Malformed('neither 0 nor 1');
  return value;
}

function utf8Text(bytes: Uint8Array): string {
  try {
    return text.decode(bytes);
  } catch {
    throw new Malformed('no UTF-8');
  }
}

function compactOf(reader: Reader, type: Type): ScaleValue {
  if (type.kind === 'tuple') return [];
  invariant(type.kind === 'primitive' && type.name.startsWith('u'), 'only unsigned integers are compact');
  const bits = Number(type.name.slice(1));
  const value = reader.compact();
  if (value >> BigInt(bits) > 0n) throw new Malformed('a compact integer is too large');
  return bits <= 32 ? Number(value) : value;
}
