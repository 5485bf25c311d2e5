/** What goes wrong: miners, index, clients, bodies. Always a clear problem, never a false success, nothing left behind. */
import { beforeEach, describe, expect, test } from 'vitest';
import { equalBytes } from '#shared/primitives/bytes.ts';
import type { MinerFault } from '#shared/testing/fake-miners.ts';
import { createApp } from './app.ts';
import { ISOLATE_TRANSFER_BYTES } from './network/admission.ts';
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

async function expectNothingLeft() {
  await edge.settled();
  expect(edge.index.live.size).toBe(0);
  expect(edge.index.staged.size).toBe(0);
  expect(edge.index.intents.size).toBe(0);
  expect(edge.ports.admission.claimedBytes).toBe(0);
  const held = edge.network.miners.flatMap((miner) => [...miner.held.keys()]);
  const strays = new Set(
    edge.index.strays.map(({ anchorId }) => [...anchorId].map((b) => b.toString(16).padStart(2, '0')).join('')),
  );
  expect(held.filter((anchorId) => !strays.has(anchorId))).toEqual([]);
}

describe('an upload', () => {
  test.each<MinerFault>(['dead', 'redirects', 'full', 'breaks-streams', 'loses-answers'])(
    'survives two miners that are %s',
    async (fault) => {
      for (const miner of edge.network.miners.slice(0, 2)) miner.fault = fault;
      const content = patternBytes(5 * MIB, 3);
      const response = await put(content);
      expect(response.status).toBe(201);
      const { cid } = (await response.json()) as { cid: string };
      const back = await edge.fetch(`/v1/files/${cid}`);
      expect(equalBytes(new Uint8Array(await back.arrayBuffer()), content)).toBe(true);
    },
  );

  test.each<MinerFault>(['dead', 'redirects', 'full'])('is an honest 503 when most miners are %s', async (fault) => {
    for (const miner of edge.network.miners.slice(0, 8)) miner.fault = fault;
    const response = await put(patternBytes(5 * MIB, 4));
    expect(['not-stored', 'too-few-miners']).toContain(((await response.clone().json()) as { code: string }).code);
    expect(response.status).toBe(503);
    await expectNothingLeft();
  });

  test('without any miner says so before it takes a byte more than a segment', async () => {
    await edge.index.publish({ takenAtMs: 1, miners: [] });
    const problem = await expectProblem(await put(patternBytes(100)), 503, 'too-few-miners');
    expect(problem).toMatchObject({ available: 0, needed: 1 });
    await expectNothingLeft();
  });

  test('without a grant says so', async () => {
    const grants = { signed: async () => undefined, state: async () => ({ state: 'expired' as const }) };
    const app = createApp(() => ({ ...edge.ports, grants }));
    const headers = { Authorization: `Bearer ${edge.key}` };
    const response = await app.fetch(new Request('https://edge.test/v1/files', { method: 'PUT', body: 'x', headers }));
    await expectProblem(response, 503, 'no-grant');
  });

  test('that breaks off is refused and leaves nothing', async () => {
    let sent = 0;
    const body = new ReadableStream({
      type: 'bytes',
      pull(controller) {
        if (sent++ < 80) controller.enqueue(patternBytes(65_536, sent));
        else controller.error(new Error('connection lost'));
      },
    });
    await expectProblem(await put(body), 400, 'truncated');
    await expectNothingLeft();
  });

  test.each([100, 5 * MIB])('of another length than announced (%d bytes) is refused', async (bytes) => {
    const body = () =>
      new ReadableStream({
        type: 'bytes',
        start(controller) {
          for (let at = 0; at < bytes; at += 65_536)
            controller.enqueue(patternBytes(Math.min(65_536, bytes - at), at + 1));
          controller.close();
        },
      });
    for (const announced of [bytes - 1, bytes + 1]) {
      const response = await put(body(), { headers: { 'Content-Length': String(announced) } });
      await expectProblem(response, 400, 'length-mismatch');
    }
    await expectNothingLeft();
  });

  test('that is too large is refused before it is read when it says so, and as soon as it is counted when not', async () => {
    edge = await createTestEdge({ settings: { maxFileBytes: 3 * MIB } });
    let pulled = 0;
    const endless = () =>
      new ReadableStream(
        {
          type: 'bytes',
          pull(controller) {
            pulled++;
            controller.enqueue(new Uint8Array(65_536));
          },
        },
        { highWaterMark: 0 },
      );
    const headers = { 'Content-Length': String(3 * MIB + 1) };
    await expectProblem(await put(endless(), { headers }), 413, 'too-large');
    expect(pulled).toBe(0);
    await expectProblem(await put(endless()), 413, 'too-large');
    expect(pulled).toBeLessThan(60);
    await expectNothingLeft();
  });

  test('beyond the quota is refused by the announcement, by the count, and by the commit', async () => {
    await edge.index.setQuota(edge.owner, MIB);
    const problem = await expectProblem(
      await put('', { body: patternBytes(10), headers: { 'Content-Length': String(2 * MIB) } }),
      413,
      'over-quota',
    );
    expect(problem).toMatchObject({ quotaBytes: MIB, usedBytes: 0 });
    const body = new ReadableStream({
      type: 'bytes',
      pull: (controller) => controller.enqueue(new Uint8Array(65_536)),
    });
    await expectProblem(await put(body), 413, 'over-quota');
    // Another upload of the same owner won the last bytes while this one was on its way.
    const beginUpload = edge.index.beginUpload.bind(edge.index);
    edge.index.beginUpload = async (intent) => {
      await edge.index.setQuota(edge.owner, 10);
      return await beginUpload(intent);
    };
    await expectProblem(await put(patternBytes(20_000)), 413, 'over-quota');
    await expectNothingLeft();
  });

  test('whose client leaves is cancelled and cleaned up', async () => {
    const gone = new AbortController();
    for (const miner of edge.network.miners) miner.latencyMs = 50;
    const response = put(patternBytes(9 * MIB, 9), { signal: gone.signal });
    await expect.poll(() => edge.index.intents.size, { timeout: 5000 }).toBe(1);
    gone.abort(new Error('client left'));
    await response.catch(() => undefined);
    await expectNothingLeft();
  });

  test('waits for memory and then says that there is none', async () => {
    let skippedMs = 0;
    const clock = {
      nowMs: () => edge.clock.nowMs() + skippedMs,
      sleep: async (ms: number) => {
        skippedMs += ms;
      },
    };
    while (edge.ports.admission.claimedBytes < ISOLATE_TRANSFER_BYTES) {
      await edge.ports.admission.claim(12 * MIB, edge.clock, new AbortController().signal);
    }
    const app = createApp(() => ({ ...edge.ports, clock }));
    const headers = { Authorization: `Bearer ${edge.key}` };
    const request = new Request('https://edge.test/v1/files', { method: 'PUT', body: 'x', headers });
    await expectProblem(await app.fetch(request), 503, 'overloaded');
  });
});

