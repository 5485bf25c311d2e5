import { randomBytes } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { concatBytes, toHex, utf8 } from '#shared/primitives/bytes.ts';
import { newOrderId } from '#shared/primitives/ids.ts';
import { sha256 } from '#shared/primitives/sha256.ts';
import { type DropOrder, encodeOrder } from '#shared/proof/drop-order.ts';
import { signStatement } from '#shared/proof/statement.ts';
import { contentDigest } from '#shared/wire/body-rule.ts';
import { until } from '../testing/conditions.ts';
import {
  clientOf,
  grantOf,
  HOUR_MS,
  KEYS,
  type LoopbackMiner,
  NETWORK,
  randomFrame,
  startLoopbackMiner,
  type TestClient,
} from '../testing/loopback-miner.ts';
import { exchangeBytes, headText, type RawRequest, send, signedHeaders } from '../testing/raw-request.ts';

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

const signed = (request: RawRequest, changes: Partial<Parameters<typeof signedHeaders>[0]> = {}): RawRequest => ({
  ...request,
  headers: {
    ...signedHeaders({ signer: KEYS.edge, grant: grantOf(), ...request, ...changes }),
    ...(request.body && request.body.length > 65_536 ? { 'content-digest': contentDigest(sha256(request.body)) } : {}),
  },
});

describe('reading', () => {
  it('gives one tenant nothing of another’s', async () => {
    const frame = randomFrame(1000);
    await edge.putShard(miner.peer, newOrderId(random), frame, signal);
    const other = clientOf(KEYS.otherTenant, KEYS.otherTenant);
    expect(await other.headShard(miner.peer, frame.anchorId, signal)).toMatchObject({ failure: { code: 'absent' } });
    for await (const shard of other.readShards(miner.peer, [{ anchorId: frame.anchorId, bytes: 1000 }], signal)) {
      expect(shard).toMatchObject({ ok: false, failure: { code: 'absent' } });
    }
    expect(await other.listShards(miner.peer, undefined, 10, signal)).toEqual({ ok: true, value: { items: [] } });
    expect(await other.drop(miner.peer, [frame.anchorId], 'drop', 0, signal)).toMatchObject({
      value: [{ state: 'absent' }],
    });
    expect((await edge.headShard(miner.peer, frame.anchorId, signal)).ok).toBe(true);
    other.close();
  });

  it('answers several shards in the order asked, absent ones as problems', async () => {
    const frames = [randomFrame(100), randomFrame(300_000), randomFrame(32)];
    for (const frame of [frames[0], frames[2]]) {
      if (frame) await edge.putShard(miner.peer, newOrderId(random), frame, signal);
    }
    const wanted = frames.map((frame) => ({ anchorId: frame.anchorId, bytes: frame.shard.length }));
    const got = [];
    for await (const shard of edge.readShards(miner.peer, wanted, signal))
      got.push(shard.ok ? shard.value : shard.failure.code);
    expect(got).toEqual([frames[0]?.shard, 'absent', frames[2]?.shard]);
  });

  it.each([
    ['no anchor', 0],
    ['a part of one', 33],
    ['too many', 65 * 32],
  ])('refuses a batch of %s', async (_, bytes) => {
    const answer = await send(miner.port, signed({ method: 'POST', target: '/v1/shards/read', body: random(bytes) }));
    expect(answer.status).toBe(bytes > 64 * 32 ? 413 : 400);
  });

  it('sends a GET with its length and no encoding, and a HEAD the same without the bytes', async () => {
    const frame = randomFrame(200_000);
    await edge.putShard(miner.peer, newOrderId(random), frame, signal);
    const target = `/v1/shards/${frame.anchorId}`;
    const get = await send(miner.port, signed({ method: 'GET', target }));
    expect(new Uint8Array(get.body)).toEqual(frame.shard);
    const head = await send(miner.port, signed({ method: 'HEAD', target }));
    expect([head.status, head.body.length, head.headers['content-length']]).toEqual([200, 0, '200000']);
    expect(get.headers['content-encoding']).toBeUndefined();
  });

  it('lets go of the file when the reader leaves', async () => {
    const frame = randomFrame(4 * 2 ** 20);
    await edge.putShard(miner.peer, newOrderId(random), frame, signal);
    const files = async () => {
      const links = await readdir('/proc/self/fd');
      return links.length;
    };
    const before = await files();
    const sockets = Array.from({ length: 10 }, () => {
      const request = signed({ method: 'GET', target: `/v1/shards/${frame.anchorId}` });
      const socket = connect(miner.port, '127.0.0.1');
      socket.on('error', () => {});
      socket.write(headText('GET', request.target, request.headers ?? {}));
      return socket;
    });
    await until(async () => (await files()) >= before + 20);
    for (const socket of sockets) socket.destroy();
    await until(async () => (await files()) <= before + 1);
  });
});

