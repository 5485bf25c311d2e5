import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemClock, systemRandom } from '#shared/primitives/effects.ts';
import { type AnchorId, hexId, newOrderId, type OrderId } from '#shared/primitives/ids.ts';
import type { Signer } from '#shared/primitives/signer.ts';
import { encodeGrant } from '#shared/proof/grant.ts';
import { signStatement } from '#shared/proof/statement.ts';
import { encodeStore, type StoreStatement } from '#shared/proof/store-receipt.ts';
import { startWireMiner, type WireMiner } from '#shared/testing/wire-miner.ts';
import { createMinerClient } from './miner-client.ts';
import { createNodeHttpFetch } from './node-http-fetch.ts';
import { loadSr25519 } from './node-sr25519.ts';
import type { MinerFailureCode, ShardFrame } from './ports.ts';
import { encodeProblem } from './problem.ts';
import { encodeItemHead, encodeReply, STREAM_REF } from './replies.ts';

const sr25519 = await loadSr25519();
const seed = (n: number) => new Uint8Array(32).fill(n);
const tenant = sr25519.signerFromSeed(seed(1));
const edge = sr25519.signerFromSeed(seed(2));
const network = { genesis: new Uint8Array(32).fill(5), netuid: 21 };
const transport = createNodeHttpFetch();
const never = new AbortController().signal;

/** Short, so that a silent miner costs a test a quarter of a second. */
const timeouts = { idleMs: 250, totalMs: 1000 };

const grantOf = (get: boolean) =>
  signStatement(
    tenant,
    encodeGrant(network, {
      validator: tenant.hotkey,
      edge: edge.hotkey,
      put: true,
      get,
      fromMs: Date.now() - 1000,
      untilMs: Date.now() + 3_600_000,
    }),
  );

function clientOf(signer: Signer, grant?: Uint8Array) {
  const common = {
    network,
    tenant: tenant.hotkey,
    clock: systemClock,
    random: systemRandom,
    verify: sr25519.verify,
    timeouts,
  };
  return createMinerClient({ ...common, fetch: transport.fetch, signer, grant: () => grant });
}
const client = clientOf(edge, grantOf(true));
const tenantClient = clientOf(tenant);

let miner: WireMiner;
const unhandled: unknown[] = [];
const noteUnhandled = (reason: unknown) => unhandled.push(reason);
beforeAll(async () => {
  process.on('unhandledRejection', noteUnhandled);
  miner = await startWireMiner({ sr25519, seed: seed(3), network, tenant: tenant.hotkey });
});
afterEach(() => {
  miner.takeOver();
  miner.forgeReceipts();
  miner.held.clear();
  expect(unhandled).toEqual([]);
});
afterAll(async () => {
  await miner.close();
  transport.close();
  process.off('unhandledRejection', noteUnhandled);
});

async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

let frameCount = 0;
function frameOf(bytes = 1000): ShardFrame {
  frameCount++;
  const shard = new Uint8Array(bytes).fill(frameCount);
  const id = new Uint8Array(32);
  new DataView(id.buffer).setUint32(0, frameCount);
  const anchorId = hexId<AnchorId>(id, 32);
  return {
    anchorId,
    ref: BigInt(frameCount),
    holdUntilMs: Date.now() + 60_000,
    label: Uint8Array.of(1, 2, frameCount % 256),
    shard,
  };
}

const order = (): OrderId => newOrderId(systemRandom);

async function openStream(signal = never) {
  const opened = await client.openStream(miner, order(), 10_000_000, signal);
  if (!opened.ok) throw new Error(opened.failure.message);
  return opened.value;
}

