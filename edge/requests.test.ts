/** Requests that are not about a file's bytes: status, changes, wrong paths and bodies, unexpected errors, CORS. */
import { beforeEach, describe, expect, test } from 'vitest';
import { StatusAnswer } from '#shared/api/schemas.ts';
import { IndexUnavailable } from '#shared/index/ports.ts';
import { patternBytes } from './testing/sources.ts';
import { createTestEdge, type TestEdge } from './testing/test-edge.ts';

const MIB = 1024 * 1024;
let edge: TestEdge;
beforeEach(async () => {
  edge = await createTestEdge();
});

const put = (bytes: BodyInit, init: RequestInit = {}) =>
  edge.fetch('/v1/files', { method: 'PUT', body: bytes, ...init });
const store = async (bytes: Uint8Array<ArrayBuffer>) => ((await (await put(bytes)).json()) as { cid: string }).cid;

async function expectProblem(response: Response, status: number, code: string) {
  expect(response.status).toBe(status);
  expect(response.headers.get('Content-Type')).toBe('application/problem+json');
  const problem = (await response.json()) as Record<string, unknown>;
  expect(problem).toMatchObject({ code, status });
  if (status === 503) expect(Number(response.headers.get('Retry-After'))).toBeGreaterThan(0);
  return problem;
}

describe('status', () => {
  const status = async (cid: string) => StatusAnswer.parse(await (await edge.fetch(`/v1/files/${cid}/status`)).json());

  test('counts what is alive and what may still be lost', async () => {
    const cid = await store(patternBytes(5 * MIB, 10));
    expect(await status(cid)).toMatchObject({
      segments: 2,
      redundancy: { k: 4, n: 10 },
      health: 'full',
      shards: { total: 20, alive: 20 },
      survives: { miners: 6 },
      concentrated: false,
    });
    const holders = edge.network.miners.filter((miner) => miner.held.size === 2);
    for (const miner of holders.slice(0, 4)) miner.fault = 'dead';
    const after = await status(cid);
    expect(after).toMatchObject({ health: 'at-risk', survives: { miners: 2 } });
    for (const miner of edge.network.miners) miner.fault = 'dead';
    expect(await status(cid)).toMatchObject({
      health: 'lost',
      shards: { alive: 0 },
      survives: { miners: -1, groups: -1 },
    });
  });

  test('says when one owner holds too much', async () => {
    const { snapshot } = edge.index;
    const miners = snapshot.miners.map((miner, at) => ({ ...miner, coldkey: at % 2 ? 'one' : 'other' }));
    await edge.index.publish({ ...snapshot, miners });
    const cid = await store(patternBytes(100_000, 11));
    expect((await status(cid)).concentrated).toBe(true);
  });
});

describe('anything else', () => {
  test.each([
    { method: 'GET', path: '/', status: 404, code: 'unknown-route' },
    { method: 'GET', path: '/v1/files/', status: 404, code: 'unknown-route' },
    { method: 'GET', path: '/v1/files/nonsense', status: 400, code: 'bad-cid' },
    { method: 'GET', path: '/v1/files/%ff', status: 400, code: 'bad-target' },
    { method: 'GET', path: '/v1/files/by-name/%2e%2e%2fetc', status: 400, code: 'bad-name' },
    { method: 'GET', path: '/v1/files/by-name/%00', status: 400, code: 'bad-name' },
    { method: 'GET', path: '/v1/files?limit=0', status: 400, code: 'bad-request' },
    { method: 'GET', path: '/v1/files?limit=501', status: 400, code: 'bad-request' },
    { method: 'GET', path: '/v1/files?limit=1e2', status: 400, code: 'bad-request' },
    { method: 'GET', path: '/v1/account?x=1', status: 400, code: 'bad-request' },
    { method: 'POST', path: '/v1/account', status: 405, code: 'method-not-allowed' },
    { method: 'PROPFIND', path: '/v1/files', status: 405, code: 'method-not-allowed' },
    { method: 'PATCH', path: '/v1/files/by-name/x', status: 405, code: 'method-not-allowed' },
  ])('$method $path is $status $code', async ({ method, path, status, code }) => {
    await expectProblem(await edge.fetch(path, { method }), status, code);
  });

  test('405 names what is allowed', async () => {
    const response = await edge.fetch('/v1/files/by-name/x', { method: 'PUT', body: 'x' });
    expect(response.headers.get('Allow')).toBe('GET, HEAD, DELETE');
  });

  test.each([
    { id: 'no JSON', body: '{' },
    { id: 'a list', body: '[]' },
    { id: 'an unknown member', body: '{"label":"x","more":1}' },
    { id: 'a label of control characters', body: '{"label":"a\\u0000"}' },
    { id: 'a long label', body: JSON.stringify({ label: 'x'.repeat(101) }) },
    { id: 'bytes that are no UTF-8', body: Uint8Array.of(0xff) },
  ])('a JSON body that is $id is refused', async ({ body }) => {
    await expectProblem(await edge.fetch('/v1/keys', { method: 'POST', body }), 400, 'bad-request');
  });

  test('an endless JSON body is refused', async () => {
    const body = 'x'.repeat(20_000);
    await expectProblem(await edge.fetch('/v1/keys', { method: 'POST', body }), 413, 'too-large');
  });

  test('what nobody expected is logged and told without detail', async () => {
    edge.index.usage = async () => {
      throw new Error('secret detail');
    };
    const response = await edge.fetch('/v1/account');
    const problem = await expectProblem(response, 500, 'internal');
    expect(JSON.stringify(problem)).not.toContain('secret');
    expect(JSON.stringify(edge.log)).toContain('secret detail');
    edge.index.usage = async () => {
      throw new IndexUnavailable('which token');
    };
    expect(
      JSON.stringify(await expectProblem(await edge.fetch('/v1/account'), 503, 'index-unavailable')),
    ).not.toContain('token');
  });
});

