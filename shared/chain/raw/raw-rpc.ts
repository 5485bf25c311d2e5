/**
 * JSON-RPC over HTTP with nothing else: what a miner needs of the chain between two starts of the child that registers
 * and serves. Substrate nodes answer HTTP on the port of their WebSocket. `read-validators.ts` and `read-block.ts` ask
 * through it.
 */
import { RpcError, RpcUnreachable } from '../rpc-error.ts';
import { parseRpcMessage } from '../rpc-message.ts';

export interface RawRpc {
  /** Rejects with RpcError or RpcUnreachable. */
  call(method: string, params: readonly unknown[]): Promise<unknown>;
}

const DEFAULT_TIMEOUT_MS = 15_000;
/** 256 neurons' keys and values take some 100 KB. */
const MAX_ANSWER_BYTES = 4 * 1024 * 1024;

export interface RawRpcOptions {
  /** ws://, wss://, http:// or https:// */
  readonly endpoint: string;
  readonly fetch: typeof fetch;
  readonly timeoutMs?: number;
}

export function createRawRpc({ endpoint, fetch, timeoutMs = DEFAULT_TIMEOUT_MS }: RawRpcOptions): RawRpc {
  const url = endpoint.replace(/^ws/, 'http');
  let nextId = 1;
  return {
    async call(method, params) {
      const id = nextId++;
      const text = await post(fetch, url, { jsonrpc: '2.0', id, method, params }, timeoutMs).catch((error: unknown) => {
        const words = error instanceof Error ? error.message : String(error);
        throw new RpcUnreachable(`${url} did not answer ${method}: ${words}`);
      });
      const message = parseRpcMessage(text);
      if (!message || message.id !== id) throw new RpcUnreachable(`${url} sent no JSON-RPC answer to ${method}`);
      const { error } = message;
      if (error) throw new RpcError(method, error.code, error.message, error.data);
      return message.result ?? null;
    },
  };
}

async function post(fetchNow: typeof fetch, url: string, body: unknown, timeoutMs: number): Promise<string> {
  const response = await fetchNow(url, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (!response.ok) throw new Error(`HTTP status ${response.status}`);
  let text = '';
  let bytes = 0;
  const decoder = new TextDecoder();
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > MAX_ANSWER_BYTES) throw new Error(`more than ${MAX_ANSWER_BYTES} bytes`);
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
