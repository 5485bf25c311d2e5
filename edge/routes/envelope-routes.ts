/**
 * Signed envelopes of private files (`shared/account/signed-envelope.ts`): set by the owner, read by whoever may read the
 * file. The edge cannot open them; it sees to their shape, that they are this file's, and that none goes back.
 */
import { z } from 'zod';
import { readSmallBody } from '#edge/body/small-body.ts';
import { findReadable } from '#edge/flows/retrieve-file.ts';
import { failureResponse, refuse } from '#edge/http/problem.ts';
import { MAX_SIGNED_ENVELOPE_BYTES, parseSignedEnvelope } from '#shared/account/signed-envelope.ts';
import { CidText, EnvelopeAnswer } from '#shared/api/schemas.ts';
import { defineRoute, json } from './route.ts';

const ByCid = z.strictObject({ cid: CidText });

/** What the index keeps was parsed before it was kept. */
export const revisionOf = (envelope: Uint8Array): number => parseSignedEnvelope(envelope)?.revision ?? 0;

export const writeEnvelope = defineRoute({
  method: 'PUT',
  path: '/v1/files/:cid/envelope',
  access: 'key',
  operationId: 'writeEnvelope',
  summary: 'Set or replace the signed envelope of your private file; its revision has to grow',
  params: ByCid,
  takesBytes: true,
  answers: { 200: { description: 'Kept', schema: EnvelopeAnswer } },
  problems: ['bad-cid', 'not-found', 'too-large', 'conflict'],
  answer: async ({ ports, request, caller, params }) => {
    const bytes = await readSmallBody(request, MAX_SIGNED_ENVELOPE_BYTES);
    if (!bytes) {
      return failureResponse(refuse('too-large', `an envelope has at most ${MAX_SIGNED_ENVELOPE_BYTES} bytes`).failure);
    }
    const signed = parseSignedEnvelope(bytes);
    if (!signed) return failureResponse(refuse('bad-request', 'the body is no signed envelope').failure);
    const file = await ports.files.findFile(params.cid, caller.owner);
    if (!file) return failureResponse(refuse('not-found', 'you have no such file').failure);
    if (signed.fileId !== file.fileId) {
      return failureResponse(
        refuse('bad-request', 'the envelope is another file’s: its fileId is not this one’s').failure,
      );
    }
    const outcome = await ports.files.writeEnvelope(file, signed.revision, bytes, revisionOf);
    if (!outcome) return failureResponse(refuse('not-found', 'you have no such file').failure);
    if (outcome.written) return json(200, { cid: file.cid, revision: signed.revision });
    const revision = revisionOf(outcome.current);
    const text = `revision ${revision} is kept already; make yours from that one`;
    return failureResponse(refuse('conflict', text, { revision }).failure);
  },
});

export const readEnvelope = defineRoute({
  method: 'GET',
  path: '/v1/files/:cid/envelope',
  access: 'reader',
  operationId: 'readEnvelope',
  summary: 'The signed envelope of a private file',
  params: ByCid,
  query: z.strictObject({
    part: z.enum(['age']).optional().meta({ description: 'age: the age message inside alone, for any age program' }),
  }),
  answers: {
    200: { description: 'The envelope; header Filetao-Bytes: the length of the body it belongs to', content: 'file' },
  },
  problems: ['bad-cid', 'not-found'],
  answer: async ({ ports, caller, params, query }) => {
    const file = await findReadable(ports, params.cid, caller?.owner);
    const [envelope] = file ? await ports.files.readEnvelopes([file.number]) : [];
    if (!file || !envelope)
      return failureResponse(
        refuse('not-found', file ? 'not a private file' : 'no such file', { file: file !== undefined }).failure,
      );
    const headers = {
      'Content-Type': 'application/octet-stream',
      'Cache-Control': 'no-store',
      'Filetao-Bytes': String(file.bytes),
    };
    const shown = query.part === 'age' ? parseSignedEnvelope(envelope)?.envelope : envelope;
    return new Response(shown as Uint8Array<ArrayBuffer> | undefined, { headers });
  },
});
