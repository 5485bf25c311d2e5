/**
 * Signatures as the rest of the code sees them. sr25519 with context `substrate` everywhere (por/v1 §9);
 * the implementation differs by runtime (`docs/decisions.md`), hence a port. Signing may be asynchronous so that a
 * key can live elsewhere.
 */
import type { Hotkey } from './ids.ts';

export interface Signer {
  readonly hotkey: Hotkey;
  /** Raw 32 bytes. */
  readonly publicKey: Uint8Array;
  /** 64 bytes. */
  sign(message: Uint8Array): Uint8Array;
}

/** True when `signature` (64 bytes) over `message` holds under the raw public key. Never throws on bad input. */
export type VerifySr25519 = (message: Uint8Array, signature: Uint8Array, publicKey: Uint8Array) => boolean;

/** One implementation of sr25519: `shared/wire/sr25519-scure.ts` anywhere, `shared/wire/node-sr25519.ts` faster in Node. */
export interface Sr25519 {
  /** The signer of a 32-byte mini-secret seed, expanded as Substrate does. Throws on another length. */
  signerFromSeed(seed: Uint8Array): Signer;
  readonly verify: VerifySr25519;
}
