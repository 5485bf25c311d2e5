/**
 * The library's front: `createClient({ url, apiKey, keys })` stores, retrieves, lists and deletes over one edge. Runs in
 * Node, browsers and Workers. This only joins the parts; each does its work in a file of its own.
 */
import { parseCid } from '#shared/codec/cid.ts';
import { systemClock, systemRandom } from '#shared/primitives/effects.ts';
import type { Cid } from '#shared/primitives/ids.ts';
import type { Connection } from './api-call.ts';
import type { Client, ClientOptions, ListOptions } from './client.ts';
import { ClientError, isClientError } from './client-error.ts';
import * as edge from './edge-files.ts';
import { portableSha256 } from './file-digest.ts';
import { openSource, readWhole } from './file-source.ts';
import { privateName } from './keys/account-secrets.ts';
import type { Keyring } from './keys/keyring.ts';
import { loginWithAccount } from './login.ts';
import { changeName, changeSharing } from './private/change-private.ts';
import { fetchEnvelope } from './private/file-envelope.ts';
import { listedFile } from './private/list-private.ts';
import { openPrivate, readPrivateBody } from './private/open-private.ts';
import { storePrivate } from './private/store-private.ts';
import { counted } from './progress.ts';
import { readBody } from './read-body.ts';
import { prepareUpload, sendPrepared } from './resume-upload.ts';
import { sendBody } from './send-body.ts';
import { deleteTree } from './tree/delete-tree.ts';
import { parseListing, type TreeListing } from './tree/listing.ts';
import { openTreeOf } from './tree/read-tree.ts';
import { storeTree } from './tree/store-tree.ts';

/** Of what stood under a directory's name before: nothing that could be used. */
const NO_EARLIER_TREE: ReadonlySet<string> = new Set([
  'not-found',
  'not-a-tree',
  'wrong-key',
  'wrong-signer',
  'bad-record',
]);

const noKeys = (what: string) => new ClientError('no-keys', `${what}: make the client with keys`);

