/**
 * Keeps every configured edge in possession of a grant: signed anew when half of its time is over, when it is missing,
 * or when it is not one of ours. An edge whose key was lost is cut off by taking it off the list: at the latest a day
 * later miners refuse it.
 */
import { concatBytes } from '#shared/primitives/bytes.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';
import type { VerifySr25519 } from '#shared/primitives/signer.ts';
import { encodeGrant, type Grant, MAX_GRANT_MS, parseGrant } from '#shared/proof/grant.ts';
import { openSigned } from '#shared/proof/statement.ts';
import type { TenantPorts } from '#validator/ports.ts';

/** Miners' clocks may be behind ours by this much. */
const BACKDATE_MS = 60_000;

type Ports = Pick<TenantPorts, 'access' | 'signer' | 'network' | 'clock' | 'log'> & { readonly verify: VerifySr25519 };

/** @param grantMs how long a grant holds, at most a day */
export async function grantEdges(ports: Ports, edges: readonly Hotkey[], grantMs: number): Promise<void> {
  for (const edge of edges) {
    const held = await ports.access.readGrant(edge);
    const nowMs = ports.clock.nowMs();
    if (held && stillGood(ports, edge, held, nowMs)) continue;
    const lifeMs = Math.min(grantMs, MAX_GRANT_MS - BACKDATE_MS);
    const grant: Grant = {
      validator: ports.signer.hotkey,
      edge,
      put: true,
      get: true,
      fromMs: nowMs - BACKDATE_MS,
      untilMs: nowMs + lifeMs,
    };
    const statement = encodeGrant(ports.network, grant);
    await ports.access.writeGrant(edge, concatBytes(statement, ports.signer.sign(statement)));
    ports.log.info('edge-granted', { edge, untilMs: grant.untilMs });
  }
}

/** Ours, for this edge, both rights, and more than half of its time left. */
function stillGood(ports: Ports, edge: Hotkey, signed: Uint8Array, nowMs: number): boolean {
  const opened = openSigned(
    ports.verify,
    'grant',
    signed,
    (bytes) => parseGrant(ports.network, bytes),
    (grant) => grant.validator,
  );
  if (!opened.ok) return false;
  const { validator, edge: holder, put, get, fromMs, untilMs } = opened.value;
  const mine = validator === ports.signer.hotkey && holder === edge && put && get;
  return mine && fromMs <= nowMs && nowMs < (fromMs + untilMs) / 2;
}
