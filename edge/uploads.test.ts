/** Uploads by parts through the app, in workerd: real routes, flows, engines and kernel, index and miners in memory. */
import { beforeAll, describe, expect, test } from 'vitest';
import { FileAnswer } from '#shared/api/schemas.ts';
import { PartAnswer, UploadAnswer, UploadPartsAnswer } from '#shared/api/upload-schemas.ts';
import { cidOf } from '#shared/codec/cid.ts';
import kernelModule from '#shared/codec/kernel.wasm';
import { Sha256Chain } from '#shared/codec/sha256-chain.ts';
import { instantiateKernel } from '#shared/codec/wasm-kernel.ts';
import { toBase64, toHex } from '#shared/primitives/bytes.ts';
import { nodeSha256 } from './network/digests.ts';
import { patternBytes } from './testing/sources.ts';
import { createTestEdge, type TestEdge } from './testing/test-edge.ts';

const MIB = 1024 * 1024;
const PART = 4 * MIB;
const kernel = instantiateKernel(kernelModule);

let edge: TestEdge;
beforeAll(async () => {
  edge = await createTestEdge();
});

function sha256(bytes: Uint8Array): Uint8Array {
  const digest = nodeSha256();
  digest.update(bytes);
  return digest.finish();
}
const cidOfBytes = (bytes: Uint8Array) => cidOf(sha256(bytes));

/** A file of its own in whole parts and a rest. */
let seed = 1000;
const newBytes = (length: number) => patternBytes(length, ++seed);
const partOf = (bytes: Uint8Array<ArrayBuffer>, number: number, partBytes = PART) =>
  bytes.slice((number - 1) * partBytes, number * partBytes);

async function open(options: Record<string, unknown> = {}): Promise<UploadAnswer> {
  const body = JSON.stringify({ partBytes: PART, ...options });
  const response = await edge.fetch('/v1/uploads', { method: 'POST', body });
  expect(response.status).toBe(201);
  const upload = UploadAnswer.parse(await response.json());
  expect(response.headers.get('Location')).toBe(`/v1/uploads/${upload.upload}`);
  return upload;
}
const put = (id: string, number: number, body: Uint8Array<ArrayBuffer>, headers: Record<string, string> = {}) =>
  edge.fetch(`/v1/uploads/${id}/parts/${number}`, { method: 'PUT', body, headers });
const complete = (id: string, body: unknown) =>
  edge.fetch(`/v1/uploads/${id}/complete`, { method: 'POST', body: JSON.stringify(body) });
const statusOf = async (response: Promise<Response>) => {
  const { status, body } = await response;
  await body?.cancel();
  return status;
};
const problemOf = async (response: Promise<Response>) => {
  const answer = await response;
  return { http: answer.status, ...((await answer.json()) as { code: string }) };
};

async function expectFile(bytes: Uint8Array, response: Response, status = 201): Promise<FileAnswer> {
  expect(response.status).toBe(status);
  const file = FileAnswer.parse(await response.json());
  expect(file).toMatchObject({ cid: cidOfBytes(bytes), bytes: bytes.length });
  const back = await edge.fetch(`/v1/files/${file.cid}`);
  expect(toHex(sha256(new Uint8Array(await back.arrayBuffer())))).toBe(toHex(sha256(bytes)));
  return file;
}

