/** Byte sources for tests: bytes handed out in pieces of chosen sizes, as a network would, or broken off. */
import type { ByteSource } from '#edge/body/byte-source.ts';

/** @param sizes piece lengths, used round and round */
export function pieceSource(bytes: Uint8Array, sizes: readonly number[] = [bytes.length || 1]): ByteSource {
  let at = 0;
  let turn = 0;
  return {
    async read(buffer, from) {
      const size = Math.max(1, sizes[turn++ % sizes.length] ?? 1);
      const piece = bytes.subarray(at, at + Math.min(size, buffer.length - from));
      buffer.set(piece, from);
      at += piece.length;
      return { buffer, filled: piece.length };
    },
  };
}

export async function readAll(source: ByteSource, window = 1024): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for (;;) {
    const { buffer, filled } = await source.read(new Uint8Array(window), 0);
    if (filled === 0) break;
    pieces.push(buffer.slice(0, filled));
  }
  return new Uint8Array(await new Blob(pieces as Uint8Array<ArrayBuffer>[]).arrayBuffer());
}

/** Bytes that look random and are the same every time. */
export function patternBytes(length: number, seed = 1): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(length);
  let state = seed >>> 0 || 1;
  for (let i = 0; i < length; i++) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[i] = state;
  }
  return bytes;
}
