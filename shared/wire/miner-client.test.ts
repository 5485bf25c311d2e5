import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { systemClock } from '#shared/primitives/effects.ts';
import type { AnchorId } from '#shared/primitives/ids.ts';
import { collect, frameOf, never, newOrder, startWireWorld, type WireWorld } from '#shared/testing/wire-world.ts';
import type { ShardFrame } from './ports.ts';
import { encodeProblem } from './problem.ts';

let world: WireWorld;
beforeAll(async () => {
  world = await startWireWorld();
});
afterEach(() => {
  world.reset();
  expect(world.unhandled).toEqual([]);
});
afterAll(() => world.close());

describe('with an honest miner', () => {
  it('opens a stream before the first frame, and gets a receipt for each frame', async () => {
    const stream = await world.openStream();
    const frames = [frameOf(), frameOf(32), frameOf(3_000_000), frameOf(4_194_304)];
    const sends = frames.map((frame) => stream.send(frame));
    await Promise.all(sends.map((send) => send.sent));
    const receipts = await Promise.all(sends.map((send) => send.receipt));
    expect(receipts.map((receipt) => receipt.ok && receipt.value.anchorId)).toEqual(
      frames.map((frame) => frame.anchorId),
    );
    await stream.finish();
    for (const frame of frames) {
      const held = world.miner.held.get(frame.anchorId);
      expect(Buffer.compare(held?.shard ?? new Uint8Array(0), frame.shard)).toBe(0);
      expect(held?.head.label).toEqual(frame.label);
    }
    expect(await stream.send(frameOf()).receipt).toMatchObject({ ok: false, failure: { code: 'cancelled' } });
  });

  it('keeps a stream that pauses longer than a miner may be silent', async () => {
    const idleMs = 500;
    const client = world.clientOf(world.edge, world.grantOf(true), { timeouts: { idleMs, totalMs: 5000 } });
    const stream = await world.openStream(never, client);
    expect((await stream.send(frameOf()).receipt).ok).toBe(true);
    await systemClock.sleep(1.2 * idleMs);
    expect((await stream.send(frameOf()).receipt).ok).toBe(true);
    await stream.finish();
  });

  it('puts, finds, reads and lists single shards', async () => {
    const id = newOrder();
    const frame = frameOf(70_000);
    expect(await world.client.putShard(world.miner, id, frame, never)).toMatchObject({
      ok: true,
      value: { anchorId: frame.anchorId },
    });
    expect(await world.client.headShard(world.miner, frame.anchorId, never)).toEqual({
      ok: true,
      value: { bytes: 70_000 },
    });
    expect((await world.client.readReceipt(world.miner, id, frame.anchorId, 70_000, never)).ok).toBe(true);
    expect(await world.client.readReceipt(world.miner, newOrder(), frame.anchorId, 70_000, never)).toMatchObject({
      failure: { code: 'absent' },
    });
    expect(await world.client.headShard(world.miner, frameOf().anchorId, never)).toMatchObject({
      failure: { code: 'absent' },
    });
  });

  it('reads several shards in the order asked, the missing one as absent', async () => {
    const id = newOrder();
    const frames = [frameOf(500), frameOf(200_000), frameOf(32)];
    for (const frame of frames) await world.client.putShard(world.miner, id, frame, never);
    world.miner.held.delete((frames[1] as ShardFrame).anchorId);
    const wanted = frames.map((frame) => ({ anchorId: frame.anchorId, bytes: frame.shard.length }));
    const results = await collect(world.client.readShards(world.miner, wanted, never));
    expect(results.map((result) => (result.ok ? result.value.length : result.failure.code))).toEqual([
      500,
      'absent',
      32,
    ]);
    expect(results[0]).toEqual({ ok: true, value: frames[0]?.shard });
    expect(await collect(world.client.readShards(world.miner, [], never))).toEqual([]);
  });

  it('proves health and address', async () => {
    expect(await world.client.health(world.miner, never)).toMatchObject({
      ok: true,
      value: { hotkey: world.miner.hotkey, freeBytes: 10 },
    });
    const at = { ip: '127.0.0.1', port: world.miner.port };
    expect(await world.client.hello(world.miner, at, never)).toEqual({ ok: true, value: undefined });
    expect(await world.client.hello(world.miner, { ...at, ip: '127.0.0.2' }, never)).toMatchObject({
      failure: { code: 'broken' },
    });
    expect(await world.client.hello(world.miner, { ...at, port: 1 }, never)).toMatchObject({
      failure: { code: 'broken' },
    });
    const impostor = { url: world.miner.url, hotkey: world.edge.hotkey };
    expect(await world.client.hello(impostor, at, never)).toMatchObject({
      failure: { code: 'refused', problem: 'wrong-receiver' },
    });
  });

  it('lists and drops for the tenant', async () => {
    const frames = [frameOf(), frameOf(), frameOf()];
    for (const frame of frames) await world.tenantClient.putShard(world.miner, newOrder(), frame, never);
    const first = await world.tenantClient.listShards(world.miner, undefined, 2, never);
    if (!first.ok) throw new Error(first.failure.message);
    expect(first.value.items).toMatchObject(
      frames.slice(0, 2).map(({ anchorId, ref, label }) => ({ anchorId, ref, label, bytes: 1000, state: 'held' })),
    );
    const second = await world.tenantClient.listShards(world.miner, first.value.next, 2, never);
    expect(second.ok && second.value.items.length).toBe(1);
    expect(second.ok && second.value.next).toBeUndefined();
    const anchors = [...frames.map((frame) => frame.anchorId), frameOf().anchorId];
    const dropped = await world.tenantClient.drop(world.miner, anchors, 'drop', 1, never);
    expect(dropped.ok && dropped.value.map((item) => item.state)).toEqual(['held', 'held', 'held', 'absent']);
  });

  it('is refused without the right, and told why', async () => {
    const blind = world.clientOf(world.edge, world.grantOf(false));
    expect(await blind.headShard(world.miner, frameOf().anchorId, never)).toMatchObject({
      failure: { code: 'refused', fault: 'us' },
    });
    const nobody = world.clientOf(world.edge);
    const refused = await nobody.putShard(world.miner, newOrder(), frameOf(), never);
    expect(refused).toMatchObject({ failure: { code: 'refused', problem: 'grant-missing' } });
    expect(await nobody.openStream(world.miner, newOrder(), 100, never)).toMatchObject({
      failure: { problem: 'grant-missing' },
    });
  });

  it('uses connections again', async () => {
    for (let i = 0; i < 5; i++) await world.client.health(world.miner, never);
    expect(world.miner.sockets.size).toBeLessThanOrEqual(3);
  });
});

