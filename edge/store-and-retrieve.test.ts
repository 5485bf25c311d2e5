/** The main story through the app, in workerd: real routes, flows, engines and kernel, index and miners in memory. */
import fc from 'fast-check';
import { beforeAll, describe, expect, test } from 'vitest';
import { FileAnswer, FilesAnswer } from '#shared/api/schemas.ts';
import { cidOf } from '#shared/codec/cid.ts';
import { nodeSha256 } from './network/digests.ts';
import { patternBytes } from './testing/sources.ts';
import { createTestEdge, type TestEdge } from './testing/test-edge.ts';

const MIB = 1024 * 1024;

let edge: TestEdge;
beforeAll(async () => {
  edge = await createTestEdge();
});

function sha256(bytes: Uint8Array): Uint8Array {
  const digest = nodeSha256();
  digest.update(bytes);
  return digest.finish();
}

const bytesOf = async (response: Response) => new Uint8Array(await response.arrayBuffer());

async function put(bytes: Uint8Array<ArrayBuffer>, init: RequestInit = {}, query = '') {
  const response = await edge.fetch(`/v1/files${query}`, { method: 'PUT', body: bytes, ...init });
  return { response, file: FileAnswer.parse(await response.json()) };
}

describe('a file that was stored', () => {
  test.each([
    { bytes: 0, segments: 1, redundancy: { k: 1, n: 5 } },
    { bytes: 1, segments: 1, redundancy: { k: 1, n: 5 } },
    { bytes: 16_384, segments: 1, redundancy: { k: 1, n: 5 } },
    { bytes: 16_385, segments: 1, redundancy: { k: 4, n: 10 } },
    { bytes: 4 * MIB - 1, segments: 1, redundancy: { k: 4, n: 10 } },
    { bytes: 4 * MIB, segments: 1, redundancy: { k: 4, n: 10 } },
    { bytes: 4 * MIB + 1, segments: 2, redundancy: { k: 4, n: 10 } },
    { bytes: 9 * MIB + 5, segments: 3, redundancy: { k: 4, n: 10 } },
  ])('of $bytes bytes comes back', async ({ bytes, segments, redundancy }) => {
    const content = patternBytes(bytes, bytes + 1);
    const { response, file } = await put(content);
    expect(response.status).toBe(201);
    const cid = cidOf(sha256(content));
    expect(file).toMatchObject({ cid, bytes, segments, redundancy, expiresAt: null });
    expect(response.headers.get('Location')).toBe(`/v1/files/${cid}`);
    expect(response.headers.get('ETag')).toBe(`"${cid}"`);

    const back = await edge.fetch(`/v1/files/${cid}`);
    expect(back.status).toBe(200);
    expect(back.headers.get('Content-Length')).toBe(String(bytes));
    expect(cidOf(sha256(await bytesOf(back)))).toBe(cid);
    await edge.settled();
    expect(edge.index.staged.size).toBe(0);
    expect(edge.index.intents.size).toBe(0);
  });

  test('without a known length takes the same redundancy', async () => {
    const content = patternBytes(16_000, 77);
    const body = new ReadableStream({
      type: 'bytes',
      pull(controller) {
        controller.enqueue(content.slice());
        controller.close();
      },
    });
    const { response, file } = await put(content, { body });
    expect(response.status).toBe(201);
    expect(file.redundancy).toEqual({ k: 1, n: 5 });
  });

  test('and is sent again costs nothing, keeps the later expiry and takes the new name', async () => {
    const content = patternBytes(200_000, 5);
    const first = await put(content, {}, '?ttl=60&name=one');
    expect(first.response.status).toBe(201);
    expect(first.file.expiresAt).not.toBeNull();
    const receipts = edge.index.receipts.length;
    const second = await put(content, {}, '?name=two');
    expect(second.response.status).toBe(200);
    expect(second.file).toMatchObject({ cid: first.file.cid, expiresAt: null, name: 'two' });
    const third = await put(content, {}, '?ttl=60');
    expect(third.file.expiresAt).toBeNull();
    expect(edge.index.receipts.length).toBe(receipts);
  });

  test('of several segments and is sent again leaves only strays, which are handed over', async () => {
    const content = patternBytes(5 * MIB, 6);
    expect((await put(content)).response.status).toBe(201);
    await edge.settled();
    edge.index.strays = [];
    expect((await put(content)).response.status).toBe(200);
    await edge.settled();
    expect(edge.index.strays.length).toBe(20);
    const held = edge.index.strays.every(({ miner, anchorId }) => {
      const id = [...anchorId].map((byte) => byte.toString(16).padStart(2, '0')).join('');
      return [...edge.network.of(miner).held.keys()].some((key) => key === id);
    });
    expect(held).toBe(true);
  });

  test('twice by two owners is two files', async () => {
    const content = patternBytes(1000, 8);
    const { file } = await put(content);
    const other = await edge.newAccount();
    const headers = { Authorization: `Bearer ${other.key}` };
    const second = await put(content, { headers });
    expect(second.response.status).toBe(201);
    expect((await edge.fetch(`/v1/files/${file.cid}`, { method: 'DELETE', headers })).status).toBe(202);
    expect(await edge.status(`/v1/files/${file.cid}`)).toBe(200);
  });
});

