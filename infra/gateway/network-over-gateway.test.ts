/** The network's series over the gateway, with the embedded engine and with a real Redis; and that edges only read. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createIndex } from '#shared/index/redis-index.ts';
import { newDetail, newMinerNow, newNow, newSnapshot } from '#shared/testing/network-rows.ts';
import { describeNetworkHistory } from '#shared/testing/network-suite.ts';
import { EDGE_TOKEN, type OpenIndex, openIndex } from './testing/open-index.ts';
import { findRedisServer } from './testing/redis-for-tests.ts';

const open = async () => {
  const world = await openIndex();
  return { ...world, connect: () => world.connect().history };
};
describeNetworkHistory('the network over the embedded engine', open);

const redis = findRedisServer();
describe.skipIf(!redis)('over redis-server', () => {
  it('everything but what is replaced ends by itself', async () => {
    const world = await openIndex({ redis: redis ?? '' });
    const { history } = world.connect();
    await history.append(newSnapshot(world.nowMs(), 130), 60_000);
    await history.publishNow(
      newNow(1, 130),
      Array.from({ length: 130 }, (_, number) => newMinerNow(number)),
    );
    await history.publishNow(newNow(2, 1), [newMinerNow(1)]);
    await history.publishDetails([newDetail(10_000, 1)], 60_000);
    expect((await history.minersNow()).miners).toEqual([newMinerNow(1)]);
    expect(await history.minerRows({ fromMs: 0, toMs: world.nowMs() + 1, offset: 0, limit: 500 })).toHaveLength(130);
    expect(await history.indexBytes()).toBeGreaterThan(100_000);
    const [all] = await world.engine.run([{ name: 'KEYS', args: [Buffer.from('*')] }], false);
    const lasting: string[] = [];
    for (const name of (all as Uint8Array[]).map((key) => Buffer.from(key).toString())) {
      const [ttl] = await world.engine.run([{ name: 'PTTL', args: [Buffer.from(name)] }], false);
      if (ttl === -1) lasting.push(name);
    }
    expect(lasting.toSorted()).toEqual(['hn', 'hq:2:0', 'hs', 'hv']);
    await world.close();
  });
});

describe('an edge', () => {
  let world: OpenIndex;
  beforeAll(async () => {
    world = await openIndex();
  });
  afterAll(() => world.close());

  it('reads everything and writes nothing', async () => {
    const tenant = world.connect().history;
    const edge = createIndex({ url: world.gateway.url, token: EDGE_TOKEN }).history;
    await tenant.append(newSnapshot(world.nowMs(), 3), 60_000);
    await tenant.publishNow(newNow(1, 3), [newMinerNow(1)]);
    await tenant.publishDetails([newDetail(10_000, 1)], 60_000);
    const span = { fromMs: 0, toMs: world.nowMs() + 1, offset: 0, limit: 10 };
    expect(await edge.minerRows(span)).toHaveLength(3);
    expect(await edge.readNow()).toEqual(newNow(1, 3));
    expect(await edge.minerDetail(newMinerNow(1).hotkey)).toEqual(newDetail(10_000, 1));
    expect(await edge.indexBytes()).toBeUndefined();
    const unavailable = expect.objectContaining({ name: 'IndexUnavailable' });
    await expect(edge.append(newSnapshot(5, 1), 60_000)).rejects.toEqual(unavailable);
    await expect(edge.publishNow(newNow(9, 0), [])).rejects.toEqual(unavailable);
    await expect(edge.publishDetails([newDetail(90_000, 1)], 60_000)).rejects.toEqual(unavailable);
    expect(await edge.readNow()).toEqual(newNow(1, 3));
    expect(await edge.minerRows(span)).toHaveLength(3);
  });
});
