/**
 * Keeps every edge of the settings and of the list in the validator's folder in possession of a grant: signed anew when half of its time is over, when it is missing,
 * or when it is not one of ours. An edge whose key was lost is cut off by taking it off the list: at the latest a day
 * later miners refuse it.
 */
import { signEdgeGrant } from '#shared/access/sign-edge-grant.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';
import type { VerifySr25519 } from '#shared/primitives/signer.ts';
import { parseGrant } from '#shared/proof/grant.ts';
import { openSigned } from '#shared/proof/statement.ts';
import type { TenantPorts } from '#validator/ports.ts';

type Ports = Pick<TenantPorts, 'access' | 'signer' | 'network' | 'clock' | 'log'> & { readonly verify: VerifySr25519 };

/** @param grantMs how long a grant holds, at most a day */
export async function grantEdges(ports: Ports, edges: readonly Hotkey[], grantMs: number): Promise<void> {
  for (const edge of edges) {
    const held = await ports.access.readGrant(edge);
    const nowMs = ports.clock.nowMs();
    if (held && stillGood(ports, edge, held, nowMs)) continue;
    const { grant, signed } = signEdgeGrant(ports, edge, nowMs, grantMs);
    await ports.access.writeGrant(edge, signed);
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
