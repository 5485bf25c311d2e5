/**
 * A stored file's bytes as a stream. A connection that breaks is taken up again where it broke (reading is safe to
 * repeat); the bytes of a whole file are checked against its CID before the stream ends well, so that whoever keeps
 * them only after the end keeps the right ones.
 */
import { parseCid } from '#shared/codec/cid.ts';
import { equalBytes } from '#shared/primitives/bytes.ts';
import type { Cid } from '#shared/primitives/ids.ts';
import { type Connection, call } from './api-call.ts';
import { ClientError } from './client-error.ts';
import type { NewDigest } from './file-digest.ts';
import { iterableStream } from './file-source.ts';

/** First byte, and the one after the last (absent: to the end). */
export interface ByteRange {
  readonly from: number;
  readonly to?: number;
}

export interface BodyOfFile {
  readonly stream: ReadableStream<Uint8Array>;
  /** Of the range. */
  readonly bytes: number;
  readonly contentType: string | undefined;
}

/** Breaks of the connection that are mended, in a row without a byte between. */
const BREAKS = 3;

export interface ReadPorts {
  readonly connection: Connection;
  readonly newDigest: NewDigest;
}

interface ReadOptions {
  readonly range?: ByteRange | undefined;
  readonly signal?: AbortSignal | undefined;
}

const rangeHeader = (from: number, to: number | undefined): string | undefined =>
  from === 0 && to === undefined ? undefined : `bytes=${from}-${to === undefined ? '' : to - 1}`;

async function open(ports: ReadPorts, cid: Cid, from: number, to: number | undefined, signal?: AbortSignal) {
  const headers = { Range: rangeHeader(from, to), 'If-Match': `"${cid}"` };
  const response = await call(ports.connection, { method: 'GET', path: `files/${cid}`, headers, signal });
  const length = response.headers.get('Content-Length');
  if (headers.Range !== undefined && response.status !== 206) {
    await response.body?.cancel();
    throw new ClientError('bad-answer', 'the edge answered a range with something else', { status: response.status });
  }
  if (length === null || !/^\d{1,15}$/.test(length)) throw new ClientError('bad-answer', 'the answer has no length');
  return { response, bytes: Number(length) };
}

export async function readBody(ports: ReadPorts, cid: Cid, options: ReadOptions = {}): Promise<BodyOfFile> {
  const from = options.range?.from ?? 0;
  const first = await open(ports, cid, from, options.range?.to, options.signal);
  const { bytes } = first;
  const whole = from === 0 && options.range?.to === undefined;
  const pieces = follow(ports, cid, { from, to: from + bytes, whole }, first.response, options.signal);
  return {
    stream: iterableStream(pieces),
    bytes,
    contentType: first.response.headers.get('Content-Type') ?? undefined,
  };
}

async function* follow(
  ports: ReadPorts,
  cid: Cid,
  { from, to, whole }: { readonly from: number; readonly to: number; readonly whole: boolean },
  first: Response,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array, void, undefined> {
  const digest = whole ? ports.newDigest() : undefined;
  let at = from;
  let breaks = 0;
  for (let response: Response | undefined = first; ; ) {
    const reader: ReadableStreamDefaultReader<Uint8Array> | undefined = response?.body?.getReader();
    try {
      for (;;) {
        const { done, value } = (await reader?.read()) ?? { done: true, value: undefined };
        if (done || !value) break;
        at += value.length;
        if (at > to) throw new ClientError('bad-answer', 'more bytes came than were announced');
        breaks = 0;
        digest?.update(value);
        yield value;
      }
    } catch (error) {
      signal?.throwIfAborted();
      if (error instanceof ClientError) throw error;
    } finally {
      // Left early by the reader of this stream: nothing more is wanted.
      await reader?.cancel().catch(() => undefined);
    }
    if (at === to) break;
    if (++breaks > BREAKS) throw new ClientError('unreachable', `the connection broke ${breaks} times at byte ${at}`);
    ({ response } = await open(ports, cid, at, to, signal));
  }
  if (digest && !equalBytes(digest.finish(), parseCid(cid)?.digest ?? new Uint8Array())) {
    throw new ClientError('wrong-bytes', `what came is not ${cid}`);
  }
}
