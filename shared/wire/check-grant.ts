/**
 * Whose shards a caller may touch, decided by a miner from a verified caller and the `Filetao-Grant` header
 * (por/v1 §9): a tenant itself needs no grant, anyone else needs one that a tenant of this miner signed for exactly
 * this caller, valid now, with the right that the route asks for.
 */

import { fromBase64 } from '#shared/primitives/bytes.ts';
import { type Failure, fail, type Result, succeed } from '#shared/primitives/failure.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';
import type { VerifySr25519 } from '#shared/primitives/signer.ts';
import { parseGrant } from '#shared/proof/grant.ts';
import { type Network, openSigned } from '#shared/proof/statement.ts';
import { MAX_GRANT_CHARS, NONCE_FUTURE_MS } from './limits.ts';

/** Base64 of grant statement ‖ signature. */
export const GRANT_HEADER = 'filetao-grant';

export type GrantRight = 'put' | 'get';

export interface GrantFailure extends Failure {
  readonly code: 'grant-missing' | 'grant-invalid' | 'grant-expired' | 'grant-rights' | 'not-tenant';
}

const refuse = (code: GrantFailure['code'], message: string) => fail<GrantFailure>({ code, fault: 'caller', message });

/** The tenant that the caller acts for. */
export function checkGrant(request: {
  readonly network: Network;
  /** The header's value, if it was sent. */
  readonly grant: string | undefined;
  /** Whose signature the request carries. */
  readonly caller: Hotkey;
  readonly isTenant: (hotkey: Hotkey) => boolean;
  readonly right: GrantRight;
  readonly nowMs: number;
  readonly verify: VerifySr25519;
}): Result<Hotkey, GrantFailure> {
  const { network, caller, isTenant, right, nowMs } = request;
  if (request.grant === undefined) {
    return isTenant(caller) ? succeed(caller) : refuse('grant-missing', `${caller} is no tenant of this miner`);
  }
  const signed = request.grant.length <= MAX_GRANT_CHARS ? fromBase64(request.grant) : undefined;
  if (!signed) return refuse('grant-invalid', 'Filetao-Grant is not base64');
  const parse = (statement: Uint8Array) => parseGrant(network, statement);
  const opened = openSigned(request.verify, 'grant', signed, parse, (value) => value.validator);
  if (!opened.ok) return refuse('grant-invalid', opened.failure.message);
  const grant = opened.value;
  if (grant.edge !== caller) return refuse('grant-invalid', `the grant is for ${grant.edge}`);
  if (!isTenant(grant.validator)) return refuse('not-tenant', `${grant.validator} is no tenant of this miner`);
  // The tenant's clock may run ahead of ours by as much as a nonce's may.
  if (nowMs + NONCE_FUTURE_MS < grant.fromMs) return refuse('grant-expired', 'the grant is not valid yet');
  if (nowMs >= grant.untilMs) return refuse('grant-expired', 'the grant has expired');
  if (!grant[right]) return refuse('grant-rights', `the grant does not allow ${right}`);
  return succeed(grant.validator);
}