describe('with an honest miner', () => {
  it('opens a stream before the first frame, and gets a receipt for each frame', async () => {
    const stream = await openStream();
    const frames = [frameOf(), frameOf(32), frameOf(3_000_000), frameOf(4_194_304)];
    const sends = frames.map((frame) => stream.send(frame));
    await Promise.all(sends.map((send) => send.sent));
    const receipts = await Promise.all(sends.map((send) => send.receipt));
    expect(receipts.map((receipt) => receipt.ok && receipt.value.anchorId)).toEqual(
      frames.map((frame) => frame.anchorId),
    );
    await stream.finish();
    for (const frame of frames) {
      const held = miner.held.get(frame.anchorId);
      expect(Buffer.compare(held?.shard ?? new Uint8Array(0), frame.shard)).toBe(0);
      expect(held?.head.label).toEqual(frame.label);
    }
    expect(await stream.send(frameOf()).receipt).toMatchObject({ ok: false, failure: { code: 'cancelled' } });
  });

  it('keeps a stream that pauses longer than a miner may be silent', async () => {
    const stream = await openStream();
    expect((await stream.send(frameOf()).receipt).ok).toBe(true);
    await systemClock.sleep(2 * timeouts.idleMs);
    expect((await stream.send(frameOf()).receipt).ok).toBe(true);
    await stream.finish();
  });

  it('puts, finds, reads and lists single shards', async () => {
    const id = order();
    const frame = frameOf(70_000);
    expect(await client.putShard(miner, id, frame, never)).toMatchObject({
      ok: true,
      value: { anchorId: frame.anchorId },
    });
    expect(await client.headShard(miner, frame.anchorId, never)).toEqual({ ok: true, value: { bytes: 70_000 } });
    expect((await client.readReceipt(miner, id, frame.anchorId, 70_000, never)).ok).toBe(true);
    expect(await client.readReceipt(miner, order(), frame.anchorId, 70_000, never)).toMatchObject({
      failure: { code: 'absent' },
    });
    expect(await client.headShard(miner, frameOf().anchorId, never)).toMatchObject({ failure: { code: 'absent' } });
  });

  it('reads several shards in the order asked, the missing one as absent', async () => {
    const id = order();
    const frames = [frameOf(500), frameOf(200_000), frameOf(32)];
    for (const frame of frames) await client.putShard(miner, id, frame, never);
    miner.held.delete((frames[1] as ShardFrame).anchorId);
    const wanted = frames.map((frame) => ({ anchorId: frame.anchorId, bytes: frame.shard.length }));
    const results = await collect(client.readShards(miner, wanted, never));
    expect(results.map((result) => (result.ok ? result.value.length : result.failure.code))).toEqual([
      500,
      'absent',
      32,
    ]);
    expect(results[0]).toEqual({ ok: true, value: frames[0]?.shard });
    expect(await collect(client.readShards(miner, [], never))).toEqual([]);
  });

  it('proves health and address', async () => {
    expect(await client.health(miner, never)).toMatchObject({
      ok: true,
      value: { hotkey: miner.hotkey, freeBytes: 10 },
    });
    const at = { ip: '127.0.0.1', port: miner.port };
    expect(await client.hello(miner, at, never)).toEqual({ ok: true, value: undefined });
    expect(await client.hello(miner, { ...at, ip: '127.0.0.2' }, never)).toMatchObject({ failure: { code: 'broken' } });
    expect(await client.hello(miner, { ...at, port: 1 }, never)).toMatchObject({ failure: { code: 'broken' } });
    const impostor = { url: miner.url, hotkey: edge.hotkey };
    expect(await client.hello(impostor, at, never)).toMatchObject({
      failure: { code: 'refused', problem: 'wrong-receiver' },
    });
  });

  it('lists and drops for the tenant', async () => {
    const frames = [frameOf(), frameOf(), frameOf()];
    for (const frame of frames) await tenantClient.putShard(miner, order(), frame, never);
    const first = await tenantClient.listShards(miner, undefined, 2, never);
    if (!first.ok) throw new Error(first.failure.message);
    expect(first.value.items).toMatchObject(
      frames.slice(0, 2).map(({ anchorId, ref, label }) => ({ anchorId, ref, label, bytes: 1000, state: 'held' })),
    );
    const second = await tenantClient.listShards(miner, first.value.next, 2, never);
    expect(second.ok && second.value.items.length).toBe(1);
    expect(second.ok && second.value.next).toBeUndefined();
    const anchors = [...frames.map((frame) => frame.anchorId), frameOf().anchorId];
    const dropped = await tenantClient.drop(miner, anchors, 'drop', 1, never);
    expect(dropped.ok && dropped.value.map((item) => item.state)).toEqual(['held', 'held', 'held', 'absent']);
  });

  it('is refused without the right, and told why', async () => {
    const blind = clientOf(edge, grantOf(false));
    expect(await blind.headShard(miner, frameOf().anchorId, never)).toMatchObject({
      failure: { code: 'refused', fault: 'us' },
    });
    const nobody = clientOf(edge);
    const refused = await nobody.putShard(miner, order(), frameOf(), never);
    expect(refused).toMatchObject({ failure: { code: 'refused', problem: 'grant-missing' } });
    expect(await nobody.openStream(miner, order(), 100, never)).toMatchObject({
      failure: { problem: 'grant-missing' },
    });
  });

  it('uses connections again', async () => {
    for (let i = 0; i < 5; i++) await client.health(miner, never);
    expect(miner.sockets.size).toBeLessThanOrEqual(3);
  });
});

