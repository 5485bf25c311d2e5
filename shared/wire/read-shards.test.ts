import type { ServerResponse } from 'node:http';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { systemClock } from '#shared/primitives/effects.ts';
import type { AnchorId } from '#shared/primitives/ids.ts';
import { collect, HASTY, never, startWireWorld, type WireWorld } from '#shared/testing/wire-world.ts';
import { encodeItemHead } from './replies.ts';

let world: WireWorld;
beforeAll(async () => {
  world = await startWireWorld();
});
afterEach(() => {
  world.reset();
  expect(world.unhandled).toEqual([]);
});
afterAll(() => world.close());

describe('a read of several shards', () => {
  const wanted = [
    { anchorId: '01'.repeat(32) as AnchorId, bytes: 100 },
    { anchorId: '02'.repeat(32) as AnchorId, bytes: 100 },
    { anchorId: '03'.repeat(32) as AnchorId, bytes: 100 },
  ];
  const answering = (parts: readonly Uint8Array[], then: (response: ServerResponse) => void) =>
    world.miner.takeOver((request, response) => {
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
    { id: 'goes silent', go: () => undefined, code: 'unreachable', hasty: true },
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
  ])('keeps what came when the answer $id', async ({ go, code, hasty }) => {
    // One write, so that a break cannot overtake it.
    answering([Buffer.concat(one)], (response) => setTimeout(() => go(response), 30));
    const results = await collect((hasty ? world.hasty : world.client).readShards(world.miner, wanted, never));
    expect(results.map((result) => (result.ok ? 'ok' : result.failure.code))).toEqual(['ok', code, code]);
  });
  it('refuses more than was asked', async () => {
    answering([...one, ...one, ...one, ...one], (response) => response.end());
    const results = await collect(world.client.readShards(world.miner, wanted, never));
    expect(results.map((result) => result.ok)).toEqual([true, true, true]);
  });
  it('may be left early, and waits for a slow reader', async () => {
    answering([...one], () => undefined);
    for await (const result of world.client.readShards(world.miner, wanted, never)) {
      expect(result.ok).toBe(true);
      break;
    }
    answering([...one, ...one, ...one], (response) => response.end());
    for await (const result of world.hasty.readShards(world.miner, wanted, never)) {
      expect(result.ok).toBe(true);
      await systemClock.sleep(HASTY.idleMs * 1.2);
    }
  });
});
