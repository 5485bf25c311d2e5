/**
 * Every route of the miner: its path, who may call it, the largest body, and the only query keys it knows. This table
 * is the whole of the miner's access rules; `admit.ts` enforces it and `routes.test.ts` walks it (protocol.md §2).
 * Paths are matched as they came over the wire: nothing is decoded, so nothing can be smuggled past by encoding.
 */
import { z } from 'zod';
import { fromBase64Url, fromHex } from '#shared/primitives/bytes.ts';
import { type AnchorId, parseAnchorId, parseOrderId } from '#shared/primitives/ids.ts';
import { ZK_ANCHOR_TYPE } from '#shared/proof/zk/zk-anchor.ts';
import { MAX_CHALLENGE_BYTES } from '#shared/wire/challenge-body.ts';
import {
  MAX_DROP_ITEMS,
  MAX_HOLD_MS,
  MAX_LABEL_BYTES,
  MAX_LIST_ITEMS,
  MAX_READ_ITEMS,
  MAX_SHARD_BYTES,
  MAX_STREAM_BYTES,
  MIN_SHARD_BYTES,
} from '#shared/wire/limits.ts';

/**
 * anyone: no signature. signed: any hotkey that signs. put, get: an edge with a grant of that right, or the tenant.
 * tenant: the tenant's own hotkey and nobody for it.
 */
export type Access = 'anyone' | 'signed' | 'put' | 'get' | 'tenant';

/** A field read by a parser that answers undefined for anything but its one spelling. */
const field = <T>(parse: (text: string) => T | undefined, what: string) =>
  z.string().transform((text, context): T => {
    const value = parse(text);
    if (value === undefined) {
      context.addIssue({ code: 'custom', message: `must be ${what}` });
      return z.NEVER;
    }
    return value;
  });

const DECIMAL = /^(?:0|[1-9][0-9]{0,19})$/;
const u64 = field((text) => {
  const value = DECIMAL.test(text) ? BigInt(text) : undefined;
  return value !== undefined && value < 1n << 64n ? value : undefined;
}, 'an unsigned 64-bit integer');
const integer = (min: number, max: number) =>
  field(
    (text) => (DECIMAL.test(text) && Number(text) >= min && Number(text) <= max ? Number(text) : undefined),
    `an integer from ${min} to ${max}`,
  );

const order = field(parseOrderId, '32 hex digits');
const nonce = field((text) => fromHex(text, 32), '64 hex digits');
const label = field((text) => {
  const bytes = fromBase64Url(text);
  return bytes && bytes.length <= MAX_LABEL_BYTES ? bytes : undefined;
}, `base64url of at most ${MAX_LABEL_BYTES} bytes`);
/** Anchor type of what is stored; type 1 goes without saying. */
const type = field((text) => (text === '2' ? ZK_ANCHOR_TYPE : undefined), '2, or absent').optional();
const none = z.strictObject({});

interface Route {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'POST';
  /** The whole path; its one group, if any, is the anchor id. */
  readonly path: RegExp;
  /** Of two routes with one path: the one that has a query, or the one that has none. */
  readonly withQuery?: boolean;
  readonly access: Access;
  readonly maxBodyBytes: number;
  /** The body is a shard stream: chunked, of any length, signed as empty. */
  readonly stream?: true;
  /** Taken while the miner is going away too. */
  readonly whileDraining?: true;
  readonly query: z.ZodType;
}

const SHARD = /^\/v1\/shards\/([0-9a-f]{64})$/;
const SHARDS = /^\/v1\/shards$/;

/** Statement head and signature of a drop order beside its anchors: 21 + 36 + 64 + 16 + 8 + 2 + 4, and 64. */
const ORDER_HEAD_BYTES = 256;

