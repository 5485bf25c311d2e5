/**
 * Bytes to the edge as one file. What is small is gathered first: its CID goes ahead of it, so that it may be sent
 * again after a failure and costs nothing when it is there already. What is larger streams, its digest taken on the way;
 * either way the edge's CID must be ours, or the store has failed.
 */
import { FileAnswer } from '#shared/api/schemas.ts';
import { cidOf } from '#shared/codec/cid.ts';
import { concatBytes } from '#shared/primitives/bytes.ts';
import type { Cid } from '#shared/primitives/ids.ts';
import { type Connection, callJson } from './api-call.ts';
import { ClientError } from './client-error.ts';
import { type NewDigest, watching } from './file-digest.ts';

/** Gathered before it is sent: two segments. */
export const SMALL_BYTES = 8 * 1024 * 1024;

export interface BodyOptions {
  readonly name?: string | undefined;
  readonly contentType?: string | undefined;
  readonly ttlSeconds?: number | undefined;
  readonly redundancy?: { readonly k: number; readonly n: number } | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface SentBody {
  readonly file: FileAnswer;
  readonly cid: Cid;
}

export interface SendPorts {
  readonly connection: Connection;
  readonly newDigest: NewDigest;
}

const headersOf = (options: BodyOptions): Record<string, string | undefined> => ({
  'Filetao-Name': options.name === undefined ? undefined : encodeURIComponent(options.name),
  'Filetao-Content-Type': options.contentType,
  'Filetao-Ttl': options.ttlSeconds === undefined ? undefined : String(options.ttlSeconds),
  'Filetao-Redundancy': options.redundancy && `${options.redundancy.k},${options.redundancy.n}`,
});

/** The first pieces of a stream: all of them, or more than `limit` bytes and what reads on. */
async function gather(stream: ReadableStream<Uint8Array>, limit: number) {
  const reader = stream.getReader();
  const pieces: Uint8Array[] = [];
  let bytes = 0;
  while (bytes <= limit) {
    const { done, value } = await reader.read();
    if (done) return { pieces, rest: undefined };
    pieces.push(value);
    bytes += value.length;
  }
  return { pieces, rest: reader };
}

/** Pieces already read, then what the reader still has. */
function resumed(
  pieces: readonly Uint8Array[],
  reader: ReadableStreamDefaultReader<Uint8Array>,
): ReadableStream<Uint8Array> {
  const waiting = [...pieces];
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      const held = waiting.shift();
      if (held) return controller.enqueue(held);
      const { done, value } = await reader.read();
      if (done) controller.close();
      else controller.enqueue(value);
    },
    cancel: (reason) => reader.cancel(reason),
  });
}

export async function sendBody(
  ports: SendPorts,
  stream: ReadableStream<Uint8Array>,
  options: BodyOptions,
): Promise<SentBody> {
  const { pieces, rest } = await gather(stream, SMALL_BYTES);
  const digest = ports.newDigest();
  const request = { method: 'PUT', path: 'files', signal: options.signal } as const;
  if (!rest) {
    const body = concatBytes(...pieces);
    digest.update(body);
    const cid = cidOf(digest.finish());
    const headers = { ...headersOf(options), 'Filetao-Cid': cid };
    const file = await callJson(ports.connection, { ...request, headers, body, repeatable: true }, FileAnswer);
    return checked(file, cid);
  }
  const body = resumed(pieces, rest).pipeThrough(watching((piece) => digest.update(piece)));
  const file = await callJson(ports.connection, { ...request, headers: headersOf(options), body }, FileAnswer);
  return checked(file, cidOf(digest.finish()));
}

function checked(file: FileAnswer, cid: Cid): SentBody {
  if (file.cid === cid) return { file, cid };
  throw new ClientError('wrong-bytes', `the edge stored ${file.cid}, but what was sent is ${cid}: delete it`);
}
