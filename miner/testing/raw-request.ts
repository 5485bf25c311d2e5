/**
 * Requests below the client's level, for tests of what a miner refuses: any header, any body, any lie.
 */
import { request as requestHttp } from 'node:http';
import { connect } from 'node:net';
import { toBase64, toHex } from '#shared/primitives/bytes.ts';
import { systemRandom } from '#shared/primitives/effects.ts';
import { sha256 } from '#shared/primitives/sha256.ts';
import type { Signer } from '#shared/primitives/signer.ts';
import { signRequest } from '#shared/wire/btauth.ts';
import { GRANT_HEADER } from '#shared/wire/check-grant.ts';
import { KEYS } from './loopback-miner.ts';

export interface RawRequest {
  readonly method: string;
  readonly target: string;
  readonly headers?: Record<string, string>;
  readonly body?: Uint8Array;
}

export interface RawAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly body: Buffer;
  /** The problem's code. */
  readonly code: string | undefined;
}

export function signedHeaders(request: {
  readonly signer: Signer;
  readonly method: string;
  readonly target: string;
  readonly body?: Uint8Array;
  readonly grant?: Uint8Array;
  readonly nowMs?: number;
  readonly receiver?: Signer;
}): Record<string, string> {
  // A copy: nonces of one signer only grow, and a test may well sign in the future first.
  const signer = { ...request.signer };
  const { method, target, body = new Uint8Array(0), grant, receiver = KEYS.miner } = request;
  return {
    ...signRequest({
      signer,
      method,
      target,
      bodyDigestHex: toHex(sha256(body)),
      receiver: receiver.hotkey,
      nowMs: request.nowMs ?? Date.now(),
      random: systemRandom,
    }),
    ...(grant ? { [GRANT_HEADER]: toBase64(grant) } : {}),
  };
}

export function send(port: number, raw: RawRequest): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    const { method, target: path, headers, body } = raw;
    const length = body && !headers?.['transfer-encoding'] ? { 'content-length': String(body.length) } : {};
    const request = requestHttp({
      host: '127.0.0.1',
      port,
      method,
      path,
      agent: false,
      headers: { ...length, ...headers },
    });
    request.on('error', reject);
    request.on('response', (response) => {
      const chunks: Buffer[] = [];
      response.on('error', reject);
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => {
        const whole = Buffer.concat(chunks);
        const isProblem = whole.length > 0 && response.headers['content-type'] === 'application/problem+json';
        const code = isProblem ? (JSON.parse(whole.toString()) as { code: string }).code : undefined;
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: whole, code });
      });
    });
    request.end(body);
  });
}

/** Writes bytes as they are to a fresh connection; all that comes back until it closes. */
export function exchangeBytes(port: number, parts: readonly (string | Uint8Array)[], end = false): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    // A reset is an answer too.
    socket.on('error', () => {});
    socket.on('close', () => resolve(Buffer.concat(chunks).toString('latin1')));
    for (const part of parts) socket.write(part);
    if (end) socket.end();
  });
}

/** The head of a request, for `exchangeBytes`. */
export const headText = (method: string, target: string, headers: Readonly<Record<string, string>>): string =>
  `${method} ${target} HTTP/1.1\r\nHost: miner\r\n${Object.entries(headers)
    .map(([name, value]) => `${name}: ${value}\r\n`)
    .join('')}\r\n`;
