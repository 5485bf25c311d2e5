/**
 * Uploads by parts, over HTTP: open, put parts in any order and at once, look, complete, abort. What is the same for
 * every door to the session engine is in `flows/uploads/`; this reads requests and writes answers.
 */
import { z } from 'zod';
import { streamSource } from '#edge/body/stream-source.ts';
import { abortUpload, completeUpload } from '#edge/flows/uploads/complete-upload.ts';
import { findUpload, uploadIdOf } from '#edge/flows/uploads/find-upload.ts';
import { openUpload } from '#edge/flows/uploads/open-upload.ts';
import { storePart } from '#edge/flows/uploads/store-part.ts';
import { announcedBytes } from '#edge/http/announced-bytes.ts';
import { etagOf } from '#edge/http/conditional.ts';
import { failureResponse, refuse } from '#edge/http/problem.ts';
import { FileAnswer } from '#shared/api/schemas.ts';
import {
  CompletionRequest,
  MAX_PARTS,
  PartAnswer,
  PartFromText,
  PartLimitText,
  PartNumberText,
  ProvingAnswer,
  Sha256StateText,
  UploadAnswer,
  UploadIdText,
  UploadListAnswer,
  UploadPartsAnswer,
  UploadRequest,
} from '#shared/api/upload-schemas.ts';
import type { FileRecord } from '#shared/index/ports.ts';
import type { PartRecord, UploadSession, UploadState } from '#shared/index/upload-ports.ts';
import { fromBase64, fromHex, toHex } from '#shared/primitives/bytes.ts';
import { fileAnswer, isoTime } from './file-answer.ts';
import { defineRoute, json } from './route.ts';

const ById = z.strictObject({ upload: UploadIdText });
const locationOf = (session: UploadSession): string => `/v1/uploads/${uploadIdOf(session)}`;

/** JSON of MAX_PARTS hashes, and room. */
const MAX_COMPLETION_BYTES = 1024 * 1024;

function uploadAnswer({ session, end, stored }: UploadState, nowMs: number): UploadAnswer {
  const { fileId, partBytes, k, n, openedAtMs, endsAtMs, bytes, cid, name, contentType } = session;
  const ended = end === 'aborted' ? 'aborted' : end ? 'completing' : undefined;
  const state = stored ? 'stored' : (ended ?? (endsAtMs <= nowMs ? 'expired' : 'open'));
  return {
    ...{ upload: uploadIdOf(session), fileId, state, partBytes, maxParts: MAX_PARTS, redundancy: { k, n } },
    ...{ openedAt: isoTime(openedAtMs), endsAt: isoTime(endsAtMs) },
    ...(bytes === undefined ? {} : { bytes }),
    ...(cid === undefined ? {} : { cid }),
    ...(name === undefined ? {} : { name }),
    ...(contentType === undefined ? {} : { contentType }),
  };
}

const partAnswer = ({ number, bytes, hash }: PartRecord): PartAnswer => ({ number, bytes, hash: toHex(hash) });

const fileResponse = (status: 200 | 201, file: FileRecord): Response =>
  json(status, fileAnswer(file), { Location: `/v1/files/${file.cid}`, ETag: etagOf(file.cid) });

const open = defineRoute({
  method: 'POST',
  path: '/v1/uploads',
  access: 'key',
  operationId: 'openUpload',
  summary: 'Begin an upload by parts, which may take days and many connections',
  body: UploadRequest,
  answers: {
    200: { description: 'You have the bytes of this CID already', schema: FileAnswer },
    201: { description: 'Opened', schema: UploadAnswer },
  },
  problems: [
    ...(['bad-name', 'bad-cid', 'too-large', 'over-quota', 'unsupported-redundancy', 'too-many-uploads'] as const),
    ...(['no-grant', 'too-few-miners'] as const),
  ],
  answer: async ({ ports, caller, body }) => {
    const { type, ttl, ...rest } = body;
    const opened = await openUpload(ports, { owner: caller.owner, contentType: type, ttlMs: ttl * 1000, ...rest });
    if (!opened.ok) return failureResponse(opened.failure);
    if ('had' in opened.value) return fileResponse(200, opened.value.had);
    const { session } = opened.value;
    const answer = uploadAnswer({ session, stored: false }, ports.clock.nowMs());
    return json(201, answer, { Location: locationOf(session) });
  },
});

const list = defineRoute({
  method: 'GET',
  path: '/v1/uploads',
  access: 'key',
  operationId: 'listUploads',
  summary: 'Your open uploads, those that end first first',
  answers: { 200: { description: 'All of them', schema: UploadListAnswer } },
  problems: [],
  answer: async ({ ports, caller }) => {
    const sessions = await ports.uploads.openUploads(caller.owner);
    const nowMs = ports.clock.nowMs();
    return json(200, { uploads: sessions.map((session) => uploadAnswer({ session, stored: false }, nowMs)) });
  },
});

