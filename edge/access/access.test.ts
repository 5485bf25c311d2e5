/** Walks every route with every kind of caller: who may call what is what the route list says, and nothing else is there. */
import { beforeAll, describe, expect, test } from 'vitest';
import { createApp } from '#edge/app.ts';
import { ROUTES } from '#edge/routes/route-list.ts';
import { createTestEdge, type TestEdge } from '#edge/testing/test-edge.ts';
import { cidOf } from '#shared/codec/cid.ts';
import { newApiKey } from '#shared/primitives/api-key.ts';
import { systemRandom } from '#shared/primitives/effects.ts';
import { minerKey } from '#shared/testing/network-rows.ts';

let closed: TestEdge;
let open: TestEdge;
beforeAll(async () => {
  closed = await createTestEdge();
  open = await createTestEdge({ settings: { publicReads: true } });
});

const cid = cidOf(new Uint8Array(32).fill(3));
const filled = (path: string) =>
  path
    .replace(':cid', cid)
    .replace(':upload', `1-${'0'.repeat(32)}`)
    .replace(':number', '1')
    .replace(':name', 'some-name')
    .replace(':keyId', '0123456789abcdef')
    .replace(':hotkey', minerKey(1));

const callers = {
  nobody: '',
  'a key that was never made': `Bearer ${newApiKey(systemRandom).text}`,
  'a malformed key': 'Bearer ftk_short',
  'another scheme': 'Basic dXNlcjpwYXNz',
};

const table = ROUTES.map(({ method, path, access }) => ({ method, path, access }));

test('the access table is this, so that a change of it is seen', () => {
  expect(table.map(({ method, path, access }) => `${access} ${method} ${path}`)).toEqual([
    'key PUT /v1/files',
    'key POST /v1/files',
    'key GET /v1/files',
    'key GET /v1/files/by-name/:name',
    'key DELETE /v1/files/by-name/:name',
    'reader GET /v1/files/:cid',
    'key PATCH /v1/files/:cid',
    'key DELETE /v1/files/:cid',
    'key GET /v1/files/:cid/status',
    'key GET /v1/files/:cid/deletion',
    'key PUT /v1/files/:cid/envelope',
    'reader GET /v1/files/:cid/envelope',
    'anyone POST /v1/login',
    'key POST /v1/uploads',
    'key GET /v1/uploads',
    'key GET /v1/uploads/:upload',
    'key PUT /v1/uploads/:upload/parts/:number',
    'key POST /v1/uploads/:upload/complete',
    'key DELETE /v1/uploads/:upload',
    'key POST /v1/keys',
    'key GET /v1/keys',
    'key DELETE /v1/keys/:keyId',
    'key GET /v1/account',
    'tenant POST /v1/probes',
    'anyone GET /v1/network',
    'anyone GET /v1/network/miners',
    'anyone GET /v1/network/miners/:hotkey',
    'anyone GET /miner_statistics',
    'anyone GET /miner/:hotkey',
    'anyone GET /tiers_data',
    'anyone GET /network_data',
    'anyone GET /health',
    'anyone GET /openapi.json',
    'anyone GET /docs',
  ]);
});

describe.each(table)('$method $path', ({ method, path, access }) => {
  const call = (edge: TestEdge, authorization?: string) =>
    edge.status(filled(path), {
      method,
      ...(authorization === undefined ? {} : { headers: { Authorization: authorization } }),
      ...(method === 'GET' || method === 'DELETE' ? {} : { body: '{}' }),
    });

  test.each(Object.entries(callers))(`for %s (${access})`, async (who, authorization) => {
    const refused = access !== 'anyone';
    expect((await call(closed, authorization)) === 401).toBe(refused);
    const stillRefused = access === 'key' || access === 'tenant' || (access === 'reader' && who !== 'nobody');
    expect((await call(open, authorization)) === 401).toBe(stillRefused);
  });

  test('for a revoked key', async () => {
    const { owner, key } = await closed.newAccount();
    for (const { keyId } of await closed.index.listKeys(owner)) await closed.index.revokeKey(owner, keyId);
    expect((await call(closed, `Bearer ${key}`)) === 401).toBe(access !== 'anyone');
  });

  test('for a valid key', async () => {
    const { key } = await closed.newAccount();
    const status = await call(closed, `Bearer ${key}`);
    // The tenant signs; a user's key is nothing to it (`edge/probes.test.ts` has its callers).
    expect(status === 401).toBe(access === 'tenant');
    expect(status).not.toBe(500);
  });
});

test('the app has no route that is not in the list', () => {
  const app = createApp(() => closed.ports);
  const listed = new Set(ROUTES.map(({ method, path }) => `${method} ${path}`));
  const paths = new Set(ROUTES.map(({ path }) => path as string));
  for (const { method, path } of app.routes) {
    // Middleware, and the refusal of other methods at known paths.
    if (method === 'ALL') expect(path === '/*' || paths.has(path)).toBe(true);
    else expect(listed).toContain(`${method} ${path}`);
  }
  expect(app.routes.filter(({ method }) => method !== 'ALL').length).toBe(ROUTES.length);
});

test('a refusal says how to ask', async () => {
  const response = await closed.fetch('/v1/account', { headers: { Authorization: '' } });
  expect(response.headers.get('WWW-Authenticate')).toMatch(/^Bearer/);
  expect(await response.json()).toMatchObject({ code: 'unauthorized', status: 401 });
});

test('a key is never logged', () => {
  expect(JSON.stringify([closed.log, open.log])).not.toContain('ftk_');
});