describe('options', () => {
  test('come as headers', async () => {
    const { file } = await put(patternBytes(100_000, 21), {
      headers: {
        'Filetao-Name': encodeURIComponent('Grüße 🌱.png'),
        'Filetao-Content-Type': 'image/png',
        'Filetao-Ttl': '3600',
        'Filetao-Redundancy': '2,7',
      },
    });
    expect(file).toMatchObject({ name: 'Grüße 🌱.png', contentType: 'image/png', redundancy: { k: 2, n: 7 } });
    const lifeMs = Date.parse(file.expiresAt ?? '') - Date.parse(file.createdAt);
    expect(Math.abs(lifeMs - 3_600_000)).toBeLessThan(5000);
  });

  test('come in the query', async () => {
    const query = '?name=Gr%C3%BC%C3%9Fe.txt&type=text/plain&ttl=0&redundancy=1,3';
    const { file } = await put(patternBytes(10, 22), {}, query);
    expect(file).toMatchObject({ name: 'Grüße.txt', contentType: 'text/plain', redundancy: { k: 1, n: 3 } });
  });

  test('the body’s own type is kept, unless it is what curl says of anything', async () => {
    const png = await put(patternBytes(10, 23), { headers: { 'Content-Type': 'image/png' } });
    expect(png.file.contentType).toBe('image/png');
    const curl = await put(patternBytes(10, 24), { headers: { 'Content-Type': 'application/x-www-form-urlencoded' } });
    expect(curl.file.contentType).toBeUndefined();
  });

  const CID = cidOf(new Uint8Array(32));
  const refused: readonly { id: string; query?: string; headers?: Record<string, string>; code: string }[] = [
    { id: 'a path as a name', query: '?name=..%2Fx', code: 'bad-name' },
    { id: 'a dot-dot name', headers: { 'Filetao-Name': '%2e%2e' }, code: 'bad-name' },
    { id: 'a broken escape in a name', headers: { 'Filetao-Name': '%zz' }, code: 'bad-name' },
    { id: 'a name twice', query: '?name=a', headers: { 'Filetao-Name': 'a' }, code: 'bad-request' },
    { id: 'a name twice in the query', query: '?name=a&name=b', code: 'bad-request' },
    { id: 'an option that does not exist', query: '?tttl=5', code: 'bad-request' },
    { id: 'a negative ttl', query: '?ttl=-1', code: 'bad-request' },
    { id: 'a ttl in words', query: '?ttl=1h', code: 'bad-request' },
    { id: 'a ttl of ages', query: '?ttl=99999999999', code: 'bad-request' },
    { id: 'a redundancy without n', query: '?redundancy=4', code: 'bad-request' },
    { id: 'n below k', query: '?redundancy=4,3', code: 'unsupported-redundancy' },
    { id: 'no protection', query: '?redundancy=4,4', code: 'unsupported-redundancy' },
    { id: 'more shards than miners', query: '?redundancy=4,13', code: 'unsupported-redundancy' },
    { id: 'a type that is none', headers: { 'Filetao-Content-Type': 'png' }, code: 'bad-request' },
    { id: 'a body type that is none', headers: { 'Content-Type': 'png' }, code: 'bad-request' },
    { id: 'a CID that is none', headers: { 'Filetao-Cid': 'bafy' }, code: 'bad-cid' },
    { id: 'the CID of other bytes', headers: { 'Filetao-Cid': CID }, code: 'wrong-cid' },
    { id: 'an encoded body', headers: { 'Content-Encoding': 'gzip' }, code: 'unsupported-encoding' },
    {
      id: 'a multipart of another kind',
      headers: { 'Content-Type': 'multipart/mixed; boundary=x' },
      code: 'unsupported-type',
    },
  ];
  test.each(refused)('$id is refused', async ({ query = '', headers = {}, code }) => {
    const before = edge.index.live.size;
    const response = await edge.fetch(`/v1/files${query}`, { method: 'PUT', body: patternBytes(20_000, 25), headers });
    expect(response.headers.get('Content-Type')).toBe('application/problem+json');
    expect(await response.json()).toMatchObject({ code, status: response.status });
    expect(response.status).toBeGreaterThanOrEqual(400);
    expect(response.status).toBeLessThan(500);
    await edge.settled();
    expect(edge.index.live.size).toBe(before);
    expect(edge.index.intents.size).toBe(0);
  });
});

