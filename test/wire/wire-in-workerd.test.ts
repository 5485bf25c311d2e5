/**
 * The miner client inside workerd, against a real miner over HTTP: what its `fetch` does with redirects, encodings,
 * cut bodies and early headers differs from Node's.
 */
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { convertV4MiniflareOptions, Miniflare } from 'miniflare';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { toBase64 } from '#shared/primitives/bytes.ts';
import type { Takeover } from '#shared/testing/wire-miner.ts';
import { startWireWorld, type WireWorld } from '#shared/testing/wire-world.ts';
import { bundleWorker } from '#test/limits/bundle-worker.ts';
import type { WorkerReport, WorkerTask } from './wire-worker.ts';

let world: WireWorld;
let worker: Miniflare;
let url: URL;

beforeAll(async () => {
  world = await startWireWorld();
  const { modules } = await bundleWorker(fileURLToPath(new URL('./wire-worker.ts', import.meta.url)));
  worker = new Miniflare(
    convertV4MiniflareOptions({
      host: '127.0.0.1',
      modules,
      compatibilityDate: '2026-10-01',
      compatibilityFlags: ['nodejs_compat'],
    }),
  );
  url = await worker.ready;
});
afterEach(() => world.reset());
afterAll(async () => {
  await worker.dispose();
  await world.close();
});

async function ask(shards: readonly number[], idleMs = 10_000, abortAfterMs?: number): Promise<WorkerReport> {
  const task: WorkerTask = {
    miner: { hotkey: world.miner.hotkey, url: world.miner.url },
    tenant: world.tenant.hotkey,
    edgeSeed: 2,
    network: { genesis: 5, netuid: 21 },
    grant: toBase64(world.grantOf(true)),
    idleMs,
    shards,
    ...(abortAfterMs === undefined ? {} : { abortAfterMs }),
  };
  const response = await fetch(url, { method: 'POST', body: JSON.stringify(task) });
  expect(response.status).toBe(200);
  return (await response.json()) as WorkerReport;
}

describe('in workerd, with an honest miner', () => {
  it('a stream opens before its first frame, and every shard is receipted and read back', async () => {
    const report = await ask([32, 1000, 70_000, 262_144, 4_194_304]);
    expect(report).toMatchObject({ health: 'ok', put: 'ok', open: 'ok', head: 'ok' });
    expect(report.receipts).toEqual(Array(5).fill('ok'));
    expect(report.read).toEqual(Array(5).fill('ok'));
    expect([...world.miner.held.values()].map(({ shard }) => shard.length).toSorted((a, b) => a - b)).toEqual([
      32, 1000, 70_000, 100_000, 262_144, 4_194_304,
    ]);
  });
});

const failed = (code: string) => ({ health: code, put: code, open: code, receipts: [], read: [code, code] });
const answering =
  (go: Takeover): Takeover =>
  (request, response) => {
    request.resume();
    return go(request, response);
  };

describe('in workerd, with a miner that', () => {
  const cases: { id: string; take: Takeover; report: Partial<WorkerReport>; idleMs?: number }[] = [
    {
      id: 'redirects a signed PUT',
      take: (request, response) => !!response.writeHead(307, { location: `http://127.0.0.1:1${request.url}` }).end(),
      report: failed('broken'),
    },
    {
      id: 'sends a gzip bomb',
      take: (_, response) => {
        response.writeHead(200, { 'content-encoding': 'gzip' });
        return !!response.end(gzipSync(new Uint8Array(1 << 22)));
      },
      report: failed('broken'),
    },
    { id: 'hangs up', take: (_, response) => !!response.destroy(), report: failed('unreachable') },
    { id: 'is silent', take: () => true, report: failed('unreachable'), idleMs: 250 },
    {
      id: 'cuts a body whose framing cannot tell',
      take: (_, response) => {
        response.socket?.end('HTTP/1.1 200 OK\r\n\r\n\u0001\0\0');
        return true;
      },
      report: { health: 'broken', read: ['unreachable', 'unreachable'] },
    },
    {
      id: 'cuts a body of known length',
      take: (_, response) => {
        response.socket?.end('HTTP/1.1 200 OK\r\nContent-Length: 90\r\n\r\n{');
        return true;
      },
      report: { health: 'unreachable', read: ['unreachable', 'unreachable'] },
    },
    {
      id: 'answers 202 and never sends a receipt',
      idleMs: 250,
      take: (_, response) => {
        response.writeHead(202).flushHeaders();
        return true;
      },
      report: { open: 'ok', receipts: ['unreachable', 'unreachable'] },
    },
    {
      id: 'breaks off behind its 202',
      take: (request, response) => {
        response.writeHead(202).flushHeaders();
        request.once('data', () => response.destroy());
        return true;
      },
      report: { open: 'ok', receipts: ['unreachable', 'unreachable'] },
    },
  ];
  it.each(cases)('$id', async ({ take, report, idleMs }) => {
    world.miner.takeOver(answering(take));
    expect(await ask([2000, 300_000], idleMs)).toMatchObject(report);
  });
  it('signs receipts for another order', async () => {
    world.miner.forgeReceipts((receipt) => ({ ...receipt, order: '11'.repeat(16) as never }));
    const report = await ask([2000]);
    expect(report).toMatchObject({ health: 'ok', put: 'forged', open: 'ok', receipts: ['forged'] });
  });
  it('takes nothing of a stream, until its caller gives up', async () => {
    world.miner.takeOver((request, response) => {
      if (!request.url?.includes('max=')) return false;
      response.writeHead(202).flushHeaders();
      request.pause();
      return true;
    });
    const report = await ask([4_000_000, 4_000_000, 4_000_000], 10_000, 500);
    expect(report).toMatchObject({
      open: 'ok',
      receipts: Array(3).fill('cancelled'),
      read: Array(3).fill('cancelled'),
    });
  });
});
