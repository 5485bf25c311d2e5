/** The socket against a real WebSocket server that behaves as it is told. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type WebSocket as ServerSocket, WebSocketServer } from 'ws';
import { systemClock } from '#shared/primitives/effects.ts';
import { RpcError, RpcUnreachable } from './rpc-error.ts';
import { Allowance, PUBLIC_PACE, type RpcPace, UNLIMITED_PACE } from './rpc-pace.ts';
import { RpcSocket } from './rpc-socket.ts';

type Ask = { id: number; method: string; params: unknown[] };
type Behave = (ask: Ask, client: ServerSocket) => void;

let server: WebSocketServer;
let behave: Behave;
let asked: string[];
const sockets: RpcSocket[] = [];

beforeEach(async () => {
  asked = [];
  server = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  server.on('connection', (client) =>
    client.on('message', (data) => {
      const ask = JSON.parse(String(data)) as Ask;
      asked.push(ask.method);
      behave(ask, client);
    }),
  );
  await once(server, 'listening');
});
afterEach(async () => {
  for (const socket of sockets.splice(0)) socket.close();
  for (const client of server.clients) client.terminate();
  await new Promise((resolve) => server.close(resolve));
});

function open(options: { pace?: RpcPace; timeoutMs?: number; port?: number } = {}): RpcSocket {
  const port = options.port ?? (server.address() as AddressInfo).port;
  const { pace = UNLIMITED_PACE, timeoutMs = 5_000 } = options;
  const socket = new RpcSocket({ endpoint: `ws://127.0.0.1:${port}`, clock: systemClock, pace, timeoutMs });
  sockets.push(socket);
  return socket;
}

const answer = (client: ServerSocket, id: number, result: unknown) =>
  client.send(JSON.stringify({ jsonrpc: '2.0', id, result }));
const refuse = (client: ServerSocket, id: number, code: number, message: string) =>
  client.send(JSON.stringify({ jsonrpc: '2.0', id, error: { code, message } }));

describe('the RPC socket', () => {
  it('answers, and tells a refusal apart from an absence', async () => {
    behave = ({ id, method }, client) =>
      method === 'no' ? refuse(client, id, -32601, 'Method not found') : answer(client, id, method);
    const socket = open();
    expect(await socket.send('a', [])).toBe('a');
    await expect(socket.send('no', [])).rejects.toBeInstanceOf(RpcError);
    const away = open({ port: 1, timeoutMs: 300 });
    await expect(away.send('a', [])).rejects.toBeInstanceOf(RpcUnreachable);
  });

  it('sends reads again after a lost connection, and transactions never', async () => {
    let first = true;
    behave = ({ id, method }, client) => {
      if (!first) return answer(client, id, method);
      if (method.startsWith('author_')) {
        first = false;
        client.terminate();
      }
    };
    const socket = open();
    const read = socket.send('state_read', []);
    const sent = socket.send('author_submitExtrinsic', ['0x00']);
    await expect(sent).rejects.toBeInstanceOf(RpcUnreachable);
    expect(await read).toBe('state_read');
    expect(asked.filter((method) => method === 'author_submitExtrinsic')).toHaveLength(1);
  });

  it('renews subscriptions under new names, and tells those that do not want it', async () => {
    let connections = 0;
    server.on('connection', () => connections++);
    behave = ({ id, method }, client) => {
      const name = `${method}-${connections}`;
      answer(client, id, name);
      const params = { subscription: name, result: connections };
      client.send(JSON.stringify({ jsonrpc: '2.0', method: 'update', params }));
    };
    const socket = open();
    const updates: unknown[] = [];
    let lost = 0;
    await socket.subscribe('heads', [], (update) => updates.push(update));
    await socket.subscribe(
      'author_watch',
      [],
      () => undefined,
      () => lost++,
    );
    socket.reconnect();
    const deadline = Date.now() + 3_000;
    while (updates.length < 2 && Date.now() < deadline) await systemClock.sleep(10);
    expect(updates).toEqual([1, 2]);
    expect(lost).toBe(1);
    expect(asked.filter((method) => method === 'author_watch')).toHaveLength(1);
  });

  it('takes a silent node for dead and a talking one for slow', async () => {
    behave = ({ id, method }, client) => {
      if (method === 'fast') answer(client, id, 1);
    };
    const socket = open({ timeoutMs: 400 });
    const states: boolean[] = [];
    socket.onState((connected) => states.push(connected));
    expect(await socket.send('fast', [])).toBe(1);
    await expect(socket.send('never', [])).rejects.toThrow('did not answer never within 0.4 s');
    const deadline = Date.now() + 3_000;
    while (!states.includes(false) && Date.now() < deadline) await systemClock.sleep(10);
    expect(states).toContain(false);
    expect(await socket.send('fast', [])).toBe(1);
  });

  it('drops a node that talks nonsense and lives on', async () => {
    let nonsense = ['nonsense', '[]', '{"id":1,"error":"no"}', 'null'];
    behave = ({ id }, client) => {
      const [next, ...rest] = nonsense;
      nonsense = rest;
      if (next === undefined) answer(client, id, 'at last');
      else client.send(next);
    };
    expect(await open().send('a', [])).toBe('at last');
  });

  it('rests and asks again when the node finds it too eager', async () => {
    let complaints = 1;
    behave = ({ id }, client) =>
      complaints-- > 0 ? refuse(client, id, -32029, 'Too many requests') : answer(client, id, 'ok');
    expect(await open().send('a', [])).toBe('ok');
    expect(asked).toEqual(['a', 'a']);
  });

  it('keeps to its pace', async () => {
    behave = ({ id }, client) => answer(client, id, 0);
    const socket = open({ pace: { burst: 2, perSecond: 20 } });
    const startMs = performance.now();
    await Promise.all(Array.from({ length: 6 }, () => socket.send('a', [])));
    expect(performance.now() - startMs).toBeGreaterThan(150);
    const allowance = new Allowance(PUBLIC_PACE, 0);
    const atOnce = Array.from({ length: 30 }, () => allowance.take(0)).filter((waitMs) => waitMs === 0);
    expect(atOnce).toHaveLength(PUBLIC_PACE.burst);
    expect(allowance.take(1_000)).toBe(0);
    expect(allowance.take(1_000)).toBe(1_000);
  });

  it('ends everything at close', async () => {
    behave = () => undefined;
    const socket = open();
    const pending = socket.send('a', []);
    socket.close();
    await expect(pending).rejects.toThrow('closed');
    await expect(socket.send('b', [])).rejects.toThrow('closed');
  });
});
