/**
 * `Fetch` over node:http for miners, validators and Node clients. Node's global fetch holds a streaming request's
 * headers back until the first body chunk, so that a miner's early 202 never comes (measured, Node 24.21); it also
 * follows redirects and inflates on its own. This adapter sends headers at once, connects to what the URL says,
 * follows nothing, decodes nothing and caps the answer's head.
 */
import { Agent, type ClientRequest, type IncomingMessage, request as requestHttp } from 'node:http';
import { request as requestHttps, Agent as TlsAgent } from 'node:https';
import type { Fetch, FetchInit } from './fetch.ts';
import { MAX_HEADER_BYTES } from './limits.ts';

/** Statuses that the web's Response refuses to give a body. */
const NULL_BODY = new Set([204, 205, 304]);

export interface NodeHttpFetch {
  readonly fetch: Fetch;
  /** Closes the idle connections that are kept for the next request. */
  close(): void;
}

export function createNodeHttpFetch(): NodeHttpFetch {
  const http = new Agent({ keepAlive: true });
  const https = new TlsAgent({ keepAlive: true });
  return {
    fetch: (url, init) => exchange(new URL(url), init, http, https),
    close: () => {
      http.destroy();
      https.destroy();
    },
  };
}

function exchange(url: URL, init: FetchInit, http: Agent, https: TlsAgent): Promise<Response> {
  return new Promise((resolve, reject) => {
    if (init.signal.aborted) return reject(init.signal.reason);
    const options = {
      host: url.hostname.replace(/^\[|\]$/g, ''),
      port: url.port,
      path: url.pathname + url.search,
      method: init.method,
      headers: init.headers,
      maxHeaderSize: MAX_HEADER_BYTES,
    };
    const request =
      url.protocol === 'https:' ? requestHttps({ ...options, agent: https }) : requestHttp({ ...options, agent: http });
    const abort = () => request.destroy(asError(init.signal.reason));
    init.signal.addEventListener('abort', abort, { once: true });
    request.on('close', () => init.signal.removeEventListener('abort', abort));
    // After the response has come this is the response's error too; rejecting twice does nothing.
    request.on('error', reject);
    request.on('response', (response) => {
      try {
        resolve(toResponse(request, response, init.method));
      } catch (error) {
        reject(error);
        request.destroy();
      }
    });
    if (init.body instanceof ReadableStream) {
      request.flushHeaders();
      void sendStream(request, init.body);
    } else {
      request.end(init.body);
    }
  });
}

const asError = (reason: unknown): Error => (reason instanceof Error ? reason : new Error('aborted'));

/**
 * Writes the body piece by piece, the next one when the kernel has the last: its buffer may then be used again.
 * Lets go of the body when the request ends early.
 */
async function sendStream(request: ClientRequest, body: ReadableStream<Uint8Array>): Promise<void> {
  const reader = body.getReader();
  const closed = new Promise<void>((resolve) => request.on('close', resolve));
  void closed.then(() => reader.cancel()).catch(() => undefined);
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (request.destroyed) return;
      if (done) break;
      const written = new Promise<void>((resolve) => request.write(value, () => resolve()));
      await Promise.race([written, closed]);
    }
    request.end();
  } catch (error) {
    request.destroy(asError(error));
  }
}

function toResponse(request: ClientRequest, response: IncomingMessage, method: string): Response {
  const status = response.statusCode ?? 0;
  if (status < 200 || status > 599) throw new Error(`status ${status}`);
  const headers = new Headers();
  for (let i = 0; i + 1 < response.rawHeaders.length; i += 2) {
    headers.append(response.rawHeaders[i] as string, response.rawHeaders[i + 1] as string);
  }
  if (method === 'HEAD' || NULL_BODY.has(status)) {
    response.resume();
    response.on('end', () => endEarly(request));
    response.on('error', () => undefined); // nothing is read: nothing is lost
    return new Response(null, { status, headers });
  }
  return new Response(bodyOf(request, response), { status, headers });
}

/** An answer that is over before the request is: nobody will read the rest of it. */
function endEarly(request: ClientRequest): void {
  if (!request.writableEnded) request.destroy();
}

function bodyOf(request: ClientRequest, response: IncomingMessage): ReadableStream<Uint8Array> {
  let settled = false;
  return new ReadableStream<Uint8Array>(
    {
      start(controller) {
        const fail = (error: Error) => {
          if (settled) return;
          settled = true;
          controller.error(error);
        };
        response.pause();
        response.on('data', (chunk: Buffer) => {
          // A plain Uint8Array: Buffer's slice would be a view where callers expect a copy.
          controller.enqueue(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.length));
          response.pause();
        });
        response.on('end', () => {
          endEarly(request);
          if (!response.complete) return fail(new Error('the answer was cut'));
          if (settled) return;
          settled = true;
          controller.close();
        });
        response.on('error', fail);
        response.on('close', () => fail(new Error('the answer was cut')));
      },
      pull: () => void response.resume(),
      cancel: () => {
        settled = true;
        request.destroy();
      },
    },
    { highWaterMark: 0 },
  );
}
