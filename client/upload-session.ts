/**
 * Uploads by parts (`shared/api/upload-schemas.ts`): open, send, look, complete. Every step may be repeated: a part is
 * known by its number and hash, completion by its result. Parts go in order, so that the edge hashes the file as it
 * passes. `send-body.ts` streams by these, `resume-upload.ts` takes broken ones up again.
 */
import { FileAnswer } from '#shared/api/schemas.ts';
import {
  PartAnswer,
  ProvingAnswer,
  UploadAnswer,
  UploadPartsAnswer,
  type UploadRequest,
} from '#shared/api/upload-schemas.ts';
import { toBase64, toHex } from '#shared/primitives/bytes.ts';
import type { Cid } from '#shared/primitives/ids.ts';
import { type Connection, call, callJson, parseAnswer } from './api-call.ts';
import { ClientError } from './client-error.ts';
import type { NewDigest } from './file-digest.ts';

export interface SessionPorts {
  readonly connection: Connection;
  readonly newDigest: NewDigest;
}

async function jsonOf(response: Response): Promise<unknown> {
  try {
    return await response.json();
  } catch (error) {
    throw new ClientError('bad-answer', 'the edge’s answer is not JSON', { status: response.status, cause: error });
  }
}

/** A session; or the file, when the owner has these bytes already. */
export async function openUpload(
  { connection }: SessionPorts,
  request: UploadRequest,
  signal: AbortSignal | undefined,
): Promise<{ readonly session: UploadAnswer } | { readonly file: FileAnswer }> {
  const response = await call(connection, { method: 'POST', path: 'uploads', json: request, signal });
  const value = await jsonOf(response);
  return response.status === 200
    ? { file: parseAnswer(FileAnswer, value) }
    : { session: parseAnswer(UploadAnswer, value) };
}

export function sha256Of(newDigest: NewDigest, bytes: Uint8Array): Uint8Array {
  const digest = newDigest();
  digest.update(bytes);
  return digest.finish();
}

/** @returns the part's hash, hex, as the edge confirmed it */
export async function putPart(
  { connection }: SessionPorts,
  upload: string,
  number: number,
  body: Uint8Array,
  hash: Uint8Array,
  signal: AbortSignal | undefined,
): Promise<string> {
  const headers = { 'Content-Digest': `sha-256=:${toBase64(hash)}:` };
  const path = `uploads/${upload}/parts/${number}`;
  const part = await callJson(connection, { method: 'PUT', path, headers, body, repeatable: true, signal }, PartAnswer);
  if (part.hash === toHex(hash)) return part.hash;
  throw new ClientError('wrong-bytes', `the edge keeps other bytes as part ${number} than were sent`);
}

/** The session as it stands, with every part that is there. */
export async function readUpload(
  { connection }: SessionPorts,
  upload: string,
  signal: AbortSignal | undefined,
): Promise<{ readonly session: UploadAnswer; readonly parts: ReadonlyMap<number, string> }> {
  const parts = new Map<number, string>();
  for (let from: number | undefined = 1; ; ) {
    const query = { from: String(from) };
    const page: UploadPartsAnswer = await callJson(
      connection,
      { method: 'GET', path: `uploads/${upload}`, query, signal },
      UploadPartsAnswer,
    );
    for (const { number, hash } of page.parts) parts.set(number, hash);
    from = page.next;
    if (from === undefined) return { session: page, parts };
  }
}

/** Makes the parts a file; waits while the edge still hashes what came out of order. */
export async function completeUpload(
  { connection }: SessionPorts,
  upload: string,
  whole: { readonly cid: Cid; readonly bytes: number; readonly parts: readonly string[] },
  signal: AbortSignal | undefined,
): Promise<FileAnswer> {
  const request = {
    method: 'POST',
    path: `uploads/${upload}/complete`,
    json: whole,
    repeatable: true,
    signal,
  } as const;
  for (let proven = -1; ; ) {
    const response = await call(connection, request);
    const value = await jsonOf(response);
    if (response.status !== 202) {
      const file = parseAnswer(FileAnswer, value);
      if (file.cid === whole.cid) return file;
      throw new ClientError('wrong-bytes', `the edge stored ${file.cid}, but what was sent is ${whole.cid}: delete it`);
    }
    const { provenBytes } = parseAnswer(ProvingAnswer, value);
    if (provenBytes <= proven) throw new ClientError('bad-answer', 'the edge does not come on with hashing the file');
    proven = provenBytes;
  }
}

export async function abortUpload({ connection }: SessionPorts, upload: string): Promise<void> {
  await call(connection, { method: 'DELETE', path: `uploads/${upload}`, repeatable: true });
}
