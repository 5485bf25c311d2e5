/**
 * Turns a request into what a route's schemas promise: parameters, query, headers and JSON body. The first thing that is
 * wrong is told in words; the code is that of the thing (a bad CID, a bad name) where there is one.
 */
import type { z } from 'zod';
import { readSmallBody } from '#edge/body/small-body.ts';
import { type EdgeResult, refuse } from '#edge/http/problem.ts';
import { succeed } from '#shared/primitives/failure.ts';
import type { ProblemCode } from '#shared/wire/problem.ts';
import type { Route } from './route.ts';

/** JSON bodies are a few fields. */
const MAX_JSON_BYTES = 16 * 1024;

const CODE_OF_FIELD: Readonly<Record<string, ProblemCode>> = {
  cid: 'bad-cid',
  'filetao-cid': 'bad-cid',
  name: 'bad-name',
  'filetao-name': 'bad-name',
};

function check(schema: z.ZodType | undefined, value: unknown, where: string): EdgeResult<unknown> {
  if (!schema) return succeed({});
  const parsed = schema.safeParse(value);
  if (parsed.success) return succeed(parsed.data);
  const errors = parsed.error.issues.map(({ path, message }) => ({ where, field: path.join('.'), message }));
  const [first] = errors;
  const code = CODE_OF_FIELD[first?.field ?? ''] ?? 'bad-request';
  const text = first?.field ? `${where} ${first.field}: ${first.message}` : `${where}: ${first?.message}`;
  return refuse(code, text, { errors });
}

/** The components behind each `:name` of the pattern, percent-decoded strictly. */
function paramsOf(pattern: string, pathname: string): EdgeResult<Record<string, string>> {
  const sent = pathname.split('/');
  const params: Record<string, string> = {};
  for (const [at, component] of pattern.split('/').entries()) {
    if (!component.startsWith(':')) continue;
    try {
      params[component.slice(1)] = decodeURIComponent(sent[at] ?? '');
    } catch {
      return refuse('bad-target', 'the path is not percent-encoded UTF-8');
    }
  }
  return succeed(params);
}

/** Each name once: which of two values is meant is not for us to guess. */
function queryOf(search: URLSearchParams): EdgeResult<Record<string, string>> {
  const query: Record<string, string> = {};
  for (const [name, value] of search) {
    if (Object.hasOwn(query, name)) return refuse('bad-request', `${name} stands twice in the query`);
    query[name] = value;
  }
  return succeed(query);
}

async function jsonOf(request: Request, maxBytes = MAX_JSON_BYTES): Promise<EdgeResult<unknown>> {
  const bytes = await readSmallBody(request, maxBytes);
  if (!bytes) return refuse('too-large', `a JSON body has at most ${maxBytes} bytes`);
  // An empty body is an empty object: every field is optional, or its absence is told.
  if (bytes.length === 0) return succeed({});
  try {
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
    return succeed(JSON.parse(text));
  } catch {
    return refuse('bad-request', 'the body is not JSON');
  }
}

export interface ParsedCall {
  readonly params: unknown;
  readonly query: unknown;
  readonly headers: unknown;
  readonly body: unknown;
}

export async function parseCall(route: Route, request: Request): Promise<EdgeResult<ParsedCall>> {
  const url = new URL(request.url);
  const sentParams = paramsOf(route.path, url.pathname);
  if (!sentParams.ok) return sentParams;
  const params = check(route.params, sentParams.value, 'path');
  if (!params.ok) return params;
  const sentQuery = queryOf(url.searchParams);
  if (!sentQuery.ok) return sentQuery;
  // A route without a query takes none: a misspelt or misplaced option is told, not dropped.
  const [stray] = route.query ? [] : Object.keys(sentQuery.value);
  if (stray !== undefined) return refuse('bad-request', `query ${stray.slice(0, 40)}: not known here`);
  const query = check(route.query, sentQuery.value, 'query');
  if (!query.ok) return query;
  const headers = check(route.headers, Object.fromEntries(request.headers), 'header');
  if (!headers.ok) return headers;
  const sentBody = route.body ? await jsonOf(request, route.maxBodyBytes) : succeed(undefined);
  if (!sentBody.ok) return sentBody;
  const body = route.body ? check(route.body, sentBody.value, 'body') : succeed(undefined);
  if (!body.ok) return body;
  return succeed({ params: params.value, query: query.value, headers: headers.value, body: body.value });
}
