/**
 * The library's front: `createClient({ url, apiKey })` gives store, retrieve, list, status and delete over one edge. Runs
 * in Node, browsers and Workers. Failures reject with `ClientError`, whose `code` is the API's.
 */
import type { DeletionAnswer, FileAnswer, StatusAnswer } from '#shared/api/schemas.ts';
import { parseCid } from '#shared/codec/cid.ts';
import { type Clock, type Random, systemClock, systemRandom } from '#shared/primitives/effects.ts';
import type { Cid } from '#shared/primitives/ids.ts';
import type { ClientFetch, Connection } from './api-call.ts';
import * as edge from './edge-files.ts';
import { type NewDigest, portableSha256 } from './file-digest.ts';
import { type FileSource, openSource } from './file-source.ts';
import { counted, type OnProgress } from './progress.ts';
import { type ByteRange, readBody } from './read-body.ts';
import { type BodyOptions, sendBody } from './send-body.ts';

export interface ClientOptions {
  /** The edge, such as `https://storage.example`. */
  readonly url: string;
  readonly apiKey?: string;
  /** The runtime's own by default. */
  readonly fetch?: ClientFetch;
  readonly clock?: Clock;
  readonly random?: Random;
  /** A faster SHA-256 than the portable one. */
  readonly newDigest?: NewDigest;
}

export interface StoreOptions extends BodyOptions {
  readonly onProgress?: OnProgress;
}

export interface StoredFile {
  readonly cid: Cid;
  /** The file's own bytes. */
  readonly bytes: number;
  readonly file: FileAnswer;
}

export interface RetrieveOptions {
  readonly range?: ByteRange;
  readonly signal?: AbortSignal;
  readonly onProgress?: OnProgress;
}

export interface RetrievedFile {
  readonly cid: Cid;
  readonly bytes: number;
  readonly contentType: string | undefined;
  /** Ends with an error if what came is not what the CID names: keep it only when it has ended well. */
  readonly stream: ReadableStream<Uint8Array>;
}

export interface Client {
  store(source: FileSource, options?: StoreOptions): Promise<StoredFile>;
  /** @param target a CID, or a name you gave */
  retrieve(target: string, options?: RetrieveOptions): Promise<RetrievedFile>;
  /** Your files, newest first. */
  list(options?: edge.PageOptions): AsyncIterable<FileAnswer>;
  listPage(options?: edge.PageOptions): Promise<{ readonly files: readonly FileAnswer[]; readonly next?: string }>;
  status(target: string, signal?: AbortSignal): Promise<StatusAnswer>;
  delete(target: string, signal?: AbortSignal): Promise<DeletionAnswer>;
  deletion(cid: Cid, signal?: AbortSignal): Promise<DeletionAnswer>;
}

export function createClient(options: ClientOptions): Client {
  const newDigest = options.newDigest ?? portableSha256;
  const connection: Connection = {
    url: options.url.replace(/\/+$/, ''),
    apiKey: options.apiKey,
    // Wrapped, because a runtime's own insists on being called bare.
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
  };
  const ports = { connection, newDigest };

  const cidOfTarget = async (target: string, signal?: AbortSignal): Promise<Cid> =>
    parseCid(target)?.cid ?? (await edge.headFile(connection, { name: target }, signal)).cid;

  return {
    async store(source, { onProgress, ...body } = {}) {
      const { stream, bytes } = openSource(source);
      const { cid, file } = await sendBody(ports, counted(stream, bytes, onProgress), body);
      return { cid, bytes: file.bytes, file };
    },
    async retrieve(target, { onProgress, ...read } = {}) {
      const cid = await cidOfTarget(target, read.signal);
      const { stream, bytes, contentType } = await readBody(ports, cid, read);
      return { cid, bytes, contentType, stream: counted(stream, bytes, onProgress) };
    },
    async *list(page = {}) {
      for (let cursor = page.cursor; ; ) {
        const { files, next } = await edge.listPage(connection, { ...page, cursor });
        yield* files;
        if (next === undefined) return;
        cursor = next;
      }
    },
    listPage: (page = {}) => edge.listPage(connection, page),
    status: async (target, signal) => edge.readStatus(connection, await cidOfTarget(target, signal), signal),
    delete: async (target, signal) => edge.deleteFile(connection, { cid: await cidOfTarget(target, signal) }, signal),
    deletion: (cid, signal) => edge.readDeletion(connection, cid, signal),
  };
}
