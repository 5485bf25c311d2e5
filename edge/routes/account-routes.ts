/** An owner's account and API keys. A key's text is shown once, when it is made. */
import { z } from 'zod';
import { failureResponse, refuse } from '#edge/http/problem.ts';
import { AccountAnswer, type KeyAnswer, KeyListAnswer, KeyRequest, NewKeyAnswer } from '#shared/api/schemas.ts';
import type { ApiKey } from '#shared/index/ports.ts';
import { newApiKey } from '#shared/primitives/api-key.ts';
import { isoTime } from './file-answer.ts';
import { defineRoute, json } from './route.ts';

/** More keys than one owner has use for; keeps listings one page. */
export const MAX_KEYS = 100;

const keyAnswer = ({ keyId, label, createdAtMs }: ApiKey): z.output<typeof KeyAnswer> => ({
  keyId,
  label,
  createdAt: isoTime(createdAtMs),
});

export const createKey = defineRoute({
  method: 'POST',
  path: '/v1/keys',
  access: 'key',
  operationId: 'createKey',
  summary: 'Make another API key for your account',
  body: KeyRequest,
  answers: { 201: { description: 'The key: keep it, it is not shown again', schema: NewKeyAnswer } },
  problems: ['conflict'],
  answer: async ({ ports, caller, body }) => {
    const keys = await ports.access.listKeys(caller.owner);
    if (keys.length >= MAX_KEYS) {
      return failureResponse(refuse('conflict', `an account has at most ${MAX_KEYS} keys; revoke one`).failure);
    }
    const { keyId, text, hash } = newApiKey(ports.random);
    const key: ApiKey = { keyId, owner: caller.owner, label: body.label, createdAtMs: ports.clock.nowMs() };
    await ports.access.addKey(key, hash);
    return json(201, { ...keyAnswer(key), key: text });
  },
});

export const listKeys = defineRoute({
  method: 'GET',
  path: '/v1/keys',
  access: 'key',
  operationId: 'listKeys',
  summary: 'The API keys of your account, without their text',
  answers: { 200: { description: 'All keys', schema: KeyListAnswer } },
  problems: [],
  answer: async ({ ports, caller }) => {
    const keys = await ports.access.listKeys(caller.owner);
    return json(200, { keys: keys.map(keyAnswer) });
  },
});

export const revokeKey = defineRoute({
  method: 'DELETE',
  path: '/v1/keys/:keyId',
  access: 'key',
  operationId: 'revokeKey',
  summary: 'Revoke an API key of your account; it is refused from the next request on',
  params: z.strictObject({ keyId: z.string().regex(/^[A-Za-z0-9_-]{1,64}$/, 'is no key id') }),
  answers: { 204: { description: 'Revoked', content: 'none' } },
  problems: ['not-found'],
  answer: async ({ ports, caller, params }) => {
    const revoked = await ports.access.revokeKey(caller.owner, params.keyId);
    return revoked
      ? new Response(null, { status: 204 })
      : failureResponse(refuse('not-found', 'you have no such key').failure);
  },
});

export const readAccount = defineRoute({
  method: 'GET',
  path: '/v1/account',
  access: 'key',
  operationId: 'readAccount',
  summary: 'What your account uses, and its quota',
  answers: { 200: { description: 'Usage', schema: AccountAnswer } },
  problems: [],
  answer: async ({ ports, caller }) => {
    const { files, bytes, quotaBytes } = await ports.files.usage(caller.owner);
    return json(200, { owner: caller.owner, files, bytes, quotaBytes, freeBytes: Math.max(0, quotaBytes - bytes) });
  },
});
