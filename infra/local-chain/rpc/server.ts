/**
 * The JSON-RPC server: WebSocket and HTTP POST on one port. Bounds on everything that arrives; a client that stops
 * reading is cut off instead of filling the memory.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type WebSocket, WebSocketServer } from 'ws';
import type { Log, Random } from '#shared/primitives/effects.ts';
import { answer, failure, type Json, METHOD_NOT_FOUND, OVERSIZED_REQUEST, RpcRefusal } from './json-rpc.ts';
import { METHODS, type RpcNode } from './methods.ts';
import { SUBSCRIBE_METHODS } from './subscribe-methods.ts';
import { Subscriptions } from './subscriptions.ts';

/** polkadot-sdk allows 15 MB; nothing that this chain takes is near 1 MiB. */
const MAX_REQUEST_BYTES = 1_048_576;
const MAX_CONNECTIONS = 256;
/** Unsent bytes after which a client counts as gone. */
const MAX_BACKLOG_BYTES = 33_554_432;
const REQUEST_TIMEOUT_MS = 10_000;

export interface RpcServer {
  readonly port: number;
  close(): Promise<void>;
}
export interface RpcServerOptions {
  readonly node: RpcNode;
  readonly host: string;
  readonly port: number;
  readonly log: Log;
  readonly random: Random;
}

const METHOD_LIST: Json = {
  methods: [...Object.keys(METHODS), ...Object.keys(SUBSCRIBE_METHODS), 'rpc_methods'].sort(),
};

/** Without subscriptions (HTTP) those methods do not exist. */
function dispatchTo(node: RpcNode, subscriptions: Subscriptions | undefined) {
  return (name: string, params: readonly Json[]): Json => {
    if (name === 'rpc_methods') return METHOD_LIST;
    if (Object.hasOwn(METHODS, name)) return METHODS[name]?.(node, params) ?? null;
    if (subscriptions && Object.hasOwn(SUBSCRIBE_METHODS, name)) {
      return SUBSCRIBE_METHODS[name]?.(node, params, subscriptions) ?? null;
    }
    throw new RpcRefusal(METHOD_NOT_FOUND);
  };
}

export async function openRpcServer({ node, host, port, log, random }: RpcServerOptions): Promise<RpcServer> {
  const http = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    serveHttp(node, log, request, response);
  });
  http.maxConnections = MAX_CONNECTIONS;
  const sockets = new WebSocketServer({ server: http, maxPayload: MAX_REQUEST_BYTES, perMessageDeflate: false });
  sockets.on('connection', (socket) => serveSocket(node, log, random, socket));
  await new Promise<void>((resolve, reject) => {
    // Also emitted again by the WebSocket server, which must not leave it unheard.
    sockets.once('error', reject);
    http.listen(port, host, resolve);
  });
  sockets.removeAllListeners('error');
  sockets.on('error', (error) => log.error('server', { error: error.message }));
  const bound = http.address() as AddressInfo;
  return {
    port: bound.port,
    close: async () => {
      for (const socket of sockets.clients) socket.terminate();
      sockets.close();
      http.closeAllConnections();
      await new Promise<void>((resolve) => http.close(() => resolve()));
    },
  };
}

function serveSocket(node: RpcNode, log: Log, random: Random, socket: WebSocket): void {
  const send = (text: string) => {
    if (socket.readyState !== socket.OPEN) return;
    if (socket.bufferedAmount > MAX_BACKLOG_BYTES) socket.terminate();
    else socket.send(text);
  };
  const subscriptions = new Subscriptions(send, random);
  const dispatch = dispatchTo(node, subscriptions);
  socket.on('message', (data) => {
    const answered = answer(data.toString(), dispatch, log);
    if (answered !== undefined) send(answered);
  });
  // Broken frames and oversized messages: `ws` closes the connection with the right code itself.
  socket.on('error', (error) => log.debug('client', { error: error.message }));
  socket.on('close', () => subscriptions.closeAll());
}

function serveHttp(node: RpcNode, log: Log, request: IncomingMessage, response: ServerResponse): void {
  const reply = (status: number, text: string | undefined) => {
    response.writeHead(text === undefined ? 204 : status, { 'content-type': 'application/json' }).end(text);
  };
  if (request.method !== 'POST') {
    response.writeHead(405, { allow: 'POST' }).end();
    return;
  }
  const parts: Buffer[] = [];
  let bytes = 0;
  request.on('data', (part: Buffer) => {
    bytes += part.length;
    if (bytes <= MAX_REQUEST_BYTES) parts.push(part);
    else if (!response.headersSent) {
      response.setHeader('connection', 'close');
      reply(413, failure(null, OVERSIZED_REQUEST));
      request.unpipe();
      request.pause();
    }
  });
  request.on('end', () => {
    if (!response.headersSent) reply(200, answer(Buffer.concat(parts).toString(), dispatchTo(node, undefined), log));
  });
  request.on('error', (error) => log.debug('client', { error: error.message }));
}
