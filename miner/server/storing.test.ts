import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ByteWriter, concatBytes } from '#shared/primitives/bytes.ts';
import { newOrderId } from '#shared/primitives/ids.ts';
import { sha256 } from '#shared/primitives/sha256.ts';
import { contentDigest } from '#shared/wire/body-rule.ts';
import { encodeFrameHead, STREAM_END } from '#shared/wire/frames.ts';
import { MAX_SHARD_BYTES } from '#shared/wire/limits.ts';
import type { ShardFrame } from '#shared/wire/ports.ts';
import { ReplyParser, STREAM_REF } from '#shared/wire/replies.ts';
import { until } from '../testing/conditions.ts';
import {
  clientOf,
  grantOf,
  HOUR_MS,
  KEYS,
  type LoopbackMiner,
  randomFrame,
  startLoopbackMiner,
  type TestClient,
} from '../testing/loopback-miner.ts';
import { headText, type RawRequest, send, signedHeaders } from '../testing/raw-request.ts';

const random = (bytes: number) => new Uint8Array(randomBytes(bytes));
const signal = new AbortController().signal;
const GIB = 2 ** 30;

let miner: LoopbackMiner;
let edge: TestClient;
let tenant: TestClient;
beforeAll(async () => {
  miner = await startLoopbackMiner({
    settings: {
      tenants: [
        { hotkey: KEYS.tenant.hotkey, quotaBytes: GIB },
        { hotkey: KEYS.otherTenant.hotkey, quotaBytes: 100_000 },
      ],
    },
  });
  edge = clientOf(KEYS.edge, KEYS.tenant, grantOf());
  tenant = clientOf(KEYS.tenant, KEYS.tenant);
});
afterAll(async () => {
  edge.close();
  tenant.close();
  await miner.remove();
});

/** Could the tenant reserve so many bytes right now? */
function reservable(bytes: number): boolean {
  const reserved = miner.store.reserve(KEYS.tenant.hotkey, bytes);
  if (reserved.ok) reserved.value.release();
  return reserved.ok;
}
const temporaryFiles = () => readdir(`${miner.root}/tmp`);
/** A PUT of a frame, right in every way until `change` changes it. */
function putOf(frame: ShardFrame, query: Record<string, string> = {}): RawRequest & { readonly body: Uint8Array } {
  const pairs = {
    bytes: String(frame.shard.length),
    order: newOrderId(random),
    hold: String(frame.holdUntilMs),
    ref: String(frame.ref),
    ...query,
  };
  const text = Object.entries(pairs).map(([key, value]) => `${key}=${value}`);
  return { method: 'PUT', target: `/v1/shards/${frame.anchorId}?${text.join('&')}`, body: frame.shard };
}
const signed = (request: RawRequest, changes: Partial<Parameters<typeof signedHeaders>[0]> = {}): RawRequest => ({
  ...request,
  headers: {
    ...signedHeaders({ signer: KEYS.edge, grant: grantOf(), ...request, ...changes }),
    ...(request.body && request.body.length > 65_536 ? { 'content-digest': contentDigest(sha256(request.body)) } : {}),
  },
});

