/**
 * Whether a request is the tenant's own: signed with its hotkey for this edge as btauth/1 has it (docs/protocol.md
 * §1.1). Everything that such a route means stands in its target; it takes no body. Nonces are remembered in the index,
 * so that no isolate takes one a second time. Called by `access.ts` for routes of the tenant alone.
 */
import { type EdgeResult, refuse } from '#edge/http/problem.ts';
import type { EdgePorts } from '#edge/ports.ts';
import { succeed } from '#shared/primitives/failure.ts';
import { checkEnvelope, checkSignature, EMPTY_BODY_DIGEST } from '#shared/wire/btauth.ts';
import { SHARED_NONCE_HOLD_MS } from '#shared/wire/limits.ts';
import { verify } from '#shared/wire/sr25519-scure.ts';

/** Isolates come and go: the shared memory of nonces stands in for "before this process". */
const NEVER_STARTED = 0;
const HOW = { 'WWW-Authenticate': 'btauth' };

type Ports = Pick<EdgePorts, 'access' | 'settings' | 'hotkey' | 'clock'>;

export async function checkTenant(ports: Ports, request: Request): Promise<EdgeResult<undefined>> {
  const { pathname, search } = new URL(request.url);
  const received = {
    method: request.method,
    target: `${pathname}${search}`,
    header: (name: string) => request.headers.get(name) ?? undefined,
  };
  const receiver = { hotkey: ports.hotkey, startedAtMs: NEVER_STARTED };
  const envelope = checkEnvelope(received, receiver, ports.clock.nowMs());
  if (!envelope.ok) return refuse(envelope.failure.code, envelope.failure.message, {}, HOW);
  // Before the signature is looked at: strangers cost neither the processor nor the index anything.
  if (envelope.value.caller !== ports.settings.tenant) {
    return refuse('forbidden', 'only the tenant of this edge may ask for this');
  }
  const signed = await checkSignature(envelope.value, EMPTY_BODY_DIGEST, {
    verify,
    schemeOf: () => 'sr25519',
    claimNonce: async (sender, nonce) => {
      const fresh = await ports.access.claimNonce(sender, nonce.toString(), SHARED_NONCE_HOLD_MS);
      return fresh ? 'fresh' : 'replayed';
    },
  });
  return signed.ok ? succeed(undefined) : refuse(signed.failure.code, signed.failure.message, {}, HOW);
}
