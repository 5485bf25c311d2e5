/** The description is made from the routes; these tests hold that everything is in it, and that answers are as it says. */

import { beforeAll, expect, test } from 'vitest';
import { patternBytes } from '#edge/testing/sources.ts';
import { createTestEdge, type TestEdge } from '#edge/testing/test-edge.ts';
import { accountKeyOf, ownerIdOf } from '#shared/account/account.ts';
import { signLogin } from '#shared/account/account-login.ts';
import { packSignedEnvelope, signEnvelope } from '#shared/account/signed-envelope.ts';
import { toHex } from '#shared/primitives/bytes.ts';
import type { FileId } from '#shared/primitives/ids.ts';
import { minerKey, newDetail, newMinerNow, newNow, newSnapshot } from '#shared/testing/network-rows.ts';
import { openApiPath } from './openapi.ts';
import { ROUTES } from './route-list.ts';

interface Operation {
  readonly operationId: string;
  readonly responses: Record<string, { description: string; content?: Record<string, unknown> }>;
  readonly parameters?: readonly { name: string; in: string; required: boolean }[];
  readonly security: readonly unknown[];
}

let edge: TestEdge;
let paths: Record<string, Record<string, Operation>>;
let text: string;
beforeAll(async () => {
  edge = await createTestEdge();
  const response = await edge.fetch('/openapi.json', { headers: { Authorization: '' } });
  text = await response.text();
  paths = JSON.parse(text).paths;
});

test.each(ROUTES.map((route) => ({ id: `${route.method} ${route.path}`, route })))('$id is described', ({ route }) => {
  const operation = paths[openApiPath(route.path)]?.[route.method.toLowerCase()];
  if (!operation) throw new Error('it is not');
  expect(operation.operationId).toBe(route.operationId);
  expect(Object.keys(operation.responses)).toEqual(expect.arrayContaining(Object.keys(route.answers)));
  for (const code of route.problems) expect(JSON.stringify(operation.responses)).toContain(`${code}: `);
  for (const name of route.path.matchAll(/:([A-Za-z]+)/g)) {
    expect(operation.parameters).toContainEqual(expect.objectContaining({ name: name[1], in: 'path', required: true }));
  }
});

test('nothing is described that is not there', () => {
  const described = Object.entries(paths).flatMap(([path, operations]) =>
    Object.keys(operations).map((method) => `${method} ${path}`),
  );
  const there = ROUTES.flatMap(({ method, path }) => {
    const at = `${method.toLowerCase()} ${openApiPath(path)}`;
    return method === 'GET' ? [at, at.replace('get', 'head')] : [at];
  });
  expect(described.sort()).toEqual(there.sort());
});

test('operation ids are unique and every reference leads somewhere', () => {
  const ids = Object.values(paths).flatMap((operations) => Object.values(operations).map((item) => item.operationId));
  expect(new Set(ids).size).toBe(ids.length);
  const references = [...text.matchAll(/"\$ref":"([^"]+)"/g)].map((match) => match[1]);
  expect(new Set(references)).toEqual(new Set(['#/components/schemas/Problem']));
});

function loginOf(seed: Uint8Array, timeMs: number): string {
  const login = { account: accountKeyOf(seed), nonce: new Uint8Array(16), timeMs, host: 'edge.test', label: 'x' };
  const [account, nonce] = [toHex(login.account), toHex(login.nonce)];
  return JSON.stringify({ account, nonce, timeMs, label: 'x', signature: toHex(signLogin(seed, login)) });
}

