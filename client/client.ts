/** What a client can do: the library's public types. `create-client.ts` makes one. */
import type {
  AccountAnswer,
  DeletionAnswer,
  FileAnswer,
  KeyAnswer,
  LoginAnswer,
  NewKeyAnswer,
  StatusAnswer,
} from '#shared/api/schemas.ts';
import type { Clock, Random } from '#shared/primitives/effects.ts';
import type { Cid, OwnerId } from '#shared/primitives/ids.ts';
import type { ClientFetch } from './api-call.ts';
import type { PageOptions } from './edge-files.ts';
import type { NewDigest } from './file-digest.ts';
import type { FileSource } from './file-source.ts';
import type { Keyring } from './keys/keyring.ts';
import type { SharingChange } from './private/change-private.ts';
import type { FileKind } from './private/envelope-text.ts';
import type { ListedFile } from './private/list-private.ts';
import type { OpenOptions } from './private/open-private.ts';
import type { PrivateOptions } from './private/store-private.ts';
import type { OnProgress } from './progress.ts';
import type { ByteRange } from './read-body.ts';
import type { PreparedUpload, PrepareOptions, SendPreparedOptions, SentPrepared } from './resume-upload.ts';

import type { OpenTree } from './tree/read-tree.ts';
import type { StoredTree, StoreTreeOptions, TreeSource } from './tree/store-tree.ts';

export interface ClientOptions {
  /** The edge, such as `https://storage.example`. */
  readonly url: string;
  readonly apiKey?: string | undefined;
  /** Of private files; without them only `plain: true` stores. */
  readonly keys?: Keyring | undefined;
  /** The runtime's own by default. */
  readonly fetch?: ClientFetch;
  readonly clock?: Clock;
  readonly random?: Random;
  /** A faster SHA-256 than the portable one. */
  readonly newDigest?: NewDigest;
}

export interface StoreOptions extends Omit<PrivateOptions, 'kind'> {
  /** Stored as it is, readable for the edge and every miner together. Everything else is encrypted here. */
  readonly plain?: boolean;
  readonly onProgress?: OnProgress | undefined;
}

export interface StoredFile {
  readonly cid: Cid;
  /** Of the content. */
  readonly bytes: number;
  readonly private: boolean;
  readonly file: FileAnswer;
}

export interface RetrieveOptions extends OpenOptions {
  readonly range?: ByteRange | undefined;
  readonly onProgress?: OnProgress | undefined;
}

export interface RetrievedFile {
  readonly cid: Cid;
  readonly private: boolean;
  readonly kind: FileKind;
  readonly name: string | undefined;
  readonly contentType: string | undefined;
  /** That the stream will give: of the content, or of the range. */
  readonly bytes: number;
  /** Who signed a private file's record. */
  readonly signer: OwnerId | undefined;
  /** Ends with an error if what came is not what was stored: keep it only when it has ended well. */
  readonly stream: ReadableStream<Uint8Array>;
}

export interface ListOptions extends PageOptions {
  /** With the bodies that directories are made of. */
  readonly packs?: boolean;
}

/** A `target` is a CID or a name that you gave. All methods reject with `ClientError`. */
export interface Client {
  /** Encrypted, unless `plain` is said. */
  store(source: FileSource, options?: StoreOptions): Promise<StoredFile>;
  /** For stores that shall survive the program (`resume-upload.ts`): writes what will be sent to a spool. */
  prepare(source: FileSource, spool: WritableStream<Uint8Array>, options?: PrepareOptions): Promise<PreparedUpload>;
  /** Sends a spool, or what of it is not there yet. */
  sendPrepared(prepared: PreparedUpload, options: SendPreparedOptions): Promise<SentPrepared>;
  retrieve(target: string, options?: RetrieveOptions): Promise<RetrievedFile>;
  /** Your files, newest first. */
  list(options?: ListOptions): AsyncIterable<ListedFile>;
  listPage(options?: ListOptions): Promise<{ readonly files: readonly ListedFile[]; readonly next?: string }>;
  /** The CID of a name. */
  resolve(target: string, signal?: AbortSignal): Promise<Cid>;
  status(target: string, signal?: AbortSignal): Promise<StatusAnswer>;
  delete(target: string, signal?: AbortSignal): Promise<DeletionAnswer>;
  deletion(cid: Cid, signal?: AbortSignal): Promise<DeletionAnswer>;
  /** Another expiry: seconds from now, 0 for none. */
  expire(target: string, ttlSeconds: number, signal?: AbortSignal): Promise<FileAnswer>;
  rename(target: string, name: string | null, signal?: AbortSignal): Promise<void>;
  /** Adds or removes recipients without sending the body again; returns those beside your own. */
  share(target: string, change: SharingChange): Promise<readonly string[]>;
  /**
   * Stores a directory (in Node: `walkFolder`). Content that a directory stored before under this name has is not sent
   * again, if these keys can open it, or `previous` is given.
   */
  storeTree(sources: AsyncIterable<TreeSource>, options?: StoreTreeOptions): Promise<StoredTree>;
  openTree(target: string, options?: OpenOptions): Promise<OpenTree>;
  /** The listing, and the content that no other directory shares. */
  deleteTree(target: string, signal?: AbortSignal): Promise<{ readonly deleted: number; readonly kept: number }>;
  account(signal?: AbortSignal): Promise<AccountAnswer>;
  readonly keys: {
    list(signal?: AbortSignal): Promise<readonly KeyAnswer[]>;
    create(label: string, signal?: AbortSignal): Promise<NewKeyAnswer>;
    revoke(keyId: string, signal?: AbortSignal): Promise<void>;
  };
  /** An API key for the account of `keys`, by its signature alone. */
  login(label: string, signal?: AbortSignal): Promise<LoginAnswer>;
}
