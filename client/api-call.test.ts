import { describe, expect, it } from 'vitest';
import { problemResponse } from '#shared/wire/problem.ts';
import { type Connection, call } from './api-call.ts';

type Step = Response | Error;

/** A connection that answers these in order, and what it was asked and how long it waited. */
function scripted(...steps: readonly Step[]) {
  const waits: number[] = [];
  let calls = 0;
  const connection: Connection = {
    url: 'https://edge.test',
    apiKey: 'ftk_x',
    fetch: async () => {
      const step = steps[Math.min(calls++, steps.length - 1)];
      if (step instanceof Response) return step.clone() as Response;
      throw step;
    },
    clock: {
      nowMs: () => 0,
      sleep: async (ms, signal) => {
        signal?.throwIfAborted();
        waits.push(ms);
      },
    },
    random: () => Uint8Array.of(0),
  };
  return { connection, waits, calls: () => calls };
}
const gone = new TypeError('fetch failed', { cause: new Error('ECONNREFUSED') });
const busy = (after?: string) =>
  problemResponse('overloaded', 'later', undefined, after === undefined ? {} : { 'Retry-After': after });

describe('a call', () => {
  it('that is safe is tried three times, with waits that double', async () => {
    const world = scripted(gone, busy(), new Response('here'));
    expect(await (await call(world.connection, { method: 'GET', path: 'x' })).text()).toBe('here');
    expect(world.waits).toEqual([250, 500]);
  });
  it('waits as long as it is asked to', async () => {
    const world = scripted(busy('7'), new Response());
    await call(world.connection, { method: 'GET', path: 'x' });
    expect(world.waits).toEqual([7000]);
  });
  it('tells the caller rather than to wait for minutes', async () => {
    const world = scripted(busy('600'));
    await expect(call(world.connection, { method: 'GET', path: 'x' })).rejects.toMatchObject({ code: 'overloaded' });
    expect(world.calls()).toBe(1);
  });
  it('gives up after the third time with the last reason', async () => {
    const world = scripted(gone);
    const failed = call(world.connection, { method: 'GET', path: 'x' });
    await expect(failed).rejects.toMatchObject({
      code: 'unreachable',
      message: expect.stringContaining('ECONNREFUSED'),
    });
    expect(world.calls()).toBe(3);
  });
  it.each(['POST', 'PUT', 'DELETE', 'PATCH'] as const)(
    'by %s is not repeated unless it is said to be safe',
    async (method) => {
      const world = scripted(busy());
      await expect(call(world.connection, { method, path: 'x' })).rejects.toMatchObject({
        code: 'overloaded',
        status: 503,
      });
      expect(world.calls()).toBe(1);
      await expect(call(world.connection, { method, path: 'x', repeatable: true })).rejects.toThrow();
      expect(world.calls()).toBe(4);
    },
  );
  it.each([
    [problemResponse('not-found', 'no'), 'not-found'],
    [problemResponse('over-quota', 'no'), 'over-quota'],
    [new Response('<html>', { status: 500 }), 'bad-answer'],
    [new Response('{"code":"from-the-future"}', { status: 418 }), 'unknown-problem'],
    [new Response(null, { status: 302, headers: { Location: 'https://evil.example' } }), 'bad-answer'],
  ])('that is refused is refused once (%#)', async (response, code) => {
    const world = scripted(response);
    await expect(call(world.connection, { method: 'GET', path: 'x' })).rejects.toMatchObject({
      code,
      status: response.status,
    });
    expect(world.calls()).toBe(1);
  });
  it('ends with the reason of its signal', async () => {
    const world = scripted(gone);
    const stop = new AbortController();
    stop.abort(new Error('enough'));
    await expect(call(world.connection, { method: 'GET', path: 'x', signal: stop.signal })).rejects.toThrow('enough');
    expect(world.calls()).toBe(0);
  });
});
