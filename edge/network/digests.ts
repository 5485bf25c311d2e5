/**
 * SHA-256 as fast as workerd has it: node:crypto's piece by piece for whole files (its `update` copies nothing and is
 * done when it returns, so buffers can be reused), WebCrypto's for whole buffers.
 */
import { createHash } from 'node:crypto';
import type { StreamingDigest } from '#edge/ports.ts';

export function nodeSha256(): StreamingDigest {
  const hash = createHash('sha256');
  return {
    update: (piece) => {
      hash.update(piece);
    },
    finish: () => new Uint8Array(hash.digest()),
  };
}

export const webSha256 = async (bytes: Uint8Array): Promise<Uint8Array> =>
  new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
