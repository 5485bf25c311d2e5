/** The API's calls on files, keys and the account, one function each: what the library's larger parts are made of. */
import {
  AccountAnswer,
  DeletionAnswer,
  FileAnswer,
  FilePageAnswer,
  KeyListAnswer,
  NewKeyAnswer,
  StatusAnswer,
} from '#shared/api/schemas.ts';
import { parseCid } from '#shared/codec/cid.ts';
import type { Cid } from '#shared/primitives/ids.ts';
import { type Connection, call, callJson } from './api-call.ts';
import { ClientError } from './client-error.ts';

/** A file by its CID, or by the name it was given at the edge. */
export type EdgeTarget = { readonly cid: Cid } | { readonly name: string };

export interface PageOptions {
  readonly limit?: number | undefined;
  readonly cursor?: string | undefined;
  readonly signal?: AbortSignal | undefined;
}

const pathOf = (target: EdgeTarget): string =>
  'cid' in target ? `files/${target.cid}` : `files/by-name/${encodeURIComponent(target.name)}`;

export function listPage(
  connection: Connection,
  { limit, cursor, signal, envelopes }: PageOptions & { envelopes: boolean },
) {
  const query = {
    limit: limit === undefined ? undefined : String(limit),
    cursor,
    envelopes: envelopes ? 'true' : undefined,
  };
  return callJson(connection, { method: 'GET', path: 'files', query, signal }, FilePageAnswer);
}

/** What the edge says of a file in headers. */
export interface FileHead {
  readonly cid: Cid;
  readonly bytes: number;
  readonly contentType: string | undefined;
}

/** @throws ClientError `not-found` */
export async function headFile(connection: Connection, target: EdgeTarget, signal?: AbortSignal): Promise<FileHead> {
  let response: Response;
  try {
    response = await call(connection, { method: 'HEAD', path: pathOf(target), signal });
  } catch (error) {
    // An answer to HEAD has no body that could say why.
    if (error instanceof ClientError && error.code === 'bad-answer' && error.status === 404) {
      throw new ClientError('not-found', 'no such file', { status: 404 });
    }
    if (error instanceof ClientError && error.code === 'bad-answer' && error.status === 401) {
      throw new ClientError('unauthorized', 'the edge does not know this API key', { status: 401 });
    }
    throw error;
  }
  const cid = parseCid(response.headers.get('ETag')?.replaceAll('"', '') ?? '')?.cid;
  const bytes = Number(response.headers.get('Content-Length') ?? Number.NaN);
  if (!cid || !Number.isSafeInteger(bytes)) throw new ClientError('bad-answer', 'the answer names no CID or length');
  return { cid, bytes, contentType: response.headers.get('Content-Type') ?? undefined };
}

export const deleteFile = (connection: Connection, target: EdgeTarget, signal?: AbortSignal) =>
  callJson(connection, { method: 'DELETE', path: pathOf(target), signal }, DeletionAnswer);

export const readDeletion = (connection: Connection, cid: Cid, signal?: AbortSignal) =>
  callJson(connection, { method: 'GET', path: `files/${cid}/deletion`, signal }, DeletionAnswer);

export const readStatus = (connection: Connection, cid: Cid, signal?: AbortSignal) =>
  callJson(connection, { method: 'GET', path: `files/${cid}/status`, signal }, StatusAnswer);

export interface FileChange {
  readonly ttl?: number;
  /** null takes the name away. */
  readonly name?: string | null;
}

/** Repeatable: the same change twice is one change. */
export const changeFile = (connection: Connection, cid: Cid, change: FileChange, signal?: AbortSignal) =>
  callJson(connection, { method: 'PATCH', path: `files/${cid}`, json: change, repeatable: true, signal }, FileAnswer);

export const readAccount = (connection: Connection, signal?: AbortSignal) =>
  callJson(connection, { method: 'GET', path: 'account', signal }, AccountAnswer);

export const listKeys = async (connection: Connection, signal?: AbortSignal) =>
  (await callJson(connection, { method: 'GET', path: 'keys', signal }, KeyListAnswer)).keys;

export const createKey = (connection: Connection, label: string, signal?: AbortSignal) =>
  callJson(connection, { method: 'POST', path: 'keys', json: { label }, signal }, NewKeyAnswer);

export async function revokeKey(connection: Connection, keyId: string, signal?: AbortSignal): Promise<void> {
  await call(connection, { method: 'DELETE', path: `keys/${encodeURIComponent(keyId)}`, signal });
}
