/**
 * Bytes to the edge as one file. What is small is gathered first: its CID goes ahead of it, so that it may be sent
 * again after a failure and costs nothing when it is there already. What is larger goes by parts, each of which may be
 * sent again. Either way the edge's CID must be ours, or the store has failed.
 */
import { FileAnswer } from '#shared/api/schemas.ts';
import { cidOf } from '#shared/codec/cid.ts';
import { concatBytes } from '#shared/primitives/bytes.ts';
import type { Cid } from '#shared/primitives/ids.ts';
import { MAX_ZK_FILE_BYTES } from '#shared/wire/limits.ts';
import { type Connection, callJson } from './api-call.ts';
import { ClientError } from './client-error.ts';
import type { NewDigest } from './file-digest.ts';
import { abortUpload, completeUpload, openUpload, putPart, sha256Of } from './upload-session.ts';

/** Gathered before it is sent: two segments. */
const SMALL_BYTES = 8 * 1024 * 1024;
/** Two of these are in memory at once: one on its way, one being read. */
export const PART_BYTES = 16 * 1024 * 1024;

export interface BodyOptions {
  readonly name?: string | undefined;
  readonly contentType?: string | undefined;
  readonly ttlSeconds?: number | undefined;
  readonly redundancy?: { readonly k: number; readonly n: number } | undefined;
  /** zk: proofs of its shards show nothing (`docs/proofs.md`); small files only. */
  readonly proof?: FileAnswer['proof'] | undefined;
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
  'Filetao-Proof': options.proof,
});

/** Takes a stream in pieces of an exact length; the last one is shorter, and may be empty. */
function slicer(stream: ReadableStream<Uint8Array>) {
  const reader = stream.getReader();
  let held: Uint8Array = new Uint8Array();
  return {
    async take(bytes: number): Promise<Uint8Array<ArrayBuffer>> {
      const slice = new Uint8Array(bytes);
      let filled = 0;
      while (filled < bytes) {
        if (held.length === 0) {
          const { done, value } = await reader.read();
          if (done) return slice.slice(0, filled);
          held = value;
        }
        const part = held.subarray(0, bytes - filled);
        slice.set(part, filled);
        filled += part.length;
        held = held.subarray(part.length);
      }
      return slice;
    },
    cancel: (reason: unknown) => reader.cancel(reason).catch(() => undefined),
  };
}
type Slicer = ReturnType<typeof slicer>;

export async function sendBody(
  ports: SendPorts,
  stream: ReadableStream<Uint8Array>,
  options: BodyOptions,
): Promise<SentBody> {
  const source = slicer(stream);
  try {
    const start = await source.take(SMALL_BYTES);
    if (start.length === SMALL_BYTES && options.proof === 'zk') throw tooLargeForZk();
    return start.length < SMALL_BYTES
      ? await sendSmall(ports, start, options)
      : await sendParts(ports, start, source, options);
  } catch (error) {
    await source.cancel(error);
    throw error;
  }
}

async function sendSmall(ports: SendPorts, body: Uint8Array<ArrayBuffer>, options: BodyOptions): Promise<SentBody> {
  const cid = cidOf(sha256Of(ports.newDigest, body));
  const headers = { ...headersOf(options), 'Filetao-Cid': cid };
  const request = { method: 'PUT', path: 'files', headers, body, repeatable: true, signal: options.signal } as const;
  return checked(await callJson(ports.connection, request, FileAnswer), cid);
}

/** One part on its way while the next is read and, for a private file, encrypted. */
async function sendParts(
  ports: SendPorts,
  start: Uint8Array<ArrayBuffer>,
  source: Slicer,
  { name, contentType, ttlSeconds, redundancy, signal }: BodyOptions,
): Promise<SentBody> {
  const request = {
    partBytes: PART_BYTES,
    ...(name === undefined ? {} : { name }),
    ...(contentType === undefined ? {} : { type: contentType }),
    ...(ttlSeconds === undefined ? {} : { ttl: ttlSeconds }),
    ...(redundancy === undefined ? {} : { redundancy: `${redundancy.k},${redundancy.n}` }),
  };
  const opened = await openUpload(ports, request, signal);
  if ('file' in opened) throw new ClientError('bad-answer', 'the edge has a file that was not named yet');
  const { upload } = opened.session;
  const whole = ports.newDigest();
  const parts: string[] = [];
  let bytes = 0;
  try {
    let sending: Promise<string> | undefined;
    const rest = await source.take(PART_BYTES - start.length);
    let part = concatBytes(start, rest) as Uint8Array<ArrayBuffer>;
    for (let number = 1; part.length > 0; number++) {
      const hash = sha256Of(ports.newDigest, part);
      whole.update(part);
      bytes += part.length;
      if (sending) parts.push(await sending);
      sending = putPart(ports, upload, number, part, hash, signal);
      // Read on meanwhile; a failure of the sending is met above or below, not as one that nobody handles.
      sending.catch(() => undefined);
      part = part.length === PART_BYTES ? await source.take(PART_BYTES) : new Uint8Array();
    }
    if (sending) parts.push(await sending);
    const cid = cidOf(whole.finish());
    return checked(await completeUpload(ports, upload, { cid, bytes, parts }, signal), cid);
  } catch (error) {
    await abortUpload(ports, upload).catch(() => undefined);
    throw error;
  }
}

const tooLargeForZk = () =>
  new ClientError('too-large', `files with proof=zk have at most ${MAX_ZK_FILE_BYTES} bytes, encryption included`);

function checked(file: FileAnswer, cid: Cid): SentBody {
  if (file.cid === cid) return { file, cid };
  throw new ClientError('wrong-bytes', `the edge stored ${file.cid}, but what was sent is ${cid}: delete it`);
}