describe('an upload by parts', () => {
  test('in order needs to know nothing but its size', async () => {
    const bytes = newBytes(2 * PART + 77);
    const upload = await open({ bytes: bytes.length, name: 'a.bin', type: 'image/png', ttl: 100 });
    expect(upload).toMatchObject({ state: 'open', partBytes: PART, bytes: bytes.length, name: 'a.bin' });
    for (const number of [1, 2, 3]) {
      const response = await put(upload.upload, number, partOf(bytes, number));
      expect(response.status).toBe(201);
      const hash = toHex(sha256(partOf(bytes, number)));
      expect(PartAnswer.parse(await response.json())).toEqual({ number, bytes: partOf(bytes, number).length, hash });
    }
    const calls = edge.network.miners.reduce((sum, miner) => sum + miner.held.size, 0);
    const file = await expectFile(bytes, await complete(upload.upload, {}));
    expect(file).toMatchObject({ fileId: upload.fileId, name: 'a.bin', contentType: 'image/png', segments: 3 });
    expect(Date.parse(file.expiresAt ?? '') - Date.parse(file.createdAt)).toBe(100_000);
    expect(edge.network.miners.reduce((sum, miner) => sum + miner.held.size, 0)).toBe(calls);
    // Again: the same answer.
    await expectFile(bytes, await complete(upload.upload, {}), 200);
    await edge.settled();
    const state = await edge.fetch(`/v1/uploads/${upload.upload}`);
    expect(UploadPartsAnswer.parse(await state.json())).toMatchObject({ state: 'stored', parts: [] });
  });

  test('at once and backwards is hashed afterwards', async () => {
    const bytes = newBytes(3 * PART + 1);
    const upload = await open();
    const order = [4, 3, 2, 1];
    expect(await Promise.all(order.map((n) => statusOf(put(upload.upload, n, partOf(bytes, n)))))).toEqual([
      201, 201, 201, 201,
    ]);
    const parts = [1, 2, 3, 4].map((n) => toHex(sha256(partOf(bytes, n))));
    await expectFile(bytes, await complete(upload.upload, { parts }));
  });

  test('at once, with the states of the hash, needs no second look', async () => {
    const bytes = newBytes(3 * PART);
    const upload = await open({ cid: cidOfBytes(bytes) });
    const chain = new Sha256Chain(kernel);
    const states = [1, 2, 3].map((number) => {
      const state = toHex(chain.state() ?? new Uint8Array(0));
      chain.update(partOf(bytes, number));
      return state;
    });
    const puts = [3, 1, 2].map((n) =>
      put(upload.upload, n, partOf(bytes, n), { 'Filetao-Sha256-State': states[n - 1] ?? '' }),
    );
    expect(await Promise.all(puts.map(statusOf))).toEqual([201, 201, 201]);
    const reads = edge.index.calls.length;
    for (const miner of edge.network.miners) miner.fault = 'hangs';
    // Nothing is asked of a miner: they would not answer.
    const response = await complete(upload.upload, {});
    expect(response.status).toBe(201);
    expect(edge.index.calls.length).toBeGreaterThan(reads);
    for (const miner of edge.network.miners) miner.fault = 'none';
    expect(FileAnswer.parse(await response.json()).cid).toBe(cidOfBytes(bytes));
  });

  test('with false states of the hash gets the right CID all the same', async () => {
    const bytes = newBytes(2 * PART + 5);
    const upload = await open({ bytes: bytes.length });
    for (const number of [3, 2, 1]) {
      const headers = { 'Filetao-Sha256-State': toHex(newBytes(32)) };
      expect(await statusOf(put(upload.upload, number, partOf(bytes, number), headers))).toBe(201);
    }
    const wrong = await problemOf(complete(upload.upload, { cid: cidOfBytes(newBytes(5)) }));
    expect(wrong).toMatchObject({ http: 400, code: 'wrong-cid', cid: cidOfBytes(bytes) });
    await expectFile(bytes, await complete(upload.upload, { cid: cidOfBytes(bytes) }));
  });

  test.each([
    { bytes: 0, partBytes: PART },
    { bytes: 1, partBytes: PART },
    { bytes: PART, partBytes: PART },
    { bytes: 5 * MIB + 1, partBytes: 5 * MIB },
    { bytes: 10 * MIB + 64 * 1024, partBytes: 5 * MIB + 64 * 1024 },
  ])('of $bytes bytes in parts of $partBytes comes back', async ({ bytes: length, partBytes }) => {
    const bytes = newBytes(length);
    const upload = await open({ bytes: length, partBytes });
    for (let number = 1; number <= Math.max(1, Math.ceil(length / partBytes)); number++) {
      expect(await statusOf(put(upload.upload, number, partOf(bytes, number, partBytes)))).toBe(201);
    }
    await expectFile(bytes, await complete(upload.upload, {}));
  });

  test('lists its parts page by page', async () => {
    const upload = await open();
    const bytes = newBytes(100);
    // Parts of a file whose length is not known: any of them could be the last.
    for (const number of [9, 2, 5]) expect(await statusOf(put(upload.upload, number, bytes))).toBe(201);
    const first = await edge.fetch(`/v1/uploads/${upload.upload}?limit=2`);
    const page = UploadPartsAnswer.parse(await first.json());
    expect(page.parts.map(({ number }) => number)).toEqual([2, 5]);
    const rest = await edge.fetch(`/v1/uploads/${upload.upload}?limit=2&from=${page.next}`);
    expect(UploadPartsAnswer.parse(await rest.json())).toMatchObject({ parts: [{ number: 9 }] });
    const listed = await edge.fetch('/v1/uploads');
    expect(JSON.stringify(await listed.json())).toContain(upload.upload);
  });
});

