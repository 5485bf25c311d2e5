/** What can be stored: bytes, text, a Blob or File, a web stream, or anything that yields pieces; all read as a stream. */
import { utf8 } from '#shared/primitives/bytes.ts';

export type FileSource = Uint8Array | string | Blob | ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>;

export interface OpenSource {
  readonly stream: ReadableStream<Uint8Array>;
  /** The length, where it is known before. */
  readonly bytes: number | undefined;
}

/** Larger pieces are cut: what reads them holds one at a time. */
const PIECE_BYTES = 256 * 1024;

function bytesStream(bytes: Uint8Array): ReadableStream<Uint8Array> {
  let at = 0;
  return new ReadableStream<Uint8Array>({
    pull(controller) {
      if (at >= bytes.length) return controller.close();
      controller.enqueue(bytes.subarray(at, at + PIECE_BYTES));
      at += PIECE_BYTES;
    },
  });
}

export function iterableStream(pieces: AsyncIterable<Uint8Array>): ReadableStream<Uint8Array> {
  const iterator = pieces[Symbol.asyncIterator]();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const next = await iterator.next();
      if (next.done) controller.close();
      else controller.enqueue(next.value);
    },
    async cancel(reason) {
      await iterator.return?.(reason);
    },
  });
}

export function openSource(source: FileSource): OpenSource {
  if (typeof source === 'string') return openSource(utf8(source));
  if (source instanceof Uint8Array) return { stream: bytesStream(source), bytes: source.length };
  if (source instanceof Blob) return { stream: source.stream(), bytes: source.size };
  if (source instanceof ReadableStream) return { stream: source, bytes: undefined };
  return { stream: iterableStream(source), bytes: undefined };
}

/** Everything of a short stream. */
export async function readWhole(stream: ReadableStream<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  return new Uint8Array(await new Response(stream).arrayBuffer());
}