/** Head of an answer by hand, so that lengths can lie. */
const raw = (response: ServerResponse, text: string, body: Uint8Array | string = '') => {
  response.socket?.write(text.replaceAll('\n', '\r\n'));
  response.socket?.end(body);
};

interface Lie {
  readonly id: string;
  readonly code: MinerFailureCode;
  readonly answer: (request: IncomingMessage, response: ServerResponse) => void;
}

const lies: Lie[] = [
  {
    id: 'redirects',
    code: 'broken',
    answer: (request, response) => response.writeHead(307, { location: `http://127.0.0.1:1${request.url}` }).end(),
  },
  {
    id: 'redirects to itself',
    code: 'broken',
    answer: (request, response) => response.writeHead(302, { location: request.url }).end('x'.repeat(10_000)),
  },
  {
    id: 'sends a gzip bomb',
    code: 'broken',
    answer: (_, response) =>
      response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(new Uint8Array(1 << 20))),
  },
  { id: 'hangs up', code: 'unreachable', answer: (_, response) => response.destroy() },
  { id: 'is silent', code: 'unreachable', answer: () => undefined },
  {
    id: 'is silent after its headers',
    code: 'unreachable',
    answer: (_, response) => response.writeHead(200, { 'content-length': 50 }).flushHeaders(),
  },
  { id: 'is silent with its problem', code: 'broken', answer: (_, response) => response.writeHead(500).flushHeaders() },
  {
    id: 'dribbles for ever',
    code: 'unreachable',
    answer: (_, response) => {
      response.writeHead(200, { 'content-length': 1000 });
      const timer = setInterval(() => response.write('x'), 20);
      response.on('close', () => clearInterval(timer));
    },
  },
  { id: 'sends an endless body', code: 'broken', answer: (_, response) => endless(response.writeHead(200)) },
  { id: 'sends an endless problem', code: 'broken', answer: (_, response) => endless(response.writeHead(500)) },
  {
    id: 'cuts its body',
    code: 'unreachable',
    answer: (_, response) => raw(response, 'HTTP/1.1 200 OK\nContent-Length: 100\n\n', 'x'),
  },
  {
    id: 'cuts a chunked body',
    code: 'unreachable',
    answer: (_, response) => raw(response, 'HTTP/1.1 200 OK\nTransfer-Encoding: chunked\n\n5\nab'),
  },
  {
    id: 'cuts a body without a length',
    code: 'broken',
    answer: (_, response) => raw(response, 'HTTP/1.1 200 OK\n\n', '{"hotkey":'),
  },
  {
    id: 'sends 9 KiB of headers',
    code: 'unreachable',
    answer: (_, response) => response.writeHead(200, { x: 'y'.repeat(9000) }).end(),
  },
  {
    id: 'sends 100 headers',
    code: 'broken',
    answer: (_, response) => {
      for (let i = 0; i < 100; i++) response.setHeader(`x-${i}`, 'y');
      response.end();
    },
  },
  { id: 'speaks no HTTP', code: 'unreachable', answer: (_, response) => raw(response, 'SSH-2.0-OpenSSH_9.2\n') },
  { id: 'answers 204', code: 'broken', answer: (_, response) => response.writeHead(204).end() },
  {
    id: 'answers 999',
    code: 'unreachable',
    answer: (_, response) => raw(response, 'HTTP/1.1 999 What\nContent-Length: 0\n\n'),
  },
  { id: 'answers 200 with nothing', code: 'broken', answer: (_, response) => response.end() },
  {
    id: 'answers 200 with garbage',
    code: 'broken',
    answer: (_, response) => response.end(new Uint8Array(301).fill(9)),
  },
  {
    id: 'answers 400 with a problem of its own',
    code: 'refused',
    answer: (_, response) => response.writeHead(400).end('{"code":"no"}'),
  },
  { id: 'answers 404 without saying why', code: 'refused', answer: (_, response) => response.writeHead(404).end() },
  {
    id: 'answers 404 for an unknown route',
    code: 'refused',
    answer: (_, response) => response.writeHead(404).end(encodeProblem('unknown-route')),
  },
  {
    id: 'answers 410',
    code: 'dropped',
    answer: (_, response) => response.writeHead(410).end(encodeProblem('dropped')),
  },
  { id: 'answers 429', code: 'busy', answer: (_, response) => response.writeHead(429).end(encodeProblem('busy')) },
  {
    id: 'answers 507',
    code: 'full',
    answer: (_, response) => response.writeHead(507).end(encodeProblem('disk-floor')),
  },
  {
    id: 'answers 500',
    code: 'broken',
    answer: (_, response) => response.writeHead(500).end(encodeProblem('internal')),
  },
];