describe('a part', () => {
  test('that is there is answered before its body, and stored once', async () => {
    const bytes = newBytes(1000);
    const upload = await open();
    const headers = { 'Content-Digest': `sha-256=:${toBase64(sha256(bytes))}:` };
    expect(await statusOf(put(upload.upload, 1, bytes, headers))).toBe(201);
    const count = () => edge.network.miners.reduce((sum, miner) => sum + miner.held.size, 0);
    const held = count();
    expect(await statusOf(put(upload.upload, 1, bytes, headers))).toBe(200);
    expect(count()).toBe(held);
    // Without saying what it is, it is sent again, and what was sent goes.
    expect(await statusOf(put(upload.upload, 1, bytes))).toBe(200);
    await edge.settled();
    expect(edge.index.strays.length).toBeGreaterThan(0);
    await expectFile(bytes, await complete(upload.upload, { bytes: 1000 }));
  });

  test('that is sent with other bytes is replaced', async () => {
    const [old, bytes] = [newBytes(1000), newBytes(2000)];
    const upload = await open();
    expect(await statusOf(put(upload.upload, 1, old))).toBe(201);
    expect(await statusOf(put(upload.upload, 1, bytes))).toBe(201);
    await expectFile(bytes, await complete(upload.upload, { bytes: 2000 }));
  });

  test('is masked anew each time it is sent', async () => {
    const bytes = newBytes(1000);
    const upload = await open();
    await statusOf(put(upload.upload, 1, bytes));
    const first = new Set(edge.network.miners.flatMap(({ held }) => [...held.keys()]));
    await statusOf(put(upload.upload, 1, bytes));
    const both = edge.network.miners.flatMap(({ held }) => [...held.keys()]);
    expect(new Set(both).size).toBe(both.length);
    expect(both.length).toBeGreaterThan(first.size);
  });

  test.each([
    ['too long', 1, PART + 1, {}, 413, 'too-large'],
    ['short of its place', 1, 5, { bytes: PART + 5 }, 400, 'length-mismatch'],
    ['behind the end', 3, 5, { bytes: PART + 5 }, 400, 'bad-request'],
    ['of another size than its place', 2, 6, { bytes: PART + 5 }, 413, 'too-large'],
    ['empty and not the first', 2, 0, {}, 400, 'length-mismatch'],
    ['beyond the quota', 200, 5, {}, 413, 'too-large'],
  ] as const)('%s is refused', async (_, number, length, options, http, code) => {
    const upload = await open(options);
    expect(await problemOf(put(upload.upload, number, newBytes(length)))).toMatchObject({ http, code });
  });

  test.each(['0', '10001', 'x', '1e3', '-1', '1.5'])('numbered %s is refused', async (number) => {
    const upload = await open();
    const response = edge.fetch(`/v1/uploads/${upload.upload}/parts/${number}`, { method: 'PUT', body: 'x' });
    expect(await problemOf(response)).toMatchObject({ http: 400, code: 'bad-request' });
  });

  test('with another hash than it says is refused, and nothing of it kept', async () => {
    const upload = await open();
    const headers = { 'Content-Digest': `sha-256=:${toBase64(newBytes(32))}:` };
    const refused = await problemOf(put(upload.upload, 1, newBytes(99), headers));
    expect(refused).toMatchObject({ http: 400, code: 'digest-mismatch' });
    const state = UploadPartsAnswer.parse(await (await edge.fetch(`/v1/uploads/${upload.upload}`)).json());
    expect(state.parts).toEqual([]);
  });
});

