/**
 * Problems: the one table from stable codes to HTTP (RFC 9457 `application/problem+json`), for miner and edge alike.
 * A client decides by `code` and status, never by text. `fault` is from the server's side: `caller` (the request),
 * `peer` (someone this server depends on), `us` (this server). Rows are added, never renamed.
 */
import type { Fault } from '#shared/primitives/failure.ts';
import { MAX_PROBLEM_BYTES } from './limits.ts';

interface ProblemRow {
  readonly status: number;
  readonly title: string;
  readonly fault: Fault;
}

const row = (status: number, fault: Fault, title: string): ProblemRow => ({ status, title, fault });

export const PROBLEMS = {
  // who is asking
  unauthorized: row(401, 'caller', 'No valid credentials were sent'),
  'bad-signature': row(401, 'caller', 'The signature does not hold'),
  'wrong-receiver': row(401, 'caller', 'The request was signed for another receiver'),
  'clock-skew': row(401, 'caller', 'The nonce lies outside the time window'),
  'before-start': row(401, 'caller', 'The request was signed before this server started'),
  replayed: row(401, 'caller', 'This nonce was used before'),
  'grant-missing': row(403, 'caller', 'A grant of a tenant is needed'),
  'grant-invalid': row(403, 'caller', 'The grant does not hold'),
  'grant-expired': row(403, 'caller', 'The grant is not valid at this time'),
  'grant-rights': row(403, 'caller', 'The grant does not give this right'),
  'not-tenant': row(403, 'caller', 'Only a tenant of this miner may do this'),
  forbidden: row(403, 'caller', 'Not allowed'),
  'no-origin': row(403, 'caller', 'Requests from this web origin are not allowed'),

  // what is asked
  'bad-request': row(400, 'caller', 'The request is malformed'),
  'bad-target': row(400, 'caller', 'The request target is malformed'),
  'bad-frame': row(400, 'caller', 'The stream is malformed'),
  truncated: row(400, 'caller', 'The body ended too early'),
  'bad-cid': row(400, 'caller', 'Not a CID that is stored here'),
  'bad-range': row(400, 'caller', 'The Range header is malformed'),
  'bad-name': row(400, 'caller', 'The name is not acceptable'),
  'bad-challenge': row(400, 'caller', 'The challenge does not hold'),
  'bad-order': row(400, 'caller', 'The order does not hold'),
  'unsupported-redundancy': row(400, 'caller', 'This redundancy is not offered'),
  'length-required': row(411, 'caller', 'A Content-Length is needed'),
  'digest-required': row(400, 'caller', 'A Content-Digest is needed for a body of this size'),
  'length-mismatch': row(400, 'caller', 'The body does not have the announced length'),
  'digest-mismatch': row(400, 'caller', 'The body does not have the announced digest'),
  'wrong-cid': row(400, 'caller', 'The body does not have the announced CID'),
  'wrong-anchor': row(422, 'caller', 'The bytes do not have the announced anchor'),
  'too-large': row(413, 'caller', 'The body is larger than allowed'),
  'target-too-long': row(414, 'caller', 'The request target is too long'),
  'unsupported-type': row(415, 'caller', 'This content type is not understood here'),
  'unsupported-encoding': row(415, 'caller', 'Encoded bodies are not accepted'),
  'range-not-satisfiable': row(416, 'caller', 'The range lies outside the file'),
  'headers-too-large': row(431, 'caller', 'The headers are larger than allowed'),
  'unknown-route': row(404, 'caller', 'There is nothing at this path'),
  'method-not-allowed': row(405, 'caller', 'This method is not allowed here'),
  'precondition-failed': row(412, 'caller', 'A precondition does not hold'),
  'parts-missing': row(409, 'caller', 'Parts of the upload are missing'),
  'parts-mismatch': row(409, 'caller', 'The stored parts are not those that were named'),
  'upload-ended': row(409, 'caller', 'The upload has been completed or aborted'),
  'part-busy': row(429, 'caller', 'This part was sent too often'),
  'too-many-uploads': row(429, 'caller', 'Too many uploads are open'),
  conflict: row(409, 'caller', 'This conflicts with what is stored'),
  idle: row(408, 'caller', 'Nothing was received for too long'),
  cancelled: row(499, 'caller', 'The request was cancelled'),

  // what there is
  'not-found': row(404, 'caller', 'There is no such thing'),
  absent: row(404, 'caller', 'This shard is not held here'),
  dropped: row(410, 'caller', 'This shard was dropped'),
  expired: row(410, 'caller', 'This has expired'),

  // room and load
  'tenant-quota': row(507, 'caller', 'The tenant’s quota on this miner is used up'),
  'over-quota': row(413, 'caller', 'The owner’s quota would be exceeded'),
  'drain-limit': row(429, 'caller', 'More than the daily share of the tenant’s bytes would be dropped'),
  full: row(507, 'us', 'There is no room left'),
  'disk-floor': row(507, 'us', 'The disk is nearly full'),
  busy: row(429, 'caller', 'Too many requests'),
  overloaded: row(503, 'us', 'There is too much to do at the moment'),
  draining: row(503, 'us', 'This server is going away and takes nothing new'),

  // what went wrong behind
  'index-unavailable': row(503, 'us', 'The index cannot be asked'),
  'no-grant': row(503, 'us', 'This edge has no valid grant of its tenant'),
  'too-few-miners': row(503, 'peer', 'Not enough miners can be reached'),
  'not-stored': row(503, 'peer', 'Too few miners confirmed the file'),
  'probe-failed': row(502, 'peer', 'The miner did not serve the shard'),
  unrecoverable: row(503, 'peer', 'Too few shards can be reached to rebuild the file'),
  corrupt: row(500, 'us', 'The rebuilt bytes are not the stored ones'),
  internal: row(500, 'us', 'Something went wrong here'),
  misconfigured: row(500, 'us', 'This server’s settings are wrong'),
} as const satisfies Readonly<Record<string, ProblemRow>>;

