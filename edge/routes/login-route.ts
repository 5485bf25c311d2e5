/**
 * An API key for whoever holds an account's key: how a new machine gets in with a seed phrase alone. Owners that nobody
 * let in (no key, no quota) are refused, unless this edge is open to all. The statement: `shared/account/account-login.ts`.
 */
import { failureResponse, refuse } from '#edge/http/problem.ts';
import { ownerIdOf } from '#shared/account/account.ts';
import { isTimely, LOGIN_WINDOW_MS, loginHolds } from '#shared/account/account-login.ts';
import { LoginAnswer, LoginRequest } from '#shared/api/schemas.ts';
import { newApiKey } from '#shared/primitives/api-key.ts';
import { fromHex } from '#shared/primitives/bytes.ts';
import { MAX_KEYS } from './account-routes.ts';
import { isoTime } from './file-answer.ts';
import { defineRoute, json } from './route.ts';

const bytesOf = (hex: string): Uint8Array => fromHex(hex) ?? new Uint8Array();

export const login = defineRoute({
  method: 'POST',
  path: '/v1/login',
  access: 'anyone',
  operationId: 'login',
  summary: 'Get an API key with your account’s key: a request that it signed',
  body: LoginRequest,
  answers: { 201: { description: 'The key: keep it, it is not shown again', schema: LoginAnswer } },
  problems: ['bad-signature', 'clock-skew', 'replayed', 'forbidden', 'conflict'],
  answer: async ({ ports, request, body }) => {
    const nowMs = ports.clock.nowMs();
    const { timeMs, label } = body;
    if (!isTimely(timeMs, nowMs)) {
      const text = `the request was signed at another time than now; this edge’s clock says ${isoTime(nowMs)}`;
      return failureResponse(refuse('clock-skew', text).failure);
    }
    const account = bytesOf(body.account);
    const { host } = new URL(request.url);
    if (!loginHolds({ account, nonce: bytesOf(body.nonce), timeMs, host, label }, bytesOf(body.signature))) {
      return failureResponse(refuse('bad-signature', `not a signature of this account for ${host}`).failure);
    }
    const owner = ownerIdOf(account);
    // Asked before the nonce is kept, so that strangers leave nothing in the index.
    if (!ports.settings.openAccounts && !(await ports.access.isKnownOwner(owner))) {
      const text = `this edge does not know the owner ${owner}; its operator can let it in`;
      return failureResponse(refuse('forbidden', text, { owner }).failure);
    }
    if (!(await ports.access.claimNonce(`login ${owner}`, body.nonce, 2 * LOGIN_WINDOW_MS))) {
      return failureResponse(refuse('replayed', 'this request was used before').failure);
    }
    if ((await ports.access.listKeys(owner)).length >= MAX_KEYS) {
      return failureResponse(refuse('conflict', `an account has at most ${MAX_KEYS} keys; revoke one`).failure);
    }
    const { keyId, text, hash } = newApiKey(ports.random);
    await ports.access.addKey({ keyId, owner, label, createdAtMs: nowMs }, hash);
    return json(201, { owner, keyId, label, createdAt: isoTime(nowMs), key: text });
  },
});
