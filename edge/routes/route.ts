/**
 * A route as one value: where it is, who may call it, what it takes and gives, and the code that answers. The app, the
 * access test and `/openapi.json` are all made from the same list of these, so that they cannot drift apart.
 */
import type { z } from 'zod';
import type { Access, CallerOf } from '#edge/access/access.ts';
import type { EdgePorts } from '#edge/ports.ts';
import type { ProblemCode } from '#shared/wire/problem.ts';

type Shape = z.ZodObject;

/** What one status of success looks like. */
export interface Answer {
  readonly description: string;
  /** JSON of this shape; absent: no body, or the bytes of a file. */
  readonly schema?: z.ZodType;
  readonly content?: 'json' | 'file' | 'page' | 'none';
}

export interface RouteCall<A extends Access, P extends Shape, Q extends Shape, H extends Shape, B extends z.ZodType> {
  readonly ports: EdgePorts;
  readonly request: Request;
  readonly caller: CallerOf<A>;
  readonly params: z.output<P>;
  readonly query: z.output<Q>;
  readonly headers: z.output<H>;
  readonly body: z.output<B>;
}

export interface RouteDefinition<
  A extends Access,
  P extends Shape,
  Q extends Shape,
  H extends Shape,
  B extends z.ZodType,
> {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  /** `:name` marks a parameter: one whole component, percent-decoded. A GET route also answers HEAD. */
  readonly path: `/${string}`;
  readonly access: A;
  readonly operationId: string;
  readonly summary: string;
  readonly params?: P;
  readonly query?: Q;
  /** Lowercase names of the request headers that mean something here. */
  readonly headers?: H;
  /** A JSON body of this shape. */
  readonly body?: B;
  /** Of the JSON body, when it may be longer than most. */
  readonly maxBodyBytes?: number;
  /** The route reads the body itself: a file's bytes, or a form of files. */
  readonly takesFile?: boolean;
  /** The route reads the body itself: bytes, as they are. */
  readonly takesBytes?: boolean;
  readonly answers: Readonly<Record<number, Answer>>;
  /** Refusals of its own; those of access, parsing and outage are added for every route. */
  readonly problems: readonly ProblemCode[];
  answer(call: RouteCall<A, P, Q, H, B>): Promise<Response> | Response;
}

/** A route in the list: what its code may rely on is proven by `defineRoute`, the app has checked it when it calls. */
export interface Route extends Omit<RouteDefinition<Access, Shape, Shape, Shape, z.ZodType>, 'answer'> {
  answer(call: RouteCall<Access, Shape, Shape, Shape, z.ZodType>): Promise<Response> | Response;
}

type Nothing = z.ZodObject<Record<never, never>>;

export function defineRoute<
  A extends Access,
  P extends Shape = Nothing,
  Q extends Shape = Nothing,
  H extends Shape = Nothing,
  B extends z.ZodType = z.ZodUndefined,
>(definition: RouteDefinition<A, P, Q, H, B>): Route {
  return definition as unknown as Route;
}

export function json(status: number, value: unknown, headers?: Readonly<Record<string, string>>): Response {
  return Response.json(value, { status, headers: { 'Cache-Control': 'no-store', ...headers } });
}