describe('Filetao-Cid', () => {
  test('of bytes that are there is answered before the body', async () => {
    const { file } = await put(patternBytes(50_000, 31));
    let pulled = 0;
    const body = new ReadableStream(
      {
        type: 'bytes',
        pull(controller) {
          pulled++;
          controller.enqueue(new Uint8Array(1024));
        },
      },
      { highWaterMark: 0 },
    );
    const again = await put(patternBytes(0), { body, headers: { 'Filetao-Cid': file.cid } });
    expect(again.response.status).toBe(200);
    expect(pulled).toBe(0);
  });

  test.each([20_000, 5 * MIB])('of other bytes: nothing of %d bytes is stored', async (bytes) => {
    const response = await edge.fetch('/v1/files', {
      method: 'PUT',
      body: patternBytes(bytes, 32),
      headers: { 'Filetao-Cid': cidOf(new Uint8Array(32).fill(1)) },
    });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'wrong-cid', cid: cidOf(sha256(patternBytes(bytes, 32))) });
    await edge.settled();
    expect(edge.index.intents.size).toBe(0);
    expect(edge.index.staged.size).toBe(0);
  });

  test('of the bytes that come is stored', async () => {
    const content = patternBytes(5 * MIB, 33);
    const { response } = await put(content, { headers: { 'Filetao-Cid': cidOf(sha256(content)) } });
    expect(response.status).toBe(201);
  });
});

