/**
 * Where Substrate keeps a storage item: twox128(pallet) ‖ twox128(item) ‖ one part per map key, hashed as the pallet
 * chose. For the few items that a miner reads without metadata; their hashers are those of spec 424.
 */
import { blake2b } from '@noble/hashes/blake2.js';
import { twox, waitReady } from '@polkadot/wasm-crypto';
import { concatBytes, toHex, utf8 } from '#shared/primitives/bytes.ts';

/** `twox128` is two rounds of xxHash64 with the seeds 0 and 1. */
const TWOX_128_ROUNDS = 2;
const BLAKE2_128_BYTES = 16;

export type KeyPart = readonly [hasher: 'identity' | 'blake2-128-concat', bytes: Uint8Array];

/** Once a process, before `storageKey`. */
export async function loadHashes(): Promise<void> {
  await waitReady();
}

const twox128 = (text: string): Uint8Array => twox(utf8(text), TWOX_128_ROUNDS);

/** 0x and hex digits. */
export function storageKey(pallet: string, item: string, ...parts: readonly KeyPart[]): string {
  const hashed = parts.map(([hasher, bytes]) =>
    hasher === 'identity' ? bytes : concatBytes(blake2b(bytes, { dkLen: BLAKE2_128_BYTES }), bytes),
  );
  return `0x${toHex(concatBytes(twox128(pallet), twox128(item), ...hashed))}`;
}
