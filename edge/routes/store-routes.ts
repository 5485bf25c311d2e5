/**
 * Files in: one as the raw body of a PUT or POST (`curl -T`), or several as parts of a form. What a body is, and what
 * is to become of it, is read here; `flows/store-file.ts` stores it.
 */
import { z } from 'zod';
import type { Caller } from '#edge/access/authenticate.ts';
import { BodyRefused } from '#edge/body/body-refused.ts';
import { MultipartReader } from '#edge/body/multipart.ts';
import { boundaryOf } from '#edge/body/multipart-head.ts';
import { streamSource } from '#edge/body/stream-source.ts';
import { storeFile } from '#edge/flows/store-file.ts';
import type { StoredFile, Upload } from '#edge/flows/upload.ts';
import { announcedBytes } from '#edge/http/announced-bytes.ts';
import { etagOf } from '#edge/http/conditional.ts';
import { type EdgeResult, failureResponse, refuse } from '#edge/http/problem.ts';
import type { EdgePorts } from '#edge/ports.ts';
import { parseContentType } from '#shared/api/content-type.ts';
import { decodeFileName, parseFileName } from '#shared/api/file-name.ts';
import {
  CidText,
  ContentTypeText,
  FileAnswer,
  FileName,
  FilesAnswer,
  ProofText,
  RedundancyText,
  TtlText,
} from '#shared/api/schemas.ts';
import type { Redundancy } from '#shared/codec/redundancy.ts';
import { succeed } from '#shared/primitives/failure.ts';
import type { Cid } from '#shared/primitives/ids.ts';
import { fileAnswer } from './file-answer.ts';
import { defineRoute, json } from './route.ts';

const EncodedName = z
  .string()
  .transform((text, context) => {
    const parsed = decodeFileName(text);
    if (parsed.ok) return parsed.name;
    context.addIssue({ code: 'custom', message: parsed.message });
    return z.NEVER;
  })
  .meta({ description: 'The name, percent-encoded UTF-8' });

const StoreQuery = z.strictObject({
  name: FileName.optional(),
  type: ContentTypeText.optional(),
  ttl: TtlText.optional(),
  redundancy: RedundancyText.optional(),
  proof: ProofText.optional(),
});

const StoreHeaders = z.object({
  'filetao-name': EncodedName.optional(),
  'filetao-content-type': ContentTypeText.optional(),
  'filetao-ttl': TtlText.optional(),
  'filetao-redundancy': RedundancyText.optional(),
  'filetao-proof': ProofText.optional(),
  'filetao-cid': CidText.optional(),
});

interface StoreOptions {
  readonly name: string | undefined;
  readonly contentType: string | undefined;
  readonly expiresAtMs: number;
  readonly redundancy: Redundancy | undefined;
  readonly zk: boolean;
  readonly announcedCid: Cid | undefined;
}

/** An option comes once: as a header or in the query. */
function pick<T>(name: string, header: T | undefined, query: T | undefined): EdgeResult<T | undefined> {
  if (header === undefined || query === undefined) return succeed(header ?? query);
  return refuse('bad-request', `${name} was given twice: as a header and in the query`);
}

function optionsOf(
  ports: EdgePorts,
  headers: z.output<typeof StoreHeaders>,
  query: z.output<typeof StoreQuery>,
): EdgeResult<StoreOptions> {
  const name = pick('the name', headers['filetao-name'], query.name);
  if (!name.ok) return name;
  const type = pick('the content type', headers['filetao-content-type'], query.type);
  if (!type.ok) return type;
  const ttl = pick('ttl', headers['filetao-ttl'], query.ttl);
  if (!ttl.ok) return ttl;
  const redundancy = pick('redundancy', headers['filetao-redundancy'], query.redundancy);
  if (!redundancy.ok) return redundancy;
  const proof = pick('proof', headers['filetao-proof'], query.proof);
  if (!proof.ok) return proof;
  return succeed({
    name: name.value,
    contentType: type.value,
    expiresAtMs: ttl.value ? ports.clock.nowMs() + ttl.value * 1000 : 0,
    redundancy: redundancy.value,
    zk: proof.value === 'zk',
    announcedCid: headers['filetao-cid'],
  });
}

/** What `curl --data-binary` says of every body: no statement about the file. */
const SAID_BY_DEFAULT = 'application/x-www-form-urlencoded';

