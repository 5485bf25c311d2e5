/**
 * SHA-256 of small things: identifiers, statements, transcripts, the upper part of a proof. Leaves in bulk go through
 * `shared/codec/kernel.ts`, whole buffers through the runtime's own digest.
 */
import { sha256 as hash } from '@noble/hashes/sha2.js';

/** H(part₀ ‖ part₁ ‖ …), 32 bytes. */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  if (parts.length === 1) return hash(parts[0] as Uint8Array);
  const state = hash.create();
  for (const part of parts) state.update(part);
  return state.digest();
}
