/** Directories end to end inside workerd: all of it back, one path back, and nothing sent twice. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { Client } from '#client/client.ts';
import { createClient } from '#client/create-client.ts';
import { openSource, readWhole } from '#client/file-source.ts';
import { type Keyring, newKeyring } from '#client/keys/keyring.ts';
import type { OpenTree } from '#client/tree/read-tree.ts';
import type { TreeSource } from '#client/tree/store-tree.ts';
import { equalBytes, utf8 } from '#shared/primitives/bytes.ts';
import { systemRandom } from '#shared/primitives/effects.ts';
import { nodeSha256 } from './network/digests.ts';
import { patternBytes } from './testing/sources.ts';
import { createTestEdge, type TestEdge } from './testing/test-edge.ts';

let edge: TestEdge;
let keys: Required<Keyring>;
let requests: string[] = [];
let client: Client;

const clientWith = (keyring: Keyring | undefined) =>
  createClient({
    ...{ url: 'https://edge.test', apiKey: edge.key, keys: keyring, newDigest: nodeSha256 },
    fetch: (url, init) => {
      requests.push(`${init.method} ${new URL(url).pathname}`);
      return edge.fetch(url, init);
    },
  });

beforeAll(async () => {
  edge = await createTestEdge();
  keys = await newKeyring(systemRandom);
  client = clientWith(keys);
});

type Files = Record<string, Uint8Array>;
async function* sourcesOf(files: Files): AsyncGenerator<TreeSource> {
  yield { path: 'd', type: 'folder', mode: 0o755, mtimeMs: 1 };
  for (const [path, content] of Object.entries(files)) {
    yield {
      path,
      type: 'file',
      bytes: content.length,
      mode: 0o644,
      mtimeMs: 2,
      open: () => openSource(content).stream,
    };
  }
  yield { path: 'link', type: 'link', target: 'd', mtimeMs: 3 };
}

async function contentOf(tree: OpenTree, path = ''): Promise<Files> {
  const files: Files = {};
  const wanted = tree.entries(path).filter((entry) => entry.type === 'file');
  await tree.read(wanted, async (file, content) => {
    files[file.path] = await readWhole(content);
  });
  return files;
}
const sameFiles = (a: Files, b: Files): boolean =>
  Object.keys(a).sort().join('\n') === Object.keys(b).sort().join('\n') &&
  Object.entries(a).every(([path, content]) => equalBytes(content, b[path] ?? new Uint8Array(1)));

/** 300 small files, one that is large, an empty one, and two that are the same. */
const files: Files = {
  ...Object.fromEntries(Array.from({ length: 300 }, (_, i) => [`d/${i} 🌱\u0308`, patternBytes(100 + i, i + 1)])),
  large: patternBytes(1_200_000, 99),
  empty: new Uint8Array(),
  twin: patternBytes(100, 1),
};
const put = () => requests.filter((request) => request === 'PUT /v1/files').length;

describe('a directory', () => {
  test('comes back whole, in few requests', async () => {
    requests = [];
    const stored = await client.storeTree(sourcesOf(files), { name: 'home' });
    expect(put()).toBe(3);
    expect(stored.listing.bodies).toHaveLength(2);
    expect(stored.sentBytes).toBe(Object.values(files).reduce((sum, { length }) => sum + length, 0) - 100);
    requests = [];
    const tree = await client.openTree('home');
    expect(tree.name).toBe('home');
    expect(sameFiles(await contentOf(tree), files)).toBe(true);
    expect(tree.entries('link')).toEqual([{ path: 'link', type: 'link', target: 'd', mtimeMs: 3 }]);
    expect(requests.length).toBeLessThan(8);
  });

  test('gives one path alone, without the rest of its body', async () => {
    const tree = await client.openTree('home');
    const [name] = Object.keys(files);
    expect(sameFiles(await contentOf(tree, name), { [name as string]: files[name as string] as Uint8Array })).toBe(
      true,
    );
    expect(Object.keys(await contentOf(tree, 'd'))).toHaveLength(300);
    expect(await contentOf(tree, 'no')).toEqual({});
  });

  test('sends what changed, and nothing else', async () => {
    const changed = { ...files, 'd/new': utf8('new'), empty: utf8('no more') };
    requests = [];
    const again = await client.storeTree(sourcesOf(changed), { name: 'home' });
    expect(again.sentBytes).toBe(10);
    expect(sameFiles(await contentOf(await client.openTree('home')), changed)).toBe(true);
    const { listing, sentBytes } = await client.storeTree(sourcesOf(changed), {
      name: 'elsewhere',
      previous: again.listing,
    });
    expect(sentBytes).toBe(0);
    expect(listing.bodies.map(({ cid }) => cid)).toEqual(again.listing.bodies.map(({ cid }) => cid));
  });

  test('sends what the network no longer has', async () => {
    const before = await client.storeTree(sourcesOf({ one: utf8('one') }), { name: 'lost' });
    await client.delete(before.listing.bodies[0]?.cid ?? '');
    const after = await client.storeTree(sourcesOf({ one: utf8('one') }), { name: 'lost' });
    expect(after.sentBytes).toBe(3);
    expect(sameFiles(await contentOf(await client.openTree('lost')), { one: utf8('one') })).toBe(true);
  });

  test('lists as one thing', async () => {
    const names: (string | undefined)[] = [];
    for await (const file of client.list()) names.push(`${file.kind} ${file.name}`);
    expect(names.filter((name) => name === 'tree home')).toHaveLength(2);
    expect(names.some((name) => name?.startsWith('pack'))).toBe(false);
  });

  test('is opened by whom it is shared with', async () => {
    const friend = await newKeyring(systemRandom);
    const { cid } = await client.storeTree(sourcesOf({ hello: utf8('world') }), { name: 'ours' });
    await client.share(cid, { add: friend.recipients });
    const tree = await clientWith(friend).openTree(cid, { from: 'anyone' });
    expect(sameFiles(await contentOf(tree), { hello: utf8('world') })).toBe(true);
    await expect(clientWith(await newKeyring(systemRandom)).openTree(cid, { from: 'anyone' })).rejects.toMatchObject({
      code: 'wrong-key',
    });
  });

  test('is deleted with the content that no other uses', async () => {
    const live = edge.index.live.size;
    const one = await client.storeTree(sourcesOf({ a: utf8('shared'), b: patternBytes(1_100_000, 5) }), {
      name: 'one',
    });
    const two = await client.storeTree(sourcesOf({ a: utf8('shared') }), { name: 'two', previous: one.listing });
    expect(await client.deleteTree(one.cid)).toEqual({ deleted: 1, kept: 1 });
    expect(sameFiles(await contentOf(await client.openTree('two')), { a: utf8('shared') })).toBe(true);
    expect(await client.deleteTree(two.cid)).toEqual({ deleted: 1, kept: 0 });
    expect(edge.index.live.size).toBe(live);
  });

  test('is no file, and a file no directory', async () => {
    await client.store('x', { name: 'file' });
    await expect(client.openTree('file')).rejects.toMatchObject({ code: 'not-a-tree' });
    expect((await client.retrieve('home')).kind).toBe('tree');
  });

  test('with a path that leads out is not stored', async () => {
    await expect(client.storeTree(sourcesOf({ '../x': utf8('x') }))).rejects.toMatchObject({ code: 'unsafe-path' });
  });
});
