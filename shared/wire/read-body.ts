/**
 * Reading a peer's answer without trusting it: every read is on the exchange's clock, every byte is counted, and the
 * body is either read to its end or cancelled.
 */
import { concatBytes } from '#shared/primitives/bytes.ts';
import type { Exchange } from './exchange.ts';

export type BodyEnd =
  /** The peer ended the body. */
  | 'complete'
  /** More than was allowed. */
  | 'too-long'
  /** The exchange ended (see `exchange.ended`), or the connection broke. */
  | 'broken'
  /** The consumer had enough. */
  | 'stopped';

/**
 * Hands every chunk to `take` until it says 'stop'. Never rejects.
 * `unclocked`: the caller tells the exchange itself when the peer is waited for.
 * A body that is cut where its framing cannot tell (close-delimited) reads as complete: the parser must notice.
 */
export async function eachChunk(
  body: ReadableStream<Uint8Array> | null,
  exchange: Exchange,
  maxBytes: number,
  clocked: 'clocked' | 'unclocked',
  take: (chunk: Uint8Array) => 'more' | 'stop',
): Promise<BodyEnd> {
  if (!body) return exchange.ended ? 'broken' : 'complete';
  const reader = body.getReader();
  let bytes = 0;
  const leave = (end: BodyEnd): BodyEnd => {
    // The transport may reject the cancel of a body that already failed; there is nothing left to do about it.
    reader.cancel().catch(() => undefined);
    return end;
  };
  const cancel = () => void leave('broken');
  exchange.signal.addEventListener('abort', cancel, { once: true });
  try {
    for (;;) {
      if (clocked === 'clocked') exchange.wait();
      const { done, value } = await reader.read();
      if (exchange.ended) return leave('broken');
      if (done) return 'complete';
      if (clocked === 'clocked') exchange.heard();
      bytes += value.length;
      if (bytes > maxBytes) return leave('too-long');
      if (take(value) === 'stop') return leave('stopped');
    }
  } catch {
    return leave('broken');
  } finally {
    if (clocked === 'clocked') exchange.rest();
    exchange.signal.removeEventListener('abort', cancel);
  }
}

/** A whole small body; undefined unless it is complete and within `maxBytes`. */
export async function readBounded(
  body: ReadableStream<Uint8Array> | null,
  exchange: Exchange,
  maxBytes: number,
): Promise<{ readonly end: BodyEnd; readonly bytes: Uint8Array }> {
  const chunks: Uint8Array[] = [];
  const end = await eachChunk(body, exchange, maxBytes, 'clocked', (chunk) => {
    chunks.push(chunk);
    return 'more';
  });
  return { end, bytes: end === 'complete' ? concatBytes(...chunks) : new Uint8Array(0) };
}