test('every JSON answer of success is what its route’s schema says, and nothing more', async () => {
  const seen = new Set<string>();
  const call = async (method: string, pattern: string, path: string, body?: BodyInit) => {
    const response = await edge.fetch(path, { method, ...(body === undefined ? {} : { body }) });
    const route = ROUTES.find((item) => item.method === method && item.path === pattern);
    const answer = route?.answers[response.status];
    if (!answer) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    seen.add(`${method} ${pattern}`);
    if (!answer.schema) return void (await response.arrayBuffer());
    const value: unknown = await response.json();
    expect(answer.schema.safeParse(value).error).toBeUndefined();
    return value as Record<string, string>;
  };
  const file = await call('PUT', '/v1/files', '/v1/files?name=a.bin', patternBytes(30_000));
  const cid = file?.cid ?? '';
  const form = new FormData();
  form.append('f', new File([patternBytes(5)], 'b.bin'));
  await call('POST', '/v1/files', '/v1/files', form);
  await call('GET', '/v1/files', '/v1/files?limit=1');
  await call('GET', '/v1/files/by-name/:name', '/v1/files/by-name/a.bin');
  await call('GET', '/v1/files/:cid', `/v1/files/${cid}`);
  await call('PATCH', '/v1/files/:cid', `/v1/files/${cid}`, '{"ttl":100,"name":"c.bin"}');
  await call('GET', '/v1/files/:cid/status', `/v1/files/${cid}/status`);
  const seed = new Uint8Array(32).fill(1);
  const content = {
    fileId: file?.fileId as FileId,
    revision: 1,
    envelope: patternBytes(9),
    metadata: new Uint8Array(),
  };
  const signed = signEnvelope(seed, accountKeyOf(seed), content, { digest: new Uint8Array(32), bytes: 30_000 });
  const envelope = packSignedEnvelope(signed) as Uint8Array<ArrayBuffer>;
  await call('PUT', '/v1/files/:cid/envelope', `/v1/files/${cid}/envelope`, envelope);
  await call('GET', '/v1/files/:cid/envelope', `/v1/files/${cid}/envelope?part=age`);
  await call('GET', '/v1/files', '/v1/files?envelopes=true');
  await edge.index.setQuota(ownerIdOf(accountKeyOf(seed)), 1);
  await call('POST', '/v1/login', '/v1/login', loginOf(seed, edge.clock.nowMs()));
  await call('DELETE', '/v1/files/:cid', `/v1/files/${cid}`);
  await call('GET', '/v1/files/:cid/deletion', `/v1/files/${cid}/deletion`);
  await call('DELETE', '/v1/files/by-name/:name', '/v1/files/by-name/b.bin');
  const opened = await call('POST', '/v1/uploads', '/v1/uploads', '{"bytes":3000}');
  const upload = `/v1/uploads/${opened?.upload}`;
  await call('PUT', '/v1/uploads/:upload/parts/:number', `${upload}/parts/1`, patternBytes(3000));
  await call('GET', '/v1/uploads', '/v1/uploads');
  await call('GET', '/v1/uploads/:upload', upload);
  await call('POST', '/v1/uploads/:upload/complete', `${upload}/complete`, '{}');
  const other = await call('POST', '/v1/uploads', '/v1/uploads', '{}');
  await call('DELETE', '/v1/uploads/:upload', `/v1/uploads/${other?.upload}`);
  const key = await call('POST', '/v1/keys', '/v1/keys', '{"label":"laptop"}');
  await call('GET', '/v1/keys', '/v1/keys');
  await call('DELETE', '/v1/keys/:keyId', `/v1/keys/${key?.keyId}`);
  await call('GET', '/v1/account', '/v1/account');
  const nowMs = edge.clock.nowMs();
  await edge.history.append(newSnapshot(nowMs, 3), 3_600_000);
  await edge.history.publishNow(newNow(nowMs, 2), [newMinerNow(0), newMinerNow(1)]);
  await edge.history.publishDetails([newDetail(nowMs, 2)], 3_600_000);
  await call('GET', '/v1/network', '/v1/network');
  await call('GET', '/v1/network/miners', '/v1/network/miners?limit=1');
  await call('GET', '/v1/network/miners/:hotkey', `/v1/network/miners/${minerKey(2)}`);
  await call('GET', '/miner_statistics', '/miner_statistics');
  await call('GET', '/miner/:hotkey', `/miner/${minerKey(1)}`);
  await call('GET', '/tiers_data', '/tiers_data');
  await call('GET', '/network_data', '/network_data?limit=1');
  await call('GET', '/health', '/health');
  await call('GET', '/openapi.json', '/openapi.json');
  await call('GET', '/docs', '/docs');
  // What the tenant asks has tests of its own (`edge/probes.test.ts`).
  const users = ROUTES.filter(({ access }) => access !== 'tenant');
  expect([...seen].sort()).toEqual(users.map(({ method, path }) => `${method} ${path}`).sort());
});
