/**
 * JSON-RPC 2.0 (https://www.jsonrpc.org/specification): what a message is, what goes back, single or in a batch. Knows
 * no methods. Every message that can be answered is answered; none can throw.
 */
import type { Log } from '#shared/primitives/effects.ts';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json | undefined };

export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data?: string;
}
export const PARSE_ERROR: RpcError = { code: -32_700, message: 'Parse error' };
export const INVALID_REQUEST: RpcError = { code: -32_600, message: 'Invalid request' };
export const METHOD_NOT_FOUND: RpcError = { code: -32_601, message: 'Method not found' };
export const INTERNAL_ERROR: RpcError = { code: -32_603, message: 'Internal error' };
export const OVERSIZED_REQUEST: RpcError = { code: -32_007, message: 'Request is too big' };
export const OVERSIZED_BATCH: RpcError = { code: -32_010, message: 'The batch request was too large' };
export const TOO_MANY_SUBSCRIPTIONS: RpcError = { code: -32_006, message: 'Too many subscriptions on the connection' };
export const invalidParams = (data: string): RpcError => ({ code: -32_602, message: 'Invalid params', data });

/** Calls in one message. */
const MAX_BATCH = 100;

/** What a method refuses with; caught where it is called. */
export class RpcRefusal extends Error {
  readonly error: RpcError;
  constructor(error: RpcError) {
    super(error.message);
    this.error = error;
  }
}

/** Runs one method; throws `RpcRefusal`. */
export type Dispatch = (method: string, params: readonly Json[]) => Json;

interface Request {
  readonly id: number | string | null;
  readonly method: string;
  readonly params: readonly Json[];
  /** Without an id nothing goes back. */
  readonly notification: boolean;
}

/** The text to send back; undefined when there is nothing to say. */
export function answer(text: string, dispatch: Dispatch, log: Log): string | undefined {
  let message: unknown;
  try {
    message = JSON.parse(text);
  } catch {
    return failure(null, PARSE_ERROR);
  }
  if (!Array.isArray(message)) return answerOne(message, dispatch, log);
  if (message.length === 0) return failure(null, INVALID_REQUEST);
  if (message.length > MAX_BATCH)
    return failure(null, { ...OVERSIZED_BATCH, data: `Exceeded max limit of ${MAX_BATCH}` });
  const answers = message.map((one) => answerOne(one, dispatch, log)).filter((one) => one !== undefined);
  return answers.length > 0 ? `[${answers.join(',')}]` : undefined;
}

function answerOne(message: unknown, dispatch: Dispatch, log: Log): string | undefined {
  const request = requestOf(message);
  if (!request) return failure(null, INVALID_REQUEST);
  try {
    const result = dispatch(request.method, request.params);
    return request.notification ? undefined : success(request.id, result);
  } catch (error) {
    if (!(error instanceof RpcRefusal)) {
      log.error('rpc method failed', {
        method: request.method,
        error: error instanceof Error ? error.stack : String(error),
      });
    }
    if (request.notification) return undefined;
    return failure(request.id, error instanceof RpcRefusal ? error.error : INTERNAL_ERROR);
  }
}

function requestOf(message: unknown): Request | undefined {
  if (typeof message !== 'object' || message === null || Array.isArray(message)) return undefined;
  const { jsonrpc, id, method, params } = message as Record<string, unknown>;
  if (jsonrpc !== '2.0' || typeof method !== 'string') return undefined;
  if (id !== undefined && id !== null && typeof id !== 'number' && typeof id !== 'string') return undefined;
  // No method here takes parameters by name.
  if (params !== undefined && params !== null && !Array.isArray(params)) return undefined;
  return { id: id ?? null, method, params: (params ?? []) as readonly Json[], notification: id === undefined };
}

const success = (id: Request['id'], result: Json): string => JSON.stringify({ jsonrpc: '2.0', id, result });
export const failure = (id: Request['id'], error: RpcError): string => JSON.stringify({ jsonrpc: '2.0', id, error });

export const notification = (method: string, subscription: string, result: Json): string =>
  JSON.stringify({ jsonrpc: '2.0', method, params: { subscription, result } });
