/**
 * Byte strings: hex, base64, comparison, and the big-endian reader and writer that every wire format of
 * `docs/protocol.md` is built with. Runs unchanged in Node, workerd and browsers.
 */
import { base64, base64urlnopad, hex as hexCodec } from '@scure/base';

/** Lowercase hexadecimal, two characters a byte, no prefix. */
export const toHex = (bytes: Uint8Array): string => hexCodec.encode(bytes);

const HEX = /^(?:[0-9a-f]{2})*$/;

/** The bytes of lowercase hexadecimal text; undefined for anything else (uppercase included: one spelling a value). */
export function fromHex(text: string, bytes?: number): Uint8Array | undefined {
  if (!HEX.test(text) || (bytes !== undefined && text.length !== 2 * bytes)) return undefined;
  return hexCodec.decode(text);
}

/** RFC 4648 base64 with padding. */
export const toBase64 = (bytes: Uint8Array): string => base64.encode(bytes);

/** The bytes of canonical padded base64; undefined for anything else. */
export function fromBase64(text: string): Uint8Array | undefined {
  try {
    return base64.decode(text);
  } catch {
    return undefined;
  }
}

/** RFC 4648 base64url without padding: for anything that stands in a URL. */
export const toBase64Url = (bytes: Uint8Array): string => base64urlnopad.encode(bytes);

/** The bytes of unpadded base64url; undefined for anything else. */
export function fromBase64Url(text: string): Uint8Array | undefined {
  try {
    return base64urlnopad.decode(text);
  } catch {
    return undefined;
  }
}

const encoder = new TextEncoder();

/** UTF-8. */
export const utf8 = (text: string): Uint8Array => encoder.encode(text);

export function concatBytes(...parts: readonly Uint8Array[]): Uint8Array {
  let total = 0;
  for (const part of parts) total += part.length;
  const out = new Uint8Array(total);
  let at = 0;
  for (const part of parts) {
    out.set(part, at);
    at += part.length;
  }
  return out;
}

/** Equality in time that depends on the lengths alone: fit for secrets and digests. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  if (a.length !== b.length) return false;
  let difference = 0;
  for (let i = 0; i < a.length; i++) difference |= (a[i] as number) ^ (b[i] as number);
  return difference === 0;
}

/** Builds a big-endian byte string. Values out of range throw: they are our own mistake, never input. */
export class ByteWriter {
  #bytes: Uint8Array;
  #view: DataView;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }

  #room(count: number): number {
    const at = this.#length;
    this.#length += count;
    if (this.#length > this.#bytes.length) {
      const grown = new Uint8Array(Math.max(this.#length, 2 * this.#bytes.length));
      grown.set(this.#bytes.subarray(0, at));
      this.#bytes = grown;
      this.#view = new DataView(grown.buffer);
    }
    return at;
  }

  /** An unsigned integer of 1, 2, 3, 4, 5 or 8 bytes; safe integers only. */
  uint(value: number, bytes: 1 | 2 | 3 | 4 | 5 | 8): this {
    if (!Number.isSafeInteger(value) || value < 0 || (bytes < 7 && value >= 256 ** bytes)) {
      throw new RangeError(`${value} is no unsigned integer of ${bytes} bytes`);
    }
    const at = this.#room(bytes);
    let rest = value;
    for (let i = bytes - 1; i >= 0; i--) {
      this.#bytes[at + i] = rest % 256;
      rest = Math.floor(rest / 256);
    }
    return this;
  }

  u8(value: number): this {
    return this.uint(value, 1);
  }
  u16(value: number): this {
    return this.uint(value, 2);
  }
  u32(value: number): this {
    return this.uint(value, 4);
  }
  /** 64 bits; a number must be a safe integer, a bigint may use the whole range. */
  u64(value: number | bigint): this {
    if (typeof value === 'number') return this.uint(value, 8);
    if (value < 0n || value >= 1n << 64n) throw new RangeError(`${value} is no unsigned integer of 8 bytes`);
    const at = this.#room(8);
    this.#view.setBigUint64(at, value);
    return this;
  }
  bytes(value: Uint8Array): this {
    const at = this.#room(value.length);
    this.#bytes.set(value, at);
    return this;
  }
  /** Bytes of a fixed width: a hash, a key, an identifier. */
  fixed(value: Uint8Array, width: number): this {
    if (value.length !== width) throw new RangeError(`expected ${width} bytes, got ${value.length}`);
    return this.bytes(value);
  }
  /** An ASCII tag and its one closing NUL byte. */
  tag(text: string): this {
    return this.bytes(utf8(text)).u8(0);
  }
  /** The bytes written so far, in a buffer of their own. */
  finish(): Uint8Array {
    return this.#bytes.slice(0, this.#length);
  }
}

/**
 * Reads a big-endian byte string that came from outside. Reading past the end does not throw: it yields zeros and
 * empty strings and clears `ok`, so that a parser reads straight through and asks `finished` once.
 */
export class ByteReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  /** False once anything was read past the end, or a tag did not match. */
  ok = true;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get remaining(): number {
    return this.#bytes.length - this.#at;
  }
  /** True when everything was there and nothing is left over. */
  get finished(): boolean {
    return this.ok && this.remaining === 0;
  }

  #take(count: number): Uint8Array | undefined {
    if (!this.ok || this.remaining < count) {
      this.ok = false;
      return undefined;
    }
    const at = this.#at;
    this.#at += count;
    return this.#bytes.subarray(at, at + count);
  }

  uint(bytes: 1 | 2 | 3 | 4 | 5): number {
    let value = 0;
    for (const byte of this.#take(bytes) ?? []) value = value * 256 + byte;
    return value;
  }
  u8(): number {
    return this.uint(1);
  }
  u16(): number {
    return this.uint(2);
  }
  u32(): number {
    return this.uint(4);
  }
  /** 64 bits as a number: values over 2^53 - 1 are refused (`ok` becomes false). */
  u64(): number {
    const value = this.u64big();
    if (value > BigInt(Number.MAX_SAFE_INTEGER)) {
      this.ok = false;
      return 0;
    }
    return Number(value);
  }
  u64big(): bigint {
    const bytes = this.#take(8);
    return bytes ? new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0) : 0n;
  }
  /** A view of the next `count` bytes; copy it to keep it longer than the source. */
  bytes(count: number): Uint8Array {
    return this.#take(count) ?? new Uint8Array(0);
  }
  /** True when the next bytes are this ASCII tag and its NUL. */
  tag(text: string): boolean {
    const expected = utf8(`${text}\0`);
    const found = this.#take(expected.length);
    if (!found || !equalBytes(found, expected)) this.ok = false;
    return this.ok;
  }
}
