/**
 * Who may call what. Every route names one of these; the app enforces it before the route's own code runs, and a test
 * walks all routes with every kind of caller.
 */
import { type EdgeResult, refuse } from '#edge/http/problem.ts';
import type { EdgePorts } from '#edge/ports.ts';
import { succeed } from '#shared/primitives/failure.ts';
import { authenticate, type Caller } from './authenticate.ts';
import { checkTenant } from './tenant-signature.ts';

export type Access =
  | 'anyone' /** no credentials are looked at */
  | 'reader' /** any valid key; anyone at all when PUBLIC_READS is on */
  | 'key' /** any valid key; the route touches only what belongs to its owner */
  | 'tenant'; /** the tenant's hotkey signs the request: nobody else, whatever key they have */

/** What a route gets to know of its caller. */
export type CallerOf<A extends Access> = A extends 'key' ? Caller : A extends 'reader' ? Caller | undefined : undefined;

export async function admit<A extends Access>(
  ports: Pick<EdgePorts, 'access' | 'settings' | 'hotkey' | 'clock'>,
  access: A,
  request: Request,
): Promise<EdgeResult<CallerOf<A>>> {
  if (access === 'anyone') return succeed(undefined as CallerOf<A>);
  if (access === 'tenant') {
    const signed = await checkTenant(ports, request);
    return signed.ok ? succeed(undefined as CallerOf<A>) : signed;
  }
  const caller = await authenticate(ports, request.headers.get('Authorization') ?? undefined);
  if (!caller.ok) return caller;
  const open = access === 'reader' && ports.settings.publicReads;
  if (caller.value === undefined && !open) return refuse('unauthorized', 'send "Authorization: Bearer KEY"');
  return succeed(caller.value as CallerOf<A>);
}
