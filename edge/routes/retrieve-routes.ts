/**
 * Files out: by CID for whoever may read, by name for the owner. RFC 9110 throughout: one range, conditions, validators.
 * Several ranges in one request are answered with the whole file, as the RFC allows.
 */
import { z } from 'zod';
import type { Caller } from '#edge/access/authenticate.ts';
import { findReadable, type Retrieval, retrieveFile } from '#edge/flows/retrieve-file.ts';
import { etagOf, evaluatePreconditions, lastModifiedOf, rangeStillValid } from '#edge/http/conditional.ts';
import { failureResponse, refuse } from '#edge/http/problem.ts';
import { decideRange, type RangeDecision } from '#edge/http/range.ts';
import { servedHeaders } from '#edge/http/served-headers.ts';
import type { EdgePorts } from '#edge/ports.ts';
import { CidText, FileName } from '#shared/api/schemas.ts';
import type { FileRecord } from '#shared/index/ports.ts';
import { defineRoute } from './route.ts';

/** The bytes of a CID never change, but a file can be deleted: caches may keep it this long without asking. */
const MAX_AGE_SECONDS = 60;

function headersOf(ports: EdgePorts, file: FileRecord, caller: Caller | undefined): Headers {
  // Another owner's name for the same bytes is nobody's business.
  const named = file.owner === caller?.owner ? file : { ...file, name: undefined };
  const { name, contentType } = named;
  return new Headers({
    ...servedHeaders({
      ...(name === undefined ? {} : { name }),
      ...(contentType === undefined ? {} : { contentType }),
    }),
    ETag: etagOf(file.cid),
    'Last-Modified': lastModifiedOf(file),
    'Accept-Ranges': 'bytes',
    'Cache-Control': `${ports.settings.publicReads ? 'public' : 'private'}, max-age=${MAX_AGE_SECONDS}`,
    ...(ports.settings.publicReads ? {} : { Vary: 'Authorization' }),
  });
}

/** Range is defined for GET alone (§14.2), and counts only while If-Range holds. */
function rangeOf(request: Request, file: FileRecord): RangeDecision {
  if (request.method !== 'GET' || !rangeStillValid(request.headers, file)) return { kind: 'whole' };
  return decideRange(request.headers.get('Range') ?? undefined, file.bytes);
}

async function serve(
  ports: EdgePorts,
  request: Request,
  caller: Caller | undefined,
  file: FileRecord | undefined,
): Promise<Response> {
  if (!file) return failureResponse(refuse('not-found', 'no such file').failure);
  const headers = headersOf(ports, file, caller);
  const condition = evaluatePreconditions(request.headers, file);
  if (condition === 'failed')
    return failureResponse(refuse('precondition-failed', 'the file has another ETag').failure);
  if (condition === 'not-modified') {
    for (const name of ['Content-Type', 'Content-Disposition']) headers.delete(name);
    return new Response(null, { status: 304, headers });
  }
  const range = rangeOf(request, file);
  if (range.kind === 'unsatisfiable') {
    const contentRange = { 'Content-Range': `bytes */${file.bytes}`, 'Accept-Ranges': 'bytes' };
    const text = `the file has ${file.bytes} bytes`;
    return failureResponse(refuse('range-not-satisfiable', text, { bytes: file.bytes }, contentRange).failure);
  }
  const from = range.kind === 'part' ? range.first : 0;
  const to = range.kind === 'part' ? range.last + 1 : file.bytes;
  headers.set('Content-Length', String(to - from));
  if (range.kind === 'part') headers.set('Content-Range', `bytes ${from}-${to - 1}/${file.bytes}`);
  if (request.method === 'HEAD') return new Response(null, { headers });

  const retrieval = await retrieveFile(ports, { file, from, to, signal: request.signal });
  if (!retrieval.ok) return failureResponse(retrieval.failure);
  // A stream of fixed length is what makes the runtime send Content-Length, and refuse to end early.
  const { readable, writable } = new FixedLengthStream(to - from);
  ports.background(pump(ports, file, retrieval.value, writable));
  return new Response(readable, { status: range.kind === 'part' ? 206 : 200, headers });
}

/** Moves the bytes into the response; a failure, or a client that left, ends the stream with an error. */
async function pump(ports: EdgePorts, file: FileRecord, retrieval: Retrieval, to: WritableStream): Promise<void> {
  const writer = to.getWriter();
  try {
    const failure = await retrieval.deliver((piece) => writer.write(piece));
    if (!failure) return await writer.close();
    ports.log.warn('retrieval-broke', { file: file.number, code: failure.code, ...failure.extra });
    await writer.abort(new Error(failure.code));
  } catch (error) {
    ports.log.info('retrieval-ended', { file: file.number, error: String(error) });
    await writer.abort(error).catch((reason) => ports.log.debug('stream-already-over', { reason: String(reason) }));
  }
}

const answers = {
  200: { description: 'The file', content: 'file' },
  206: { description: 'The range asked for', content: 'file' },
  304: { description: 'The copy you have is good', content: 'none' },
} as const;
const problems = [
  'not-found',
  'precondition-failed',
  'range-not-satisfiable',
  'overloaded',
  'no-grant',
  'unrecoverable',
  'corrupt',
] as const;

/** Of all request headers these change the answer. */
const RangeHeaders = z.object({
  range: z.string().optional(),
  'if-range': z.string().optional(),
  'if-none-match': z.string().optional(),
});

export const retrieveByName = defineRoute({
  method: 'GET',
  path: '/v1/files/by-name/:name',
  access: 'key',
  operationId: 'retrieveFileByName',
  summary: 'Read your file that this name was last given to',
  params: z.strictObject({ name: FileName }),
  headers: RangeHeaders,
  answers,
  problems: ['bad-name', ...problems],
  answer: async ({ ports, request, caller, params }) =>
    serve(ports, request, caller, await ports.files.findByName(caller.owner, params.name)),
});

export const retrieveByCid = defineRoute({
  method: 'GET',
  path: '/v1/files/:cid',
  access: 'reader',
  operationId: 'retrieveFile',
  summary: 'Read a file, or one range of it',
  params: z.strictObject({ cid: CidText }),
  headers: RangeHeaders,
  answers,
  problems: ['bad-cid', ...problems],
  answer: async ({ ports, request, caller, params }) =>
    serve(ports, request, caller, await findReadable(ports, params.cid, caller?.owner)),
});