/** The body's own Content-Type, when it says something about the file. */
function ownContentType(request: Request): EdgeResult<string | undefined> {
  const header = request.headers.get('Content-Type');
  if (header === null || header === SAID_BY_DEFAULT) return succeed(undefined);
  const type = parseContentType(header);
  return type === undefined ? refuse('bad-request', 'Content-Type is not a media type') : succeed(type);
}

async function store(
  ports: EdgePorts,
  request: Request,
  caller: Caller,
  headers: z.output<typeof StoreHeaders>,
  query: z.output<typeof StoreQuery>,
): Promise<Response> {
  const encoding = request.headers.get('Content-Encoding');
  if (encoding !== null && encoding.toLowerCase() !== 'identity') {
    return failureResponse(refuse('unsupported-encoding', 'send the bytes as they are to be stored').failure);
  }
  const options = optionsOf(ports, headers, query);
  if (!options.ok) return failureResponse(options.failure);
  const boundary = boundaryOf(request.headers.get('Content-Type'));
  if (!boundary.ok) return failureResponse(boundary.failure);
  if (boundary.value !== undefined) return await storeForm(ports, request, caller, options.value, boundary.value);

  const own = ownContentType(request);
  if (!own.ok) return failureResponse(own.failure);
  const upload: Upload = {
    owner: caller.owner,
    ...options.value,
    contentType: options.value.contentType ?? own.value,
    source: streamSource(request.body),
    expectedBytes: announcedBytes(request),
    signal: request.signal,
  };
  const stored = await storeFile(ports, upload);
  return stored.ok ? storedResponse(stored.value) : failureResponse(stored.failure);
}

const locationOf = (cid: Cid): string => `/v1/files/${cid}`;

function storedResponse({ file, created }: StoredFile): Response {
  const headers = { Location: locationOf(file.cid), ETag: etagOf(file.cid) };
  return json(created ? 201 : 200, fileAnswer(file), headers);
}

/** A form's files one after the other, each its own upload; the first failure ends it and says what was stored before. */
async function storeForm(
  ports: EdgePorts,
  request: Request,
  caller: Caller,
  options: StoreOptions,
  boundary: string,
): Promise<Response> {
  if (options.name !== undefined || options.announcedCid !== undefined) {
    const text = 'in a form every file has its own name; name and CID are for a raw body';
    return failureResponse(refuse('bad-request', text).failure);
  }
  const files: FileAnswer[] = [];
  let created = false;
  const fail = (failure: Parameters<typeof failureResponse>[0]) =>
    failureResponse({ ...failure, extra: { ...failure.extra, files } });
  try {
    const form = new MultipartReader(streamSource(request.body), boundary);
    for (let part = await form.nextPart(); part; part = await form.nextPart()) {
      const name = parseFileName(part.filename);
      if (!name.ok) return fail(refuse('bad-name', name.message).failure);
      const stored = await storeFile(ports, {
        owner: caller.owner,
        ...options,
        name: name.name,
        contentType: options.contentType ?? part.contentType,
        source: part.source,
        signal: request.signal,
      });
      if (!stored.ok) return fail(stored.failure);
      files.push(fileAnswer(stored.value.file));
      created ||= stored.value.created;
    }
  } catch (error) {
    if (error instanceof BodyRefused) return fail(error.failure);
    throw error;
  }
  if (files.length === 0) return fail(refuse('bad-request', 'the form holds no file').failure);
  return json(created ? 201 : 200, { files });
}

const storeRoute = (method: 'PUT' | 'POST', operationId: string) =>
  defineRoute({
    method,
    path: '/v1/files',
    access: 'key',
    operationId,
    summary: 'Store the body as a file, or every file of a multipart/form-data body',
    query: StoreQuery,
    headers: StoreHeaders,
    takesFile: true,
    answers: {
      200: {
        description: 'You had these bytes already; the later expiry is kept',
        schema: z.union([FileAnswer, FilesAnswer]),
      },
      201: { description: 'Stored (one file as itself, a form as a list)', schema: z.union([FileAnswer, FilesAnswer]) },
    },
    problems: [
      'bad-name',
      'bad-cid',
      'wrong-cid',
      'truncated',
      'length-mismatch',
      'too-large',
      'over-quota',
      'unsupported-encoding',
      'unsupported-type',
      'unsupported-redundancy',
      'idle',
      'cancelled',
      'overloaded',
      'no-grant',
      'too-few-miners',
      'not-stored',
    ],
    answer: ({ ports, request, caller, headers, query }) => store(ports, request, caller, headers, query),
  });

export const storeRoutes = [storeRoute('PUT', 'storeFile'), storeRoute('POST', 'storeFiles')];
