/**
 * The library's front: `createClient({ url, apiKey, keys })` stores, retrieves, lists and deletes over one edge. Runs in
 * Node, browsers and Workers. This only joins the parts; each does its work in a file of its own.
 */
import { parseCid } from '#shared/codec/cid.ts';
import { systemClock, systemRandom } from '#shared/primitives/effects.ts';
import type { Cid } from '#shared/primitives/ids.ts';
import type { Connection } from './api-call.ts';
import type { Client, ClientOptions } from './client.ts';
import { ClientError, isClientError } from './client-error.ts';
import * as edge from './edge-files.ts';
import { portableSha256 } from './file-digest.ts';
import { openSource } from './file-source.ts';
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
import { sendBody } from './send-body.ts';

export type { Client, ClientOptions, RetrievedFile, RetrieveOptions, StoredFile, StoreOptions } from './client.ts';

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

  const listPage: Client['listPage'] = async ({ packs, ...page } = {}) => {
    const { files, next } = await edge.listPage(connection, { ...page, envelopes: keys !== undefined });
    const listed = await Promise.all(files.map((file) => listedFile(keys, file)));
    return { files: listed.filter(({ kind }) => packs || kind !== 'pack'), ...(next === undefined ? {} : { next }) };
  };

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

    async *list(page = {}) {
      for (let cursor = page.cursor; ; ) {
        const { files, next } = await listPage({ ...page, cursor });
        yield* files;
        if (next === undefined) return;
        cursor = next;
      }
    },
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

    account: (signal) => edge.readAccount(connection, signal),
    keys: {
      list: (signal) => edge.listKeys(connection, signal),
      create: (label, signal) => edge.createKey(connection, label, signal),
      revoke: (keyId, signal) => edge.revokeKey(connection, keyId, signal),
    },
    login: (label, signal) => loginWithAccount(connection, keysFor('an account logs in with its key'), label, signal),
  };
}
