/**
 * Stores a directory: content first, in packs of small files and bodies of large ones, then the listing. What the
 * listing before held (known by an HMAC of the content) is referred to and not sent again; its bodies are kept as long as
 * the new listing is.
 */
import { FileAnswer } from '#shared/api/schemas.ts';
import { concatBytes, toBase64Url } from '#shared/primitives/bytes.ts';
import type { Cid } from '#shared/primitives/ids.ts';
import { callJson } from '../api-call.ts';
import { ClientError, isClientError } from '../client-error.ts';
import { watching } from '../file-digest.ts';
import { openSource, readWhole } from '../file-source.ts';
import { type ContentTag, contentTags } from '../keys/account-secrets.ts';
import type { Keyring } from '../keys/keyring.ts';
import { type PrivateOptions, type PrivatePorts, storePrivate } from '../private/store-private.ts';
import type { OnProgress } from '../progress.ts';
import {
  TREE_CONTENT_TYPE,
  type TreeBody,
  type TreeEntry,
  type TreeFile,
  type TreeListing,
  writeListing,
} from './listing.ts';
import { isSafePath } from './tree-path.ts';

/** One thing in a directory, as it is found; `open` may be called twice. */
export type TreeSource =
  | {
      readonly path: string;
      readonly type: 'file';
      readonly bytes: number;
      readonly mode: number;
      readonly mtimeMs: number;
      open(): ReadableStream<Uint8Array>;
      /** The whole of a small file at once, where that is faster. */
      read?(): Promise<Uint8Array>;
    }
  | { readonly path: string; readonly type: 'folder'; readonly mode: number; readonly mtimeMs: number }
  | { readonly path: string; readonly type: 'link'; readonly target: string; readonly mtimeMs: number };
type FileSourceEntry = Extract<TreeSource, { type: 'file' }>;

/** Files up to this size share bodies; a larger one has its own. */
const PACKED_BYTES = 1024 * 1024;
/** One segment: a pack is one round trip to read whole. */
const PACK_BYTES = 4 * 1024 * 1024;
/** Bodies on their way at once: what one connection to an edge carries well. */
const BODIES_AT_ONCE = 3;

export interface StoreTreeOptions extends Omit<PrivateOptions, 'kind' | 'contentType' | 'passphrase'> {
  /** The listing stored before; content that it has is not sent again. */
  readonly previous?: TreeListing | undefined;
  readonly onProgress?: OnProgress | undefined;
}

export interface StoredTree {
  readonly cid: Cid;
  readonly listing: TreeListing;
  /** Bytes of content that were sent, and that were there. */
  readonly sentBytes: number;
  readonly keptBytes: number;
  readonly file: FileAnswer;
}

/** Where content lies. */
interface Place {
  readonly body: number;
  readonly offset: number;
  readonly bytes: number;
}

class TreeWriter {
  readonly #ports: PrivatePorts;
  readonly #keys: Keyring;
  readonly #options: StoreTreeOptions;
  readonly #newTag: () => ContentTag;
  readonly bodies: TreeBody[] = [];
  readonly #places = new Map<string, Place>();
  #pack: { readonly body: number; readonly pieces: Uint8Array[]; bytes: number } | undefined;
  readonly #sending = new Set<Promise<void>>();
  #failed: { readonly error: unknown } | undefined;
  sentBytes = 0;
  keptBytes = 0;

  constructor(ports: PrivatePorts, keys: Keyring, options: StoreTreeOptions) {
    this.#ports = ports;
    this.#keys = keys;
    this.#options = options;
    this.#newTag = contentTags(keys.accountSeed);
  }

  /** Bodies of the listing before that are still there and will stay long enough. */
  async keep(previous: TreeListing): Promise<void> {
    const numbers = new Map<number, number>();
    for (const [index, body] of previous.bodies.entries()) {
      if (await keepBody(this.#ports, body.cid as Cid, this.#options)) {
        numbers.set(index, this.bodies.length);
        this.bodies.push(body);
      }
    }
    for (const entry of previous.entries) {
      if (entry.type !== 'file') continue;
      const body = numbers.get(entry.body);
      if (body !== undefined) this.#places.set(entry.tag, { body, offset: entry.offset, bytes: entry.bytes });
    }
  }

  async add(source: FileSourceEntry): Promise<TreeFile> {
    if (this.#failed) throw this.#failed.error;
    const { path, mode, mtimeMs } = source;
    const { tag, place } = source.bytes <= PACKED_BYTES ? await this.#addSmall(source) : await this.#addLarge(source);
    return { path, type: 'file', mode, mtimeMs, tag, ...place };
  }

  async #addSmall(source: FileSourceEntry): Promise<{ tag: string; place: Place }> {
    const content = source.read ? await source.read() : await readWhole(source.open());
    const tag = this.#tagOf(content);
    const known = this.#known(tag);
    if (known) return { tag, place: known };
    if (this.#pack && this.#pack.bytes + content.length > PACK_BYTES) await this.#flush();
    // Its place in the list is taken now; what stands there is known when it was sent.
    this.#pack ??= { body: this.bodies.push(NOT_YET) - 1, pieces: [], bytes: 0 };
    const place = { body: this.#pack.body, offset: this.#pack.bytes, bytes: content.length };
    this.#pack.pieces.push(content);
    this.#pack.bytes += content.length;
    this.#places.set(tag, place);
    return { tag, place };
  }

  /** Read once to know it, and again to send it: the second reading is what counts. */
  async #addLarge(source: FileSourceEntry): Promise<{ tag: string; place: Place }> {
    const first = this.#newTag();
    await source.open().pipeTo(new WritableStream({ write: (piece) => first.update(piece) }));
    const tag = toBase64Url(first.finish());
    const known = this.#known(tag);
    if (known) return { tag, place: known };
    const body = this.bodies.push(NOT_YET) - 1;
    const sent = this.#newTag();
    await this.#send(body, source.open().pipeThrough(watching((piece) => sent.update(piece))));
    const sentTag = toBase64Url(sent.finish());
    const place = { body, offset: 0, bytes: this.bodies[body]?.bytes ?? 0 };
    this.#places.set(sentTag, place);
    return { tag: sentTag, place };
  }

  #tagOf(content: Uint8Array): string {
    const tag = this.#newTag();
    tag.update(content);
    return toBase64Url(tag.finish());
  }

  #known(tag: string): Place | undefined {
    const place = this.#places.get(tag);
    if (place) this.keptBytes += place.bytes;
    return place;
  }

