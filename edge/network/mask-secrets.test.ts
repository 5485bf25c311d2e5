/** A secret that the index does not know by its check value neither stores nor reads anything. */
import { beforeEach, describe, expect, test } from 'vitest';
import { patternBytes } from '#edge/testing/sources.ts';
import { createTestEdge, type TestEdge } from '#edge/testing/test-edge.ts';
import { maskCheckOf } from '#shared/proof/mask.ts';
import { maskSecretsOf } from './mask-secrets.ts';

const right = new Uint8Array(32).fill(9);
const wrong = new Uint8Array(32).fill(10);

let edge: TestEdge;
beforeEach(async () => {
  edge = await createTestEdge({ settings: { maskSecrets: [{ epoch: 3, secret: right }] } });
});

/** The same edge after it was given other secrets. */
function reconfigure(...maskSecrets: { epoch: number; secret: Uint8Array }[]): void {
  Object.assign(edge.ports, { maskSecrets: maskSecretsOf({ maskSecrets }, edge.index, new Set(), edge.ports.log) });
}

async function store(bytes = patternBytes(10_000)): Promise<{ status: number; body: Record<string, string> }> {
  const response = await edge.fetch('/v1/files', { method: 'PUT', body: bytes });
  return { status: response.status, body: await response.json() };
}

const health = async () => (await (await edge.fetch('/health')).json()) as { status: string; maskSecret: unknown };

test('the first file of an epoch binds the epoch to its secret; looking at health does not', async () => {
  expect((await health()).maskSecret).toEqual({ epoch: 3, state: 'unused' });
  expect(edge.index.maskChecks.size).toBe(0);
  expect((await store()).status).toBe(201);
  expect(edge.index.maskChecks).toEqual(new Map([[3, maskCheckOf(right, 3)]]));
  expect((await health()).maskSecret).toEqual({ epoch: 3, state: 'right' });
});

test('a secret that matches is asked about once', async () => {
  await store();
  await store(patternBytes(20_000));
  expect(edge.index.calls.filter((name) => name === 'claimMaskCheck')).toHaveLength(1);
});

describe('an edge with a wrong secret', () => {
  let cid: string;
  beforeEach(async () => {
    cid = (await store()).body.cid ?? '';
    reconfigure({ epoch: 3, secret: wrong });
  });

  test('stores nothing, begins nothing, and says why', async () => {
    const { status, body } = await store(patternBytes(20_000));
    expect(status).toBe(500);
    expect(body).toMatchObject({ code: 'misconfigured', detail: expect.stringContaining('epoch 3') });
    expect(edge.index.intents.size).toBe(0);
    expect(edge.index.live.size).toBe(1);
    expect(edge.index.maskChecks).toEqual(new Map([[3, maskCheckOf(right, 3)]]));
  });

  test('serves no file of that epoch', async () => {
    const response = await edge.fetch(`/v1/files/${cid}`);
    expect(response.status).toBe(500);
    expect(await response.json()).toMatchObject({ code: 'misconfigured' });
  });

  test('is impaired, and its log has the epoch but no secret', async () => {
    await store(patternBytes(20_000));
    expect(await health()).toMatchObject({ status: 'impaired', maskSecret: { epoch: 3, state: 'wrong' } });
    expect(edge.log).toContainEqual({ level: 'error', event: 'mask-secret-wrong', fields: { epoch: 3 } });
    expect(JSON.stringify(edge.log)).not.toMatch(/0a0a0a|10,10,10/);
  });

  test('works again with the right one', async () => {
    reconfigure({ epoch: 3, secret: right });
    expect((await edge.fetch(`/v1/files/${cid}`)).status).toBe(200);
    expect((await store(patternBytes(20_000))).status).toBe(201);
  });
});

test('a new epoch takes new files, the old one is still read; without its secret its files are refused', async () => {
  const { cid } = (await store()).body;
  reconfigure({ epoch: 3, secret: right }, { epoch: 4, secret: wrong });
  expect((await store(patternBytes(20_000))).status).toBe(201);
  expect([...edge.index.maskChecks.keys()]).toEqual([3, 4]);
  expect(await edge.status(`/v1/files/${cid}`)).toBe(200);
  reconfigure({ epoch: 4, secret: wrong });
  const response = await edge.fetch(`/v1/files/${cid}`);
  expect(await response.json()).toMatchObject({ code: 'misconfigured', detail: expect.stringContaining('missing') });
  expect(edge.log).toContainEqual({ level: 'error', event: 'mask-secret-missing', fields: { epoch: 3 } });
});

test('the same secret in another epoch is another check value', async () => {
  await store();
  reconfigure({ epoch: 3, secret: right }, { epoch: 4, secret: right });
  expect((await store(patternBytes(20_000))).status).toBe(201);
  expect(edge.index.maskChecks.get(4)).not.toEqual(edge.index.maskChecks.get(3));
});
