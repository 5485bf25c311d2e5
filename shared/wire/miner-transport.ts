/**
 * One signed request to a miner and the head of its answer, checked: signs when the request really leaves, follows no
 * redirect, takes no encoded body, caps the head, and turns every answer but the wanted status into a failure. The
 * methods of `miner-client.ts` and `shard-stream.ts` are built on it.
 */
import { toBase64, toHex } from '#shared/primitives/bytes.ts';
import type { Clock, Random } from '#shared/primitives/effects.ts';
import { fail, type Result, succeed } from '#shared/primitives/failure.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';
import type { Signer, VerifySr25519 } from '#shared/primitives/signer.ts';
import type { Network } from '#shared/proof/statement.ts';
import { contentDigest } from './body-rule.ts';
import { EMPTY_BODY_DIGEST, signRequest } from './btauth.ts';
import { GRANT_HEADER } from './check-grant.ts';
import { Exchange } from './exchange.ts';
import type { Fetch } from './fetch.ts';
import { HeaderSlots } from './header-slots.ts';
import {
  IDLE_MS,
  MAX_HEADER_BYTES,
  MAX_HEADER_COUNT,
  MAX_PROBLEM_BYTES,
  REQUEST_TOTAL_MS,
  SLOWEST_BYTES_PER_MS,
} from './limits.ts';
import { connectionFailure, minerFailure, statusFailure } from './miner-failure.ts';
import type { MinerFailure, MinerPeer, Turn } from './ports.ts';
import { parseProblem } from './problem.ts';
import { readBounded } from './read-body.ts';

export interface Timeouts {
  /** No sign of life while we wait for the miner. */
  readonly idleMs: number;
  /** A request in all, its bytes not counted. */
  readonly totalMs: number;
}

export interface MinerClientOptions {
  readonly fetch: Fetch;
  /** Who asks: an edge with a grant, or the tenant itself. */
  readonly signer: Signer;
  readonly network: Network;
  /** Whose shards are meant. */
  readonly tenant: Hotkey;
  /** The newest grant (statement ‖ signature); undefined for the tenant itself. Asked for each request. */
  readonly grant: () => Uint8Array | undefined;
  readonly clock: Clock;
  readonly random: Random;
  readonly verify: VerifySr25519;
  readonly timeouts?: Timeouts;
  /** Requests that may wait for headers at once; more wait unsigned. Default: no limit. */
  readonly headerSlots?: number;
  /** Told of every receipted drop or restore order, as signed; awaited before `drop` answers. */
  readonly onDropReceipt?: (order: Uint8Array, receipt: Uint8Array) => Promise<void>;
}

export interface MinerRequest {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT';
  readonly target: string;
  readonly wantedStatus: number;
  readonly body?: Uint8Array;
  /** A body of unknown length: the shard stream alone. */
  readonly stream?: ReadableStream<Uint8Array>;
  readonly contentType?: string;
  /** Bytes of the answer's body at most; lengthens the total. */
  readonly answerBytes: number;
  /** For an exchange with time limits of its own. */
  readonly totalMs?: number;
  readonly turn?: Turn | undefined;
}

export interface Answer {
  readonly response: Response;
  readonly exchange: Exchange;
}

export interface MinerTransport {
  /** The answer's head, its body still unread: the caller reads or cancels it and ends the exchange. */
  open(miner: MinerPeer, request: MinerRequest, signal: AbortSignal): Promise<Result<Answer, MinerFailure>>;
  /** The answer's whole body. */
  read(
    miner: MinerPeer,
    request: MinerRequest,
    signal: AbortSignal,
  ): Promise<Result<{ readonly headers: Headers; readonly body: Uint8Array }, MinerFailure>>;
}

export async function sha256(bytes: Uint8Array): Promise<Uint8Array> {
  return new Uint8Array(await crypto.subtle.digest('SHA-256', bytes as Uint8Array<ArrayBuffer>));
}

/** Why an answer's head is not acceptable, before its status is looked at. */
function headFault(response: Response): string | undefined {
  // Browsers show a redirect that is not followed as status 0.
  if (response.status === 0 || (response.status >= 300 && response.status < 400))
    return 'the miner answered with a redirect';
  const encoding = response.headers.get('content-encoding');
  if (encoding !== null && encoding !== 'identity') return 'the miner sent an encoded body';
  let count = 0;
  let bytes = 0;
  for (const [name, value] of response.headers) {
    count++;
    bytes += name.length + value.length + 4;
  }
  return count > MAX_HEADER_COUNT || bytes > MAX_HEADER_BYTES ? 'the miner sent too many headers' : undefined;
}