export function createClient(options: ClientOptions): Client {
  const { keys } = options;
  const connection: Connection = {
    url: options.url.replace(/\/+$/, ''),
    apiKey: options.apiKey,
    // Wrapped, because a runtime's own insists on being called bare.
    fetch: options.fetch ?? ((url, init) => fetch(url, init)),
    clock: options.clock ?? systemClock,
    random: options.random ?? systemRandom,
  };
  const ports = { connection, newDigest: options.newDigest ?? portableSha256, random: connection.random };

  /** A private file's name first: who has keys gave most names with them. */
  async function resolve(target: string, signal?: AbortSignal): Promise<Cid> {
    const cid = parseCid(target)?.cid;
    if (cid) return cid;
    if (keys) {
      try {
        return (await edge.headFile(connection, { name: privateName(keys.accountSeed, target) }, signal)).cid;
      } catch (error) {
        if (!isClientError(error, 'not-found')) throw error;
      }
    }
    return (await edge.headFile(connection, { name: target }, signal)).cid;
  }

  function keysFor(what: string): Keyring {
    if (!keys) throw noKeys(what);
    return keys;
  }

  const openTree: Client['openTree'] = async (target, open = {}) => {
    const cid = await resolve(target, open.signal);
    const envelope = await fetchEnvelope(connection, cid, open.signal);
    if (!envelope) throw new ClientError('not-a-tree', `${target} is not a directory`);
    const { text, signer, storedBytes } = await openPrivate(keys, cid, envelope, open);
    if (text.facts.kind !== 'tree') throw new ClientError('not-a-tree', `${target} is not a directory`);
    const body = { identity: text.identity, bytes: text.facts.bytes, storedBytes };
    const listing = parseListing(await readWhole(await readPrivateBody(ports, cid, body, { signal: open.signal })));
    return openTreeOf(ports, { cid, name: text.facts.name, signer, listing });
  };

  /** The directory stored before under this name, when there is one and these keys open it. */
  async function earlierTree(name: string | undefined, signal?: AbortSignal): Promise<TreeListing | undefined> {
    if (name === undefined || !keys?.identities?.length) return undefined;
    try {
      return (await openTree(name, { signal })).listing;
    } catch (error) {
      if (error instanceof ClientError && NO_EARLIER_TREE.has(error.code)) return undefined;
      throw error;
    }
  }

  const listPage: Client['listPage'] = async ({ packs, ...page } = {}) => {
    const { files, next } = await edge.listPage(connection, { ...page, envelopes: keys !== undefined });
    const listed = await Promise.all(files.map((file) => listedFile(keys, file)));
    return { files: listed.filter(({ kind }) => packs || kind !== 'pack'), ...(next === undefined ? {} : { next }) };
  };

  async function* list(page: ListOptions = {}) {
    for (let cursor = page.cursor; ; ) {
      const { files, next } = await listPage({ ...page, cursor });
      yield* files;
      if (next === undefined) return;
      cursor = next;
    }
  }

  return {
    async store(source, { plain, onProgress, ...rest } = {}) {
      const { stream, bytes } = openSource(source);
      const watched = counted(stream, bytes, onProgress);
      if (!plain) {
        const owned = keysFor('files are encrypted before they leave, unless you say plain');
        const { cid, bytes: stored, file } = await storePrivate(ports, owned, watched, rest);
        return { cid, bytes: stored, private: true, file };
      }
      const { cid, file } = await sendBody(ports, watched, rest);
      return { cid, bytes: file.bytes, private: false, file };
    },

    prepare: (source, spool, prepare = {}) => prepareUpload(ports, keys, openSource(source).stream, prepare, spool),
    sendPrepared: (prepared, send) => sendPrepared(ports, keys, prepared, send),

    async retrieve(target, { onProgress, range, ...open } = {}) {
      const { signal } = open;
      const cid = await resolve(target, signal);
      const envelope = await fetchEnvelope(connection, cid, signal);
      if (!envelope) {
        const { stream, bytes, contentType } = await readBody(ports, cid, { range, signal });
        const plain = { private: false, kind: 'file', name: undefined, signer: undefined } as const;
        return { ...plain, cid, contentType, bytes, stream: counted(stream, bytes, onProgress) };
      }
      const { text, signer, storedBytes } = await openPrivate(keys, cid, envelope, open);
      const { kind, bytes: total, name, type: contentType } = text.facts;
      const body = { identity: text.identity, bytes: total, storedBytes };
      const stream = await readPrivateBody(ports, cid, body, { range, signal });
      const bytes = range ? Math.min(range.to ?? total, total) - range.from : total;
      return { private: true, kind, name, signer, cid, contentType, bytes, stream: counted(stream, bytes, onProgress) };
    },

    list,
    listPage,
    resolve,
    status: async (target, signal) => edge.readStatus(connection, await resolve(target, signal), signal),
    delete: async (target, signal) => edge.deleteFile(connection, { cid: await resolve(target, signal) }, signal),
    deletion: (cid, signal) => edge.readDeletion(connection, cid, signal),
    expire: async (target, ttl, signal) => edge.changeFile(connection, await resolve(target, signal), { ttl }, signal),

    async rename(target, name, signal) {
      const cid = await resolve(target, signal);
      const isPrivate = keys !== undefined && (await fetchEnvelope(connection, cid, signal)) !== undefined;
      if (!isPrivate) return void (await edge.changeFile(connection, cid, { name }, signal));
      await changeName(ports, keys, cid, name ?? undefined, signal);
      const hidden = name === null ? null : privateName(keys.accountSeed, name);
      await edge.changeFile(connection, cid, { name: hidden }, signal);
    },
    share: async (target, change) =>
      changeSharing(
        ports,
        keysFor('only its owner shares a private file'),
        await resolve(target, change.signal),
        change,
      ),

    async storeTree(sources, tree = {}) {
      const owned = keysFor('directories are stored encrypted');
      const previous = tree.previous ?? (await earlierTree(tree.name, tree.signal));
      return storeTree(ports, owned, sources, { ...tree, previous });
    },
    openTree,
    deleteTree: async (target, signal) =>
      deleteTree(
        { connection, list: () => list(), openTree: (cid) => openTree(cid) },
        await resolve(target, signal),
        signal,
      ),

    account: (signal) => edge.readAccount(connection, signal),
    keys: {
      list: (signal) => edge.listKeys(connection, signal),
      create: (label, signal) => edge.createKey(connection, label, signal),
      revoke: (keyId, signal) => edge.revokeKey(connection, keyId, signal),
    },
    login: (label, signal) => loginWithAccount(connection, keysFor('an account logs in with its key'), label, signal),
  };
}
