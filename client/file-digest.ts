/**
 * SHA-256 of a file while it passes. Runtimes have no streaming digest in common, so the portable one is `@noble/hashes`;
 * a program on Node hands in its own, which is eight times as fast (`node-client.ts`).
 */
import { sha256 } from '@noble/hashes/sha2.js';

export interface FileDigest {
  update(piece: Uint8Array): void;
  finish(): Uint8Array;
}
export type NewDigest = () => FileDigest;

export const portableSha256: NewDigest = () => {
  const state = sha256.create();
  return {
    update: (piece) => {
      state.update(piece);
    },
    finish: () => state.digest(),
  };
};

/** Passes pieces on and shows each to `see` first. */
export function watching(see: (piece: Uint8Array) => void): TransformStream<Uint8Array, Uint8Array> {
  return new TransformStream({
    transform(piece, controller) {
      see(piece);
      controller.enqueue(piece);
    },
  });
}
