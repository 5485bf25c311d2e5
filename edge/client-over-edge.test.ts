/** The client library against the real edge, both inside workerd: what it stores comes back, what fails says why. */
import { beforeAll, describe, expect, test } from 'vitest';
import type { ClientFetch } from '#client/api-call.ts';
import type { Client } from '#client/client.ts';
import { createClient } from '#client/create-client.ts';
import { readWhole } from '#client/file-source.ts';
import { newKeyring } from '#client/keys/keyring.ts';
import { PreparedUpload } from '#client/resume-upload.ts';
import { equalBytes } from '#shared/primitives/bytes.ts';
import { systemRandom } from '#shared/primitives/effects.ts';
import type { Cid } from '#shared/primitives/ids.ts';
import { nodeSha256 } from './network/digests.ts';
import { patternBytes } from './testing/sources.ts';
import { createTestEdge, type TestEdge } from './testing/test-edge.ts';

const MIB = 1024 * 1024;

let edge: TestEdge;
let client: Client;
/** As a network would: what arrives is the runtime's own stream. */
const overEdge: ClientFetch = (url, init) => {
  const { body } = init;
  return edge.fetch(
    url,
    body instanceof ReadableStream ? { ...init, body: body.pipeThrough(new IdentityTransformStream()) } : init,
  );
};
const sameBytes = async (stream: ReadableStream<Uint8Array>, expected: Uint8Array) =>
  equalBytes(await readWhole(stream), expected);

beforeAll(async () => {
  edge = await createTestEdge();
  client = createClient({ url: 'https://edge.test/', apiKey: edge.key, fetch: overEdge, newDigest: nodeSha256 });
});

describe('a plain file', () => {
  test.each([0, 1, 65_536, 5 * MIB + 1, 9 * MIB])('of %i bytes comes back', async (bytes) => {
    const content = patternBytes(bytes, bytes + 3);
    const stored = await client.store(content, { plain: true });
    const seen: number[] = [];
    const back = await client.retrieve(stored.cid, { onProgress: (progress) => seen.push(progress.bytes) });
    expect(back.bytes).toBe(bytes);
    expect(await sameBytes(back.stream, content)).toBe(true);
    expect(seen.at(-1)).toBe(bytes);
  });

  test('may be proven without showing anything of it, when it is small', async () => {
    const content = patternBytes(20_000, 17);
    const { cid, file } = await client.store(content, { plain: true, proof: 'zk' });
    expect([file.proof, (await client.status(cid)).proof]).toEqual(['zk', 'zk']);
    expect(await sameBytes((await client.retrieve(cid)).stream, content)).toBe(true);
    for (const bytes of [2 * MIB, 9 * MIB]) {
      const refused = client.store(patternBytes(bytes, 18), { plain: true, proof: 'zk' });
      await expect(refused).rejects.toMatchObject({ code: 'too-large' });
    }
  });

  test('comes by pieces, by name, and by range', async () => {
    const content = patternBytes(70_000, 9);
    async function* pieces() {
      for (let at = 0; at < content.length; at += 999) yield content.subarray(at, at + 999);
    }
    const { cid } = await client.store(pieces(), { plain: true, name: 'Grüße 🌱.bin', contentType: 'image/png' });
    const back = await client.retrieve('Grüße 🌱.bin');
    expect(back).toMatchObject({ cid, contentType: 'image/png' });
    expect(await sameBytes(back.stream, content)).toBe(true);
    const part = await client.retrieve(cid, { range: { from: 100, to: 60_001 } });
    expect(await readWhole(part.stream)).toEqual(content.slice(100, 60_001));
    const listed: string[] = [];
    for await (const file of client.list({ limit: 2 })) listed.push(file.cid);
    expect(listed[0]).toBe(cid);
    expect((await client.status(cid)).health).toBe('full');
    expect((await client.delete('Grüße 🌱.bin')).complete).toBe(false);
    await expect(client.retrieve(cid)).rejects.toMatchObject({ code: 'not-found', status: 404 });
  });
});

describe('a store that broke off', () => {
  const spool = () => {
    const pieces: Uint8Array[] = [];
    const stream = new WritableStream<Uint8Array>({ write: (piece) => void pieces.push(piece.slice()) });
    const read = async (from: number, to: number) =>
      new Uint8Array(await new Blob(pieces as Uint8Array<ArrayBuffer>[]).slice(from, to).arrayBuffer());
    return { stream, read };
  };

  test('goes on where it was, and sends nothing twice', async () => {
    const content = patternBytes(9 * MIB, 77);
    const { stream, read } = spool();
    const prepared = await client.prepare(content, stream, { plain: true, name: 'resumed', partBytes: 4 * MIB });
    const journal = PreparedUpload.parse(JSON.parse(JSON.stringify(prepared)));
    let upload: string | undefined;
    let parts = 0;
    const broken = createClient({
      ...{ url: 'https://edge.test', apiKey: edge.key, newDigest: nodeSha256 },
      fetch: (url, init) => {
        if (url.includes('/parts/') && ++parts > 1) throw new TypeError('the network is gone');
        return overEdge(url, init);
      },
      clock: { nowMs: () => Date.now(), sleep: async () => {} },
    });
    const onUpload = (id: string) => {
      upload = id;
    };
    await expect(broken.sendPrepared(journal, { read, onUpload })).rejects.toMatchObject({ code: 'unreachable' });
    const sent = await client.sendPrepared(journal, { read, upload });
    expect(sent.sentBytes).toBe(5 * MIB);
    expect(await sameBytes((await client.retrieve('resumed')).stream, content)).toBe(true);
    expect((await client.sendPrepared(journal, { read, upload })).sentBytes).toBe(0);
    expect((await client.sendPrepared(journal, { read })).sentBytes).toBe(0);
  });

  test('notices that its spool was changed', async () => {
    const { stream } = spool();
    const prepared = await client.prepare(patternBytes(1000), stream, { plain: true });
    const read = async (from: number, to: number) => new Uint8Array(to - from);
    await expect(client.sendPrepared(prepared, { read })).rejects.toMatchObject({ code: 'wrong-bytes' });
  });

  test('of a private file keeps no key in its journal, and ends once', async () => {
    const keys = await newKeyring(systemRandom);
    const owner = createClient({ url: 'https://edge.test', apiKey: edge.key, keys, fetch: overEdge });
    const { stream, read } = spool();
    const prepared = await owner.prepare('mine', stream, { name: 'journal' });
    expect(JSON.stringify(prepared)).not.toContain('AGE-SECRET-KEY');
    await owner.sendPrepared(prepared, { read });
    await owner.sendPrepared(prepared, { read });
    expect(await sameBytes((await owner.retrieve('journal')).stream, new TextEncoder().encode('mine'))).toBe(true);
  });
});

describe('refusals', () => {
  test('carry the code of the API', async () => {
    const stranger = createClient({
      url: 'https://edge.test',
      apiKey: 'ftk_no',
      fetch: overEdge,
      newDigest: nodeSha256,
    });
    await expect(stranger.store('x', { plain: true })).rejects.toMatchObject({ code: 'unauthorized', status: 401 });
    await expect(client.store('x', { plain: true, name: 'a/b' })).rejects.toMatchObject({
      code: 'bad-name',
      status: 400,
    });
    await expect(client.status('no such name')).rejects.toMatchObject({ code: 'not-found' });
    await expect(
      client.deletion('bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku' as Cid),
    ).rejects.toThrow();
  });
});