export const ROUTES = {
  health: {
    method: 'GET',
    path: /^\/health$/,
    withQuery: false,
    access: 'anyone',
    maxBodyBytes: 0,
    whileDraining: true,
    query: none,
  },
  signedHealth: {
    method: 'GET',
    path: /^\/health$/,
    withQuery: true,
    access: 'signed',
    maxBodyBytes: 0,
    whileDraining: true,
    query: z.strictObject({ nonce }),
  },
  hello: {
    method: 'GET',
    path: /^\/v1\/hello$/,
    access: 'signed',
    maxBodyBytes: 0,
    query: z.strictObject({ nonce }),
  },
  storeShards: {
    method: 'POST',
    path: SHARDS,
    access: 'put',
    maxBodyBytes: 0,
    stream: true,
    query: z.strictObject({ order, max: integer(MIN_SHARD_BYTES, MAX_STREAM_BYTES), type }),
  },
  storeShard: {
    method: 'PUT',
    path: SHARD,
    access: 'put',
    maxBodyBytes: MAX_SHARD_BYTES,
    query: z.strictObject({
      bytes: integer(MIN_SHARD_BYTES, MAX_SHARD_BYTES),
      order,
      hold: integer(0, Number.MAX_SAFE_INTEGER),
      ref: u64,
      label: label.optional(),
      type,
    }),
  },
  readShard: { method: 'GET', path: SHARD, access: 'get', maxBodyBytes: 0, query: none },
  statShard: { method: 'HEAD', path: SHARD, access: 'get', maxBodyBytes: 0, query: none },
  readShards: {
    method: 'POST',
    path: /^\/v1\/shards\/read$/,
    access: 'get',
    maxBodyBytes: MAX_READ_ITEMS * 32,
    query: none,
  },
  readReceipt: {
    method: 'GET',
    path: /^\/v1\/shards\/([0-9a-f]{64})\/receipt$/,
    access: 'put',
    maxBodyBytes: 0,
    query: z.strictObject({ order }),
  },
  listShards: {
    method: 'GET',
    path: SHARDS,
    access: 'tenant',
    maxBodyBytes: 0,
    query: z.strictObject({
      cursor: field(parseAnchorId, 'the `next` of an earlier page').optional(),
      limit: integer(1, MAX_LIST_ITEMS).optional(),
    }),
  },
  drop: {
    method: 'POST',
    path: /^\/v1\/drops$/,
    access: 'tenant',
    maxBodyBytes: MAX_DROP_ITEMS * 32 + ORDER_HEAD_BYTES,
    query: none,
  },
  challenge: {
    method: 'POST',
    path: /^\/v1\/challenges$/,
    access: 'tenant',
    maxBodyBytes: MAX_CHALLENGE_BYTES,
    query: none,
  },
} as const satisfies Readonly<Record<string, Route>>;

export type RouteId = keyof typeof ROUTES;
export type QueryOf<Id extends RouteId> = z.output<(typeof ROUTES)[Id]['query']>;

/** Latest `holdUntilMs` that is taken from a sender. */
export const latestHoldMs = (nowMs: number): number => nowMs + MAX_HOLD_MS;

export type Matched =
  | { readonly kind: 'route'; readonly id: RouteId; readonly anchorId: AnchorId | undefined; readonly query: string }
  | { readonly kind: 'method-not-allowed'; readonly allow: readonly string[] }
  | { readonly kind: 'unknown-route' };

/** The route of a request line, by method and raw target. */
export function matchRoute(method: string, target: string): Matched {
  const mark = target.indexOf('?');
  const path = mark < 0 ? target : target.slice(0, mark);
  const query = mark < 0 ? '' : target.slice(mark + 1);
  const allow: string[] = [];
  for (const [id, route] of Object.entries(ROUTES) as [RouteId, Route][]) {
    const found = route.path.exec(path);
    if (!found || ('withQuery' in route && route.withQuery !== mark >= 0)) continue;
    if (route.method === method) return { kind: 'route', id, anchorId: found[1] as AnchorId | undefined, query };
    allow.push(route.method);
  }
  return allow.length > 0 ? { kind: 'method-not-allowed', allow } : { kind: 'unknown-route' };
}

/** `key=value` pairs as they stand; undefined when a key repeats or a part is no pair. Values are never decoded. */
export function splitQuery(text: string): Readonly<Record<string, string>> | undefined {
  const pairs: Record<string, string> = Object.create(null);
  if (text === '') return pairs;
  for (const part of text.split('&')) {
    const at = part.indexOf('=');
    if (at < 1) return undefined;
    const key = part.slice(0, at);
    if (key in pairs) return undefined;
    pairs[key] = part.slice(at + 1);
  }
  return pairs;
}
