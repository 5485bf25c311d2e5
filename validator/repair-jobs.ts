/**
 * The jobs that keep files whole, as the schedule takes them: the monitor of the miners, the walk through what a lost
 * one owed, the slow survey of everything, and repair itself; and those that look after drops: are they really gone,
 * shall they come back. Made by `main.ts`. Without mask secrets nothing can be
 * rebuilt: then only the monitor runs, and one line says so.
 */
import { loadNodeKernel } from '#shared/codec/node-kernel.ts';
import { internetGroups, loopbackGroups } from '#shared/placement/groups.ts';
import { systemRandom } from '#shared/primitives/effects.ts';
import { sha256 } from '#shared/primitives/sha256.ts';
import { loadNodeZkKernel } from '#shared/proof/zk/node-zk-kernel.ts';
import { createBudget } from '#shared/transfer/budget.ts';
import { createLatencies } from '#shared/transfer/latencies.ts';
import { createBandwidth } from './bandwidth.ts';
import { monitor } from './flows/monitor.ts';
import { probeDropped } from './flows/probe-dropped.ts';
import { recode } from './flows/recode.ts';
import { repair } from './flows/repair.ts';
import type { RepairPorts } from './flows/repair-ports.ts';
import { survey } from './flows/survey.ts';
import { walkInventories } from './flows/walk-inventories.ts';
import { maskSecretsOf, readMaskSecrets } from './mask-secrets.ts';
import type { ValidatorPorts } from './ports.ts';
import { takeRestoreRequest } from './restore-requests.ts';
import type { Job } from './schedule.ts';
import type { ValidatorSettings } from './settings.ts';
import type { ValidatorState } from './state/open-state.ts';

/** As long as a run of the job may take (`job-deadlines.ts`), and a little. */
const RECODE_SESSION_MS = 7 * 3_600_000;
/** Buffers of one segment under repair at the least redundancy: 20 MiB of copies (`rebuild-shards.ts`). */
const SEGMENT_WORK_BYTES = 20 * 2 ** 20;

export function repairJobs(ports: ValidatorPorts, state: ValidatorState, settings: ValidatorSettings): readonly Job[] {
  const { everyMs, loopbackMiners, maskSecretsFile } = settings;
  const { database, inventories, standings, repairs, pings, dropProbes } = state;
  const { clock, log } = ports;
  const transaction = <T>(work: () => T): T => database.transaction(work);
  const blockNumber = () => ports.blocks.newest().number;
  const watched = { ...ports, standings, inventories, repairs, pings, transaction, blockNumber };
  const probing = { ...ports, probes: dropProbes, standings, blockNumber };
  const jobs: Job[] = [
    { name: 'monitor', everyMs: everyMs.monitor, run: (signal) => monitor(watched, signal) },
    {
      name: 'probe-dropped',
      everyMs: everyMs.dropDeleted,
      run: (signal) => probeDropped(probing, settings.probeDroppedMs, signal),
    },
    {
      name: 'restore',
      everyMs: everyMs.dropDeleted,
      run: (signal) => takeRestoreRequest(ports, settings.dataDir, signal),
    },
  ];
  if (maskSecretsFile === undefined) {
    log.warn('repair-off', { reason: 'maskSecretsFile is not set: lost shards are not rebuilt' });
    return jobs;
  }
  const { bytesPerSecond, surveyPages, ...repairing } = settings.repair;
  const recoding = {
    ...settings.recode,
    ...{ sessionMs: RECODE_SESSION_MS, holdMs: repairing.holdMs, pages: surveyPages },
  };
  const repairPorts: RepairPorts = {
    ...ports,
    transfer: {
      kernel: loadNodeKernel(),
      zkKernel: loadNodeZkKernel,
      miners: ports.miners,
      ...{ clock, log, sha256, random: systemRandom, latencies: createLatencies(clock) },
    },
    budget: createBudget(repairing.atOnce * SEGMENT_WORK_BYTES),
    bandwidth: createBandwidth(clock, bytesPerSecond),
    maskSecrets: maskSecretsOf(readMaskSecrets(maskSecretsFile), ports.files),
    networkGroups: loopbackMiners ? loopbackGroups : internetGroups,
    ...{ inventories, repairs, pings, transaction },
  };
  return [
    ...jobs,
    { name: 'walk', everyMs: everyMs.repair, run: (signal) => walkInventories(repairPorts, repairing, signal) },
    { name: 'survey', everyMs: everyMs.survey, run: (signal) => survey(repairPorts, repairing, surveyPages, signal) },
    { name: 'recode', everyMs: everyMs.recode, run: (signal) => recode(repairPorts, recoding, signal) },
    { name: 'repair', everyMs: everyMs.repair, run: (signal) => repair(repairPorts, repairing, signal) },
  ];
}
