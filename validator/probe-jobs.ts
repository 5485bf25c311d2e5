/**
 * The jobs that give miners something to prove and read it back as users do: synthetic stores, their end, whole-shard
 * reads through edges. Made by `main.ts`.
 */
import { loadNodeKernel } from '#shared/codec/node-kernel.ts';
import { systemRandom } from '#shared/primitives/effects.ts';
import { probeMiners } from './flows/probe-miners.ts';
import { syntheticDrop } from './flows/synthetic-drop.ts';
import { syntheticStore } from './flows/synthetic-store.ts';
import type { Ledger } from './ledger/ledger.ts';
import type { ValidatorPorts } from './ports.ts';
import type { ProbeClient } from './probe-client.ts';
import type { Job } from './schedule.ts';
import type { ValidatorSettings } from './settings.ts';
import type { ValidatorState } from './state/open-state.ts';

export function probeJobs(
  ports: ValidatorPorts,
  { database, inventories, standings, synthetics, repairs }: ValidatorState,
  { everyMs, synthetic, retrieve, audit: { roundBlocks } }: ValidatorSettings,
  { ledger, probes }: { readonly ledger: Ledger; readonly probes: ProbeClient },
): readonly Job[] {
  const made = {
    ...ports,
    ...{ inventories, standings, synthetics, ledger, probes, losses: repairs },
    transaction: <T>(work: () => T): T => database.transaction(work),
    kernel: loadNodeKernel(),
    random: systemRandom,
  };
  const { lifeBlocks } = synthetic;
  const jobs: Job[] = [
    {
      name: 'synthetic-store',
      everyMs: everyMs.syntheticStore,
      run: (signal) => syntheticStore(made, synthetic, signal),
    },
    {
      name: 'synthetic-drop',
      everyMs: everyMs.syntheticStore,
      run: (signal) => syntheticDrop(made, { roundBlocks, lifeBlocks }, signal),
    },
  ];
  if (retrieve.edges.length === 0) {
    ports.log.warn('retrieve-off', { reason: 'retrieve.edges is empty: no shard is read as users read it' });
    return jobs;
  }
  return [
    ...jobs,
    { name: 'retrieve', everyMs: everyMs.retrieve, run: (signal) => probeMiners(made, retrieve, signal) },
  ];
}