describe('ranges', () => {
  test('of any kind give the bytes they name', async () => {
    const content = patternBytes(9 * MIB, 41);
    const { file } = await put(content);
    const position = fc.oneof(
      fc.nat(content.length - 1),
      fc.constantFrom(0, 4 * MIB - 1, 4 * MIB, 8 * MIB, content.length - 1),
    );
    await fc.assert(
      fc.asyncProperty(position, position, async (a, b) => {
        const [first, last] = a < b ? [a, b] : [b, a];
        const response = await edge.fetch(`/v1/files/${file.cid}`, { headers: { Range: `bytes=${first}-${last}` } });
        expect(response.status).toBe(206);
        expect(response.headers.get('Content-Range')).toBe(`bytes ${first}-${last}/${content.length}`);
        expect(response.headers.get('Content-Length')).toBe(String(last - first + 1));
        const bytes = await bytesOf(response);
        expect(sha256(bytes)).toEqual(sha256(content.subarray(first, last + 1)));
      }),
      { numRuns: 12 },
    );
  });

  test('and conditions are answered as RFC 9110 says', async () => {
    const content = patternBytes(1000, 42);
    const { file } = await put(content);
    const get = (headers: Record<string, string>) => edge.fetch(`/v1/files/${file.cid}`, { headers });
    const status = (headers: Record<string, string>) => edge.status(`/v1/files/${file.cid}`, { headers });

    const beyond = await get({ Range: 'bytes=1000-' });
    expect(beyond.status).toBe(416);
    expect(beyond.headers.get('Content-Range')).toBe('bytes */1000');
    expect(await beyond.json()).toMatchObject({ code: 'range-not-satisfiable', bytes: 1000 });
    for (const range of ['bytes=5-2', 'bytes=0-1,3-4', 'items=0-1', 'bytes=x']) {
      const response = await get({ Range: range });
      expect(response.status).toBe(200);
      expect((await bytesOf(response)).length).toBe(1000);
    }
    const notModified = await get({ 'If-None-Match': `"${file.cid}"` });
    expect(notModified.status).toBe(304);
    expect(notModified.headers.get('ETag')).toBe(`"${file.cid}"`);
    expect((await get({ 'If-Match': '"x"' })).status).toBe(412);
    expect(await status({ Range: 'bytes=0-1', 'If-Range': `"${file.cid}"` })).toBe(206);
    expect(await status({ Range: 'bytes=0-1', 'If-Range': '"x"' })).toBe(200);
  });

  test('HEAD says everything and sends nothing', async () => {
    const { file } = await put(patternBytes(1234, 43), {}, '?name=x.bin');
    const before = edge.network.miners.map((miner) => miner.requests.get('readShards') ?? 0);
    const response = await edge.fetch(`/v1/files/${file.cid}`, { method: 'HEAD', headers: { Range: 'bytes=0-1' } });
    expect(response.status).toBe(200);
    expect(response.headers.get('Content-Length')).toBe('1234');
    expect(response.headers.get('Accept-Ranges')).toBe('bytes');
    expect(response.headers.get('Content-Disposition')).toBe('attachment; filename="x.bin"');
    expect((await bytesOf(response)).length).toBe(0);
    expect(edge.network.miners.map((miner) => miner.requests.get('readShards') ?? 0)).toEqual(before);
  });
});

describe('who sees what', () => {
  test('any key reads any CID, but not the name that its owner gave', async () => {
    const { file } = await put(patternBytes(500, 51), {}, '?name=private-name.txt&type=text/plain');
    const other = await edge.newAccount();
    const headers = { Authorization: `Bearer ${other.key}` };
    const response = await edge.fetch(`/v1/files/${file.cid}`, { headers });
    expect(response.status).toBe(200);
    expect(response.headers.get('Content-Disposition')).toBe('inline');
    expect((await bytesOf(response)).length).toBe(500);
    for (const [method, path] of [
      ['DELETE', ''],
      ['GET', '/status'],
      ['GET', '/deletion'],
    ] as const) {
      expect((await edge.fetch(`/v1/files/${file.cid}${path}`, { method, headers })).status).toBe(404);
    }
    const patch = await edge.fetch(`/v1/files/${file.cid}`, { method: 'PATCH', body: '{"ttl":5}', headers });
    expect(patch.status).toBe(404);
    expect((await edge.fetch('/v1/files/by-name/private-name.txt', { headers })).status).toBe(404);
  });

  test('served bytes can do nothing in a browser, and caches keep them apart', async () => {
    const { file } = await put(patternBytes(500, 52), {}, '?name=x.html&type=text/html');
    const response = await edge.fetch(`/v1/files/${file.cid}`);
    await bytesOf(response);
    const { headers } = response;
    expect(headers.get('X-Content-Type-Options')).toBe('nosniff');
    expect(headers.get('Content-Security-Policy')).toBe("sandbox; default-src 'none'");
    expect(headers.get('Content-Disposition')).toMatch(/^attachment/);
    expect(headers.get('Cache-Control')).toBe('private, max-age=60');
    expect(headers.get('Vary')).toBe('Authorization');
  });
});

