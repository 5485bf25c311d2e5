/** The miners a flow may talk to: the directory's, once the tenant's grant for this edge holds. */
import { type EdgeResult, refuse } from '#edge/http/problem.ts';
import type { EdgePorts } from '#edge/ports.ts';
import { succeed } from '#shared/primitives/failure.ts';
import type { Peer } from '#shared/transfer/ports.ts';

export async function reachMiners(ports: Pick<EdgePorts, 'grants' | 'network'>): Promise<EdgeResult<readonly Peer[]>> {
  const [peers, grant] = await Promise.all([ports.network.peers(), ports.grants.state()]);
  if (grant.state === 'valid') return succeed(peers);
  return refuse('no-grant', `the tenant’s grant for this edge is ${grant.state}; miners would refuse it`);
}
