/**
 * Private files end to end inside workerd: what leaves the client and what the index keeps shows nothing of content,
 * names or keys; who has the key reads them, who has not is told so.
 */
import { beforeAll, describe, expect, test } from 'vitest';
import type { ClientFetch } from '#client/api-call.ts';
import type { Client } from '#client/client.ts';
import { createClient } from '#client/create-client.ts';
import { readWhole } from '#client/file-source.ts';
import { type Keyring, newKeyring, withoutIdentities } from '#client/keys/keyring.ts';
import { walletKeyring } from '#client/keys/wallet-keys.ts';
import { equalBytes, utf8 } from '#shared/primitives/bytes.ts';
import { type Clock, systemRandom } from '#shared/primitives/effects.ts';
import { nodeSha256 } from './network/digests.ts';
import { patternBytes } from './testing/sources.ts';
import { createTestEdge, type TestEdge } from './testing/test-edge.ts';

const MIB = 1024 * 1024;
const SEED = new Uint8Array(32).fill(0x11);

let edge: TestEdge;
let owner: Required<Keyring>;
let friend: Required<Keyring>;
/** Everything that was sent, as one stretch of bytes: targets, headers, bodies. */
const wire: Uint8Array[] = [];

/** As a network would: what arrives is the runtime's own stream. All of it is kept. */
const watchedFetch: ClientFetch = async (url, init) => {
  wire.push(utf8(`${init.method} ${url} ${JSON.stringify([...new Headers(init.headers)])}`));
  const body = init.body ? new Uint8Array(await new Response(init.body).arrayBuffer()) : undefined;
  if (body) wire.push(body);
  return edge.fetch(url, { ...init, ...(body ? { body } : {}) });
};

const clientOf = (keys: Keyring | undefined, apiKey: string | undefined = edge.key): Client =>
  createClient({ url: 'https://edge.test', apiKey, keys, fetch: watchedFetch, newDigest: nodeSha256, clock });

/** Waits of the client's retries cost no time. */
const clock: Clock = { nowMs: () => Date.now(), sleep: async () => {} };

const bytesOf = async (file: { stream: ReadableStream<Uint8Array> }) => readWhole(file.stream);

beforeAll(async () => {
  edge = await createTestEdge({ settings: { openAccounts: true } });
  owner = await walletKeyring(SEED);
  friend = await newKeyring(systemRandom);
});

describe('a private file', () => {
  test.each([0, 1, 65_536, 65_537, MIB + 1])('of %i bytes comes back', async (bytes) => {
    const content = patternBytes(bytes, bytes + 7);
    const client = clientOf(owner);
    const { cid, file } = await client.store(content, { name: `n-${bytes}`, contentType: 'image/png' });
    expect(file.bytes).toBeGreaterThan(bytes);
    const back = await client.retrieve(`n-${bytes}`);
    expect(back).toMatchObject({
      cid,
      private: true,
      kind: 'file',
      name: `n-${bytes}`,
      contentType: 'image/png',
      bytes,
    });
    expect(equalBytes(await bytesOf(back), content)).toBe(true);
  });

  test('gives any range without the bytes before it', async () => {
    const content = patternBytes(300_000, 3);
    const client = clientOf(owner);
    const { cid } = await client.store(content);
    for (const [from, to] of [
      [0, 1],
      [65_535, 65_537],
      [131_072, 300_000],
      [299_999, 300_000],
      [7, 250_000],
    ] as const) {
      const part = await client.retrieve(cid, { range: { from, to } });
      expect(part.bytes).toBe(to - from);
      expect(equalBytes(await bytesOf(part), content.subarray(from, to))).toBe(true);
    }
    expect(
      equalBytes(await bytesOf(await client.retrieve(cid, { range: { from: 200_000 } })), content.subarray(200_000)),
    ).toBe(true);
    await expect(client.retrieve(cid, { range: { from: 300_000 } })).rejects.toMatchObject({
      code: 'range-not-satisfiable',
    });
  });

  test('needs keys, or the word that it is plain', async () => {
    await expect(clientOf(undefined).store('x')).rejects.toMatchObject({ code: 'no-keys' });
  });

  test('may be proven without showing anything of it', async () => {
    const { cid, file } = await clientOf(owner).store('my last will', { name: 'will', proof: 'zk' });
    expect(file.proof).toBe('zk');
    expect(await bytesOf(await clientOf(owner).retrieve(cid))).toEqual(utf8('my last will'));
  });

  test('is stored by a machine that cannot read it', async () => {
    const writer = clientOf(withoutIdentities(owner));
    const { cid } = await writer.store('from a server', { name: 'log' });
    await expect(writer.retrieve('log')).rejects.toMatchObject({ code: 'no-keys' });
    const { files } = await writer.listPage({ limit: 1 });
    expect(files[0]).toMatchObject({ cid, name: 'log', bytes: 13, private: true });
    expect(await bytesOf(await clientOf(owner).retrieve('log'))).toEqual(utf8('from a server'));
  });

  test('withstands a quantum computer when all of its recipients do', async () => {
    const keys = await walletKeyring(SEED, 'hybrid');
    const { cid } = await clientOf(keys).store('later', { name: 'pq' });
    const stored = await readWhole((await edge.fetch(`/v1/files/${cid}`)).body as ReadableStream<Uint8Array>);
    expect(new TextDecoder('latin1').decode(stored.subarray(0, 40))).toContain('-> mlkem768x25519 ');
    expect(await bytesOf(await clientOf(owner).retrieve('pq'))).toEqual(utf8('later'));
  });
});

