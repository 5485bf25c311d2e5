/**
 * The miner's HTTP server on node:http: limits on headers, connections and silence; admission, then the route's
 * handler; failures as problems. Streams need exact control of early headers, which is why no framework stands between.
 * Started by `main.ts` and by tests.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Log } from '#shared/primitives/effects.ts';
import { fail, invariant, type Result, succeed } from '#shared/primitives/failure.ts';
import { IDLE_MS, MAX_HEADER_BYTES, MAX_HEADER_COUNT } from '#shared/wire/limits.ts';
import type { ProblemCode } from '#shared/wire/problem.ts';
import { ReplayGuard } from '#shared/wire/replay-guard.ts';
import { type Admission, type AdmissionFailure, type Admitted, admit } from '../admission/admit.ts';
import { CallerLoad, type SecondBudget } from '../admission/caller-load.ts';
import { rememberVerified } from '../admission/remember-verified.ts';
import type { RouteId } from '../admission/routes.ts';
import { sendProblem } from './answer.ts';
import { BodyFailed, BodyReader } from './body.ts';
import { type Exchange, HANDLERS, type MinerPorts } from './handlers.ts';

/** Each costs a file descriptor and, at worst, one held body of 64 KiB. */
const MAX_CONNECTIONS = 1024;
/** An idle connection is kept for the caller's next request this long. */
const KEEP_ALIVE_MS = 30_000;
/** How long a refused caller may go on sending before its connection is cut: it should see the problem first. */
const LINGER_MS = 2_000;
/** What a connection reads ahead of us, beside the 64 KiB that one read may bring: fifty uploads keep it fifty times. */
const READ_AHEAD_BYTES = 16 * 1024;
/** Grants of this many edges are not checked anew with every request. */
const REMEMBERED_GRANTS = 256;

export interface MinerServerPorts extends Omit<MinerPorts, 'draining' | 'challenging' | 'leaving'> {
  /** Never, when absent. */
  readonly leaving?: () => boolean;
  readonly isTenant: Admission['isTenant'];
  readonly strangers: SecondBudget;
  /** Told of every request that begins, by the promise of its end. */
  readonly whileBusy?: (request: Promise<void>) => void;
  /** Told how every request ended: its route (undefined: none was found, or it was not let in) and its problem, if any. */
  readonly watch?: RequestWatcher;
}

export type RequestWatcher = (route: RouteId | undefined, problem: ProblemCode | undefined, ms: number) => void;

export interface MinerServer {
  readonly port: number;
  /** Takes nothing new, lets what is under way end for `graceMs`, then cuts. The store is closed by the caller. */
  close(graceMs: number): Promise<void>;
}

export async function startMinerServer(
  ports: MinerServerPorts,
  listen: { readonly host: string; readonly port: number },
): Promise<MinerServer> {
  const { clock, signer, log, leaving = () => false, watch } = ports;
  const draining = new AbortController();
  const admission: Admission = {
    hotkey: signer.hotkey,
    startedAtMs: clock.nowMs(),
    network: ports.network,
    verify: ports.verify,
    verifyGrant: rememberVerified(ports.verify, REMEMBERED_GRANTS),
    isTenant: ports.isTenant,
    nowMs: () => clock.nowMs(),
    replays: new ReplayGuard(),
    load: new CallerLoad(),
    strangers: ports.strangers,
    draining: () => draining.signal.aborted,
    leaving,
  };
  const routePorts: MinerPorts = { ...ports, draining: draining.signal, leaving, challenging: new Set() };
  const underWay = new Set<Promise<void>>();
  const take = (request: IncomingMessage, response: ServerResponse) => {
    const task = answer(admission, { ...routePorts, watch }, log, request, response).finally(() =>
      underWay.delete(task),
    );
    underWay.add(task);
    ports.whileBusy?.(task);
  };
  const server = createServer(
    {
      maxHeaderSize: MAX_HEADER_BYTES,
      headersTimeout: IDLE_MS,
      // Bodies have limits on silence instead: a stream may last for hours.
      requestTimeout: 0,
      keepAliveTimeout: KEEP_ALIVE_MS,
      connectionsCheckingInterval: 1000,
      noDelay: true,
      highWaterMark: READ_AHEAD_BYTES,
    },
    take,
  );
  server.maxConnections = MAX_CONNECTIONS;
  server.maxHeadersCount = MAX_HEADER_COUNT;
  server.on('checkContinue', take);
  server.on('clientError', refuseMalformed);
  // A reader that stops reading, a connection that says nothing.
  server.setTimeout(IDLE_MS);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(listen.port, listen.host, resolve);
  });
  const { port } = server.address() as AddressInfo;
  return { port, close: (graceMs) => closeServer(server, draining, underWay, graceMs) };
}

