/**
 * `fetch` as the wire needs it, so that a runtime's own (workerd, browsers) and `node-http-fetch.ts` are
 * interchangeable. Three things are relied upon: a streaming body goes out while the answer is read; the promise
 * resolves when the answer's head is there, whether or not the body is sent; nothing is followed or retried.
 */
export interface FetchInit {
  readonly method: string;
  readonly headers: Record<string, string>;
  readonly body?: Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
  readonly redirect: 'manual';
  readonly signal: AbortSignal;
  readonly duplex?: 'half';
}

export type Fetch = (url: string, init: FetchInit) => Promise<Response>;