function endless(response: ServerResponse): void {
  const block = new Uint8Array(65_536);
  const more = () => {
    while (!response.destroyed && response.write(block));
  };
  response.on('drain', more);
  more();
}

describe.each(lies)('with a miner that $id', ({ code, answer }) => {
  const take = () =>
    miner.takeOver((request, response) => {
      request.resume();
      answer(request, response);
      return true;
    });
  const failure = { ok: false, failure: { code, miner: undefined as unknown } };

  it(`every request ends as ${code}, and no connection stays`, async () => {
    take();
    failure.failure.miner = miner.hotkey;
    const frame = frameOf();
    const outcomes = await Promise.all([
      client.health(miner, never),
      client.readReceipt(miner, order(), frame.anchorId, 1000, never),
      tenantClient.drop(miner, [frame.anchorId], 'drop', 1, never),
      tenantClient.listShards(miner, undefined, 10, never),
    ]);
    for (const outcome of outcomes) expect(outcome).toMatchObject(failure);
    const read = await collect(
      client.readShards(
        miner,
        [
          { anchorId: frame.anchorId, bytes: 1000 },
          { anchorId: frame.anchorId, bytes: 5 },
        ],
        never,
      ),
    );
    expect(read).toHaveLength(2);
    for (const result of read) expect(result.ok).toBe(false);
    expect((await client.openStream(miner, order(), 1000, never)).ok).toBe(false);
    expect((await client.putShard(miner, order(), frame, never)).ok).toBe(false);
    // Whatever was not read to its end was let go of.
    await expect.poll(() => miner.active.size).toBe(0);
    miner.takeOver();
    expect((await client.health(miner, never)).ok).toBe(true);
  });
});

