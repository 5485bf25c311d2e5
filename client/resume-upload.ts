/**
 * Stores that survive the death of the program. `prepareUpload` writes what will be sent (for a private file its
 * ciphertext) to a place of the caller's, a spool on disk, and gives a journal entry: plain JSON that holds no key of the
 * file in the clear. `sendPrepared` sends from the spool, as often as it takes; parts that arrived are not sent again.
 * The ciphertext is kept rather than made anew, because one age file key must never meet changed bytes.
 */
import { z } from 'zod';
import type { FileAnswer } from '#shared/api/schemas.ts';
import { cidOf } from '#shared/codec/cid.ts';
import { fromBase64Url, toBase64Url, toHex } from '#shared/primitives/bytes.ts';
import type { Cid } from '#shared/primitives/ids.ts';
import { ClientError, isClientError } from './client-error.ts';
import { watching } from './file-digest.ts';
import type { Keyring } from './keys/keyring.ts';
import { Metadata } from './private/metadata.ts';
import { finishPrivate, type PrivateOptions, type PrivatePorts, sealPrivate } from './private/store-private.ts';
import type { OnProgress } from './progress.ts';
import { type BodyOptions, PART_BYTES } from './send-body.ts';
import { completeUpload, openUpload, putPart, readUpload, sha256Of } from './upload-session.ts';

/** What is to be kept until the store is done. The name in it is the owner's own: keep it as the file itself is kept. */
export const PreparedUpload = z.object({
  version: z.literal(1),
  cid: z.string(),
  /** Of the spool. */
  bytes: z.int().min(0),
  partBytes: z.int().min(1),
  /** As the edge will know it. */
  name: z.string().optional(),
  contentType: z.string().optional(),
  ttlSeconds: z.int().min(0).optional(),
  redundancy: z.object({ k: z.int(), n: z.int() }).optional(),
  /** Of a private file: its sealed envelope, base64url, and what its metadata will say. */
  envelope: z.string().optional(),
  metadata: Metadata.optional(),
});
export type PreparedUpload = z.output<typeof PreparedUpload>;

export interface PrepareOptions extends Omit<PrivateOptions, 'kind'> {
  readonly plain?: boolean | undefined;
  readonly partBytes?: number | undefined;
}

/** @param spool takes the bytes to be sent, in order */
export async function prepareUpload(
  ports: Pick<PrivatePorts, 'random' | 'newDigest'>,
  keys: Keyring | undefined,
  plain: ReadableStream<Uint8Array>,
  options: PrepareOptions,
  spool: WritableStream<Uint8Array>,
): Promise<PreparedUpload> {
  const { name, contentType, ttlSeconds, redundancy, signal, partBytes = PART_BYTES } = options;
  if (!options.plain && !keys) throw new ClientError('no-keys', 'a private file needs keys');
  const sealing = options.plain || !keys ? undefined : await sealPrivate(ports.random, keys, plain, options);
  const digest = ports.newDigest();
  let bytes = 0;
  const counting = watching((piece) => {
    digest.update(piece);
    bytes += piece.length;
  });
  await (sealing?.stream ?? plain).pipeThrough(counting).pipeTo(spool, signal ? { signal } : {});
  const sealed = await sealing?.finish();
  const edgeName = sealing ? sealing.hiddenName : name;
  return {
    ...{ version: 1, cid: cidOf(digest.finish()), bytes, partBytes },
    ...(edgeName === undefined ? {} : { name: edgeName }),
    ...(contentType === undefined || sealing ? {} : { contentType }),
    ...(ttlSeconds === undefined ? {} : { ttlSeconds }),
    ...(redundancy === undefined ? {} : { redundancy }),
    ...(sealed ? { envelope: toBase64Url(sealed.envelope), metadata: sealed.metadata } : {}),
  };
}