describe('changes', () => {
  test.each([
    { id: 'nothing', body: '{}' },
    { id: 'ttl and expiresAt', body: '{"ttl":5,"expiresAt":null}' },
    { id: 'the past', body: '{"expiresAt":"2020-01-01T00:00:00Z"}' },
    { id: 'no date', body: '{"expiresAt":"tomorrow"}' },
    { id: 'half a second', body: '{"ttl":0.5}' },
  ])('to $id are refused', async ({ body }) => {
    const cid = await store(patternBytes(10));
    await expectProblem(await edge.fetch(`/v1/files/${cid}`, { method: 'PATCH', body }), 400, 'bad-request');
  });

  test('of name and expiry hold, and are undone', async () => {
    const cid = await store(patternBytes(10));
    const change = async (body: object) =>
      await (await edge.fetch(`/v1/files/${cid}`, { method: 'PATCH', body: JSON.stringify(body) })).json();
    expect(await change({ name: 'x', expiresAt: '2090-01-01T00:00:00+01:00' })).toMatchObject({
      name: 'x',
      expiresAt: '2089-12-31T23:00:00.000Z',
    });
    expect(await change({ name: null, ttl: 0 })).toMatchObject({ expiresAt: null });
    expect(await edge.status('/v1/files/by-name/x')).toBe(404);
  });

  test('after a deletion the file is gone and its deletion can be followed', async () => {
    const cid = await store(patternBytes(10));
    const response = await edge.fetch(`/v1/files/${cid}`, { method: 'DELETE' });
    expect(response.status).toBe(202);
    expect(response.headers.get('Location')).toBe(`/v1/files/${cid}/deletion`);
    for (const method of ['GET', 'HEAD', 'DELETE', 'PATCH']) {
      const init = method === 'PATCH' ? { method, body: '{"ttl":5}' } : { method };
      expect(await edge.status(`/v1/files/${cid}`, init)).toBe(404);
    }
    expect(await (await edge.fetch(`/v1/files/${cid}/deletion`)).json()).toMatchObject({
      cid,
      shards: 5,
      dropped: 0,
      complete: false,
    });
  });

  test('listings go on from page to page', async () => {
    for (let i = 1; i <= 5; i++) await store(patternBytes(10, i));
    const seen: string[] = [];
    let query = '';
    do {
      const page = (await (await edge.fetch(`/v1/files?limit=2${query}`)).json()) as {
        files: { cid: string }[];
        next?: string;
      };
      seen.push(...page.files.map(({ cid }) => cid));
      query = page.next === undefined ? '' : `&cursor=${encodeURIComponent(page.next)}`;
    } while (query !== '');
    expect(new Set(seen).size).toBe(5);
  });
});

describe('CORS', () => {
  const preflight = { Origin: 'https://app.example', 'Access-Control-Request-Method': 'PUT' };
  test('without origins there is none', async () => {
    const response = await edge.fetch('/health', { headers: { Origin: 'https://app.example' } });
    expect(response.headers.get('Access-Control-Allow-Origin')).toBeNull();
    expect(await edge.status('/v1/files', { method: 'OPTIONS', headers: preflight })).toBe(405);
  });

  test('an origin of the list may, another may not, and problems carry it too', async () => {
    edge = await createTestEdge({ settings: { corsOrigins: ['https://app.example'] } });
    const asked = await edge.fetch('/v1/files', {
      method: 'OPTIONS',
      headers: { ...preflight, Authorization: '', 'Access-Control-Request-Headers': 'authorization, filetao-name' },
    });
    expect(asked.status).toBe(204);
    expect(asked.headers.get('Access-Control-Allow-Origin')).toBe('https://app.example');
    expect(asked.headers.get('Access-Control-Allow-Headers')).toContain('authorization');
    const headers = { Origin: 'https://app.example', Authorization: '' };
    const refused = await edge.fetch('/v1/account', { headers });
    expect(refused.status).toBe(401);
    expect(refused.headers.get('Access-Control-Allow-Origin')).toBe('https://app.example');
    const other = await edge.fetch('/health', { headers: { Origin: 'https://evil.example' } });
    expect(other.headers.get('Access-Control-Allow-Origin')).toBeNull();
  });
});
