/**
 * SCALE encoding, little-endian, by type (https://docs.polkadot.com, "SCALE codec"). Values that do not fit their type
 * are our own mistake and throw: everything encoded here is the chain's own state, events and answers.
 */
import { utf8 } from '#shared/primitives/bytes.ts';
import { invariant } from '#shared/primitives/failure.ts';
import { type Field, INTEGER_BYTES, isBytes, type ScaleValue, type Type } from './type.ts';

class Writer {
  #bytes = new Uint8Array(256);
  #length = 0;

  #room(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#length, 2 * this.#bytes.length));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
    }
    return at;
  }
  raw(bytes: Uint8Array): this {
    const at = this.#room(bytes.length);
    this.#bytes.set(bytes, at);
    return this;
  }
  byte(value: number): this {
    const at = this.#room(1);
    this.#bytes[at] = value;
    return this;
  }
  /** Two's complement, so that one path serves signed and unsigned. */
  integer(value: number | bigint, bytes: number, signed: boolean): this {
    if (typeof value === 'number' && bytes <= 4 && !signed) {
      invariant(Number.isInteger(value) && value >= 0 && value < 256 ** bytes, `${value} does not fit ${bytes} bytes`);
      const at = this.#room(bytes);
      for (let i = 0, rest = value; i < bytes; i++, rest = Math.floor(rest / 256)) this.#bytes[at + i] = rest % 256;
      return this;
    }
    const wide = BigInt(value);
    const bits = BigInt(bytes * 8);
    const fits = (signed ? BigInt.asIntN(bytes * 8, wide) : BigInt.asUintN(bytes * 8, wide)) === wide;
    invariant(fits, `${wide} does not fit ${bits} bits`);
    const at = this.#room(bytes);
    let rest = BigInt.asUintN(bytes * 8, wide);
    for (let i = 0; i < bytes; i++, rest >>= 8n) this.#bytes[at + i] = Number(rest & 0xffn);
    return this;
  }
  compact(value: number | bigint): this {
    if (value < 1 << 6) return this.byte(Number(value) << 2);
    if (value < 1 << 14) return this.integer((Number(value) << 2) | 1, 2, false);
    if (value < 1 << 30) return this.integer(Number(value) * 4 + 2, 4, false);
    let bytes = 4;
    while (BigInt(value) >> BigInt(8 * bytes) > 0n) bytes++;
    invariant(bytes <= 67, 'a compact integer has at most 67 bytes');
    this.byte(((bytes - 4) << 2) | 3);
    return this.integer(BigInt(value), bytes, false);
  }
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}

export function encode(type: Type, value: ScaleValue): Uint8Array {
  const writer = new Writer();
  write(writer, type, value);
  return writer.finish();
}

/** `Compact<u32>` of a length, as it stands before a `Vec` and an extrinsic. */
export function encodeLength(length: number): Uint8Array {
  const writer = new Writer();
  writer.compact(length);
  return writer.finish();
}

/** Answers the writer, as everything here does, so that each case can end in what it writes. */
function write(writer: Writer, type: Type, value: ScaleValue): Writer {
  switch (type.kind) {
    case 'primitive':
      if (type.name === 'bool') return writer.byte(value === true ? 1 : 0);
      if (type.name === 'str') return writeBytes(writer, utf8(value as string));
      return writer.integer(value as number | bigint, INTEGER_BYTES[type.name], type.name.startsWith('i'));
    case 'compact':
      if (type.of.kind === 'tuple') return writer;
      return writer.compact(value as number | bigint);
    case 'sequence':
      if (isBytes(type.of)) return writeBytes(writer, value as Uint8Array);
      writer.compact((value as readonly ScaleValue[]).length);
      for (const item of value as readonly ScaleValue[]) write(writer, type.of, item);
      return writer;
    case 'array': {
      const items = value as Uint8Array | readonly ScaleValue[];
      invariant(items.length === type.length, `an array of ${type.length} got ${items.length} items`);
      if (items instanceof Uint8Array) return writer.raw(items);
      for (const item of items) write(writer, type.of, item);
      return writer;
    }
    case 'tuple':
      type.of.forEach((part, i) => {
        write(writer, part, (value as readonly ScaleValue[])[i]);
      });
      return writer;
    case 'wrapper':
      if (type.name === 'BoundedVec') return write(writer, { kind: 'sequence', of: type.of }, value);
      if (type.name === 'Cow') return write(writer, type.of, value);
      writer.byte(value === undefined ? 0 : 1);
      return value === undefined ? writer : write(writer, type.of, value === null ? undefined : value);
    case 'struct':
      return writeFields(writer, type.fields, value);
    case 'enum': {
      const { type: name, value: inner } = value as { type: string; value?: ScaleValue };
      const variant = type.variants.find((candidate) => candidate.name === name);
      invariant(variant, `${type.path} has no variant ${name}`);
      writer.byte(variant.index);
      return writeFields(writer, variant.fields, inner);
    }
  }
}

function writeBytes(writer: Writer, bytes: Uint8Array): Writer {
  return writer.compact(bytes.length).raw(bytes);
}

function writeFields(writer: Writer, fields: readonly Field[], value: ScaleValue): Writer {
  const [first] = fields;
  if (!first) return writer;
  if (first.name === undefined) {
    if (fields.length === 1) return write(writer, first.type, value);
    fields.forEach((field, i) => {
      write(writer, field.type, (value as readonly ScaleValue[])[i]);
    });
    return writer;
  }
  for (const field of fields) {
    write(writer, field.type, (value as { readonly [name: string]: ScaleValue })[field.name as string]);
  }
  return writer;
}