describe('a single shard', () => {
  it('is refused in every wrong way, and leaves nothing', async () => {
    const frame = randomFrame(1000);
    const large = randomFrame(100_000);
    const put = putOf(frame);
    const cases: readonly (readonly [string, RawRequest, number, string])[] = [
      ['unsigned', put, 401, 'unauthorized'],
      ['without a grant', signed(put, { grant: undefined as never }), 403, 'grant-missing'],
      [
        'signed by another key',
        { ...signed(put), headers: { ...signed(put).headers, 'x-bittensor-hotkey': KEYS.stranger.hotkey } },
        403,
        'grant-invalid',
      ],
      ['signed over another target', { ...signed(put), target: putOf(frame).target }, 401, 'bad-signature'],
      ['signed over another body', { ...signed(put), body: random(1000) }, 401, 'bad-signature'],
      ['signed for another miner', signed(put, { receiver: KEYS.stranger }), 401, 'wrong-receiver'],
      ['signed too long ago', signed(put, { nowMs: Date.now() - 11_000 }), 401, 'clock-skew'],
      ['signed in the future', signed(put, { nowMs: Date.now() + 3_000 }), 401, 'clock-skew'],
      [
        'with an expired grant',
        signed(put, { grant: grantOf({ fromMs: Date.now() - HOUR_MS, untilMs: Date.now() - 1 }) }),
        403,
        'grant-expired',
      ],
      ['with a grant of later', signed(put, { grant: grantOf({ fromMs: Date.now() + 60_000 }) }), 403, 'grant-expired'],
      [
        'with another edge’s grant',
        signed(put, { grant: grantOf({ edge: KEYS.stranger.hotkey }) }),
        403,
        'grant-invalid',
      ],
      [
        'with a grant that the edge signed itself',
        signed(put, { grant: grantOf({}, KEYS.edge) }),
        403,
        'grant-invalid',
      ],
      [
        'with a stranger’s grant',
        signed(put, { grant: grantOf({ validator: KEYS.stranger.hotkey }, KEYS.stranger) }),
        403,
        'not-tenant',
      ],
      ['with a grant to read', signed(put, { grant: grantOf({ put: false }) }), 403, 'grant-rights'],
      ['under another anchor', signed(putOf({ ...frame, anchorId: large.anchorId })), 422, 'wrong-anchor'],
      ['shorter than it says', signed(putOf(frame, { bytes: '1001' })), 400, 'length-mismatch'],
      ['longer than it says', signed(putOf(frame, { bytes: '999' })), 400, 'length-mismatch'],
      ['with a hold of decades', signed(putOf(frame, { hold: String(Date.now() * 2) })), 400, 'bad-target'],
      ['with a key we do not know', signed(putOf(frame, { kind: '2' })), 400, 'bad-target'],
      ['of an anchor type that there is not', signed(putOf(frame, { type: '3' })), 400, 'bad-target'],
      ['of type 1, said aloud', signed(putOf(frame, { type: '1' })), 400, 'bad-target'],
      ['of type 2 without a blind key', signed(putOf(frame, { type: '2' })), 400, 'length-mismatch'],
      [
        'chunked',
        { ...signed(put), headers: { ...signed(put).headers, 'transfer-encoding': 'chunked' } },
        411,
        'length-required',
      ],
      [
        'compressed',
        { ...signed(put), headers: { ...signed(put).headers, 'content-encoding': 'gzip' } },
        415,
        'unsupported-encoding',
      ],
      [
        'large without a digest',
        { ...signed(putOf(large)), headers: { ...signed(putOf(large)).headers, 'content-digest': '' } },
        400,
        'bad-request',
      ],
      [
        'with another digest than signed',
        {
          ...signed(putOf(large)),
          headers: { ...signed(putOf(large)).headers, 'content-digest': contentDigest(random(32)) },
        },
        401,
        'bad-signature',
      ],
      ['with another body than the digest', { ...signed(putOf(large)), body: random(100_000) }, 400, 'digest-mismatch'],
      [
        'larger than any shard',
        signed(putOf({ ...frame, shard: new Uint8Array(MAX_SHARD_BYTES + 1) })),
        400,
        'bad-target',
      ],
      [
        'with a path trick',
        signed({ ...put, target: put.target.replace('/v1/shards/', '/v1/shards/%2e%2e/') }),
        404,
        'unknown-route',
      ],
    ];
    for (const [id, request, status, code] of cases) {
      const answer = await send(miner.port, request);
      expect([id, answer.status, answer.code]).toEqual([id, status, code]);
    }
    expect(await temporaryFiles()).toEqual([]);
    expect(miner.store.shards).toBe(0);
  });

  it('is stored once signed rightly, and its request cannot be played again', async () => {
    const request = signed(putOf(randomFrame(1000)));
    const first = await send(miner.port, request);
    expect([first.status, first.code]).toEqual([201, undefined]);
    expect(await send(miner.port, request)).toMatchObject({ status: 401, code: 'replayed' });
  });

  it('that is cut off leaves nothing', async () => {
    const before = miner.store.shards;
    const request = signed(putOf(randomFrame(100_000)));
    const head = headText('PUT', request.target, { ...request.headers, 'Content-Length': '100000' });
    const socket = connect(miner.port, '127.0.0.1');
    socket.write(head);
    socket.write((request.body as Uint8Array).subarray(0, 90_000));
    await until(async () => (await temporaryFiles()).length === 1);
    socket.destroy();
    await until(async () => (await temporaryFiles()).length === 0);
    expect(miner.store.shards).toBe(before);
    await until(() => reservable(GIB - 10_000));
  });

  it('beyond the tenant’s quota is refused before its body is read', async () => {
    const other = clientOf(KEYS.otherTenant, KEYS.otherTenant);
    const outcome = await other.putShard(miner.peer, newOrderId(random), randomFrame(100_001), signal);
    expect(outcome).toMatchObject({ ok: false, failure: { code: 'full', problem: 'tenant-quota' } });
    other.close();
  });
});

