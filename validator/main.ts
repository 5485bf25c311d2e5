/**
 * The validator program. For now it is the tenant alone: it publishes the miners, grants the edges, expires, drops and
 * collects; audits and weights join it. Started as `node validator/main.ts` with FILETAO_VALIDATOR_CONFIG naming its
 * settings file; ends on SIGTERM, SIGINT, or when the process that started it goes away.
 */
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { createIndex } from '#shared/index/redis-index.ts';
import { systemClock, systemRandom } from '#shared/primitives/effects.ts';
import { createNodeLog } from '#shared/primitives/node-log.ts';
import { createMinerClient } from '#shared/wire/miner-client.ts';
import { minerUrlOf } from '#shared/wire/miner-url.ts';
import { createNodeHttpFetch } from '#shared/wire/node-http-fetch.ts';
import { readKeyFile } from '#shared/wire/node-key-file.ts';
import { loadSr25519 } from '#shared/wire/node-sr25519.ts';
import { collect } from './flows/collect.ts';
import { dropDeleted } from './flows/drop-deleted.ts';
import { dropStrays } from './flows/drop-strays.ts';
import { expireFiles, expireUploads } from './flows/expire.ts';
import { grantEdges } from './flows/grant-edge.ts';
import { newPublishState, publishMiners } from './flows/publish-miners.ts';
import { indexMarksIn, registrationsFrom } from './folder.ts';
import type { TenantPorts } from './ports.ts';
import { type Job, startSchedule } from './schedule.ts';
import { parseSettings, type ValidatorSettings } from './settings.ts';

const log = createNodeLog('validator', process.env.FILETAO_LOG_LEVEL === 'debug' ? 'debug' : 'info');

async function readConfig(): Promise<ValidatorSettings> {
  const file = process.env.FILETAO_VALIDATOR_CONFIG;
  if (!file) throw new Error('FILETAO_VALIDATOR_CONFIG must name the settings file');
  return parseSettings(await readFile(file, 'utf8'));
}

async function main(): Promise<void> {
  const settings = await readConfig();
  const sr25519 = await loadSr25519();
  const seed = readKeyFile(settings.keyFile);
  if (!seed.ok) throw new Error(`keyFile: ${seed.failure.message}`);
  const signer = sr25519.signerFromSeed(seed.value);
  const network = { genesis: settings.genesisHash, netuid: settings.netuid };
  const index = createIndex({ ...settings.index, clock: systemClock });
  const http = createNodeHttpFetch();
  const ports: TenantPorts = {
    files: index.files,
    directory: index.miners,
    access: index.access,
    miners: createMinerClient({
      fetch: http.fetch,
      signer,
      network,
      tenant: signer.hotkey,
      grant: () => undefined,
      clock: systemClock,
      random: systemRandom,
      verify: sr25519.verify,
    }),
    registrations: registrationsFrom(settings.minersFile),
    indexMarks: indexMarksIn(settings.dataDir),
    minerUrl: (address) => minerUrlOf(settings.minerUrlPattern, address),
    signer,
    network,
    clock: systemClock,
    log,
  };
  const schedule = startSchedule(jobsOf(ports, settings, sr25519.verify), systemClock, log);
  log.info('started', { hotkey: signer.hotkey, edges: settings.edges.length });

  let stopping = false;
  const stop = async (why: string) => {
    if (stopping) return;
    stopping = true;
    log.info('stopping', { why });
    await schedule.stop();
    http.close();
    process.exit(0);
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => void stop(signal));
  process.on('disconnect', () => void stop('disconnect'));
}

function jobsOf(
  ports: TenantPorts,
  settings: ValidatorSettings,
  verify: Parameters<typeof grantEdges>[0]['verify'],
): readonly Job[] {
  const { everyMs, edges, grantMs } = settings;
  const published = newPublishState();
  const cursors = new Map();
  const { graceMs, ...limit } = settings.collect;
  return [
    { name: 'publish', everyMs: everyMs.publish, run: (signal) => publishMiners(ports, published, signal) },
    { name: 'grant', everyMs: everyMs.grant, run: () => grantEdges({ ...ports, verify }, edges, grantMs) },
    { name: 'expire-files', everyMs: everyMs.expire, run: (signal) => expireFiles(ports, signal) },
    { name: 'expire-uploads', everyMs: everyMs.expire, run: (signal) => expireUploads(ports, signal) },
    { name: 'drop-deleted', everyMs: everyMs.dropDeleted, run: (signal) => dropDeleted(ports, signal) },
    { name: 'drop-strays', everyMs: everyMs.dropStrays, run: (signal) => dropStrays(ports, signal) },
    { name: 'collect', everyMs: everyMs.collect, run: (signal) => collect(ports, cursors, { graceMs, limit }, signal) },
  ];
}

main().catch((error: unknown) => {
  log.error('not-started', { reason: error instanceof Error ? error.message : String(error) });
  process.exitCode = 1;
});
