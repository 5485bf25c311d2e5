/**
 * The three ways in which a node does not give what was asked, as exceptions inside the adapter; `attempt` turns them
 * into failures at the port. Everything else that is thrown is a mistake of ours and passes through.
 */
import { fail, type Result, succeed } from '#shared/primitives/failure.ts';
import { type ChainFailure, plainFailure } from './chain-failure.ts';
import { nameNodeError } from './name-chain-error.ts';

/** The node answered with a JSON-RPC error. */
export class RpcError extends Error {
  readonly method: string;
  readonly code: number;
  readonly data: unknown;

  constructor(method: string, code: number, message: string, data?: unknown) {
    super(message);
    this.name = 'RpcError';
    this.method = method;
    this.code = code;
    this.data = data;
  }
}

/** No connection, or no answer in time. */
export class RpcUnreachable extends Error {
  constructor(message: string) {
    super(message);
    this.name = 'RpcUnreachable';
  }
}

/** A failure on its way up to `attempt`. */
export class ChainRefusal extends Error {
  readonly failure: ChainFailure;

  constructor(failure: ChainFailure) {
    super(failure.message);
    this.name = 'ChainRefusal';
    this.failure = failure;
  }
}

export function refuse(failure: ChainFailure): never {
  throw new ChainRefusal(failure);
}

/** The outcome of `action` as a value. */
export async function attempt<T>(action: () => Promise<T>): Promise<Result<T, ChainFailure>> {
  try {
    return succeed(await action());
  } catch (error) {
    return fail(failureOfError(error));
  }
}

/** The failure behind one of the three; rethrows anything else. */
export function failureOfError(error: unknown): ChainFailure {
  if (error instanceof ChainRefusal) return error.failure;
  if (error instanceof RpcUnreachable) return plainFailure('unreachable', error.message);
  if (error instanceof RpcError) return nameNodeError(error.method, error);
  throw error;
}
