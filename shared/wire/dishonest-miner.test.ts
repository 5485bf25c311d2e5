import type { IncomingMessage, ServerResponse } from 'node:http';
import { gzipSync } from 'node:zlib';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { collect, frameOf, never, newOrder, startWireWorld, type WireWorld } from '#shared/testing/wire-world.ts';
import type { MinerFailureCode } from './ports.ts';
import { encodeProblem } from './problem.ts';

let world: WireWorld;
beforeAll(async () => {
  world = await startWireWorld();
});
afterEach(() => {
  world.reset();
  expect(world.unhandled).toEqual([]);
});
afterAll(() => world.close());

/** Head of an answer by hand, so that lengths can lie. */
const raw = (response: ServerResponse, text: string, body: Uint8Array | string = '') => {
  response.socket?.write(text.replaceAll('\n', '\r\n'));
  response.socket?.end(body);
};

interface Lie {
  readonly id: string;
  readonly code: MinerFailureCode;
  /** It never ends by itself: the client's limits must. */
  readonly endless?: true;
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
  { id: 'is silent', endless: true, code: 'unreachable', answer: () => undefined },
  {
    id: 'is silent after its headers',
    endless: true,
    code: 'unreachable',
    answer: (_, response) => response.writeHead(200, { 'content-length': 50 }).flushHeaders(),
  },
  {
    id: 'is silent with its problem',
    endless: true,
    code: 'broken',
    answer: (_, response) => response.writeHead(500).flushHeaders(),
  },
  {
    id: 'dribbles for ever',
    endless: true,
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

describe.each(lies)('with a miner that $id', ({ code, endless, answer }) => {
  it(`every request ends as ${code}, and nothing stays open`, async () => {
    world.miner.takeOver((request, response) => {
      request.resume();
      answer(request, response);
      return true;
    });
    const failure = { ok: false, failure: { code, miner: world.miner.hotkey } };
    const frame = frameOf();
    const [client, tenantClient] = endless ? [world.hasty, world.hastyTenant] : [world.client, world.tenantClient];
    const outcomes = await Promise.all([
      client.health(world.miner, never),
      client.readReceipt(world.miner, newOrder(), frame.anchorId, 1000, never),
      tenantClient.drop(world.miner, [frame.anchorId], 'drop', 1, never),
      tenantClient.listShards(world.miner, undefined, 10, never),
    ]);
    for (const outcome of outcomes) expect(outcome).toMatchObject(failure);
    const read = await collect(
      client.readShards(
        world.miner,
        [
          { anchorId: frame.anchorId, bytes: 1000 },
          { anchorId: frame.anchorId, bytes: 5 },
        ],
        never,
      ),
    );
    expect(read).toHaveLength(2);
    for (const result of read) expect(result.ok).toBe(false);
    expect((await client.openStream(world.miner, newOrder(), 1000, never)).ok).toBe(false);
    expect((await client.putShard(world.miner, newOrder(), frame, never)).ok).toBe(false);
    // Whatever was not read to its end was let go of.
    await expect.poll(() => world.miner.active.size).toBe(0);
    world.miner.takeOver();
    expect((await world.client.health(world.miner, never)).ok).toBe(true);
  });
});
