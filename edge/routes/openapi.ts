/**
 * `/openapi.json`, generated from the route list and its schemas at the first request: there is nothing to keep in step.
 * OpenAPI 3.1, whose schemas are JSON Schema 2020-12, as zod writes it.
 */
import { z } from 'zod';
import { BTAUTH_HEADERS } from '#shared/wire/btauth.ts';
import { PROBLEM_TYPE, PROBLEMS, type ProblemCode } from '#shared/wire/problem.ts';
import type { Answer, Route } from './route.ts';

type Json = Record<string, unknown>;

/** Problems that any route may answer with. */
const ALWAYS: readonly ProblemCode[] = ['bad-request', 'index-unavailable', 'internal', 'misconfigured'];

function schemaOf(schema: z.ZodType, io: 'input' | 'output'): Json {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, { io, unrepresentable: 'any', reused: 'inline' }) as Json;
  // Named schemas come as local definitions; each operation here stands on its own, so they are put in place.
  return inline(rest, (rest.$defs ?? {}) as Record<string, Json>) as Json;
}

function inline(value: unknown, definitions: Record<string, Json>): unknown {
  if (Array.isArray(value)) return value.map((item) => inline(item, definitions));
  if (typeof value !== 'object' || value === null) return value;
  const { $ref, $defs: _, ...rest } = value as Json;
  const target = typeof $ref === 'string' ? definitions[$ref.replace('#/$defs/', '')] : undefined;
  if (target) return inline(target, definitions);
  return Object.fromEntries(Object.entries(rest).map(([key, item]) => [key, inline(item, definitions)]));
}

function parametersOf(place: 'path' | 'query' | 'header', shape: z.ZodObject | undefined): Json[] {
  if (!shape) return [];
  return Object.entries(shape.shape).map(([name, field]) => {
    const schema = schemaOf(field as z.ZodType, 'input');
    const { description } = schema;
    const required = place === 'path' || !(field as z.ZodType).safeParse(undefined).success;
    return { name, in: place, required, ...(description === undefined ? {} : { description }), schema };
  });
}

const FILE_BODY = {
  'application/octet-stream': { schema: { type: 'string', contentMediaType: 'application/octet-stream' } },
};
const FORM_BODY = {
  'multipart/form-data': {
    schema: { type: 'object', additionalProperties: { type: 'string', contentMediaType: 'application/octet-stream' } },
  },
};

/** Of answers without a schema. */
const BODY_OF: Readonly<Record<NonNullable<Answer['content']>, Json | undefined>> = {
  file: FILE_BODY,
  page: { 'text/html': { schema: { type: 'string' } } },
  json: { 'application/json': {} },
  none: undefined,
};

function requestBodyOf(route: Route): Json {
  if (route.takesFile) return { requestBody: { required: true, content: { ...FILE_BODY, ...FORM_BODY } } };
  if (route.takesBytes) return { requestBody: { required: true, content: FILE_BODY } };
  if (!route.body) return {};
  const schema = schemaOf(route.body, 'input');
  return { requestBody: { required: true, content: { 'application/json': { schema } } } };
}

function responsesOf(route: Route): Json {
  const responses: Record<string, Json> = {};
  for (const [status, { description, schema, content }] of Object.entries(route.answers)) {
    const json = schema ? { 'application/json': { schema: schemaOf(schema, 'output') } } : undefined;
    const body = json ?? (content === undefined ? undefined : BODY_OF[content]);
    responses[status] = { description, ...(body ? { content: body } : {}) };
  }
  const access: ProblemCode[] = route.access === 'anyone' ? [] : ['unauthorized'];
  const byStatus = Map.groupBy([...access, ...route.problems, ...ALWAYS], (code) => PROBLEMS[code].status);
  for (const [status, codes] of [...byStatus].sort(([a], [b]) => a - b)) {
    const text = codes.map((code) => `${code}: ${PROBLEMS[code].title}`).join('; ');
    const before = responses[status]?.description;
    const content = {
      ...(responses[status]?.content as Json | undefined),
      [PROBLEM_TYPE]: { schema: { $ref: '#/components/schemas/Problem' } },
    };
    responses[status] = { description: before ? `${before}; or ${text}` : text, content };
  }
  return responses;
}

const SECURITY: Readonly<Record<Route['access'], readonly Json[]>> = {
  anyone: [],
  reader: [{ key: [] }, {}],
  key: [{ key: [] }],
  tenant: [{ tenant: [] }],
};

function operationOf(route: Route): Json {
  const parameters = [
    ...parametersOf('path', route.params),
    ...parametersOf('query', route.query),
    ...parametersOf('header', route.headers),
  ];
  return {
    operationId: route.operationId,
    summary: route.summary,
    security: SECURITY[route.access],
    ...(parameters.length > 0 ? { parameters } : {}),
    ...requestBodyOf(route),
    responses: responsesOf(route),
  };
}

const PROBLEM_SCHEMA = {
  type: 'object',
  description: 'RFC 9457. Decide by `code`, never by text; some codes bring members of their own.',
  properties: {
    type: { type: 'string' },
    title: { type: 'string' },
    status: { type: 'integer' },
    code: { type: 'string', enum: Object.keys(PROBLEMS) },
    detail: { type: 'string' },
  },
  required: ['type', 'title', 'status', 'code'],
};

/** `/v1/files/:cid` → `/v1/files/{cid}`. */
export const openApiPath = (path: string): string => path.replace(/:([A-Za-z]+)/g, '{$1}');

export function openApiOf(routes: readonly Route[]): Json {
  const paths: Record<string, Json> = {};
  for (const route of routes) {
    const path = openApiPath(route.path);
    const operation = operationOf(route);
    paths[path] = { ...paths[path], [route.method.toLowerCase()]: operation };
    if (route.method === 'GET') {
      const head = {
        ...operation,
        operationId: `${route.operationId}Head`,
        summary: `${route.summary}: headers alone`,
      };
      paths[path] = { ...paths[path], head };
    }
  }
  return {
    openapi: '3.1.0',
    info: { title: 'FileTAO edge', version: '1', license: { name: 'MIT', identifier: 'MIT' } },
    paths,
    components: {
      schemas: { Problem: PROBLEM_SCHEMA },
      securitySchemes: {
        key: { type: 'http', scheme: 'bearer', description: 'An API key (`ftk_…`)' },
        tenant: {
          type: 'apiKey',
          in: 'header',
          name: BTAUTH_HEADERS.signature,
          description:
            'btauth/1 by the hotkey of this edge’s tenant (docs/protocol.md §1.1), with its five other headers',
        },
      },
    },
  };
}
