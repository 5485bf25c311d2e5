/**
 * A private file's signed envelope between this machine and the edge: make, send, fetch, check, open. The signature is
 * checked before anything inside is believed.
 */
import {
  MAX_ENVELOPE_BYTES,
  MAX_METADATA_BYTES,
  packSignedEnvelope,
  parseSignedEnvelope,
  type SignedEnvelope,
  signEnvelope,
  signerOf,
} from '#shared/account/signed-envelope.ts';
import { EnvelopeAnswer } from '#shared/api/schemas.ts';
import { parseCid } from '#shared/codec/cid.ts';
import type { Random } from '#shared/primitives/effects.ts';
import type { Cid, FileId, OwnerId } from '#shared/primitives/ids.ts';
import { type Connection, call, callJson } from '../api-call.ts';
import { ClientError, isClientError } from '../client-error.ts';
import { type Keyring, ownerOf } from '../keys/keyring.ts';
import { type Lock, type Openers, openSmall, sealSmall } from './age-box.ts';
import { type EnvelopeText, parseEnvelopeText, writeEnvelopeText } from './envelope-text.ts';
import { MAX_SHARED, type Metadata, sealMetadata } from './metadata.ts';

/** The stored body that an envelope belongs to. */
export interface BodyName {
  readonly cid: Cid;
  readonly fileId: FileId;
  /** As stored. */
  readonly bytes: number;
}

export interface CheckedEnvelope {
  readonly signed: SignedEnvelope;
  readonly signer: OwnerId;
}

const digestOf = (cid: Cid): Uint8Array => parseCid(cid)?.digest ?? new Uint8Array(32);

const tooMany = (): ClientError =>
  new ClientError(
    'too-many-recipients',
    `an envelope has room for ${MAX_SHARED} recipients, or about four post-quantum ones`,
  );

/** The envelope itself, before it is signed: for whoever the lock is for. */
export async function sealEnvelope(lock: Lock, text: EnvelopeText): Promise<Uint8Array> {
  const envelope = await sealSmall(lock, writeEnvelopeText(text));
  if (envelope.length > MAX_ENVELOPE_BYTES) throw tooMany();
  return envelope;
}

export interface EnvelopeParts {
  /** By `sealEnvelope`. */
  readonly envelope: Uint8Array;
  readonly metadata: Metadata;
  readonly revision: number;
}

export async function makeEnvelope(
  keys: Pick<Keyring, 'accountSeed'>,
  { cid, fileId, bytes }: BodyName,
  { envelope, metadata, revision }: EnvelopeParts,
  random: Random,
): Promise<SignedEnvelope> {
  if (metadata.shared.length > MAX_SHARED) throw tooMany();
  const sealed = await sealMetadata(keys.accountSeed, fileId, metadata, random);
  if (sealed.length > MAX_METADATA_BYTES) throw tooMany();
  const content = { fileId, revision, envelope, metadata: sealed };
  return signEnvelope(keys.accountSeed, ownerOf(keys).account, content, { digest: digestOf(cid), bytes });
}

/** Repeatable: the same revision with the same bytes is no conflict. */
export async function sendEnvelope(
  connection: Connection,
  cid: Cid,
  signed: SignedEnvelope,
  signal?: AbortSignal,
): Promise<void> {
  const headers = { 'Content-Type': 'application/octet-stream' };
  const body = packSignedEnvelope(signed);
  const request = { method: 'PUT', path: `files/${cid}/envelope`, headers, body, repeatable: true, signal } as const;
  await callJson(connection, request, EnvelopeAnswer);
}

export interface FetchedEnvelope {
  readonly signed: SignedEnvelope;
  /** Of the stored body, as the edge says; the signature covers it. */
  readonly bytes: number;
}

/** Undefined: not a private file. @throws ClientError `not-found` when there is no such file */
export async function fetchEnvelope(
  connection: Connection,
  cid: Cid,
  signal?: AbortSignal,
): Promise<FetchedEnvelope | undefined> {
  let response: Response;
  try {
    response = await call(connection, { method: 'GET', path: `files/${cid}/envelope`, signal });
  } catch (error) {
    if (isClientError(error, 'not-found') && error.extra.file === true) return undefined;
    throw error;
  }
  const bytes = Number(response.headers.get('Filetao-Bytes') ?? Number.NaN);
  const packed = new Uint8Array(await response.arrayBuffer());
  if (!Number.isSafeInteger(bytes)) throw new ClientError('bad-answer', 'the edge does not say how long the file is');
  return { signed: parseEnvelope(packed), bytes };
}

export function parseEnvelope(bytes: Uint8Array): SignedEnvelope {
  const signed = parseSignedEnvelope(bytes);
  if (!signed) throw new ClientError('bad-record', 'the edge’s record of this private file is malformed');
  return signed;
}

/** Whose word is believed about a file: an owner's id, or whoever signed it. */
export type Trust = OwnerId | 'anyone';

/** @throws ClientError `bad-signature`, `wrong-signer` */
export function checkEnvelope(
  signed: SignedEnvelope,
  body: { readonly cid: Cid; readonly bytes: number },
  trust: Trust,
): CheckedEnvelope {
  const signer = signerOf(signed, { digest: digestOf(body.cid), bytes: body.bytes });
  if (!signer) {
    throw new ClientError(
      'bad-signature',
      'the record of this private file was changed by somebody without its account key',
    );
  }
  if (trust === 'anyone' || signer === trust) return { signed, signer };
  const text = `this file is signed by ${signer}, not by ${trust}; if you know that owner, say so`;
  throw new ClientError('wrong-signer', text, { extra: { signer } });
}

/** @throws ClientError `wrong-key`, `bad-record` */
export const openEnvelope = async (openers: Openers, { envelope }: SignedEnvelope, cid: Cid): Promise<EnvelopeText> =>
  parseEnvelopeText(await openSmall(openers, envelope, `the private file ${cid}`));
