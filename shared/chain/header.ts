/** Block headers as nodes send them in JSON, and the hash that each has: BLAKE2b-256 of its SCALE encoding. */
import { blake2b } from '@noble/hashes/blake2.js';
import { concatBytes, fromHex } from '#shared/primitives/bytes.ts';
import type { BlockRef } from './ports.ts';
import { compact } from './scale.ts';

export interface Header extends BlockRef {
  readonly parentHash: Uint8Array;
}

/** The bytes of 0x and hex digits, in either case; undefined for anything else. */
export function bytesOfHex(text: unknown, bytes?: number): Uint8Array | undefined {
  if (typeof text !== 'string' || !text.startsWith('0x')) return undefined;
  return fromHex(text.slice(2).toLowerCase(), bytes);
}

/** Undefined for what is no header. */
export function parseHeader(value: unknown): Header | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const header = value as Record<string, unknown>;
  const parentHash = bytesOfHex(header.parentHash, 32);
  const stateRoot = bytesOfHex(header.stateRoot, 32);
  const extrinsicsRoot = bytesOfHex(header.extrinsicsRoot, 32);
  const number = typeof header.number === 'string' ? Number(header.number) : Number.NaN;
  const { logs } = (header.digest ?? {}) as { logs?: unknown };
  if (!parentHash || !stateRoot || !extrinsicsRoot || !Array.isArray(logs)) return undefined;
  if (!Number.isSafeInteger(number) || number < 0 || number >= 2 ** 32) return undefined;
  const items = logs.map((log) => bytesOfHex(log));
  if (!items.every((item) => item !== undefined)) return undefined;
  const encoded = concatBytes(parentHash, compact(number), stateRoot, extrinsicsRoot, compact(items.length), ...items);
  return { number, parentHash, hash: blake2b(encoded, { dkLen: 32 }) };
}