describe('a completion is refused', () => {
  test('that does not say what the whole is', async () => {
    const upload = await open();
    await statusOf(put(upload.upload, 1, newBytes(5)));
    expect(await problemOf(complete(upload.upload, {}))).toMatchObject({ code: 'bad-request' });
  });
  test('while parts are missing, which it names', async () => {
    const upload = await open();
    await statusOf(put(upload.upload, 4, newBytes(5)));
    const refused = await problemOf(complete(upload.upload, { bytes: 3 * PART + 5 }));
    expect(refused).toMatchObject({ http: 409, code: 'parts-missing', missing: [1, 2, 3] });
    const empty = await open();
    expect(await problemOf(complete(empty.upload, { bytes: 0 }))).toMatchObject({ code: 'parts-missing' });
  });
  test('of other parts, other bytes, or another CID', async () => {
    const upload = await open();
    const bytes = newBytes(5);
    await statusOf(put(upload.upload, 1, bytes));
    const cid = cidOfBytes(newBytes(6));
    expect(await problemOf(complete(upload.upload, { parts: [toHex(newBytes(32))] }))).toMatchObject({
      code: 'parts-mismatch',
      part: 1,
    });
    expect(await problemOf(complete(upload.upload, { bytes: 6 }))).toMatchObject({ code: 'length-mismatch' });
    expect(await problemOf(complete(upload.upload, { cid }))).toMatchObject({ code: 'wrong-cid' });
    expect(await problemOf(complete(upload.upload, { parts: ['xx'] }))).toMatchObject({ code: 'bad-request' });
    await expectFile(bytes, await complete(upload.upload, { bytes: 5 }));
  });
  test('when a part in the middle is short', async () => {
    const upload = await open();
    await statusOf(put(upload.upload, 1, newBytes(5)));
    await statusOf(put(upload.upload, 2, newBytes(5)));
    const parts = [toHex(newBytes(32)), toHex(newBytes(32))];
    expect(await problemOf(complete(upload.upload, { parts }))).toMatchObject({ code: 'parts-mismatch', part: 1 });
  });
});

describe('the end', () => {
  test('by abort drops what was sent, and is final', async () => {
    const upload = await open();
    const bytes = newBytes(5000);
    await statusOf(put(upload.upload, 1, bytes));
    await edge.settled();
    const strays = edge.index.strays.length;
    const abort = () => statusOf(edge.fetch(`/v1/uploads/${upload.upload}`, { method: 'DELETE' }));
    expect(await abort()).toBe(204);
    expect(await abort()).toBe(204);
    await edge.settled();
    expect(edge.index.strays.length).toBeGreaterThan(strays);
    expect(await problemOf(put(upload.upload, 1, bytes))).toMatchObject({ http: 409, code: 'upload-ended' });
    expect(await problemOf(complete(upload.upload, { bytes: 5000 }))).toMatchObject({ code: 'upload-ended' });
  });

  test('by completion cannot be aborted', async () => {
    const upload = await open();
    const bytes = newBytes(50);
    await statusOf(put(upload.upload, 1, bytes));
    await expectFile(bytes, await complete(upload.upload, { bytes: 50 }));
    const aborted = await problemOf(edge.fetch(`/v1/uploads/${upload.upload}`, { method: 'DELETE' }));
    expect(aborted).toMatchObject({ http: 409, code: 'upload-ended' });
    expect(await problemOf(put(upload.upload, 1, bytes))).toMatchObject({ code: 'upload-ended' });
  });

  test('by completions at once is one file', async () => {
    const upload = await open();
    const bytes = newBytes(PART + 50);
    for (const number of [1, 2]) await statusOf(put(upload.upload, number, partOf(bytes, number)));
    const all = await Promise.all(Array.from({ length: 4 }, () => complete(upload.upload, { bytes: bytes.length })));
    for (const response of all) {
      expect([200, 201]).toContain(response.status);
      expect(FileAnswer.parse(await response.json())).toMatchObject({ cid: cidOfBytes(bytes), fileId: upload.fileId });
    }
  });

  test('of its time lets nothing more in', async () => {
    const late = await createTestEdge();
    const opened = await late.fetch('/v1/uploads', { method: 'POST', body: '{}' });
    const { upload } = UploadAnswer.parse(await opened.json());
    late.clock.shiftMs += 86_400_001;
    const response = await late.fetch(`/v1/uploads/${upload}/parts/1`, { method: 'PUT', body: 'x' });
    expect(await response.json()).toMatchObject({ code: 'expired' });
    const done = await late.fetch(`/v1/uploads/${upload}/complete`, { method: 'POST', body: '{"bytes":1}' });
    expect(await done.json()).toMatchObject({ code: 'expired' });
    const state = await late.fetch(`/v1/uploads/${upload}`);
    expect(await state.json()).toMatchObject({ state: 'expired' });
  });
});

