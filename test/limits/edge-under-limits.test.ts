/**
 * The edge where production's limits hold: miners behind host names, six requests waiting for headers, no bare
 * addresses, no redirects, distance, and connections that break in the middle.
 */
import { createHash, randomBytes } from 'node:crypto';
import http from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import type { Harness } from './limits-harness.ts';
import { type LimitsWorld, startLimitsWorld } from './limits-world.ts';

const MINERS = 12;
const MIB = 2 ** 20;
/** Segments of 4 MiB. */
const segmentsOf = (bytes: number): number => Math.max(1, Math.ceil(bytes / (4 * MIB)));

let world: LimitsWorld;
let edge: Harness;

beforeAll(async () => {
  world = await startLimitsWorld(MINERS);
  edge = await world.startEdge();
}, 60_000);
afterAll(() => world.stop());
afterEach(() => {
  edge.setInterfere(undefined);
  edge.setLinks(new Map());
});

const noise = (bytes: number): Uint8Array<ArrayBuffer> => new Uint8Array(randomBytes(bytes));
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

async function store(body: Uint8Array<ArrayBuffer>): Promise<{ status: number; cid: string; text: string }> {
  const response = await fetch(`${edge.url}/v1/files`, { method: 'PUT', headers: world.headers, body });
  const text = await response.text();
  const { cid = '' } = JSON.parse(text) as { cid?: string };
  return { status: response.status, cid, text };
}

async function retrieve(cid: string): Promise<{ status: number; bytes: Uint8Array }> {
  const response = await fetch(`${edge.url}/v1/files/${cid}`, { headers: world.headers });
  return { status: response.status, bytes: new Uint8Array(await response.arrayBuffer()) };
}

async function roundTrip(bytes: number): Promise<void> {
  const body = noise(bytes);
  const stored = await store(body);
  expect(stored.status, stored.text).toBe(201);
  const back = await retrieve(stored.cid);
  expect(back.status).toBe(200);
  expect(sha256(back.bytes)).toBe(sha256(body));
}

describe('the edge under production limits', () => {
  it.each([0, 1, 64 * 1024, 5 * MIB + 1])('gives %i bytes back', async (bytes) => {
    await roundTrip(bytes);
    expect(edge.counts.bareIps).toBe(0);
    expect(edge.counts.waitingPeak).toBeLessThanOrEqual(6);
  });

  it('needs no more subrequests than streams, records and a dozen commands', async () => {
    const before = { ...edge.counts };
    const body = noise(24 * MIB);
    const { status, cid } = await store(body);
    expect(status).toBe(201);
    const stored = { all: edge.counts.subrequests - before.subrequests, index: edge.counts.index - before.index };
    expect(stored.index).toBeLessThanOrEqual(2 * segmentsOf(body.length) + 12);
    expect(stored.all - stored.index).toBeLessThanOrEqual(MINERS + 2);
    const middle = edge.counts.subrequests;
    await retrieve(cid);
    expect(edge.counts.subrequests - middle).toBeLessThanOrEqual(6 * segmentsOf(body.length) + 12);
  });

  it('never has a seventh request wait for headers, with four uploads at once over a distance', async () => {
    edge.setLinks(new Map(), { roundTripMs: 100 });
    await Promise.all(Array.from({ length: 4 }, () => roundTrip(2 * MIB)));
    expect(edge.counts.waitingPeak).toBeLessThanOrEqual(6);
  }, 60_000);

  it('falls back to single requests when a stream is cut once its answer has begun', async () => {
    let streams = 0;
    let puts = 0;
    edge.setInterfere(({ method, path }) => {
      if (method === 'PUT') puts++;
      if (!path.startsWith('/v1/shards?')) return undefined;
      streams++;
      return 'cut-after-headers';
    });
    await roundTrip(5 * MIB);
    expect(streams).toBeGreaterThan(0);
    expect(puts).toBeGreaterThan(0);
  }, 60_000);

  it.each(['hang', 'reset'] as const)(
    'stores around three miners that %s',
    async (fault) => {
      const bad = new Set(world.miners.slice(0, 3).map(({ port }) => port));
      edge.setInterfere(({ port }) => (bad.has(port) ? fault : undefined));
      await roundTrip(5 * MIB);
    },
    60_000,
  );

  it('says honestly that too few miners answer, and stores nothing', async () => {
    const good = new Set(world.miners.slice(0, 5).map(({ port }) => port));
    edge.setInterfere(({ port }) => (good.has(port) ? undefined : 'reset'));
    const { status, text } = await store(noise(5 * MIB));
    expect([status, (JSON.parse(text) as { code: string }).code]).toEqual([503, 'not-stored']);
  }, 60_000);

  it('follows no redirect of a miner', async () => {
    const lured: string[] = [];
    const trap = http.createServer((request, response) => {
      lured.push(request.url ?? '');
      response.writeHead(307, { location: `http://9.0.0.9:${world.miners[0]?.port}/lured` }).end();
      request.resume();
    });
    await new Promise<void>((resolve) => trap.listen(0, '127.0.0.1', resolve));
    const before = edge.counts.bareIps;
    const { port } = trap.address() as { port: number };
    const { miners, takenAtMs } = await world.index.miners.read();
    const [first, ...others] = miners;
    if (!first) throw new Error('no miners');
    await world.publish({
      takenAtMs: takenAtMs + 1,
      miners: [{ ...first, address: { ...first.address, port } }, ...others],
    });
    const fresh = await world.startEdge();
    const response = await fetch(`${fresh.url}/v1/files`, {
      method: 'PUT',
      headers: world.headers,
      body: noise(5 * MIB),
    });
    expect(response.status).toBe(201);
    await response.text();
    expect(lured).not.toContain('/lured');
    expect(fresh.counts.bareIps + edge.counts.bareIps - before).toBe(0);
    await world.publish({ takenAtMs: takenAtMs + 2, miners });
    await fresh.stop();
    trap.closeAllConnections();
    await new Promise((resolve) => trap.close(resolve));
  }, 60_000);

  it('deletes', async () => {
    const { cid } = await store(noise(64 * 1024));
    const gone = await fetch(`${edge.url}/v1/files/${cid}`, { method: 'DELETE', headers: world.headers });
    expect(gone.status).toBe(202);
    await gone.text();
    expect((await retrieve(cid)).status).toBe(404);
  });
});
