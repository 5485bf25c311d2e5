/** What the edge takes as a private file's record, and what it refuses. */
import { beforeAll, describe, expect, test } from 'vitest';
import { accountKeyOf } from '#shared/account/account.ts';
import { MAX_SIGNED_ENVELOPE_BYTES, packSignedEnvelope, signEnvelope } from '#shared/account/signed-envelope.ts';
import { FileAnswer } from '#shared/api/schemas.ts';
import { type FileId, hexId } from '#shared/primitives/ids.ts';
import { patternBytes } from './testing/sources.ts';
import { createTestEdge, type TestEdge } from './testing/test-edge.ts';

const SEED = new Uint8Array(32).fill(1);
const ACCOUNT = accountKeyOf(SEED);
let edge: TestEdge;
let cid: string;
let fileId: FileId;
beforeAll(async () => {
  edge = await createTestEdge();
  const stored = await edge.fetch('/v1/files', { method: 'PUT', body: patternBytes(100) });
  const file = FileAnswer.parse(await stored.json());
  cid = file.cid;
  fileId = file.fileId as FileId;
});

const record = (revision: number, change: { fileId?: FileId; envelope?: Uint8Array } = {}) => {
  const content = { fileId, revision, envelope: patternBytes(9, revision), metadata: new Uint8Array(), ...change };
  return packSignedEnvelope(signEnvelope(SEED, ACCOUNT, content, { digest: new Uint8Array(32), bytes: 100 }));
};
async function put(body: Uint8Array, at = cid, init: RequestInit = {}) {
  const request = { method: 'PUT', body: body as Uint8Array<ArrayBuffer>, ...init };
  const response = await edge.fetch(`/v1/files/${at}/envelope`, request);
  return { status: response.status, ...((await response.json()) as Record<string, unknown>) };
}

describe('a record', () => {
  test('is kept by growing revision, and given to who may read', async () => {
    expect((await edge.fetch(`/v1/files/${cid}/envelope`)).status).toBe(404);
    expect(await put(record(1))).toMatchObject({ status: 200, revision: 1 });
    expect(await put(record(1))).toMatchObject({ status: 200, revision: 1 });
    expect(await put(record(1, { envelope: patternBytes(9, 77) }))).toMatchObject({
      status: 409,
      code: 'conflict',
      revision: 1,
    });
    expect(await put(record(5))).toMatchObject({ status: 200, revision: 5 });
    expect(await put(record(4))).toMatchObject({ status: 409, revision: 5 });
    const { key } = await edge.newAccount();
    const read = await edge.fetch(`/v1/files/${cid}/envelope`, { headers: { Authorization: `Bearer ${key}` } });
    expect(read.headers.get('Filetao-Bytes')).toBe('100');
    expect(new Uint8Array(await read.arrayBuffer())).toEqual(record(5));
    const age = await edge.fetch(`/v1/files/${cid}/envelope?part=age`);
    expect(new Uint8Array(await age.arrayBuffer())).toEqual(patternBytes(9, 5));
  });

  test('is not set by anybody else', async () => {
    const { key } = await edge.newAccount();
    expect(await put(record(9), cid, { headers: { Authorization: `Bearer ${key}` } })).toMatchObject({
      code: 'not-found',
    });
  });

  test.each([
    ['of another file', () => record(9, { fileId: hexId<FileId>(new Uint8Array(16), 16) }), 'bad-request'],
    ['that is none', () => patternBytes(300), 'bad-request'],
    ['that is empty', () => new Uint8Array(), 'bad-request'],
    ['that is cut', () => record(9).slice(0, -1), 'bad-request'],
    ['that is too long', () => patternBytes(MAX_SIGNED_ENVELOPE_BYTES + 1), 'too-large'],
  ])('%s is refused', async (_, make, code) => {
    expect(await put(make())).toMatchObject({ code });
  });

  test('of a file that is not there is refused', async () => {
    expect(await put(record(9), 'bafkreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku')).toMatchObject({
      code: 'not-found',
    });
  });

  test('goes with its file', async () => {
    await edge.fetch(`/v1/files/${cid}`, { method: 'DELETE' });
    expect(edge.index.envelopes.size).toBe(0);
    expect(await (await edge.fetch(`/v1/files/${cid}/envelope`)).json()).toMatchObject({
      code: 'not-found',
      file: false,
    });
  });
});
