/**
 * Who is asking: the API key of `Authorization: Bearer …`, looked up by its SHA-256 at every request (so that a revoked
 * key is refused at once). Called by the app before any route that is not open to anyone.
 */
import { type EdgeResult, refuse } from '#edge/http/problem.ts';
import type { EdgePorts } from '#edge/ports.ts';
import { apiKeyHash, isApiKeyText } from '#shared/primitives/api-key.ts';
import { succeed } from '#shared/primitives/failure.ts';
import type { OwnerId } from '#shared/primitives/ids.ts';

export interface Caller {
  readonly owner: OwnerId;
  readonly keyId: string;
}

const BEARER = /^Bearer +(\S+) *$/i;

const unauthorized = (message: string) => refuse('unauthorized', message);

/** The caller; undefined when no credentials were sent at all. */
export async function authenticate(
  ports: Pick<EdgePorts, 'access'>,
  authorization: string | undefined,
): Promise<EdgeResult<Caller | undefined>> {
  if (authorization === undefined) return succeed(undefined);
  const text = BEARER.exec(authorization)?.[1];
  if (text === undefined) return unauthorized('credentials are sent as "Authorization: Bearer KEY"');
  // One answer for every wrong key: nothing tells a malformed one from a revoked one.
  const key = isApiKeyText(text) ? await ports.access.findKey(apiKeyHash(text)) : undefined;
  if (!key) return unauthorized('this API key is not known');
  return succeed({ owner: key.owner, keyId: key.keyId });
}
