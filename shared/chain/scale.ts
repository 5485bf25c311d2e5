/**
 * The few pieces of SCALE (Substrate's binary encoding, little-endian) that are needed where `@polkadot/api` is not:
 * block headers, the hash of a weights commit, and what a miner reads of a subnet.
 */
import { concatBytes } from '#shared/primitives/bytes.ts';

export function littleEndian(value: number | bigint, bytes: number): Uint8Array {
  const out = new Uint8Array(bytes);
  let rest = BigInt(value);
  for (let i = 0; i < bytes; i++) {
    out[i] = Number(rest & 0xffn);
    rest >>= 8n;
  }
  if (rest !== 0n) throw new RangeError(`${value} is no unsigned integer of ${bytes} bytes`);
  return out;
}

/** Compact<u32>: 1, 2, 4 or 5 bytes. */
export function compact(value: number): Uint8Array {
  if (value < 2 ** 6) return littleEndian(value * 4, 1);
  if (value < 2 ** 14) return littleEndian(value * 4 + 1, 2);
  if (value < 2 ** 30) return littleEndian(value * 4 + 2, 4);
  return concatBytes(Uint8Array.of(3), littleEndian(value, 4));
}

export const vecU16 = (values: readonly number[]): Uint8Array =>
  concatBytes(compact(values.length), ...values.map((value) => littleEndian(value, 2)));

/**
 * Reads SCALE bytes that came from outside. Reading past the end yields zeros and clears `ok`, so that a parser reads
 * straight through and asks `finished` once.
 */
export class ScaleReader {
  readonly #bytes: Uint8Array;
  #at = 0;
  ok = true;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  get finished(): boolean {
    return this.ok && this.#at === this.#bytes.length;
  }

  bytes(count: number): Uint8Array {
    if (!this.ok || this.#bytes.length - this.#at < count) {
      this.ok = false;
      return new Uint8Array(count);
    }
    this.#at += count;
    return this.#bytes.slice(this.#at - count, this.#at);
  }
  big(bytes: number): bigint {
    return this.bytes(bytes).reduceRight((value, byte) => (value << 8n) | BigInt(byte), 0n);
  }
  u8(): number {
    return this.bytes(1)[0] ?? 0;
  }
  u16(): number {
    return Number(this.big(2));
  }
  u64(): bigint {
    return this.big(8);
  }
  /** False for anything but 0 and 1, and then `ok` is cleared. */
  bool(): boolean {
    const byte = this.u8();
    if (byte > 1) this.ok = false;
    return byte === 1;
  }
  /** A list of items that have at least `itemBytes` each, so that a length that cannot be true is refused unread. */
  vec<T>(itemBytes: number, item: () => T): T[] {
    const length = this.#length();
    if (length * itemBytes > this.#bytes.length - this.#at) this.ok = false;
    return this.ok ? Array.from({ length }, item) : [];
  }
  #length(): number {
    const first = this.u8();
    const mode = first & 3;
    if (mode === 0) return first >> 2;
    if (mode === 1) return (first + 256 * this.u8()) >> 2;
    if (mode === 2) return Math.floor((first + 256 * Number(this.big(3))) / 4);
    // Lists of 2^30 items and more do not occur.
    this.ok = false;
    return 0;
  }
}
