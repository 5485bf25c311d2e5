import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { frameOf, never, newOrder, startWireWorld, type WireWorld } from '#shared/testing/wire-world.ts';
import { encodeProblem } from './problem.ts';
import { encodeReply, STREAM_REF } from './replies.ts';

let world: WireWorld;
beforeAll(async () => {
  world = await startWireWorld();
});
afterEach(() => {
  world.reset();
  expect(world.unhandled).toEqual([]);
});
afterAll(() => world.close());

describe('a stream', () => {
  it('fails all that is open when the miner takes everything and says nothing', async () => {
    world.accept((request) => void request.resume());
    const stream = await world.openStream(never, world.hasty);
    const sends = [stream.send(frameOf()), stream.send(frameOf(2_000_000))];
    await Promise.all(sends.map((send) => send.sent));
    for (const send of sends) expect(await send.receipt).toMatchObject({ failure: { code: 'unreachable' } });
    await stream.finish();
    expect(await stream.send(frameOf()).receipt).toMatchObject({ failure: { code: 'unreachable' } });
  });
  it('fails when the miner takes nothing, and lets go of the buffers', async () => {
    world.accept((request) => void request.pause());
    const stream = await world.openStream(never, world.hasty);
    const sends = Array.from({ length: 8 }, () => stream.send(frameOf(4_000_000)));
    await Promise.all(sends.map((send) => send.sent));
    for (const send of sends) expect(await send.receipt).toMatchObject({ failure: { code: 'unreachable' } });
  });
  it('fails when the connection breaks', async () => {
    world.accept((request, response) => void request.once('data', () => response.destroy()));
    const stream = await world.openStream();
    expect(await stream.send(frameOf(3_000_000)).receipt).toMatchObject({ failure: { code: 'unreachable' } });
    await stream.finish();
  });
  it('fails when the miner ends it early, in good order', async () => {
    world.accept((request, response) => void request.once('data', () => response.end()));
    const stream = await world.openStream();
    expect(await stream.send(frameOf(3_000_000)).receipt).toMatchObject({ failure: { code: 'unreachable' } });
  });
  it('fails what a miner leaves unanswered at the end', async () => {
    world.accept((request, response) => void request.resume().on('end', () => response.end()));
    const stream = await world.openStream();
    const send = stream.send(frameOf());
    await stream.finish();
    expect(await send.receipt).toMatchObject({ failure: { code: 'broken' } });
  });
  it('fails the one frame that a problem names, and goes on', async () => {
    const bad = frameOf();
    const good = frameOf();
    world.accept((request, response) => {
      request.once('data', () => {
        response.write(encodeReply({ kind: 'problem', ref: bad.ref, body: encodeProblem('full') }));
        response.write(encodeReply({ kind: 'problem', ref: good.ref, body: encodeProblem('wrong-anchor') }));
      });
      request.on('end', () => response.end());
    });
    const stream = await world.openStream();
    const sends = [stream.send(bad), stream.send(good)];
    expect(await sends[0]?.receipt).toMatchObject({ failure: { code: 'full', problem: 'full', fault: 'us' } });
    expect(await sends[1]?.receipt).toMatchObject({ failure: { code: 'refused', problem: 'wrong-anchor' } });
    await stream.finish();
  });
  it.each([
    {
      id: 'a problem of the stream',
      reply: { kind: 'problem', ref: STREAM_REF, body: encodeProblem('idle') },
      code: 'refused',
    },
    {
      id: 'a problem for a ref that was never sent',
      reply: { kind: 'problem', ref: 1n << 50n, body: encodeProblem('full') },
      code: 'broken',
    },
    { id: 'a problem that is none', reply: { kind: 'problem', ref: 1n, body: new Uint8Array(9) }, code: 'broken' },
    { id: 'a receipt for nothing', reply: { kind: 'receipt', ref: 1n, body: new Uint8Array(301) }, code: 'broken' },
  ] as const)('ends with $id', async ({ reply, code }) => {
    world.accept((request, response) => void request.once('data', () => response.write(encodeReply(reply))));
    const stream = await world.openStream();
    const sends = [stream.send(frameOf()), stream.send(frameOf(3_000_000))];
    for (const send of sends) {
      expect(await send.receipt).toMatchObject({ failure: { code } });
      await send.sent;
    }
  });
  it('ends at once when its caller gives up', async () => {
    world.accept((request) => void request.resume());
    const controller = new AbortController();
    const streams = [await world.openStream(), await world.openStream(controller.signal)];
    const sends = streams.map((stream) => stream.send(frameOf(3_000_000)));
    streams[0]?.abort();
    controller.abort();
    for (const send of sends) {
      expect(await send.receipt).toMatchObject({ failure: { code: 'cancelled', fault: 'us' } });
      await send.sent;
    }
  });
  it('is refused as a whole with the reason', async () => {
    world.miner.takeOver((_, response) => {
      response.writeHead(507).end(encodeProblem('full', 'no room'));
      return true;
    });
    expect(await world.client.openStream(world.miner, newOrder(), 5, never)).toMatchObject({
      failure: { code: 'full', message: 'no room' },
    });
  });
});