  async #send(body: number, stream: ReadableStream<Uint8Array>): Promise<void> {
    const { ttlSeconds, redundancy, signal } = this.#options;
    // To the owner alone: everybody else opens it by what stands in the listing.
    const options = { kind: 'pack', ttlSeconds, redundancy, signal } as const;
    const { cid, identity, bytes, file } = await storePrivate(this.#ports, this.#keys, stream, options);
    this.bodies[body] = { cid, identity, bytes, storedBytes: file.bytes };
    this.sentBytes += bytes;
  }

  async #flush(): Promise<void> {
    const pack = this.#pack;
    this.#pack = undefined;
    if (!pack) return;
    while (this.#sending.size >= BODIES_AT_ONCE) await Promise.race(this.#sending);
    const sending: Promise<void> = this.#send(pack.body, openSource(concatBytes(...pack.pieces)).stream)
      .catch((error: unknown) => {
        this.#failed ??= { error };
      })
      .finally(() => this.#sending.delete(sending));
    this.#sending.add(sending);
  }

  /** Everything is sent. */
  async finish(): Promise<void> {
    await this.#flush();
    await Promise.all(this.#sending);
    if (this.#failed) throw this.#failed.error;
  }
}

/** A body that is still on its way; no listing is written before all of them are known. */
const NOT_YET = {} as TreeBody;

/** Sending nothing under a CID says: I mean the bytes that are there, and the later expiry (`PUT /v1/files`). */
async function keepBody(ports: PrivatePorts, cid: Cid, { ttlSeconds, signal }: StoreTreeOptions): Promise<boolean> {
  const headers = { 'Filetao-Cid': cid, 'Filetao-Ttl': ttlSeconds === undefined ? undefined : String(ttlSeconds) };
  const request = { method: 'PUT', path: 'files', headers, body: new Uint8Array(), repeatable: true, signal } as const;
  try {
    await callJson(ports.connection, request, FileAnswer);
    return true;
  } catch (error) {
    if (isClientError(error, 'wrong-cid')) return false;
    throw error;
  }
}

export async function storeTree(
  ports: PrivatePorts,
  keys: Keyring,
  sources: AsyncIterable<TreeSource>,
  options: StoreTreeOptions,
): Promise<StoredTree> {
  const writer = new TreeWriter(ports, keys, options);
  if (options.previous) await writer.keep(options.previous);
  const entries: TreeEntry[] = [];
  let bytes = 0;
  for await (const source of sources) {
    options.signal?.throwIfAborted();
    if (!isSafePath(source.path))
      throw new ClientError('unsafe-path', `${JSON.stringify(source.path)} is no path inside a directory`);
    const entry = source.type === 'file' ? await writer.add(source) : source;
    entries.push(entry);
    if (entry.type === 'file') bytes += entry.bytes;
    options.onProgress?.({ bytes });
  }
  await writer.finish();
  const listing = onlyUsed({ version: 1, bodies: writer.bodies, entries });
  const { name, ttlSeconds, redundancy, recipients, signal } = options;
  const stored = await storePrivate(ports, keys, openSource(writeListing(listing)).stream, {
    ...{ kind: 'tree', contentType: TREE_CONTENT_TYPE, name, ttlSeconds, redundancy, recipients, signal },
  });
  const { sentBytes, keptBytes } = writer;
  return { cid: stored.cid, listing, sentBytes, keptBytes, file: stored.file };
}

/** Without the bodies of a listing before that nothing lies in any more. */
function onlyUsed({ version, bodies, entries }: TreeListing): TreeListing {
  const used = new Set(entries.flatMap((entry) => (entry.type === 'file' ? [entry.body] : [])));
  const numbers = new Map([...used].sort((a, b) => a - b).map((body, number) => [body, number]));
  return {
    version,
    bodies: bodies.filter((_, body) => used.has(body)),
    entries: entries.map((entry) => (entry.type === 'file' ? { ...entry, body: numbers.get(entry.body) ?? 0 } : entry)),
  };
}