describe('receipts', () => {
  const other = '11'.repeat(16) as OrderId;
  const forged: { id: string; change: (receipt: StoreStatement) => StoreStatement }[] = [
    { id: 'for another order', change: (receipt) => ({ ...receipt, order: other }) },
    { id: 'for another anchor', change: (receipt) => ({ ...receipt, anchorId: 'ff'.repeat(32) as AnchorId }) },
    { id: 'for other bytes', change: (receipt) => ({ ...receipt, bytes: receipt.bytes - 1 }) },
    { id: 'for another tenant', change: (receipt) => ({ ...receipt, tenant: edge.hotkey }) },
    { id: 'for another caller', change: (receipt) => ({ ...receipt, caller: tenant.hotkey }) },
    { id: 'of another miner', change: (receipt) => ({ ...receipt, miner: edge.hotkey }) },
    { id: 'for a shorter hold', change: (receipt) => ({ ...receipt, holdUntilMs: receipt.holdUntilMs - 1 }) },
  ];
  it.each(forged)('$id are none', async ({ change }) => {
    miner.forgeReceipts(change);
    expect(await client.putShard(miner, order(), frameOf(), never)).toMatchObject({
      failure: { code: 'broken', fault: 'peer' },
    });
    const stream = await openStream();
    const sends = [stream.send(frameOf()), stream.send(frameOf())];
    for (const send of sends) expect(await send.receipt).toMatchObject({ failure: { code: 'broken' } });
    await stream.finish();
    expect(await stream.send(frameOf()).receipt).toMatchObject({ failure: { code: 'broken' } });
  });
  it.each([
    { id: 'a flipped signature', forge: (signed: Uint8Array) => signed.with(-1, (signed.at(-1) ?? 0) ^ 1) },
    { id: 'another network', forge: (signed: Uint8Array) => signed.with(25, 1) },
    { id: 'one byte less', forge: (signed: Uint8Array) => signed.subarray(1) },
    { id: 'another signer', forge: (signed: Uint8Array) => signStatement(edge, signed.subarray(0, -64)) },
  ])('with $id are none', async ({ forge }) => {
    const frame = frameOf();
    const id = order();
    const receipt = {
      miner: miner.hotkey,
      tenant: tenant.hotkey,
      caller: edge.hotkey,
      order: id,
      anchorId: frame.anchorId,
      bytes: 1000,
      seq: 1,
      storedAtMs: 1,
      holdUntilMs: frame.holdUntilMs,
    };
    const signed = signStatement(miner.signer, encodeStore(network, receipt));
    const answerWith = (bytes: Uint8Array) =>
      miner.takeOver((request, response) => {
        request.resume().on('end', () => response.writeHead(201).end(bytes));
        return true;
      });
    answerWith(signed);
    expect((await client.putShard(miner, id, frame, never)).ok).toBe(true);
    answerWith(forge(signed));
    expect(await client.putShard(miner, id, frame, never)).toMatchObject({ failure: { code: 'broken' } });
  });
});

/** Answers a stream's early 202 and hands the rest to `then`. */
const accept = (then: (request: IncomingMessage, response: ServerResponse) => void) =>
  miner.takeOver((request, response) => {
    response.writeHead(202).flushHeaders();
    then(request, response);
    return true;
  });

