/**
 * A range of a private file without the bytes before it. An age body is its header, a nonce₁₆, and chunks of 64 KiB, each
 * ChaCha20-Poly1305 with a tag₁₆ (age-encryption.org/v1, "Payload"):
 *
 *   payload key   HKDF-SHA-256(ikm = file key, salt = nonce₁₆, info = "payload")
 *   chunk nonce   u88 number of the chunk ‖ u8 1 for the last, else 0
 *
 * So chunk i begins at header + 16 + i · 65,552 and opens by itself.
 */
import { chacha20poly1305 } from '@noble/ciphers/chacha.js';
import { hkdf } from '@noble/hashes/hkdf.js';
import { sha256 } from '@noble/hashes/sha2.js';
import { concatBytes, utf8 } from '#shared/primitives/bytes.ts';
import type { Cid } from '#shared/primitives/ids.ts';
import { ClientError } from '../client-error.ts';
import { iterableStream, readWhole } from '../file-source.ts';
import { type ByteRange, type ReadPorts, readBody } from '../read-body.ts';
import { openHeader } from './age-box.ts';

const CHUNK_BYTES = 64 * 1024;
const TAG_BYTES = 16;
const NONCE_BYTES = 16;
const SEALED_CHUNK_BYTES = CHUNK_BYTES + TAG_BYTES;
/** One recipient's header: 200 bytes, or 1.8 KB when it is post-quantum. */
const MAX_HEADER_BYTES = 4096;

/** Bytes up to the end of the header's last line, `--- MAC`. */
function headerBytesOf(start: Uint8Array): number {
  const text = new TextDecoder('latin1').decode(start);
  const mac = /\n--- [A-Za-z0-9+/]{43}\n/.exec(text);
  if (!text.startsWith('age-encryption.org/v1\n') || !mac) {
    throw new ClientError('bad-record', 'the body does not begin as an age file does');
  }
  return mac.index + mac[0].length;
}

function chunkNonce(chunk: number, last: boolean): Uint8Array {
  const nonce = new Uint8Array(12);
  new DataView(nonce.buffer).setBigUint64(3, BigInt(chunk));
  nonce[11] = last ? 1 : 0;
  return nonce;
}

export async function readSealedRange(
  ports: ReadPorts,
  cid: Cid,
  body: { readonly identity: string; readonly bytes: number; readonly storedBytes: number },
  range: ByteRange,
  signal: AbortSignal | undefined,
): Promise<ReadableStream<Uint8Array>> {
  const to = Math.min(range.to ?? body.bytes, body.bytes);
  const { from } = range;
  if (!(Number.isSafeInteger(from) && from >= 0 && from < to)) {
    const text = `the file has ${body.bytes} bytes`;
    throw new ClientError('range-not-satisfiable', text, { extra: { bytes: body.bytes } });
  }
  const startTo = Math.min(MAX_HEADER_BYTES, body.storedBytes);
  const start = await readWhole((await readBody(ports, cid, { range: { from: 0, to: startTo }, signal })).stream);
  const headerBytes = headerBytesOf(start);
  const nonce = start.slice(headerBytes, headerBytes + NONCE_BYTES);
  if (nonce.length !== NONCE_BYTES) throw new ClientError('bad-record', 'the body ends in its header');
  const fileKey = await openHeader(body.identity, start.slice(0, headerBytes), `the body of ${cid}`);
  const key = hkdf(sha256, fileKey, nonce, utf8('payload'), 32);

  const payload = headerBytes + NONCE_BYTES;
  const first = Math.floor(from / CHUNK_BYTES);
  const last = Math.floor((to - 1) / CHUNK_BYTES);
  const lastOfFile = Math.max(0, Math.ceil((body.storedBytes - payload) / SEALED_CHUNK_BYTES) - 1);
  const sealedRange = {
    from: payload + first * SEALED_CHUNK_BYTES,
    to: Math.min(body.storedBytes, payload + (last + 1) * SEALED_CHUNK_BYTES),
  };
  const sealed = await readBody(ports, cid, { range: sealedRange, signal });

  async function* plain() {
    let chunk = first;
    for await (const bytes of chunksOf(sealed.stream)) {
      const opened = open(key, chunk, chunk === lastOfFile, bytes, cid);
      const offset = chunk * CHUNK_BYTES;
      yield opened.subarray(Math.max(0, from - offset), Math.max(0, to - offset));
      chunk++;
    }
    if (chunk !== last + 1) throw new ClientError('bad-record', `the body of ${cid} is shorter than its record says`);
  }
  return iterableStream(plain());
}

function open(key: Uint8Array, chunk: number, last: boolean, sealed: Uint8Array, cid: Cid): Uint8Array {
  try {
    return chacha20poly1305(key, chunkNonce(chunk, last)).decrypt(sealed);
  } catch (error) {
    throw new ClientError('bad-record', `chunk ${chunk} of ${cid} is broken`, { cause: error });
  }
}

/** Pieces of any size as sealed chunks; the last may be shorter. */
async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void, undefined> {
  const reader = stream.getReader();
  let held: Uint8Array[] = [];
  let bytes = 0;
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) {
      held.push(next.value);
      bytes += next.value.length;
      if (bytes < SEALED_CHUNK_BYTES) continue;
      const all = concatBytes(...held);
      let at = 0;
      for (; all.length - at >= SEALED_CHUNK_BYTES; at += SEALED_CHUNK_BYTES) {
        yield all.subarray(at, at + SEALED_CHUNK_BYTES);
      }
      held = [all.subarray(at)];
      bytes = all.length - at;
    }
    if (bytes > 0) yield concatBytes(...held);
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
