/**
 * Whether the index is the tenant's own, at least as new as when collection last saw it (`collect-gate.ts`). Asked by
 * every job that has shards dropped or moved: on a wrong or rolled-back index none of them does anything.
 */
import type { TenantPorts } from '#validator/ports.ts';
import { type GateRefusal, judgeIndex } from '../domain/collect-gate.ts';

type Ports = Pick<TenantPorts, 'files' | 'indexMarks' | 'log'>;

/** Looks twice: collection may have moved both marks between our two questions. */
export async function refuseIndex({ files, indexMarks }: Ports): Promise<GateRefusal | undefined> {
  const look = async () => judgeIndex(await files.identity(), await indexMarks.read());
  return (await look()) && (await look());
}

/** False, and a line in the log, when the job must not run. */
export async function isOwnIndex(ports: Ports, job: string): Promise<boolean> {
  const refused = await refuseIndex(ports);
  if (!refused) return true;
  ports.log.error('index-refused', { job, refused, remedy: 'see docs/run-a-validator.md, "Collection stopped"' });
  return false;
}
