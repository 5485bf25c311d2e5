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

/** Writes, and waits while the other side does not read. Rejects when it left. */
export function writeAll(response: ServerResponse, chunk: Uint8Array): Promise<void> | void {
  if (response.destroyed) throw new Error('the client left');
  if (response.write(chunk)) return;
  return new Promise((resolve, reject) => {
    const settle = () => {
      response.off('drain', settle);
      response.off('close', settle);
      if (response.destroyed) reject(new Error('the client left'));
      else resolve();
    };
    response.on('drain', settle);
    response.on('close', settle);
  });
}