export type ProblemCode = keyof typeof PROBLEMS;

export const PROBLEM_TYPE = 'application/problem+json';

/** The JSON members of a problem; `extra` members of a code stand beside them. */
export interface ProblemBody {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly code: ProblemCode;
  readonly detail?: string;
  readonly [extra: string]: unknown;
}

/** A problem's status and JSON body. `extra` never overrides the standard members. */
export function problemOf(
  code: ProblemCode,
  detail?: string,
  extra?: Readonly<Record<string, unknown>>,
): { readonly status: number; readonly body: ProblemBody } {
  const { status, title } = PROBLEMS[code];
  const standard = { type: `urn:filetao:problem:${code}`, title, status, code };
  return { status, body: { ...extra, ...standard, ...(detail === undefined ? {} : { detail }) } };
}

/** The problem as UTF-8, at most MAX_PROBLEM_BYTES: `extra` goes first, then `detail`, when it would be longer. */
export function encodeProblem(
  code: ProblemCode,
  detail?: string,
  extra?: Readonly<Record<string, unknown>>,
): Uint8Array {
  const attempts = [problemOf(code, detail, extra), problemOf(code, detail?.slice(0, 500)), problemOf(code)];
  for (const { body } of attempts) {
    const bytes = new TextEncoder().encode(JSON.stringify(body));
    if (bytes.length <= MAX_PROBLEM_BYTES) return bytes;
  }
  throw new Error('invariant broken: a bare problem fits');
}

/** The problem as a web Response; `headers` for what a code needs beside it (`Retry-After`, `Allow`, `WWW-Authenticate`). */
export function problemResponse(
  code: ProblemCode,
  detail?: string,
  extra?: Readonly<Record<string, unknown>>,
  headers?: Readonly<Record<string, string>>,
): Response {
  return new Response(encodeProblem(code, detail, extra) as Uint8Array<ArrayBuffer>, {
    status: PROBLEMS[code].status,
    headers: { ...headers, 'content-type': PROBLEM_TYPE, 'cache-control': 'no-store' },
  });
}

export const isProblemCode = (code: string): code is ProblemCode => Object.hasOwn(PROBLEMS, code);

/** What is believed of a peer's problem: a code of the right shape, and text that is short and printable. */
export interface PeerProblem {
  readonly code: string;
  readonly detail?: string;
}

const CODE = /^[a-z][a-z0-9-]{0,39}$/;
const MAX_DETAIL_CHARS = 300;

/** A peer's problem body; undefined when it is too long, not JSON, or has no code. */
export function parseProblem(bytes: Uint8Array): PeerProblem | undefined {
  if (bytes.length > MAX_PROBLEM_BYTES) return undefined;
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: false }).decode(bytes));
  } catch {
    return undefined;
  }
  if (typeof value !== 'object' || value === null) return undefined;
  const { code, detail } = value as { code?: unknown; detail?: unknown };
  if (typeof code !== 'string' || !CODE.test(code)) return undefined;
  if (typeof detail !== 'string') return { code };
  // Control characters would forge log lines.
  return { code, detail: detail.slice(0, MAX_DETAIL_CHARS).replace(/\p{C}/gu, ' ') };
}
