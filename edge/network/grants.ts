/**
 * The tenant's grant for this edge: read from the index, checked, and kept for a minute per isolate (it lasts a day).
 * Every request to a miner carries it; `/health` says how it stands.
 */
import type { GrantState, Grants } from '#edge/ports.ts';
import type { AccessIndex } from '#shared/index/ports.ts';
import type { Clock } from '#shared/primitives/effects.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';
import type { VerifySr25519 } from '#shared/primitives/signer.ts';
import { type Grant, parseGrant } from '#shared/proof/grant.ts';
import { type Network, openSigned } from '#shared/proof/statement.ts';

const GRANT_CACHE_MS = 60_000;
/** An absent or unusable grant is asked for again sooner: the tenant may be about to write it. */
const NO_GRANT_CACHE_MS = 2_000;

export interface GrantCache {
  known?: {
    readonly readAtMs: number;
    readonly signed: Uint8Array | undefined;
    /** undefined: absent or not a grant of this tenant for this edge. */
    readonly grant: Grant | undefined;
  };
}

export interface GrantExpectation {
  readonly network: Network;
  readonly tenant: Hotkey;
  readonly edge: Hotkey;
}

export function grantsOf(
  access: Pick<AccessIndex, 'readGrant'>,
  expected: GrantExpectation,
  verify: VerifySr25519,
  cache: GrantCache,
  clock: Clock,
): Grants {
  const usable = (grant: Grant | undefined, nowMs: number) =>
    grant !== undefined && nowMs >= grant.fromMs && nowMs < grant.untilMs;

  const current = async () => {
    const nowMs = clock.nowMs();
    const { known } = cache;
    const keepMs = usable(known?.grant, nowMs) ? GRANT_CACHE_MS : NO_GRANT_CACHE_MS;
    if (known && nowMs - known.readAtMs < keepMs) return known;
    const signed = await access.readGrant(expected.edge);
    const opened =
      signed &&
      openSigned(
        verify,
        'grant',
        signed,
        (bytes) => parseGrant(expected.network, bytes),
        () => expected.tenant,
      );
    const right = opened?.ok && opened.value.validator === expected.tenant && opened.value.edge === expected.edge;
    const fresh = { readAtMs: nowMs, signed, grant: right ? opened.value : undefined };
    cache.known = fresh;
    return fresh;
  };

  return {
    signed: async () => (await current()).signed,
    async state(): Promise<GrantState> {
      const { signed, grant } = await current();
      if (!signed) return { state: 'absent' };
      if (!grant) return { state: 'wrong' };
      const nowMs = clock.nowMs();
      if (nowMs < grant.fromMs) return { state: 'not-yet' };
      return nowMs >= grant.untilMs ? { state: 'expired' } : { state: 'valid', untilMs: grant.untilMs };
    },
  };
}
