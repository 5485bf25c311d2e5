/**
 * The edge as a hono app, made from the route list: access, parsing and the route's own answer in that order, CORS
 * around all of it, and a problem for everything else. `makePorts` gives each request its ports; `worker.ts` makes real
 * ones, tests make fakes and call `app.request`.
 */
import { Hono } from 'hono';
import { cors } from 'hono/cors';
import { IndexUnavailable } from '#shared/index/ports.ts';
import { admit } from './access/access.ts';
import { failureResponse, refuse } from './http/problem.ts';
import type { EdgePorts } from './ports.ts';
import { parseCall } from './routes/parse-call.ts';
import type { Route } from './routes/route.ts';
import { ROUTES } from './routes/route-list.ts';

interface EdgeContext {
  Variables: { ports: EdgePorts };
}

/** Ports for one request, or the answer that stands for all: a misconfigured edge. */
export type MakePorts = (environment: unknown, background: (work: Promise<unknown>) => void) => EdgePorts | Response;

const CORS_MAX_AGE_SECONDS = 600;
const EXPOSED_HEADERS = [
  'Accept-Ranges',
  'Content-Disposition',
  'Content-Range',
  'ETag',
  'Filetao-Bytes',
  'Last-Modified',
  'Location',
  'Retry-After',
];

async function answerRoute(route: Route, ports: EdgePorts, request: Request): Promise<Response> {
  const caller = await admit(ports, route.access, request);
  if (!caller.ok) return failureResponse(caller.failure);
  const parsed = await parseCall(route, request);
  if (!parsed.ok) return failureResponse(parsed.failure);
  return await route.answer({ ports, request, caller: caller.value, ...parsed.value } as Parameters<
    Route['answer']
  >[0]);
}

/** The one place where what nobody expected becomes an answer: logged in full, told without detail. */
function unexpected(error: unknown, ports: EdgePorts, request: Request): Response {
  const { pathname } = new URL(request.url);
  const text = error instanceof Error ? (error.stack ?? error.message) : String(error);
  if (request.signal.aborted) {
    ports.log.info('request-cancelled', { method: request.method, pathname });
    return failureResponse(refuse('cancelled', 'the client left').failure);
  }
  if (error instanceof IndexUnavailable) {
    ports.log.error('index-unavailable', { method: request.method, pathname, error: text });
    return failureResponse(refuse('index-unavailable', 'the index does not answer; try again shortly').failure);
  }
  ports.log.error('request-failed', { method: request.method, pathname, error: text });
  return failureResponse(refuse('internal', 'this is our fault; it is in the log').failure);
}

export function createApp(makePorts: MakePorts, routes: readonly Route[] = ROUTES): Hono<EdgeContext> {
  const app = new Hono<EdgeContext>();

  app.use(async (c, next) => {
    const ports = makePorts(c.env, (work) => c.executionCtx.waitUntil(work));
    if (ports instanceof Response) return ports;
    c.set('ports', ports);
    await next();
    // What is not a served file is data for programs: no browser shows or frames it.
    if (!c.res.headers.has('X-Content-Type-Options')) c.res.headers.set('X-Content-Type-Options', 'nosniff');
    return;
  });

  app.use(async (c, next) => {
    const origins = c.get('ports').settings.corsOrigins;
    if (origins.length === 0) return await next();
    return await cors({
      origin: (origin) => (origins.includes('*') ? '*' : origins.includes(origin) ? origin : null),
      allowMethods: ['GET', 'HEAD', 'PUT', 'POST', 'PATCH', 'DELETE'],
      exposeHeaders: EXPOSED_HEADERS,
      maxAge: CORS_MAX_AGE_SECONDS,
    })(c, next);
  });

  for (const route of routes) {
    app.on(route.method, route.path, async (c) => answerRoute(route, c.get('ports'), c.req.raw));
  }
  for (const [path, group] of Map.groupBy(routes, (route) => route.path)) {
    const allowed = group.flatMap(({ method }) => (method === 'GET' ? ['GET', 'HEAD'] : [method]));
    const headers = { Allow: allowed.join(', ') };
    app.all(path, () =>
      failureResponse(refuse('method-not-allowed', `allowed: ${headers.Allow}`, {}, headers).failure),
    );
  }
  app.notFound(() => failureResponse(refuse('unknown-route', 'see /openapi.json for what there is').failure));
  app.onError((error, c) => unexpected(error, c.get('ports'), c.req.raw));
  return app;
}