describe('drop orders', () => {
  it('are refused unless this tenant signed them, for this miner, lately', async () => {
    const frame = randomFrame(1000);
    await edge.putShard(miner.peer, newOrderId(random), frame, signal);
    const order: DropOrder = {
      tenant: KEYS.tenant.hotkey,
      miner: KEYS.miner.hotkey,
      order: newOrderId(random),
      issuedAtMs: Date.now(),
      action: 'drop',
      reason: 1,
      anchorIds: [frame.anchorId],
    };
    const bodyOf = (changes: Partial<DropOrder>, signer = KEYS.tenant, network = NETWORK) =>
      signStatement(signer, encodeOrder(network, { ...order, ...changes }));
    const cases: readonly (readonly [string, Uint8Array])[] = [
      ['signed by the edge', bodyOf({}, KEYS.edge)],
      ['another tenant’s', bodyOf({ tenant: KEYS.otherTenant.hotkey }, KEYS.otherTenant)],
      ['for another miner', bodyOf({ miner: KEYS.stranger.hotkey })],
      ['old', bodyOf({ issuedAtMs: Date.now() - 2 * HOUR_MS })],
      ['of the future', bodyOf({ issuedAtMs: Date.now() + 60_000 })],
      ['of another network', bodyOf({}, KEYS.tenant, { ...NETWORK, netuid: 22 })],
      ['naming a shard twice', bodyOf({ anchorIds: [frame.anchorId, frame.anchorId] })],
      ['with a byte more', concatBytes(bodyOf({}), Uint8Array.of(0))],
      ['with a bit changed', bodyOf({}).map((byte, index) => (index === 150 ? byte ^ 1 : byte))],
      ['empty', new Uint8Array(0)],
      ['no order', random(500)],
    ];
    for (const [id, body] of cases) {
      const answer = await send(
        miner.port,
        signed({ method: 'POST', target: '/v1/drops', body }, { signer: KEYS.tenant, grant: undefined as never }),
      );
      expect([id, answer.status, answer.code]).toEqual([id, 400, 'bad-order']);
    }
    expect((await edge.headShard(miner.peer, frame.anchorId, signal)).ok).toBe(true);
    const large = await tenant.drop(
      miner.peer,
      [frame.anchorId, ...Array.from({ length: 3000 }, () => toHex(random(32)) as typeof frame.anchorId)],
      'drop',
      1,
      signal,
    );
    expect(large.ok && large.value.map((item) => item.state).slice(0, 2)).toEqual(['held', 'absent']);
    expect(await edge.headShard(miner.peer, frame.anchorId, signal)).toMatchObject({ failure: { code: 'dropped' } });
    expect(await edge.readReceipt(miner.peer, newOrderId(random), frame.anchorId, 1000, signal)).toMatchObject({
      failure: { code: 'dropped' },
    });
  });
});

describe('what is not HTTP as it should be', () => {
  it.each([
    ['no HTTP', ['hello\r\n\r\n'], '400'],
    ['headers that are too large', [headText('GET', '/health', { 'X-Filler': 'x'.repeat(9000) })], '431'],
    ['two lengths', ['GET /health HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n'], '400'],
    [
      'a length and chunks',
      ['POST /v1/shards HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n'],
      '400',
    ],
  ])('%s is refused and cut', async (_, parts, status) => {
    expect((await exchangeBytes(miner.port, parts)).slice(9, 12)).toBe(status);
  });

  it('an endless body of a refused request is cut, after the problem was sent', async () => {
    const socket = connect(miner.port, '127.0.0.1');
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', () => {});
    const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
    socket.write(headText('POST', '/v1/shards', { 'Transfer-Encoding': 'chunked' }));
    const pour = setInterval(() => socket.write(`400\r\n${'x'.repeat(1024)}\r\n`), 5);
    await closed;
    clearInterval(pour);
    expect(Buffer.concat(chunks).toString()).toMatch(/^HTTP\/1.1 401 /);
  });

  it('a signed header twice is refused', async () => {
    const request = signed({ method: 'GET', target: '/v1/shards' });
    const head = headText('GET', request.target, { ...request.headers, Connection: 'close' });
    const twice = head.replace('\r\n\r\n', `\r\nx-bittensor-nonce: 1\r\n\r\n`);
    expect(await exchangeBytes(miner.port, [utf8(twice)])).toMatch(/^HTTP\/1.1 401 /);
  });
});

it('answers health for anyone, and signed over a nonce for who signs', async () => {
  const open = await send(miner.port, { method: 'GET', target: '/health' });
  expect(JSON.parse(open.body.toString())).toMatchObject({ role: 'miner', hotkey: KEYS.miner.hotkey, draining: false });
  expect((await tenant.health(miner.peer, signal)).ok).toBe(true);
  expect(await send(miner.port, signed({ method: 'GET', target: '/health?nonce=00' }))).toMatchObject({
    code: 'bad-target',
  });
});

it('knows the receipts of an order only for its caller', async () => {
  const frame = randomFrame(300);
  const order = newOrderId(random);
  await edge.putShard(miner.peer, order, frame, signal);
  const target = `/v1/shards/${frame.anchorId}/receipt?order=${order}`;
  const statusFor = async (changes: Partial<Parameters<typeof signedHeaders>[0]>) =>
    (await send(miner.port, signed({ method: 'GET', target }, changes))).status;
  expect(await statusFor({})).toBe(200);
  expect(await statusFor({ signer: KEYS.tenant, grant: undefined as never })).toBe(404);
  expect(await statusFor({ signer: KEYS.stranger, grant: grantOf({ edge: KEYS.stranger.hotkey }) })).toBe(404);
  expect(await statusFor({ signer: KEYS.otherTenant, grant: undefined as never })).toBe(404);
});