describe('signals', () => {
  it('end every request at once', async () => {
    world.miner.takeOver((request) => {
      request.resume();
      return true;
    });
    const controller = new AbortController();
    const { signal } = controller;
    const frame = frameOf();
    const pending = [
      world.client.health(world.miner, signal),
      world.client.putShard(world.miner, newOrder(), frame, signal),
      world.client.openStream(world.miner, newOrder(), 5, signal),
      collect(world.client.readShards(world.miner, [{ anchorId: frame.anchorId, bytes: 5 }], signal)).then(
        ([first]) => first,
      ),
    ];
    controller.abort();
    for (const outcome of await Promise.all(pending)) expect(outcome).toMatchObject({ failure: { code: 'cancelled' } });
    expect(await world.client.health(world.miner, signal)).toMatchObject({ failure: { code: 'cancelled' } });
  });
  it('that were never used keep no listeners', async () => {
    const { signal } = new AbortController();
    const added = vi.spyOn(signal, 'addEventListener');
    const removed = vi.spyOn(signal, 'removeEventListener');
    await world.client.health(world.miner, signal);
    await world.client.putShard(world.miner, newOrder(), frameOf(), signal);
    const opened = await world.client.openStream(world.miner, newOrder(), 5000, signal);
    if (opened.ok) await opened.value.send(frameOf()).receipt;
    if (opened.ok) await opened.value.finish();
    expect(added).toHaveBeenCalledTimes(3);
    for (const [type, listener] of added.mock.calls) expect(removed).toHaveBeenCalledWith(type, listener);
  });
});

describe('nobody at home', () => {
  it('is unreachable', async () => {
    const gone = { hotkey: world.miner.hotkey, url: 'http://127.0.0.1:1' };
    expect(await world.client.health(gone, never)).toMatchObject({
      failure: { code: 'unreachable', message: 'no connection: ECONNREFUSED' },
    });
    expect(await world.client.openStream(gone, newOrder(), 5, never)).toMatchObject({
      failure: { code: 'unreachable' },
    });
  });
});

describe('requests that wait for headers', () => {
  it('are no more than there are slots, and sign when they leave', async () => {
    let waiting = 0;
    let most = 0;
    world.miner.takeOver((request, response) => {
      most = Math.max(most, ++waiting);
      request.resume();
      setTimeout(() => {
        waiting--;
        response.writeHead(410).end(encodeProblem('dropped'));
      }, 15);
      return true;
    });
    const slow = world.clientOf(world.edge, undefined, { headerSlots: 3 });
    const outcomes = await Promise.all(Array.from({ length: 10 }, () => slow.health(world.miner, never)));
    expect(outcomes.every((outcome) => !outcome.ok && outcome.failure.code === 'dropped')).toBe(true);
    expect(most).toBe(3);
    const controller = new AbortController();
    const queued = Array.from({ length: 5 }, () => slow.health(world.miner, controller.signal));
    controller.abort();
    for (const outcome of await Promise.all(queued)) expect(outcome).toMatchObject({ failure: { code: 'cancelled' } });
    expect((await slow.health(world.miner, never)).ok).toBe(false);
  });

  it('say of a read that it waits and that its turn has come, and nothing of one that leaves at once', async () => {
    world.miner.takeOver((request, response) => {
      request.resume();
      setTimeout(() => response.writeHead(410).end(encodeProblem('dropped')), 15);
      return true;
    });
    const slow = world.clientOf(world.edge, undefined, { headerSlots: 1 });
    const told: string[] = [];
    const read = async (name: string) => {
      const turn = { waits: () => told.push(`${name} waits`), comes: () => told.push(`${name} comes`) };
      const shards = [{ anchorId: '00'.repeat(32) as AnchorId, bytes: 1 }];
      for await (const shard of slow.readShards(world.miner, shards, never, turn)) expect(shard.ok).toBe(false);
      told.push(`${name} ends`);
    };
    await Promise.all([read('first'), read('second')]);
    expect(told.filter((line) => line !== 'first ends')).toEqual(['second waits', 'second comes', 'second ends']);
  });
});