describe('sharing', () => {
  test('lets another in without sending the body again, and out again', async () => {
    const client = clientOf(owner);
    const content = patternBytes(200_000, 8);
    const { cid, file } = await client.store(content, { name: 'shared' });
    const guest = clientOf(friend);
    const from = (await client.login('me')).owner;
    await expect(guest.retrieve(cid)).rejects.toMatchObject({ code: 'wrong-signer', extra: { signer: from } });
    await expect(guest.retrieve(cid, { from: from as never })).rejects.toMatchObject({ code: 'wrong-key' });
    const sent = wire.length;
    expect(await client.share('shared', { add: friend.recipients })).toEqual(friend.recipients);
    expect(wire.slice(sent).every((part) => part.length < 10_000)).toBe(true);
    const opened = await guest.retrieve(cid, { from: from as never });
    expect(opened).toMatchObject({ name: 'shared', signer: from });
    expect(equalBytes(await bytesOf(opened), content)).toBe(true);
    expect((await client.listPage({ limit: 1 })).files[0]).toMatchObject({ sharedWith: friend.recipients });
    expect(await client.share('shared', { remove: friend.recipients })).toEqual([]);
    await expect(guest.retrieve(cid, { from: 'anyone' })).rejects.toMatchObject({ code: 'wrong-key' });
    expect(equalBytes(await bytesOf(await client.retrieve(cid)), content)).toBe(true);
    expect(edge.index.live.size).toBeGreaterThan(0);
    expect(file.cid).toBe(cid);
  });

  test('by two machines at once loses nobody', async () => {
    const client = clientOf(owner);
    const others = await Promise.all([1, 2, 3].map(() => newKeyring(systemRandom)));
    const { cid } = await client.store('x');
    await Promise.all(others.map(({ recipients }) => client.share(cid, { add: recipients })));
    const { files } = await client.listPage({ limit: 1 });
    expect([...(files[0]?.sharedWith ?? [])].sort()).toEqual(others.flatMap(({ recipients }) => recipients).sort());
  });

  test.each(['age1nonsense', 'me@example.org', ''])('refuses %j as a recipient', async (recipient) => {
    const { cid } = await clientOf(owner).store('x');
    await expect(clientOf(owner).share(cid, { add: [recipient] })).rejects.toMatchObject({ code: 'bad-request' });
  });

  test('has an end', async () => {
    const crowd = await Promise.all(Array.from({ length: 66 }, () => newKeyring(systemRandom)));
    const { cid } = await clientOf(owner).store('x');
    const add = crowd.flatMap(({ recipients }) => recipients);
    await expect(clientOf(owner).share(cid, { add })).rejects.toMatchObject({ code: 'too-many-recipients' });
  });
});