describe('an index that fails', () => {
  test.each(['findKey', 'usage', 'beginUpload', 'stageSegment', 'addReceipts', 'read'] as const)(
    'at %s makes an upload a 503',
    async (method) => {
      edge.index.fail(method);
      await expectProblem(await put(patternBytes(20_000)), 503, 'index-unavailable');
      await expectNothingLeft();
    },
  );

  test('at the commit is asked again', async () => {
    edge.index.fail('commitFile', 2);
    expect((await put(patternBytes(20_000))).status).toBe(201);
  });

  test('at every commit: it is not known whether the file is there, so nothing of it is thrown away', async () => {
    edge.index.fail('commitFile', 3);
    await expectProblem(await put(patternBytes(20_000)), 503, 'index-unavailable');
    await edge.settled();
    expect(edge.index.calls).not.toContain('abandonUpload');
    expect(edge.index.strays).toEqual([]);
  });

  test('at the cleaning up changes no answer', async () => {
    edge.index.fail('abandonUpload');
    for (const miner of edge.network.miners.slice(0, 8)) miner.fault = 'dead';
    expect((await put(patternBytes(20_000))).status).toBe(503);
    await edge.settled();
    expect(edge.log.map(({ event }) => event)).toContain('upload-not-abandoned');
  });

  test('is told by /health', async () => {
    edge.index.fail('readGrant', 1);
    const response = await edge.fetch('/health');
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ status: 'impaired', index: { reachable: false } });
  });
});

describe('a retrieval', () => {
  const kill = (count: number) => {
    for (const miner of edge.network.miners.filter((item) => item.held.size > 0).slice(0, count)) miner.fault = 'dead';
  };

  test('survives n − k dead holders, and with one more is a clear 503', async () => {
    const content = patternBytes(100_000, 5);
    const cid = await store(content);
    kill(6);
    expect(new Uint8Array(await (await edge.fetch(`/v1/files/${cid}`)).arrayBuffer())).toEqual(content);
    kill(7);
    const problem = await expectProblem(await edge.fetch(`/v1/files/${cid}`), 503, 'unrecoverable');
    expect(problem).toMatchObject({ segment: 0, healthy: 3, needed: 4 });
    await edge.settled();
    expect(edge.ports.admission.claimedBytes).toBe(0);
    expect(edge.log.map(({ event }) => event)).toContain('shard-complaints');
  });

  test('of wrong bytes is never served', async () => {
    const cid = await store(patternBytes(100_000, 6));
    for (const miner of edge.network.miners) miner.fault = 'wrong-bytes';
    await expectProblem(await edge.fetch(`/v1/files/${cid}`), 503, 'unrecoverable');
  });

  test('that fails in a later segment breaks the body', async () => {
    const cid = await store(patternBytes(13 * MIB, 7));
    const [number] = edge.index.segments.keys();
    if (number === undefined) throw new Error('nothing stored');
    const last = edge.index.segments.get(number)?.[3];
    for (const { miner, root } of last?.slots ?? []) {
      const fake = edge.network.of(miner);
      for (const [anchorId, { frame }] of fake.held)
        if (Number(frame.ref & 0xffffffn) === 3) fake.held.delete(anchorId);
      expect(root.length).toBe(32);
    }
    const response = await edge.fetch(`/v1/files/${cid}`);
    expect(response.status).toBe(200);
    await expect(response.arrayBuffer()).rejects.toThrow();
    await edge.settled();
    expect(edge.log.map(({ event }) => event)).toContain('retrieval-broke');
    expect(edge.ports.admission.claimedBytes).toBe(0);
  });

  test('whose client leaves is cancelled', async () => {
    const cid = await store(patternBytes(13 * MIB, 8));
    const response = await edge.fetch(`/v1/files/${cid}`);
    const reader = response.body?.getReader();
    await reader?.read();
    await reader?.cancel();
    await edge.settled();
    expect(edge.ports.admission.claimedBytes).toBe(0);
  });

  test('of a file under a mask secret that this edge lacks names the setting', async () => {
    const cid = await store(patternBytes(100));
    for (const [number, file] of edge.index.live) edge.index.live.set(number, { ...file, maskEpoch: 9 });
    await expectProblem(await edge.fetch(`/v1/files/${cid}`), 500, 'misconfigured');
  });
});