export function createMinerTransport(options: MinerClientOptions): MinerTransport {
  const { signer, clock, random } = options;
  const timeouts = options.timeouts ?? { idleMs: IDLE_MS, totalMs: REQUEST_TOTAL_MS };
  const slots = new HeaderSlots(options.headerSlots ?? Number.POSITIVE_INFINITY);

  async function send(miner: MinerPeer, request: MinerRequest, exchange: Exchange): Promise<Response> {
    const digest = request.body ? await sha256(request.body) : undefined;
    const headers: Record<string, string> = { 'accept-encoding': 'identity' };
    if (digest) headers['content-digest'] = contentDigest(digest);
    if (request.contentType) headers['content-type'] = request.contentType;
    const grant = options.grant();
    if (grant) headers[GRANT_HEADER] = toBase64(grant);
    const { method, target } = request;
    const bodyDigestHex = digest ? toHex(digest) : EMPTY_BODY_DIGEST;
    const nowMs = clock.nowMs();
    Object.assign(
      headers,
      signRequest({ signer, method, target, bodyDigestHex, receiver: miner.hotkey, nowMs, random }),
    );
    const body = request.stream ?? (request.body as Uint8Array<ArrayBuffer> | undefined);
    return options.fetch(miner.url + target, {
      method,
      headers,
      redirect: 'manual',
      signal: exchange.signal,
      ...(body ? { body } : {}),
      ...(request.stream ? { duplex: 'half' as const } : {}),
    });
  }

  async function open(
    miner: MinerPeer,
    request: MinerRequest,
    signal: AbortSignal,
  ): Promise<Result<Answer, MinerFailure>> {
    const turn = slots.full ? request.turn : undefined;
    turn?.waits();
    const release = await slots.acquire(signal);
    if (!release) return fail(connectionFailure(miner.hotkey, 'cancelled'));
    turn?.comes();
    const sendMs = (request.body?.length ?? 0) / SLOWEST_BYTES_PER_MS;
    const totalMs = request.totalMs ?? timeouts.totalMs + sendMs + request.answerBytes / SLOWEST_BYTES_PER_MS;
    // A body that goes out in one piece shows no progress, so waiting for the head allows for all of it.
    const exchange = new Exchange(clock, signal, timeouts.idleMs + sendMs, totalMs);
    let response: Response;
    try {
      exchange.wait();
      response = await send(miner, request, exchange);
    } catch (error) {
      const failure = connectionFailure(miner.hotkey, exchange.ended, error);
      exchange.end('closed');
      return fail(failure);
    } finally {
      exchange.rest();
      release();
    }
    const fault = headFault(response);
    if (!fault && response.status === request.wantedStatus && !exchange.ended) return succeed({ response, exchange });
    const failure = fault
      ? minerFailure(miner.hotkey, 'broken', fault)
      : await statusOrEnd(miner, request, response, exchange);
    discard(response);
    exchange.end('closed');
    return fail(failure);
  }

  async function statusOrEnd(miner: MinerPeer, request: MinerRequest, response: Response, exchange: Exchange) {
    if (exchange.ended) return connectionFailure(miner.hotkey, exchange.ended);
    const { status } = response;
    if (status >= 200 && status < 300) {
      return minerFailure(miner.hotkey, 'broken', `the miner answered ${status} instead of ${request.wantedStatus}`);
    }
    // A HEAD has no body to explain itself.
    if (request.method === 'HEAD' && status === 404)
      return minerFailure(miner.hotkey, 'absent', 'the miner answered 404');
    const { bytes } = await readBounded(response.body, exchange, MAX_PROBLEM_BYTES);
    if (exchange.ended === 'cancelled') return connectionFailure(miner.hotkey, 'cancelled');
    return statusFailure(miner.hotkey, status, parseProblem(bytes));
  }

  async function read(miner: MinerPeer, request: MinerRequest, signal: AbortSignal) {
    const opened = await open(miner, request, signal);
    if (!opened.ok) return opened;
    const { response, exchange } = opened.value;
    const { end, bytes } = await readBounded(response.body, exchange, request.answerBytes);
    const { ended } = exchange;
    exchange.end('closed');
    if (end === 'too-long')
      return fail(minerFailure(miner.hotkey, 'broken', 'the answer is longer than any right one'));
    if (end !== 'complete') return fail(connectionFailure(miner.hotkey, ended));
    const announced = response.headers.get('content-length');
    if (request.method !== 'HEAD' && announced !== null && announced !== String(bytes.length)) {
      return fail(minerFailure(miner.hotkey, 'broken', 'the answer does not have its announced length'));
    }
    return succeed({ headers: response.headers, body: bytes });
  }

  return { open, read };
}

/** An unread body would hold its connection (and, in Workers, a request of others): let go of it. */
export function discard(response: Response): void {
  if (response.body && !response.body.locked) response.body.cancel().catch(() => undefined);
}
