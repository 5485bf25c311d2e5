/**
 * One request to the edge: credentials, retries, and its answer checked against the API's own schema. Only what is safe
 * to do twice is tried again (RFC 9110 §9.2.2 and stores whose CID is announced): three tries, waits that double, or
 * what `Retry-After` says. Every part of the library calls the edge through this.
 */
import type { z } from 'zod';
import type { Clock, Random } from '#shared/primitives/effects.ts';
import { ClientError, errorOf } from './client-error.ts';

/** The part of `fetch` that the library uses; the runtime's own, or one of the caller's. */
export type ClientFetch = (url: string, init: RequestInit) => Promise<Response>;

export interface Connection {
  /** Origin, and a path where the edge is mounted under one; no slash at the end. */
  readonly url: string;
  readonly apiKey: string | undefined;
  readonly fetch: ClientFetch;
  readonly clock: Clock;
  readonly random: Random;
}

const TRIES = 3;
const FIRST_WAIT_MS = 500;
const WAIT_FACTOR = 2;
/** A server that wants longer is better told to the caller. */
const MAX_RETRY_AFTER_MS = 30_000;
/** Too much at once, or something behind is away: passes by itself. */
const PASSING = new Set([408, 425, 429, 502, 503, 504]);

export interface Call {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST' | 'PATCH' | 'DELETE';
  /** Below `/v1/`, percent-encoded. */
  readonly path: string;
  readonly query?: Readonly<Record<string, string | undefined>>;
  readonly headers?: Readonly<Record<string, string | undefined>>;
  readonly json?: unknown;
  readonly body?: Uint8Array | Blob | ReadableStream<Uint8Array>;
  readonly signal?: AbortSignal | undefined;
  /** Doing it twice does no more than doing it once; by default what RFC 9110 calls safe. */
  readonly repeatable?: boolean;
}

const present = (pairs: Readonly<Record<string, string | undefined>> = {}): [string, string][] =>
  Object.entries(pairs).filter((pair): pair is [string, string] => pair[1] !== undefined);

function requestOf(connection: Connection, call: Call): { url: string; init: RequestInit } {
  const query = new URLSearchParams(present(call.query)).toString();
  const headers = new Headers(present(call.headers));
  if (connection.apiKey !== undefined) headers.set('Authorization', `Bearer ${connection.apiKey}`);
  if (call.json !== undefined) headers.set('Content-Type', 'application/json');
  const body = call.json === undefined ? call.body : JSON.stringify(call.json);
  const init: RequestInit & { duplex?: 'half' } = { method: call.method, headers, redirect: 'manual' };
  if (body !== undefined) init.body = body as BodyInit;
  if (body instanceof ReadableStream) init.duplex = 'half';
  if (call.signal) init.signal = call.signal;
  return { url: `${connection.url}/v1/${call.path}${query && `?${query}`}`, init };
}

/** `Retry-After` in milliseconds; dates are left out: the edge sends seconds. */
function retryAfterMs(response: Response): number | undefined {
  const header = response.headers.get('Retry-After');
  return header !== null && /^\d{1,6}$/.test(header) ? Number(header) * 1000 : undefined;
}

/** Waits before the next try; half of it at random, so that many clients do not come back at once. */
function waitMs({ random }: Connection, attempt: number): number {
  const [dice = 0] = random(1);
  return FIRST_WAIT_MS * WAIT_FACTOR ** attempt * (0.5 + dice / 512);
}

async function attemptCall(connection: Connection, call: Call): Promise<Response | ClientError> {
  const { url, init } = requestOf(connection, call);
  try {
    return await connection.fetch(url, init);
  } catch (error) {
    call.signal?.throwIfAborted();
    const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : undefined;
    const text = cause ?? (error instanceof Error ? error.message : String(error));
    return new ClientError('unreachable', `${connection.url} does not answer: ${text}`, { cause: error });
  }
}

/** The answer when it is a success; else rejects with a `ClientError`. No redirect is followed: a key must not travel on. */
export async function call(connection: Connection, request: Call): Promise<Response> {
  const repeatable = request.repeatable ?? (request.method === 'GET' || request.method === 'HEAD');
  for (let attempt = 0; ; attempt++) {
    request.signal?.throwIfAborted();
    const outcome = await attemptCall(connection, request);
    const answered = !(outcome instanceof ClientError);
    if (answered && outcome.ok) return outcome;
    const passing = !answered || PASSING.has(outcome.status);
    const asked = answered ? retryAfterMs(outcome) : undefined;
    if (!repeatable || !passing || attempt + 1 >= TRIES || (asked ?? 0) > MAX_RETRY_AFTER_MS) {
      throw answered ? await errorOf(outcome) : outcome;
    }
    if (answered) await outcome.arrayBuffer().catch(() => undefined);
    await connection.clock.sleep(asked ?? waitMs(connection, attempt), request.signal);
  }
}

/** A newer edge may say more than this version knows: members that are too many are not an error here. */
export function parseAnswer<S extends z.ZodType>(schema: S, value: unknown): z.output<S> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  if (parsed.error.issues.every(({ code }) => code === 'unrecognized_keys')) return value as z.output<S>;
  throw new ClientError('bad-answer', `the edge's answer is not understood: ${parsed.error.issues[0]?.message}`);
}

/** Calls and reads a JSON answer of this shape. */
export async function callJson<S extends z.ZodType>(
  connection: Connection,
  request: Call,
  schema: S,
): Promise<z.output<S>> {
  const response = await call(connection, request);
  let value: unknown;
  try {
    value = await response.json();
  } catch (error) {
    request.signal?.throwIfAborted();
    throw new ClientError('bad-answer', 'the edge’s answer is not JSON', { status: response.status, cause: error });
  }
  return parseAnswer(schema, value);
}