describe('a file with proof=zk', () => {
  test.each([3, 5_000, 200_000])('of %i bytes comes back, and its answers say how it is proven', async (bytes) => {
    const content = patternBytes(bytes, bytes + 71);
    const { response, file } = await put(content, {}, '?proof=zk&ttl=900');
    expect(response.status).toBe(201);
    expect(file.proof).toBe('zk');
    expect(cidOf(sha256(await bytesOf(await edge.fetch(`/v1/files/${file.cid}`))))).toBe(file.cid);
    const status = await edge.fetch(`/v1/files/${file.cid}/status`);
    expect(await status.json()).toMatchObject({ proof: 'zk', health: 'full' });
  });

  test('may not be large, announced or not, nor copied too often', async () => {
    const announced = await edge.fetch('/v1/files?proof=zk', { method: 'PUT', body: patternBytes(2 * MIB, 72) });
    expect([announced.status, await announced.json()]).toMatchObject([413, { code: 'too-large' }]);
    const body = new Blob([patternBytes(2 * MIB, 73)]).stream();
    const streamed = await edge.fetch('/v1/files?proof=zk', { method: 'PUT', body });
    expect([streamed.status, await streamed.json()]).toMatchObject([413, { code: 'too-large' }]);
    const init = { method: 'PUT', body: patternBytes(MIB, 74) };
    const copied = await edge.fetch('/v1/files?proof=zk&redundancy=1,9', init);
    expect([copied.status, await copied.json()]).toMatchObject([400, { code: 'unsupported-redundancy' }]);
    expect((await edge.fetch('/v1/files?proof=zkp', { method: 'PUT', body: 'x' })).status).toBe(400);
  });

  test('and one without are proven as each was asked', async () => {
    const { file } = await put(patternBytes(100, 75));
    expect(file.proof).toBe('por');
    const { response, file: again } = await put(patternBytes(100, 75), {}, '?proof=zk');
    expect([response.status, again.proof]).toEqual([200, 'por']);
  });
});

describe('a form', () => {
  const form = (files: Record<string, Uint8Array<ArrayBuffer>>) => {
    const data = new FormData();
    for (const [name, bytes] of Object.entries(files))
      data.append('file', new File([bytes], name, { type: 'image/png' }));
    return data;
  };

  test('stores each of its files under its name', async () => {
    const files = { 'a.png': patternBytes(10, 61), 'b ü.png': patternBytes(5 * MIB, 62), 'c.png': patternBytes(0) };
    const response = await edge.fetch('/v1/files?ttl=100', { method: 'POST', body: form(files) });
    expect(response.status).toBe(201);
    const stored = FilesAnswer.parse(await response.json()).files;
    expect(stored.map(({ name }) => name)).toEqual(Object.keys(files));
    expect(stored.map(({ cid }) => cid)).toEqual(Object.values(files).map((bytes) => cidOf(sha256(bytes))));
    expect(stored[0]).toMatchObject({ contentType: 'image/png', redundancy: { k: 1, n: 5 } });
    expect(await edge.status('/v1/files/by-name/b%20%C3%BC.png')).toBe(200);
    const again = await edge.fetch('/v1/files', { method: 'POST', body: form({ 'a.png': patternBytes(10, 61) }) });
    expect(again.status).toBe(200);
  });

  test('that goes wrong says what was stored before', async () => {
    const files = { 'good.png': patternBytes(11, 63), 'bad\\name.png': patternBytes(12, 64) };
    const response = await edge.fetch('/v1/files', { method: 'POST', body: form(files) });
    expect(response.status).toBe(400);
    expect(await response.json()).toMatchObject({ code: 'bad-name', files: [{ name: 'good.png' }] });
  });

  test('without a file is refused', async () => {
    const response = await edge.fetch('/v1/files', { method: 'POST', body: form({}) });
    expect(response.status).toBe(400);
  });
});
