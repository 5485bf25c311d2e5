/**
 * Storage keys: twox128 of pallet and item, then each key as its hasher wants it. The state keeps them as hexadecimal
 * text without prefix, whose order is the order of the bytes.
 */
import { blake2b } from '@noble/hashes/blake2.js';
import { concatBytes, toHex, utf8 } from '#shared/primitives/bytes.ts';
import { invariant } from '#shared/primitives/failure.ts';
import type { Hasher, StorageItem } from '../metadata/declaration.ts';
import { encode } from '../scale/encode.ts';
import type { ScaleValue } from '../scale/type.ts';
import { twox64, twox128 } from '../scale/xxhash64.ts';

const HASH: Record<Hasher, (key: Uint8Array) => Uint8Array> = {
  Identity: (key) => key,
  Blake2_128Concat: (key) => concatBytes(blake2b(key, { dkLen: 16 }), key),
  Twox64Concat: (key) => concatBytes(twox64(key), key),
};

const prefixes = new Map<StorageItem, string>();

/** The part that all entries of an item have in common. */
export function storagePrefix(item: StorageItem): string {
  const known = prefixes.get(item);
  if (known) return known;
  const prefix = toHex(concatBytes(twox128(utf8(item.pallet)), twox128(utf8(item.name))));
  prefixes.set(item, prefix);
  return prefix;
}

/** The key of one entry, or the prefix of all entries that begin with these keys. */
export function storageKey(item: StorageItem, keys: readonly ScaleValue[]): string {
  let text = storagePrefix(item);
  keys.forEach((value, i) => {
    const key = item.keys[i];
    invariant(key, `${item.pallet}.${item.name} has ${item.keys.length} keys`);
    text += toHex(HASH[key.hasher](encode(key.type, value)));
  });
  return text;
}