test('from the seed alone, on a new machine, everything is there again', async () => {
  const first = await clientOf(owner, undefined).login('first machine');
  const before = clientOf(owner, first.key);
  await before.store('one', { name: 'Tagebuch ☂.txt' });
  await before.store('two', { name: 'b' });

  const keys = await walletKeyring(new Uint8Array(32).fill(0x11));
  const { key, owner: found } = await clientOf(keys, undefined).login('recover');
  expect(found).toBe(first.owner);
  const after = clientOf(keys, key);
  const contents = new Map<string, string>();
  for await (const file of after.list({ limit: 1 })) {
    contents.set(file.name ?? '', new TextDecoder().decode(await bytesOf(await after.retrieve(file.cid))));
  }
  expect(Object.fromEntries(contents)).toEqual({ 'Tagebuch ☂.txt': 'one', b: 'two' });
});

test('a new name hides the old one', async () => {
  const client = clientOf(owner);
  const { cid } = await client.store('x', { name: 'before' });
  await client.rename('before', 'after');
  expect(await client.resolve('after')).toBe(cid);
  await expect(client.resolve('before')).rejects.toMatchObject({ code: 'not-found' });
  expect((await client.listPage({ limit: 1 })).files[0]).toMatchObject({ name: 'after' });
});

describe('an index that lies', () => {
  const tampered = async (change: (bytes: Uint8Array) => void) => {
    const { cid } = await clientOf(owner).store('true');
    const found = [...edge.index.live.values()].find((file) => file.cid === cid);
    const envelope = found && edge.index.envelopes.get(found.number);
    if (!found || !envelope) throw new Error('nothing stored');
    const copy = envelope.slice();
    change(copy);
    edge.index.envelopes.set(found.number, copy);
    return cid;
  };
  test.each([
    ['the revision', 23],
    ['the fileId', 1],
    ['the envelope', 100],
  ])('about %s is found out', async (_, at) => {
    const cid = await tampered((bytes) => {
      bytes[at] = (bytes[at] ?? 0) ^ 1;
    });
    await expect(clientOf(owner).retrieve(cid)).rejects.toMatchObject({ code: 'bad-signature' });
    const { files } = await clientOf(owner).listPage({ limit: 1 });
    expect(files[0]).toMatchObject({ cid, problem: 'bad-signature' });
  });
  test('and gives one file another’s envelope is found out', async () => {
    const one = await clientOf(owner).store('one');
    const two = await clientOf(owner).store('two');
    const numberOf = (cid: string) => [...edge.index.live.values()].find((file) => file.cid === cid)?.number;
    const [a, b] = [numberOf(one.cid), numberOf(two.cid)];
    if (!a || !b) throw new Error('nothing stored');
    edge.index.envelopes.set(a, edge.index.envelopes.get(b) ?? new Uint8Array());
    await expect(clientOf(owner).retrieve(one.cid)).rejects.toMatchObject({ code: 'bad-signature' });
  });
});

test('a body that was stored without its envelope is taken back', async () => {
  const live = edge.index.live.size;
  edge.index.fail('writeEnvelope', 9);
  await expect(clientOf(owner).store('x')).rejects.toMatchObject({ code: 'index-unavailable' });
  edge.index.fail('writeEnvelope', 0);
  expect(edge.index.live.size).toBe(live);
});

test('nothing that was sent, kept or logged shows content, names or keys', async () => {
  const content = utf8('the quick brown fox jumps over the lazy dog '.repeat(4000));
  const client = clientOf(owner);
  await client.store(content, { name: 'very-secret-name.txt', contentType: 'text/very-secret-type' });
  await bytesOf(await client.retrieve('very-secret-name.txt'));
  const { envelopes, live, keys } = edge.index;
  const kept = [
    ...envelopes.values(),
    utf8(JSON.stringify([[...live.values()], [...keys.values()]])),
    utf8(JSON.stringify(edge.log)),
  ];
  const secrets = [
    utf8('quick brown fox'),
    utf8('very-secret'),
    utf8('AGE-SECRET-KEY'),
    utf8('filetao private file'),
    SEED,
    owner.accountSeed,
    ...owner.recipients.map(utf8),
  ];
  const all = new TextDecoder('latin1').decode(
    await new Blob([...wire, ...kept] as Uint8Array<ArrayBuffer>[]).arrayBuffer(),
  );
  for (const secret of secrets) expect(all.includes(new TextDecoder('latin1').decode(secret))).toBe(false);
  expect(all).toContain('age-encryption.org/v1');
});