describe('a stream', () => {
  it('fails all that is open when the miner takes everything and says nothing', async () => {
    accept((request) => void request.resume());
    const stream = await openStream();
    const sends = [stream.send(frameOf()), stream.send(frameOf(2_000_000))];
    await Promise.all(sends.map((send) => send.sent));
    for (const send of sends) expect(await send.receipt).toMatchObject({ failure: { code: 'unreachable' } });
    await stream.finish();
    expect(await stream.send(frameOf()).receipt).toMatchObject({ failure: { code: 'unreachable' } });
  });
  it('fails when the miner takes nothing, and lets go of the buffers', async () => {
    accept((request) => void request.pause());
    const stream = await openStream();
    const sends = Array.from({ length: 8 }, () => stream.send(frameOf(4_000_000)));
    await Promise.all(sends.map((send) => send.sent));
    for (const send of sends) expect(await send.receipt).toMatchObject({ failure: { code: 'unreachable' } });
  });
  it('fails when the connection breaks', async () => {
    accept((request, response) => void request.once('data', () => response.destroy()));
    const stream = await openStream();
    expect(await stream.send(frameOf(3_000_000)).receipt).toMatchObject({ failure: { code: 'unreachable' } });
    await stream.finish();
  });
  it('fails when the miner ends it early, in good order', async () => {
    accept((request, response) => void request.once('data', () => response.end()));
    const stream = await openStream();
    expect(await stream.send(frameOf(3_000_000)).receipt).toMatchObject({ failure: { code: 'unreachable' } });
  });
  it('fails what a miner leaves unanswered at the end', async () => {
    accept((request, response) => void request.resume().on('end', () => response.end()));
    const stream = await openStream();
    const send = stream.send(frameOf());
    await stream.finish();
    expect(await send.receipt).toMatchObject({ failure: { code: 'broken' } });
  });
  it('fails the one frame that a problem names, and goes on', async () => {
    const bad = frameOf();
    const good = frameOf();
    accept((request, response) => {
      request.resume();
      response.write(encodeReply({ kind: 'problem', ref: bad.ref, body: encodeProblem('full') }));
      response.write(encodeReply({ kind: 'problem', ref: good.ref, body: encodeProblem('wrong-anchor') }));
      request.on('end', () => response.end());
    });
    // The replies may come before the frames: the miner of this test does not wait.
    const opening = openStream();
    const stream = await opening;
    const sends = [stream.send(bad), stream.send(good)];
    expect(await sends[0]?.receipt).toMatchObject({ failure: { code: 'full', problem: 'full', fault: 'us' } });
    expect(await sends[1]?.receipt).toMatchObject({ failure: { code: 'refused', problem: 'wrong-anchor' } });
    await stream.finish();
  });
  it.each([
    {
      id: 'a problem of the stream',
      reply: { kind: 'problem', ref: STREAM_REF, body: encodeProblem('idle') },
      code: 'refused',
    },
    {
      id: 'a problem for a ref that was never sent',
      reply: { kind: 'problem', ref: 1n << 50n, body: encodeProblem('full') },
      code: 'broken',
    },
    { id: 'a problem that is none', reply: { kind: 'problem', ref: 1n, body: new Uint8Array(9) }, code: 'broken' },
    { id: 'a receipt for nothing', reply: { kind: 'receipt', ref: 1n, body: new Uint8Array(301) }, code: 'broken' },
  ] as const)('ends with $id', async ({ reply, code }) => {
    accept((request, response) => void request.once('data', () => response.write(encodeReply(reply))));
    const stream = await openStream();
    const sends = [stream.send(frameOf()), stream.send(frameOf(3_000_000))];
    for (const send of sends) {
      expect(await send.receipt).toMatchObject({ failure: { code } });
      await send.sent;
    }
  });
  it('ends at once when its caller gives up', async () => {
    accept((request) => void request.resume());
    const controller = new AbortController();
    const streams = [await openStream(), await openStream(controller.signal)];
    const sends = streams.map((stream) => stream.send(frameOf(3_000_000)));
    streams[0]?.abort();
    controller.abort();
    for (const send of sends) {
      expect(await send.receipt).toMatchObject({ failure: { code: 'cancelled', fault: 'us' } });
      await send.sent;
    }
  });
  it('is refused as a whole with the reason', async () => {
    miner.takeOver((_, response) => {
      response.writeHead(507).end(encodeProblem('full', 'no room'));
      return true;
    });
    expect(await client.openStream(miner, order(), 5, never)).toMatchObject({
      failure: { code: 'full', message: 'no room' },
    });
  });
});

describe('a read of several shards', () => {
  const wanted = [
    { anchorId: '01'.repeat(32) as AnchorId, bytes: 100 },
    { anchorId: '02'.repeat(32) as AnchorId, bytes: 100 },
    { anchorId: '03'.repeat(32) as AnchorId, bytes: 100 },
  ];
  const answering = (parts: readonly Uint8Array[], then: (response: ServerResponse) => void) =>
    miner.takeOver((request, response) => {
      request.resume().on('end', () => {
        for (const part of parts) response.write(part);
        then(response);
      });
      return true;
    });
  const one = [encodeItemHead('shard', 100), new Uint8Array(100)];

  it.each([
    { id: 'ends early', go: (response: ServerResponse) => void response.end(), code: 'unreachable' },
    { id: 'breaks', go: (response: ServerResponse) => void response.destroy(), code: 'unreachable' },
    { id: 'goes silent', go: () => undefined, code: 'unreachable' },
    {
      id: 'goes on with garbage',
      go: (response: ServerResponse) => void response.end(new Uint8Array(500)),
      code: 'broken',
    },
    {
      id: 'sends another length',
      go: (response: ServerResponse) => void response.end(encodeItemHead('shard', 99)),
      code: 'broken',
    },
  ])('keeps what came when the answer $id', async ({ go, code }) => {
    // One write, so that a break cannot overtake it.
    answering([Buffer.concat(one)], (response) => setTimeout(() => go(response), 30));
    const results = await collect(client.readShards(miner, wanted, never));
    expect(results.map((result) => (result.ok ? 'ok' : result.failure.code))).toEqual(['ok', code, code]);
  });
  it('refuses more than was asked', async () => {
    answering([...one, ...one, ...one, ...one], (response) => response.end());
    const results = await collect(client.readShards(miner, wanted, never));
    expect(results.map((result) => result.ok)).toEqual([true, true, true]);
  });
  it('may be left early, and waits for a slow reader', async () => {
    answering([...one], () => undefined);
    for await (const result of client.readShards(miner, wanted, never)) {
      expect(result.ok).toBe(true);
      break;
    }
    answering([...one, ...one, ...one], (response) => response.end());
    for await (const result of client.readShards(miner, wanted, never)) {
      expect(result.ok).toBe(true);
      await systemClock.sleep(timeouts.idleMs * 1.2);
    }
  });
});