const read = defineRoute({
  method: 'GET',
  path: '/v1/uploads/:upload',
  access: 'key',
  operationId: 'readUpload',
  summary: 'How your upload stands, and which parts are there',
  params: ById,
  query: z.strictObject({ from: PartFromText, limit: PartLimitText }),
  answers: { 200: { description: 'Parts in order, a page of them', schema: UploadPartsAnswer } },
  problems: ['not-found'],
  answer: async ({ ports, caller, params, query }) => {
    const found = await findUpload(ports, params.upload, caller.owner);
    if (!found.ok) return failureResponse(found.failure);
    const parts = await ports.uploads.listParts(found.value.session.number, query.from, query.limit);
    const last = parts.length === query.limit ? parts.at(-1) : undefined;
    const next = last && last.number < MAX_PARTS ? { next: last.number + 1 } : {};
    return json(200, { ...uploadAnswer(found.value, ports.clock.nowMs()), parts: parts.map(partAnswer), ...next });
  },
});

/** RFC 9530; other members than sha-256 are passed over. */
const DIGEST = /(?:^|,)\s*sha-256=:([A-Za-z0-9+/]{43}=):\s*(?:,|$)/;

const putPart = defineRoute({
  method: 'PUT',
  path: '/v1/uploads/:upload/parts/:number',
  access: 'key',
  operationId: 'putPart',
  summary: 'Store one part of your upload: any order, several at once, again as often as needed',
  params: z.strictObject({ upload: UploadIdText, number: PartNumberText }),
  headers: z.object({
    'content-digest': z
      .string()
      .regex(DIGEST, 'must be sha-256=:BASE64:')
      .optional()
      .meta({ description: 'RFC 9530, sha-256: a part that is there with this hash is answered before its body' }),
    'filetao-sha256-state': Sha256StateText.optional(),
  }),
  takesBytes: true,
  answers: {
    200: { description: 'This part was there already, with these bytes', schema: PartAnswer },
    201: { description: 'Stored; other bytes of this part, if there were any, are replaced', schema: PartAnswer },
  },
  problems: [
    ...(['not-found', 'upload-ended', 'expired', 'truncated', 'length-mismatch', 'digest-mismatch'] as const),
    ...(['too-large', 'over-quota', 'unsupported-encoding', 'part-busy', 'idle', 'cancelled'] as const),
    ...(['overloaded', 'no-grant', 'too-few-miners', 'not-stored'] as const),
  ],
  answer: async ({ ports, request, caller, params, headers }) => {
    const encoding = request.headers.get('Content-Encoding');
    if (encoding !== null && encoding.toLowerCase() !== 'identity') {
      return failureResponse(refuse('unsupported-encoding', 'send the bytes as they are to be stored').failure);
    }
    const found = await findUpload(ports, params.upload, caller.owner);
    if (!found.ok) return failureResponse(found.failure);
    const said = DIGEST.exec(headers['content-digest'] ?? '')?.[1];
    const stored = await storePart(ports, found.value, {
      number: params.number,
      source: streamSource(request.body),
      expectedBytes: announcedBytes(request),
      hash: said === undefined ? undefined : fromBase64(said),
      before: fromHex(headers['filetao-sha256-state'] ?? '', 32),
      signal: request.signal,
    });
    if (!stored.ok) return failureResponse(stored.failure);
    return json(stored.value.created ? 201 : 200, partAnswer(stored.value.part));
  },
});

const complete = defineRoute({
  method: 'POST',
  path: '/v1/uploads/:upload/complete',
  access: 'key',
  operationId: 'completeUpload',
  summary: 'Make the parts a file; safe to repeat',
  params: ById,
  body: CompletionRequest,
  maxBodyBytes: MAX_COMPLETION_BYTES,
  answers: {
    200: { description: 'You have this file already: by this upload, or by another', schema: FileAnswer },
    201: { description: 'Stored', schema: FileAnswer },
    202: {
      description: 'Parts that came out of order are still being hashed: repeat the request',
      schema: ProvingAnswer,
    },
  },
  problems: [
    ...(['bad-cid', 'not-found', 'upload-ended', 'expired', 'parts-missing', 'parts-mismatch', 'wrong-cid'] as const),
    ...([
      'length-mismatch',
      'too-large',
      'over-quota',
      'cancelled',
      'overloaded',
      'no-grant',
      'unrecoverable',
    ] as const),
  ],
  answer: async ({ ports, request, caller, params, body }) => {
    const found = await findUpload(ports, params.upload, caller.owner);
    if (!found.ok) return failureResponse(found.failure);
    const parts = body.parts?.map((hash) => fromHex(hash, 32) ?? new Uint8Array(32));
    const asked = { cid: body.cid, bytes: body.bytes, parts, signal: request.signal };
    const completed = await completeUpload(ports, found.value, asked);
    if (!completed.ok) return failureResponse(completed.failure);
    if ('provenBytes' in completed.value) return json(202, completed.value, { 'Retry-After': '0' });
    return fileResponse(completed.value.created ? 201 : 200, completed.value.file);
  },
});

const abort = defineRoute({
  method: 'DELETE',
  path: '/v1/uploads/:upload',
  access: 'key',
  operationId: 'abortUpload',
  summary: 'Give your upload up; its parts are dropped',
  params: ById,
  answers: { 204: { description: 'Aborted', content: 'none' } },
  problems: ['not-found', 'upload-ended'],
  answer: async ({ ports, caller, params }) => {
    const found = await findUpload(ports, params.upload, caller.owner);
    const aborted = found.ok ? await abortUpload(ports, found.value) : found;
    return aborted.ok ? new Response(null, { status: 204 }) : failureResponse(aborted.failure);
  },
});

export const uploadRoutes = [open, list, read, putPart, complete, abort];
