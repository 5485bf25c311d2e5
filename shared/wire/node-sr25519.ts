/**
 * sr25519 through WebAssembly (`@polkadot/wasm-crypto`, schnorrkel itself, signing context `substrate`): miner and
 * validator. Same seeds, same keys and interchangeable signatures as `sr25519-scure.ts`; a test holds them together.
 */
import { sr25519KeypairFromSeed, sr25519Sign, sr25519Verify, waitReady } from '@polkadot/wasm-crypto';
import { hotkeyOf } from '#shared/primitives/ids.ts';
import type { Signer, Sr25519, VerifySr25519 } from '#shared/primitives/signer.ts';

const SEED_BYTES = 32;
const SECRET_BYTES = 64;

function signerFromSeed(seed: Uint8Array): Signer {
  if (seed.length !== SEED_BYTES) throw new RangeError(`a seed has ${SEED_BYTES} bytes, not ${seed.length}`);
  // secret₆₄ ‖ publicKey₃₂
  const pair = sr25519KeypairFromSeed(seed);
  const secret = pair.slice(0, SECRET_BYTES);
  const publicKey = pair.slice(SECRET_BYTES);
  return { hotkey: hotkeyOf(publicKey), publicKey, sign: (message) => sr25519Sign(publicKey, secret, message) };
}

const verify: VerifySr25519 = (message, signature, publicKey) => {
  if (signature.length !== 64 || publicKey.length !== 32) return false;
  try {
    return sr25519Verify(signature, message, publicKey);
  } catch {
    // A key or signature that the library cannot decode is "not valid", never an exception.
    return false;
  }
};

/** Compiles the WebAssembly once a process; call it at start. */
export async function loadSr25519(): Promise<Sr25519> {
  if (!(await waitReady())) throw new Error('sr25519: the WebAssembly module did not load');
  return { signerFromSeed, verify };
}