describe('an upload', () => {
  test('of bytes that are there already is answered at once', async () => {
    const bytes = newBytes(500);
    await edge.fetch('/v1/files', { method: 'PUT', body: bytes });
    const body = JSON.stringify({ cid: cidOfBytes(bytes), name: 'again.bin' });
    const response = await edge.fetch('/v1/uploads', { method: 'POST', body });
    await expectFile(bytes, response, 200);
    // And one that turns out to be.
    const upload = await open();
    await statusOf(put(upload.upload, 1, bytes));
    await expectFile(bytes, await complete(upload.upload, { bytes: 500 }), 200);
  });

  test('of somebody else is no upload', async () => {
    const upload = await open();
    const { key } = await edge.newAccount();
    const headers = { Authorization: `Bearer ${key}` };
    for (const [method, path] of [
      ['GET', ''],
      ['DELETE', ''],
      ['PUT', '/parts/1'],
      ['POST', '/complete'],
    ] as const) {
      const init = method === 'PUT' ? { body: 'x' } : {};
      const response = edge.fetch(`/v1/uploads/${upload.upload}${path}`, { method, headers, ...init });
      expect(await problemOf(response)).toMatchObject({ http: 404, code: 'not-found' });
    }
  });

  test.each([
    ['parts that are too small', { partBytes: 64 * 1024 }, 'bad-request'],
    ['parts of an odd size', { partBytes: PART + 1 }, 'bad-request'],
    ['parts that are too large', { partBytes: 2 ** 40 }, 'bad-request'],
    ['more parts than may be', { bytes: 2 ** 43, partBytes: PART }, 'too-large'],
    ['more bytes than may be', { bytes: 65 * MIB }, 'too-large'],
    ['a bad CID', { cid: 'x' }, 'bad-cid'],
    ['a bad name', { name: 'a/b' }, 'bad-name'],
    ['something unknown', { what: 1 }, 'bad-request'],
    ['a redundancy that is none', { redundancy: '5,4' }, 'unsupported-redundancy'],
  ])('with %s is refused', async (_, options, code) => {
    const response = edge.fetch('/v1/uploads', { method: 'POST', body: JSON.stringify(options) });
    expect(await problemOf(response)).toMatchObject({ code });
  });

  test('beyond the quota is refused when it begins, when it grows and when it ends', async () => {
    const small = await createTestEdge();
    small.index.quotas.set(small.owner, PART + 100);
    const begin = (bytes?: number) =>
      small.fetch('/v1/uploads', { method: 'POST', body: JSON.stringify({ bytes, partBytes: PART }) });
    expect(await problemOf(begin(PART + 101))).toMatchObject({ http: 413, code: 'over-quota' });
    const { upload } = UploadAnswer.parse(await (await begin()).json());
    const send = (number: number, bytes: Uint8Array<ArrayBuffer>) =>
      small.fetch(`/v1/uploads/${upload}/parts/${number}`, { method: 'PUT', body: bytes });
    const whole = newBytes(PART);
    expect(await statusOf(send(1, whole))).toBe(201);
    expect(await problemOf(send(2, newBytes(101)))).toMatchObject({ http: 413, code: 'over-quota' });
    small.index.quotas.set(small.owner, PART - 1);
    const end = () => small.fetch(`/v1/uploads/${upload}/complete`, { method: 'POST', body: `{"bytes":${PART}}` });
    expect(await problemOf(end())).toMatchObject({ http: 413, code: 'over-quota' });
    small.index.quotas.set(small.owner, PART);
    expect(await statusOf(end())).toBe(201);
  });

  test('is one of a limited number', async () => {
    const busy = await createTestEdge();
    const begin = () => busy.fetch('/v1/uploads', { method: 'POST', body: '{}' });
    for (let i = 0; i < 64; i++) expect(await statusOf(begin())).toBe(201);
    expect(await problemOf(begin())).toMatchObject({ http: 429, code: 'too-many-uploads' });
  });
});