export interface SendPreparedOptions {
  /** Bytes [from, to) of the spool. */
  read(from: number, to: number): Promise<Uint8Array>;
  /** The session of an earlier try. */
  readonly upload?: string | undefined;
  /** Told the session before its first part: note it, to come back to it. */
  onUpload?(upload: string): Promise<void> | void;
  readonly onProgress?: OnProgress | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface SentPrepared {
  readonly cid: Cid;
  readonly file: FileAnswer;
  /** Bytes that this call sent; the rest was there. */
  readonly sentBytes: number;
}

/** The earlier session, when parts may still go to it or it is done. */
async function standing(ports: PrivatePorts, { upload, signal }: SendPreparedOptions) {
  if (upload === undefined) return undefined;
  try {
    const found = await readUpload(ports, upload, signal);
    return ['open', 'completing', 'stored'].includes(found.session.state) ? found : undefined;
  } catch (error) {
    if (isClientError(error, 'not-found') || isClientError(error, 'bad-request')) return undefined;
    throw error;
  }
}

export async function sendPrepared(
  ports: PrivatePorts,
  keys: Pick<Keyring, 'accountSeed'> | undefined,
  prepared: PreparedUpload,
  options: SendPreparedOptions,
): Promise<SentPrepared> {
  if (prepared.envelope !== undefined && !keys) throw new ClientError('no-keys', 'this upload is of a private file');
  const cid = prepared.cid as Cid;
  const body = await sendBytes(ports, prepared, options);
  if (prepared.envelope !== undefined && prepared.metadata && keys) {
    const envelope = fromBase64Url(prepared.envelope);
    if (!envelope) throw new ClientError('bad-record', 'the journal of this upload is damaged');
    await finishPrivate(ports, keys, body.file, { envelope, metadata: prepared.metadata }, options.signal);
  }
  return { cid, ...body };
}

function requestFor({ cid, bytes, partBytes, name, contentType, ttlSeconds, redundancy }: PreparedUpload) {
  const wanted: BodyOptions = { name, contentType, ttlSeconds, redundancy };
  return {
    ...{ cid, bytes, partBytes },
    ...(wanted.name === undefined ? {} : { name: wanted.name }),
    ...(wanted.contentType === undefined ? {} : { type: wanted.contentType }),
    ...(wanted.ttlSeconds === undefined ? {} : { ttl: wanted.ttlSeconds }),
    ...(wanted.redundancy === undefined ? {} : { redundancy: `${wanted.redundancy.k},${wanted.redundancy.n}` }),
  };
}

async function sendBytes(
  ports: PrivatePorts,
  prepared: PreparedUpload,
  options: SendPreparedOptions,
): Promise<{ readonly file: FileAnswer; readonly sentBytes: number }> {
  const { signal, onProgress } = options;
  const earlier = await standing(ports, options);
  const opened = earlier ?? (await openUpload(ports, requestFor(prepared), signal));
  if ('file' in opened) return { file: opened.file, sentBytes: 0 };
  const { upload, state, partBytes } = opened.session;
  const there = earlier?.parts ?? new Map<number, string>();
  if (!earlier) await options.onUpload?.(upload);

  const { bytes } = prepared;
  const cid = prepared.cid as Cid;
  const parts: string[] = [];
  const whole = ports.newDigest();
  let sentBytes = 0;
  for (let from = 0, number = 1; from < bytes || number === 1; from += partBytes, number++) {
    const part = await options.read(from, Math.min(bytes, from + partBytes));
    whole.update(part);
    const hash = sha256Of(ports.newDigest, part);
    if (there.get(number) !== toHex(hash) && state !== 'stored') {
      await putPart(ports, upload, number, part, hash, signal);
      sentBytes += part.length;
    }
    parts.push(toHex(hash));
    onProgress?.({ bytes: Math.min(bytes, from + partBytes), totalBytes: bytes });
  }
  if (cidOf(whole.finish()) !== cid) throw new ClientError('wrong-bytes', 'the spool was changed: begin anew');
  return { file: await completeUpload(ports, upload, { cid, bytes, parts }, signal), sentBytes };
}
