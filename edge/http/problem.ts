/**
 * Failures of the edge's flows as problems: each carries a code of the shared table (`shared/wire/problem.ts`), which
 * decides the status, and members of its own that a client can read. `problemOf` there makes the body; this adds the
 * headers that a code needs.
 */
import type { Failure } from '#shared/primitives/failure.ts';
import { fail, type Result } from '#shared/primitives/failure.ts';
import { PROBLEMS, type ProblemCode, problemResponse } from '#shared/wire/problem.ts';

export interface EdgeFailure extends Failure {
  readonly code: ProblemCode;
  /** Members that stand beside the standard ones in the problem's JSON. */
  readonly extra?: Readonly<Record<string, unknown>> | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
}

export type EdgeResult<T> = Result<T, EdgeFailure>;

/** When to come back after a 503 that passes by itself: a directory or an index is read anew by then. */
const RETRY_AFTER_SECONDS = 10;

export function refuse(
  code: ProblemCode,
  message: string,
  extra?: Readonly<Record<string, unknown>>,
  headers?: Readonly<Record<string, string>>,
): { readonly ok: false; readonly failure: EdgeFailure } {
  return fail({ code, fault: PROBLEMS[code].fault, message, extra, headers });
}

export function failureResponse(failure: EdgeFailure): Response {
  const status = PROBLEMS[failure.code].status;
  const headers: Record<string, string> = { ...failure.headers };
  if (status === 503 || status === 429) headers['Retry-After'] ??= String(RETRY_AFTER_SECONDS);
  if (status === 401) headers['WWW-Authenticate'] ??= 'Bearer realm="filetao"';
  return problemResponse(failure.code, failure.message, failure.extra, headers);
}
