/** The tenant's probe: what a miner sees, what comes back, and who is refused. */
import { beforeAll, describe, expect, test } from 'vitest';
import { createTestEdge, type TestEdge } from '#edge/testing/test-edge.ts';
import { systemRandom } from '#shared/primitives/effects.ts';
import { type AnchorId, hotkeyOf } from '#shared/primitives/ids.ts';
import type { Signer } from '#shared/primitives/signer.ts';
import type { FakeMiner } from '#shared/testing/fake-miners.ts';
import { EMPTY_BODY_DIGEST, signRequest } from '#shared/wire/btauth.ts';
import { signerFromSeed } from '#shared/wire/sr25519-scure.ts';

const tenant = signerFromSeed(new Uint8Array(32).fill(41));
/** The tenant's key in a process that knows nothing of earlier nonces. */
const forgetful = () => signerFromSeed(new Uint8Array(32).fill(41));
const stranger = signerFromSeed(new Uint8Array(32).fill(42));
let edge: TestEdge;
let miner: FakeMiner;
let anchorId: AnchorId;
let shard: Uint8Array;

beforeAll(async () => {
  edge = await createTestEdge({ settings: { tenant: tenant.hotkey } });
  expect(await edge.status('/v1/files', { method: 'PUT', body: systemRandom(60_000) as Uint8Array<ArrayBuffer> })).toBe(
    201,
  );
  const holder = edge.network.miners.find(({ held }) => held.size > 0);
  const [first] = holder?.held ?? [];
  if (!holder || !first) throw new Error('nobody holds anything');
  miner = holder;
  [
    anchorId,
    {
      frame: { shard },
    },
  ] = first;
});

interface Asked {
  readonly signer?: Signer;
  readonly receiver?: typeof tenant.hotkey;
  readonly nowMs?: number;
  /** What is sent in place of what was signed. */
  readonly sent?: string;
}

const target = (query: Partial<Record<'miner' | 'shard' | 'bytes', string>> = {}) =>
  `/v1/probes?${new URLSearchParams({ miner: miner.peer.hotkey, shard: anchorId, bytes: String(shard.length), ...query })}`;

function signed(path: string, { signer = tenant, receiver = edge.ports.hotkey, nowMs }: Asked = {}) {
  return signRequest({
    signer,
    method: 'POST',
    target: path,
    bodyDigestHex: EMPTY_BODY_DIGEST,
    receiver,
    nowMs: nowMs ?? edge.clock.nowMs(),
    random: systemRandom,
  });
}

async function ask(path = target(), asked: Asked = {}) {
  const headers = { Authorization: '', ...signed(path, asked) };
  const response = await edge.fetch(asked.sent ?? path, { method: 'POST', headers });
  const bytes = new Uint8Array(await response.arrayBuffer());
  const problem = response.ok ? undefined : JSON.parse(new TextDecoder().decode(bytes));
  return { response, bytes, problem };
}

test('answers with the very bytes of the shard, and how long the miner took', async () => {
  const { response, bytes } = await ask();
  expect(response.status).toBe(200);
  expect(bytes).toEqual(new Uint8Array(shard));
  expect(Number(response.headers.get('filetao-elapsed-ms'))).toBeGreaterThanOrEqual(0);
  expect(response.headers.get('cache-control')).toBe('no-store');
});

test('asks the miner as a read of a file does: the same call for one shard', async () => {
  const calls: unknown[] = [];
  const { miners } = edge.ports.transfer;
  const watching: typeof miners = {
    ...miners,
    readShards: (peer, shards, signal) => {
      calls.push({ hotkey: peer.hotkey, shards });
      return miners.readShards(peer, shards, signal);
    },
  };
  Object.assign(edge.ports, { transfer: { ...edge.ports.transfer, miners: watching } });
  await ask();
  expect(calls).toEqual([{ hotkey: miner.peer.hotkey, shards: [{ anchorId, bytes: shard.length }] }]);
  Object.assign(edge.ports, { transfer: { ...edge.ports.transfer, miners } });
});

describe('tells the miner’s failures', () => {
  test.each([
    ['dead', 502, 'probe-failed', 'unreachable'],
    ['redirects', 502, 'probe-failed', 'broken'],
  ] as const)('a miner that is %s', async (fault, status, code, what) => {
    miner.fault = fault;
    try {
      const { response, problem } = await ask();
      expect(response.status).toBe(status);
      expect(problem).toMatchObject({ code, what });
    } finally {
      miner.fault = 'none';
    }
  });

  test('a shard that it does not hold', async () => {
    const { problem } = await ask(target({ shard: 'ab'.repeat(32) }));
    expect(problem).toMatchObject({ code: 'absent', status: 404 });
  });

  test('wrong bytes come back as they are: the tenant has the anchor', async () => {
    miner.fault = 'wrong-bytes';
    const { response, bytes } = await ask();
    miner.fault = 'none';
    expect(response.status).toBe(200);
    expect(bytes).not.toEqual(new Uint8Array(shard));
  });
});

describe('refuses', () => {
  const bad: readonly (readonly [string, number, string, () => ReturnType<typeof ask>])[] = [
    ['another hotkey', 403, 'forbidden', () => ask(target(), { signer: stranger })],
    ['a request to another edge', 401, 'wrong-receiver', () => ask(target(), { receiver: stranger.hotkey })],
    [
      'an old nonce',
      401,
      'clock-skew',
      () => ask(target(), { signer: forgetful(), nowMs: edge.clock.nowMs() - 60_000 }),
    ],
    ['another target than was signed', 401, 'bad-signature', () => ask(target(), { sent: target({ bytes: '4096' }) })],
    ['a hotkey that is none', 400, 'bad-request', () => ask(target({ miner: '5Bad' }))],
    ['an anchor id in upper case', 400, 'bad-request', () => ask(target({ shard: 'AB'.repeat(32) }))],
    ['no bytes', 400, 'bad-request', () => ask(target({ bytes: '0' }))],
    ['more bytes than a shard has', 400, 'bad-request', () => ask(target({ bytes: '99999999' }))],
    ['a query that it does not know', 400, 'bad-request', () => ask(`${target()}&more=1`)],
    [
      'a miner that is not listed',
      404,
      'not-found',
      () => ask(target({ miner: hotkeyOf(new Uint8Array(32).fill(99)) })),
    ],
  ];
  test.each(bad)('%s', async (_, status, code, request) => {
    const { problem } = await request();
    expect(problem).toMatchObject({ code, status });
  });

  test('the same request a second time', async () => {
    const path = target();
    const headers = { Authorization: '', ...signed(path) };
    expect(await edge.status(path, { method: 'POST', headers })).toBe(200);
    expect(await edge.status(path, { method: 'POST', headers })).toBe(401);
  });

  test('unsigned requests, and users’ keys', async () => {
    expect(await edge.status(target(), { method: 'POST' })).toBe(401);
    expect(await edge.status(target(), { method: 'POST', headers: { Authorization: '' } })).toBe(401);
  });

  test('everybody while the tenant’s grant does not hold', async () => {
    const { grants } = edge.ports;
    Object.assign(edge.ports, { grants: { ...grants, state: async () => ({ state: 'expired' }) } });
    const { problem } = await ask();
    Object.assign(edge.ports, { grants });
    expect(problem).toMatchObject({ code: 'no-grant', status: 503 });
  });
});
