/** An owner's own files: list, change, delete, how they stand. Someone else's file is "no such file" here. */
import { z } from 'zod';
import type { Caller } from '#edge/access/authenticate.ts';
import { fileStatus } from '#edge/flows/file-status.ts';
import { failureResponse, refuse } from '#edge/http/problem.ts';
import type { EdgePorts } from '#edge/ports.ts';
import {
  CidText,
  CursorText,
  DeletionAnswer,
  EnvelopesText,
  FileAnswer,
  FileChangeRequest,
  FileName,
  FilePageAnswer,
  LimitText,
  MAX_TTL_SECONDS,
  StatusAnswer,
} from '#shared/api/schemas.ts';
import type { DeletionProgress, FileRecord } from '#shared/index/ports.ts';
import { toBase64Url } from '#shared/primitives/bytes.ts';
import type { Cid } from '#shared/primitives/ids.ts';
import { fileAnswer, isoTime } from './file-answer.ts';
import { defineRoute, json } from './route.ts';

/** With envelopes a page has fewer files, so that it stays a megabyte or two. */
const MAX_PAGE_ENVELOPES = 100;

const ByCid = z.strictObject({ cid: CidText });
const noSuchFile = () => failureResponse(refuse('not-found', 'you have no such file').failure);

export const listFiles = defineRoute({
  method: 'GET',
  path: '/v1/files',
  access: 'key',
  operationId: 'listFiles',
  summary: 'Your files, newest first, page by page',
  query: z.strictObject({ limit: LimitText, cursor: CursorText.optional(), envelopes: EnvelopesText.optional() }),
  answers: { 200: { description: 'A page; `next` is the cursor of the following one', schema: FilePageAnswer } },
  problems: [],
  answer: async ({ ports, caller, query }) => {
    const limit = query.envelopes ? Math.min(query.limit, MAX_PAGE_ENVELOPES) : query.limit;
    const { items, next } = await ports.files.listFiles(caller.owner, query.cursor, limit);
    const envelopes = query.envelopes ? await ports.files.readEnvelopes(items.map(({ number }) => number)) : [];
    const files = items.map((file, i) => {
      const envelope = envelopes[i];
      return { ...fileAnswer(file), ...(envelope ? { envelope: toBase64Url(envelope) } : {}) };
    });
    return json(200, { files, ...(next === undefined ? {} : { next }) });
  },
});

/** undefined: unchanged. */
function changedExpiry(change: z.output<typeof FileChangeRequest>, nowMs: number): number | undefined {
  if (change.ttl !== undefined) return change.ttl === 0 ? 0 : nowMs + change.ttl * 1000;
  if (change.expiresAt === undefined) return undefined;
  return change.expiresAt === null ? 0 : Date.parse(change.expiresAt);
}

export const changeFile = defineRoute({
  method: 'PATCH',
  path: '/v1/files/:cid',
  access: 'key',
  operationId: 'changeFile',
  summary: 'Give your file another expiry or name',
  params: ByCid,
  body: FileChangeRequest,
  answers: { 200: { description: 'The file as it is now', schema: FileAnswer } },
  problems: ['bad-cid', 'bad-name', 'not-found'],
  answer: async ({ ports, caller, params, body }) => {
    const nowMs = ports.clock.nowMs();
    const expiresAtMs = changedExpiry(body, nowMs);
    if (
      expiresAtMs !== undefined &&
      expiresAtMs !== 0 &&
      !(expiresAtMs > nowMs && expiresAtMs <= nowMs + MAX_TTL_SECONDS * 1000)
    ) {
      return failureResponse(
        refuse('bad-request', 'expiresAt must lie in the future; to delete a file use DELETE').failure,
      );
    }
    const file = await ports.files.findFile(params.cid, caller.owner);
    const changed =
      file &&
      (await ports.files.changeFile(file, {
        ...(expiresAtMs === undefined ? {} : { expiresAtMs }),
        ...(body.name === undefined ? {} : { name: body.name }),
      }));
    return changed ? json(200, fileAnswer(changed)) : noSuchFile();
  },
});

function deletionAnswer(cid: Cid, progress: DeletionProgress): z.output<typeof DeletionAnswer> {
  const { deletedAtMs, shards, dropped } = progress;
  return { cid, deletedAt: isoTime(deletedAtMs), shards, dropped, complete: dropped >= shards };
}

/** The tombstone is all an edge writes; the tenant's validator has the miners drop the shards. */
async function remove(ports: EdgePorts, caller: Caller, file: FileRecord | undefined): Promise<Response> {
  if (!file || !(await ports.files.deleteFile(file, 'deleted'))) return noSuchFile();
  const progress = await ports.files.deletion(caller.owner, file.cid);
  const fresh = { deletedAtMs: ports.clock.nowMs(), shards: file.segments * file.n, dropped: 0 };
  const headers = { Location: `/v1/files/${file.cid}/deletion` };
  return json(202, deletionAnswer(file.cid, progress ?? fresh), headers);
}

const deleteAnswers = {
  202: {
    description: 'Not found from now on; the miners are told to drop its shards, see Location',
    schema: DeletionAnswer,
  },
} as const;

export const deleteByName = defineRoute({
  method: 'DELETE',
  path: '/v1/files/by-name/:name',
  access: 'key',
  operationId: 'deleteFileByName',
  summary: 'Delete your file that this name was last given to',
  params: z.strictObject({ name: FileName }),
  answers: deleteAnswers,
  problems: ['bad-name', 'not-found'],
  answer: async ({ ports, caller, params }) =>
    remove(ports, caller, await ports.files.findByName(caller.owner, params.name)),
});

export const deleteByCid = defineRoute({
  method: 'DELETE',
  path: '/v1/files/:cid',
  access: 'key',
  operationId: 'deleteFile',
  summary: 'Delete your file',
  params: ByCid,
  answers: deleteAnswers,
  problems: ['bad-cid', 'not-found'],
  answer: async ({ ports, caller, params }) =>
    remove(ports, caller, await ports.files.findFile(params.cid, caller.owner)),
});

export const readDeletion = defineRoute({
  method: 'GET',
  path: '/v1/files/:cid/deletion',
  access: 'key',
  operationId: 'readDeletion',
  summary: 'How many of the shards of your deleted file are dropped, by their miners’ signed word',
  params: ByCid,
  answers: { 200: { description: 'How far it has come', schema: DeletionAnswer } },
  problems: ['bad-cid', 'not-found'],
  answer: async ({ ports, caller, params }) => {
    const progress = await ports.files.deletion(caller.owner, params.cid);
    return progress ? json(200, deletionAnswer(params.cid, progress)) : noSuchFile();
  },
});

export const readStatus = defineRoute({
  method: 'GET',
  path: '/v1/files/:cid/status',
  access: 'key',
  operationId: 'readStatus',
  summary: 'How your file stands: shards alive, and how many more losses it survives',
  params: ByCid,
  answers: { 200: { description: 'As its miners answer now', schema: StatusAnswer } },
  problems: ['bad-cid', 'not-found', 'no-grant'],
  answer: async ({ ports, request, caller, params }) => {
    const file = await ports.files.findFile(params.cid, caller.owner);
    if (!file) return noSuchFile();
    const status = await fileStatus(ports, file, request.signal);
    return status.ok ? json(200, status.value) : failureResponse(status.failure);
  },
});