/** Opens a stream by hand; replies are parsed as they come. */
async function rawStream(max: number) {
  const target = `/v1/shards?order=${newOrderId(random)}&max=${max}`;
  const headers = signedHeaders({ signer: KEYS.edge, grant: grantOf(), method: 'POST', target });
  const socket = connect(miner.port, '127.0.0.1');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk) => chunks.push(chunk));
  socket.on('error', () => {});
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.write(headText('POST', target, { ...headers, 'Transfer-Encoding': 'chunked' }));
  const text = () => Buffer.concat(chunks).toString('latin1');
  await until(() => text().includes('\r\n\r\n'));
  const write = (bytes: Uint8Array) => {
    socket.write(`${bytes.length.toString(16)}\r\n`);
    socket.write(bytes);
    socket.write('\r\n');
  };
  return {
    socket,
    closed,
    status: Number(text().slice(9, 12)),
    write,
    end: () => socket.write('0\r\n\r\n'),
    replies() {
      const whole = Buffer.concat(chunks);
      let at = whole.indexOf('\r\n\r\n') + 4;
      const parser = new ReplyParser();
      const replies = [];
      for (;;) {
        const line = whole.indexOf('\r\n', at);
        const length = line < 0 ? 0 : Number.parseInt(whole.toString('latin1', at, line), 16);
        if (length === 0) break;
        replies.push(...parser.push(whole.subarray(line + 2, line + 2 + length)).items);
        at = line + 2 + length + 2;
      }
      return replies.map((reply) => ({
        ref: reply.ref,
        code:
          reply.kind === 'receipt'
            ? 'receipt'
            : (JSON.parse(Buffer.from(reply.body).toString()) as { code: string }).code,
      }));
    },
  };
}
const frameBytes = (frame: ShardFrame): Uint8Array => concatBytes(encodeFrameHead(frame), frame.shard);

describe('a shard stream', () => {
  it('is answered with 202 before a byte of its body is sent', async () => {
    const stream = await rawStream(1000);
    expect(stream.status).toBe(202);
    stream.write(STREAM_END);
    stream.end();
    await until(() => stream.replies().length === 0);
    stream.socket.destroy();
  });

  it('answers each frame on its own: the wrong ones with problems, the others with receipts', async () => {
    const dropped = randomFrame(500);
    await edge.putShard(miner.peer, newOrderId(random), dropped, signal);
    await tenant.drop(miner.peer, [dropped.anchorId], 'drop', 0, signal);
    const right = randomFrame(70_000);
    const wrong = { ...randomFrame(1000), anchorId: right.anchorId };
    const held = randomFrame(32, { holdUntilMs: Date.now() * 2 });
    const tooMuch = randomFrame(200_000);
    const last = randomFrame(40);
    const stream = await rawStream(100_000);
    for (const frame of [wrong, right, held, dropped, tooMuch, last]) stream.write(frameBytes(frame));
    stream.write(STREAM_END);
    stream.end();
    await until(() => stream.replies().length === 6);
    const byRef = new Map(stream.replies().map((reply) => [reply.ref, reply.code]));
    expect([wrong, right, held, dropped, tooMuch, last].map((frame) => byRef.get(frame.ref))).toEqual([
      'wrong-anchor',
      'receipt',
      'bad-request',
      'dropped',
      'too-large',
      'receipt',
    ]);
    stream.socket.destroy();
    expect(await temporaryFiles()).toEqual([]);
  });

  it.each([
    ['a frame larger than any shard', new ByteWriter().u32(MAX_SHARD_BYTES + 1).finish(), 'too-large'],
    ['a frame smaller than any shard', new ByteWriter().u32(31).finish(), 'bad-frame'],
    ['a label that is too long', new ByteWriter().u32(32).bytes(new Uint8Array(48)).u16(161).finish(), 'bad-frame'],
    ['bytes after the end', concatBytes(STREAM_END, Uint8Array.of(1)), 'bad-frame'],
    ['an end without the end mark', new Uint8Array(2), 'truncated'],
  ])('ends after %s, and keeps what came before', async (_, bytes, code) => {
    const frame = randomFrame(2000);
    const stream = await rawStream(10_000);
    stream.write(frameBytes(frame));
    stream.write(bytes);
    stream.end();
    await until(() => stream.replies().length === 2);
    expect(new Set(stream.replies().map((reply) => reply.code))).toEqual(new Set(['receipt', code]));
    expect(stream.replies().find((reply) => reply.code === code)?.ref).toBe(STREAM_REF);
    expect((await edge.headShard(miner.peer, frame.anchorId, signal)).ok).toBe(true);
    stream.socket.destroy();
  });

  it('that is cut in a frame keeps the receipted frames and nothing of that one', async () => {
    const whole = randomFrame(5000);
    const cut = randomFrame(60_000);
    const stream = await rawStream(100_000);
    stream.write(frameBytes(whole));
    stream.write(frameBytes(cut).subarray(0, 50_000));
    await until(() => stream.replies().length === 1);
    await until(async () => (await temporaryFiles()).length === 1);
    stream.socket.destroy();
    await until(async () => (await temporaryFiles()).length === 0);
    expect((await edge.headShard(miner.peer, whole.anchorId, signal)).ok).toBe(true);
    expect((await edge.headShard(miner.peer, cut.anchorId, signal)).ok).toBe(false);
  });

  it('reserves its bytes until it ends', async () => {
    const all = GIB - miner.store.list(KEYS.tenant.hotkey, undefined, 1000).reduce((sum, row) => sum + row.bytes, 0);
    const first = await rawStream(all);
    expect(first.status).toBe(202);
    const second = await rawStream(32);
    expect(second.status).toBe(507);
    first.socket.destroy();
    await first.closed;
    await until(() => reservable(all));
    second.socket.destroy();
  });
});
