/**
 * Reads a peer's body chunk by chunk into one buffer that is used again for each: a default reader makes a new buffer
 * of a few KiB for every read, which costs time and is garbage the next moment. Bodies that cannot be read into a
 * caller's buffer are read as they come. Used by `read-shards.ts`.
 */

/** What one read takes at most. */
const CHUNK_BYTES = 64 * 1024;

export interface ChunkReader {
  /** The next bytes, good until the next read; undefined at the end. Rejects when the body breaks. */
  read(): Promise<Uint8Array | undefined>;
  cancel(): Promise<void>;
}

/** @param bodyBytes how long the body can be: no larger a buffer is made for a small one */
export function chunkReader(body: ReadableStream<Uint8Array>, bodyBytes: number): ChunkReader {
  const byob = byobReader(body);
  if (!byob) {
    const reader = body.getReader();
    return { read: async () => (await reader.read()).value, cancel: () => reader.cancel() };
  }
  let buffer: ArrayBufferLike = new ArrayBuffer(Math.max(1, Math.min(CHUNK_BYTES, bodyBytes)));
  return {
    async read() {
      const { done, value } = await byob.read(new Uint8Array(buffer as ArrayBuffer));
      // The memory comes back as another buffer.
      if (value) buffer = value.buffer;
      return done ? undefined : value;
    },
    cancel: () => byob.cancel(),
  };
}

function byobReader(body: ReadableStream<Uint8Array>): ReadableStreamBYOBReader | undefined {
  try {
    return body.getReader({ mode: 'byob' });
  } catch {
    return undefined;
  }
}
