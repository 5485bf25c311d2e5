/**
 * A request's raw body as a byte source. It is read BYOB: `for await` gives 4 KiB pieces at a third of the speed
 * (measured, `docs/decisions.md`). Made by the store routes.
 */
import { BodyRefused } from './body-refused.ts';
import type { ByteSource } from './byte-source.ts';

/** What one read waits for; larger reads gain nothing more, smaller ones cost. */
const READ_BYTES = 64 * 1024;

/** A request's body; null is an empty one. A body that breaks off throws `BodyRefused`. */
export function streamSource(body: ReadableStream<Uint8Array> | null): ByteSource {
  // Taken at the first read: a body that nobody began to read is drained by the runtime, and a client that is answered
  // before it sent everything hears the answer; one that was taken and left breaks the connection under it.
  let reader: ReadableStreamBYOBReader | undefined;
  return {
    async read(buffer, from) {
      reader ??= body?.getReader({ mode: 'byob' });
      if (!reader) return { buffer, filled: 0 };
      const atLeast = Math.min(READ_BYTES, buffer.length - from);
      let value: Uint8Array | undefined;
      try {
        ({ value } = await reader.readAtLeast(atLeast, buffer.subarray(from)));
      } catch (error) {
        throw new BodyRefused('truncated', `the body broke off: ${error instanceof Error ? error.message : error}`);
      }
      // The memory came back under another view; only at the end a runtime may keep it.
      const memory = value ? new Uint8Array(value.buffer as ArrayBuffer) : buffer;
      return { buffer: memory, filled: value?.length ?? 0 };
    },
  };
}
