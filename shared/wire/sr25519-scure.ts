/**
 * sr25519 in plain JavaScript (`@scure/sr25519`, signing context `substrate`): the Worker, which may not compile
 * `@polkadot/wasm-crypto`'s WebAssembly, and browsers. Node programs use `node-sr25519.ts`, five times as fast.
 */
import { getPublicKey, verify as scureVerify, secretFromSeed, sign } from '@scure/sr25519';
import { hotkeyOf } from '#shared/primitives/ids.ts';
import type { Signer, VerifySr25519 } from '#shared/primitives/signer.ts';

/** The signer of a 32-byte mini-secret seed, expanded as Substrate does (`ExpansionMode::Ed25519`). */
export function signerFromSeed(seed: Uint8Array): Signer {
  const secret = secretFromSeed(seed);
  const publicKey = getPublicKey(secret);
  return { hotkey: hotkeyOf(publicKey), publicKey, sign: (message) => sign(secret, message) };
}

/** False for anything that is not a valid signature, malformed keys and signatures included. */
export const verify: VerifySr25519 = (message, signature, publicKey) => {
  if (signature.length !== 64 || publicKey.length !== 32) return false;
  try {
    return scureVerify(message, signature, publicKey);
  } catch {
    // The library throws on bytes that are no point, no scalar or not marked as sr25519: all of it is "not valid".
    return false;
  }
};
