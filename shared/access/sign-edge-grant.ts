/**
 * A tenant's signed grant for an edge: what the validator renews for the edges on its list, and what `filetao edge
 * grant` writes for a person who holds the validator's hotkey.
 */
import { concatBytes } from '#shared/primitives/bytes.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';
import type { Signer } from '#shared/primitives/signer.ts';
import { encodeGrant, type Grant, MAX_GRANT_MS } from '#shared/proof/grant.ts';
import type { Network } from '#shared/proof/statement.ts';

/** Miners' clocks may be behind ours by this much. */
const BACKDATE_MS = 60_000;

/** Longest life that a grant can have from now on. */
export const MAX_GRANT_LIFE_MS = MAX_GRANT_MS - BACKDATE_MS;

export interface SignedGrant {
  readonly grant: Grant;
  /** statement ‖ signature: what `AccessIndex.writeGrant` takes. */
  readonly signed: Uint8Array;
}

/** Both rights, from now on; what is beyond `MAX_GRANT_LIFE_MS` is cut off. */
export function signEdgeGrant(
  { signer, network }: { readonly signer: Signer; readonly network: Network },
  edge: Hotkey,
  nowMs: number,
  lifeMs: number,
): SignedGrant {
  const grant: Grant = {
    validator: signer.hotkey,
    edge,
    put: true,
    get: true,
    fromMs: nowMs - BACKDATE_MS,
    untilMs: nowMs + Math.min(lifeMs, MAX_GRANT_LIFE_MS),
  };
  const statement = encodeGrant(network, grant);
  return { grant, signed: concatBytes(statement, signer.sign(statement)) };
}
