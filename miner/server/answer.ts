/** The few ways a miner answers: bytes, JSON, a problem. Every answer says its length unless it is a stream. */
import type { ServerResponse } from 'node:http';
import { encodeProblem, PROBLEM_TYPE, PROBLEMS, type ProblemCode } from '#shared/wire/problem.ts';

/** How long a busy or full caller is asked to wait. */
const RETRY_AFTER_SECONDS = '1';

export const OCTETS = 'application/octet-stream';

const COMMON_HEADERS = { 'cache-control': 'no-store', 'x-content-type-options': 'nosniff' } as const;

export function sendBytes(
  response: ServerResponse,
  status: number,
  type: string,
  body: Uint8Array,
  headers: Readonly<Record<string, string>> = {},
): void {
  response.writeHead(status, { ...COMMON_HEADERS, 'content-type': type, 'content-length': body.length, ...headers });
  response.end(body);
}

export function sendProblem(
  response: ServerResponse,
  code: ProblemCode,
  detail: string | undefined,
  headers: Readonly<Record<string, string>> = {},
): void {
  const { status } = PROBLEMS[code];
  sendBytes(response, status, PROBLEM_TYPE, encodeProblem(code, detail), {
    ...(status === 401 ? { 'www-authenticate': 'btauth' } : {}),
    ...(status === 429 || status === 503 ? { 'retry-after': RETRY_AFTER_SECONDS } : {}),
    ...headers,
  });
}

/** Starts an answer whose length is not known, and sends its headers now, before there is any body. */
export function startStream(response: ServerResponse, status: number, type: string): void {
  response.writeHead(status, { ...COMMON_HEADERS, 'content-type': type });
  response.flushHeaders();
}

/** Writes; resolves when the bytes are with the system and may be overwritten. Rejects when the client left. */
export function writeAll(response: ServerResponse, chunk: Uint8Array): Promise<void> {
  return new Promise((resolve, reject) => {
    const left = () => reject(new Error('the client left'));
    if (response.destroyed) return left();
    // A connection that breaks may forget its callbacks.
    response.once('close', left);
    response.write(chunk, (error) => {
      response.off('close', left);
      if (error) left();
      else resolve();
    });
  });
}
