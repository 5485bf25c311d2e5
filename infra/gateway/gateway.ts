/**
 * Upstash's REST API over an engine: `POST /` one command, `/pipeline` several, `/multi-exec` several as one
 * transaction; answers `{result}` or `{error}` per command, `{error}` with 400 (401, 404, 405, 413, 503) for a request
 * that ran nothing. Bodies over 1 MB are refused before they are read whole; requests beyond the bound wait for
 * nobody and are refused. `GET /health` needs no token.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Log } from '#shared/primitives/effects.ts';
import { refusal } from './commands.ts';
import { type Command, type Engine, isError, type Reply } from './engine.ts';
import { forbidden, type Role, roleReader, type Tokens } from './rights.ts';
import { encodeReply, parseCommand, parseCommands } from './wire.ts';

/** Hosted Redis refuses larger requests (docs: 1 to 10 MB by plan); the smallest plan is our limit. */
export const MAX_REQUEST_BYTES = 1024 * 1024;
/** Requests in work at once; each holds at most MAX_REQUEST_BYTES, so this also bounds memory (256 MB at worst). */
export const MAX_CONCURRENT_REQUESTS = 256;
/** A client that sends slower than this loses its connection. */
const REQUEST_TIMEOUT_MS = 10_000;
/** After this a shutdown stops waiting for requests in work. */
const SHUTDOWN_GRACE_MS = 2_000;

export interface GatewaySettings {
  readonly engine: Engine;
  readonly tokens: Tokens;
  readonly log: Log;
  /** 0 takes a free port. */
  readonly port: number;
  /** Loopback unless an operator says otherwise. */
  readonly host?: string;
}

export interface Gateway {
  readonly url: string;
  readonly port: number;
  /** Ends connections and waits for requests in work; the engine stays open. */
  close(): Promise<void>;
}

interface Answer {
  readonly status: number;
  readonly body: unknown;
}
const problem = (status: number, error: string): Answer => ({ status, body: { error } });

export async function openGateway(settings: GatewaySettings): Promise<Gateway> {
  const roleOf = roleReader(settings.tokens);
  let working = 0;

  async function answer(request: IncomingMessage): Promise<Answer> {
    const path = (request.url ?? '/').split('?')[0] ?? '/';
    if (request.method === 'GET' && path === '/health') return { status: 200, body: { role: 'index' } };
    const role = roleOf(request.headers.authorization);
    if (!role) return problem(401, 'Unauthorized');
    if (path !== '/' && path !== '/pipeline' && path !== '/multi-exec') return problem(404, 'ERR no such path');
    if (request.method !== 'POST') return problem(405, 'ERR use POST');
    if (working >= MAX_CONCURRENT_REQUESTS) return problem(503, 'ERR too many requests at once');
    working++;
    try {
      const text = await readBody(request);
      if (text === undefined) return problem(413, `ERR max request size exceeded. Limit: ${MAX_REQUEST_BYTES} bytes`);
      let json: unknown;
      try {
        json = JSON.parse(text);
      } catch {
        return problem(400, 'ERR the body is not JSON');
      }
      return await execute(path, json, role, request.headers['upstash-encoding'] === 'base64');
    } finally {
      working--;
    }
  }

  async function execute(path: string, json: unknown, role: Role, base64: boolean): Promise<Answer> {
    if (path === '/') {
      const command = parseCommand(json);
      if (!command.ok) return problem(400, command.error);
      const [reply = null] = await runChecked([command.value], role, false);
      return isError(reply) ? problem(400, reply.error) : { status: 200, body: encodeReply(reply, base64) };
    }
    const commands = parseCommands(json);
    if (!commands.ok) return problem(400, commands.error);
    const atomic = path === '/multi-exec';
    const refused = commands.value.map((command) => refusal(command) ?? forbidden(role, command)).find(Boolean);
    if (atomic && refused) return problem(400, `EXECABORT Transaction discarded because of: ${refused.error}`);
    const replies = await runChecked(commands.value, role, atomic);
    return { status: 200, body: replies.map((reply) => encodeReply(reply, base64)) };
  }

  /** Runs what may run; a refused command's reply is its refusal. */
  async function runChecked(commands: readonly Command[], role: Role, atomic: boolean): Promise<readonly Reply[]> {
    const refusals = commands.map((command) => refusal(command) ?? forbidden(role, command));
    const allowed = commands.filter((_, i) => refusals[i] === undefined);
    const replies = allowed.length > 0 ? await settings.engine.run(allowed, atomic) : [];
    if (replies.length !== allowed.length) throw new Error('the engine left a reply out');
    const answers = replies.values();
    return refusals.map((refused) => refused ?? answers.next().value ?? null);
  }

  const server = createServer({ requestTimeout: REQUEST_TIMEOUT_MS }, (request, response) => {
    answer(request).then(
      (done) => send(request, response, done),
      (error: unknown) => {
        settings.log.error('gateway request failed', { error: String(error) });
        send(request, response, problem(503, 'ERR the engine is not available'));
      },
    );
  });
  server.keepAliveTimeout = 60_000;
  const address = await listen(server, settings.port, settings.host ?? '127.0.0.1');
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address;
  return { url: `http://${host}:${address.port}`, port: address.port, close: () => shutDown(server) };
}

/** The body as text; undefined when it is larger than allowed, however long it says it is. */
async function readBody(request: IncomingMessage): Promise<string | undefined> {
  if (Number(request.headers['content-length'] ?? 0) > MAX_REQUEST_BYTES) return undefined;
  const parts: Buffer[] = [];
  let bytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    bytes += part.length;
    if (bytes > MAX_REQUEST_BYTES) return undefined;
    parts.push(part);
  }
  return Buffer.concat(parts).toString('utf8');
}

function send(request: IncomingMessage, response: ServerResponse, { status, body }: Answer): void {
  if (response.destroyed) return;
  const bytes = Buffer.from(JSON.stringify(body));
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': bytes.length });
  // What was not read of a refused body must not be taken for the connection's next request.
  if (!request.complete) {
    response.shouldKeepAlive = false;
    response.end(bytes, () => request.destroy());
  } else response.end(bytes);
}

function listen(server: Server, port: number, host: string): Promise<AddressInfo> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => {
      server.off('error', reject);
      resolve(server.address() as AddressInfo);
    });
  });
}

function shutDown(server: Server): Promise<void> {
  return new Promise((resolve) => {
    const force = setTimeout(() => server.closeAllConnections(), SHUTDOWN_GRACE_MS);
    server.close(() => {
      clearTimeout(force);
      resolve();
    });
    server.closeIdleConnections();
  });
}