describe('signals', () => {
  it('end every request at once', async () => {
    miner.takeOver((request) => {
      request.resume();
      return true;
    });
    const controller = new AbortController();
    const { signal } = controller;
    const frame = frameOf();
    const pending = [
      client.health(miner, signal),
      client.putShard(miner, order(), frame, signal),
      client.openStream(miner, order(), 5, signal),
      collect(client.readShards(miner, [{ anchorId: frame.anchorId, bytes: 5 }], signal)).then(([first]) => first),
    ];
    controller.abort();
    for (const outcome of await Promise.all(pending)) expect(outcome).toMatchObject({ failure: { code: 'cancelled' } });
    expect(await client.health(miner, signal)).toMatchObject({ failure: { code: 'cancelled' } });
  });
  it('that were never used keep no listeners', async () => {
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, 'addEventListener');
    const removed = vi.spyOn(signal, 'removeEventListener');
    await client.health(miner, signal);
    await client.putShard(miner, order(), frameOf(), signal);
    const opened = await client.openStream(miner, order(), 5000, signal);
    if (opened.ok) await opened.value.send(frameOf()).receipt;
    if (opened.ok) await opened.value.finish();
    expect(added).toHaveBeenCalledTimes(3);
    for (const [type, listener] of added.mock.calls) expect(removed).toHaveBeenCalledWith(type, listener);
  });
});

describe('nobody at home', () => {
  it('is unreachable', async () => {
    const gone = { hotkey: miner.hotkey, url: 'http://127.0.0.1:1' };
    expect(await client.health(gone, never)).toMatchObject({
      failure: { code: 'unreachable', message: 'no connection: ECONNREFUSED' },
    });
    expect(await client.openStream(gone, order(), 5, never)).toMatchObject({ failure: { code: 'unreachable' } });
  });
});

describe('requests that wait for headers', () => {
  it('are no more than there are slots, and sign when they leave', async () => {
    let waiting = 0;
    let most = 0;
    miner.takeOver((request, response) => {
      most = Math.max(most, ++waiting);
      request.resume();
      setTimeout(() => {
        waiting--;
        response.writeHead(410).end(encodeProblem('dropped'));
      }, 15);
      return true;
    });
    const slow = createMinerClient({
      fetch: transport.fetch,
      signer: edge,
      network,
      tenant: tenant.hotkey,
      grant: () => undefined,
      clock: systemClock,
      random: systemRandom,
      verify: sr25519.verify,
      headerSlots: 3,
    });
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => slow.health(miner, never)));
    expect(outcomes.every((outcome) => !outcome.ok && outcome.failure.code === 'dropped')).toBe(true);
    expect(most).toBe(3);
    const controller = new AbortController();
    const queued = Array.from({ length: 5 }, () => slow.health(miner, controller.signal));
    controller.abort();
    for (const outcome of await Promise.all(queued)) expect(outcome).toMatchObject({ failure: { code: 'cancelled' } });
    expect((await slow.health(miner, never)).ok).toBe(false);
  });
});
