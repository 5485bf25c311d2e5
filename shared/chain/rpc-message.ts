/** A JSON-RPC message from a node: an answer, or a notification of a subscription. Shared by socket and HTTP. */
export interface RpcMessage {
  readonly id?: unknown;
  readonly method?: unknown;
  readonly result?: unknown;
  readonly params?: { readonly subscription?: unknown; readonly result?: unknown };
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}

/** Undefined for what no JSON-RPC server sends. */
export function parseRpcMessage(text: string): RpcMessage | undefined {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return undefined;
  const { error } = value as { error?: unknown };
  if (error === undefined) return value as RpcMessage;
  const { code, message } = (error ?? {}) as { code?: unknown; message?: unknown };
  return typeof code === 'number' && typeof message === 'string' ? (value as RpcMessage) : undefined;
}