async function closeServer(
  server: Server,
  draining: AbortController,
  underWay: ReadonlySet<Promise<void>>,
  graceMs: number,
): Promise<void> {
  draining.abort();
  const closed = new Promise<void>((resolve) => server.close(() => resolve()));
  server.closeIdleConnections();
  const cut = setTimeout(() => server.closeAllConnections(), graceMs);
  await Promise.all(underWay);
  // Whoever is still connected has its answer, or was cut.
  server.closeAllConnections();
  clearTimeout(cut);
  await closed;
}

async function answer(
  admission: Admission,
  { watch, ...ports }: MinerPorts & { readonly watch: RequestWatcher | undefined },
  log: Log,
  request: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const arrivedAtMs = admission.nowMs();
  let bodyReader: BodyReader | undefined;
  const reader = () => {
    if (!bodyReader && request.headers.expect) response.writeContinue();
    bodyReader ??= new BodyReader(request);
    return bodyReader;
  };
  // A client that leaves shows in the body's reader or in the answer's writer; nothing else is to be done about it.
  request.on('error', () => {});
  response.on('error', () => {});
  try {
    const admitted = await admit(admission, received(request), arrivedAtMs, (bytes) => heldBody(reader(), bytes));
    const failure = admitted.ok ? await handle(ports, admitted.value, request, response, reader) : admitted.failure;
    watch?.(admitted.ok ? admitted.value.route : undefined, failure?.code, admission.nowMs() - arrivedAtMs);
    if (failure) refuse(request, response, failure);
    else if (!request.complete) readPast(request);
  } catch (error) {
    if (response.headersSent || response.destroyed) {
      if (!(error instanceof BodyFailed) && !response.destroyed) log.error('answer-cut', { error: String(error) });
      response.destroy();
    } else if (error instanceof BodyFailed) {
      refuse(request, response, { code: error.code, fault: 'caller', message: error.message });
    } else {
      log.error('request-failed', { method: request.method, url: request.url, error: describe(error) });
      refuse(request, response, { code: 'internal', fault: 'us', message: '' });
    }
  }
}

async function handle(
  ports: MinerPorts,
  admitted: Admitted,
  request: IncomingMessage,
  response: ServerResponse,
  reader: () => BodyReader,
): Promise<AdmissionFailure | undefined> {
  try {
    // The table of routes parsed the query for this very handler.
    const handler = HANDLERS[admitted.route] as (
      ports: MinerPorts,
      exchange: Exchange,
    ) => Promise<AdmissionFailure | undefined> | AdmissionFailure | undefined;
    const query = admitted.query as Exchange<RouteId>['query'];
    // A stream may pause longer than a connection; its reader watches it.
    if (admitted.body.kind === 'stream') request.socket.setTimeout(0);
    return await handler(ports, { admitted, query, request, response, reader });
  } finally {
    if (admitted.body.kind === 'stream') request.socket.setTimeout(IDLE_MS);
    admitted.leave();
  }
}

async function heldBody(reader: BodyReader, bytes: number): Promise<Result<Uint8Array, AdmissionFailure>> {
  try {
    return succeed(await reader.exactly(bytes, IDLE_MS));
  } catch (error) {
    invariant(error instanceof BodyFailed, 'a reader fails in one way only');
    return fail({ code: error.code, fault: 'caller', message: error.message });
  }
}

/** What admission sees: the method and target as sent, headers by name, repeated ones joined and thereby refused. */
function received(request: IncomingMessage) {
  return {
    method: request.method ?? '',
    target: request.url ?? '',
    header: (name: string): string | undefined => {
      const values = request.headersDistinct[name];
      return values && (values.length === 1 ? values[0] : values.join(', '));
    },
  };
}

function refuse(request: IncomingMessage, response: ServerResponse, failure: AdmissionFailure): void {
  if (response.destroyed) return;
  const headers: Record<string, string> = failure.allow ? { allow: failure.allow.join(', ') } : {};
  const detail = failure.message || undefined;
  if (request.complete) {
    sendProblem(response, failure.code, detail, headers);
    return;
  }
  sendProblem(response, failure.code, detail, { ...headers, connection: 'close' });
  readPast(request);
}

/** The rest of a body that nobody wants is read past for a moment: its sender should see the answer, not a reset. */
function readPast(request: IncomingMessage): void {
  request.removeAllListeners('data');
  request.resume();
  const cut = setTimeout(() => request.destroy(), LINGER_MS);
  request.once('close', () => clearTimeout(cut));
}

/** What is not HTTP, or has too many headers, gets one line of HTTP and is cut. */
function refuseMalformed(error: NodeJS.ErrnoException, socket: Socket): void {
  if (!socket.writable || error.code === 'ECONNRESET') {
    socket.destroy();
    return;
  }
  const status = error.code === 'HPE_HEADER_OVERFLOW' ? '431 Request Header Fields Too Large' : '400 Bad Request';
  socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
}

const describe = (error: unknown): string => (error instanceof Error ? (error.stack ?? error.message) : String(error));
