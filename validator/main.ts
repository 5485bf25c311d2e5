/**
 * The validator program: joins the jobs to this world and runs them while it holds the lease of its hotkey. Started as
 * `node validator/main.ts` with FILETAO_VALIDATOR_CONFIG naming its settings file; ends on SIGTERM, SIGINT, or when the
 * process that started it goes away.
 */
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { readEdgeList } from '#shared/access/node-edge-list.ts';
import { createIndex } from '#shared/index/redis-index.ts';
import { systemClock, systemRandom } from '#shared/primitives/effects.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';
import { createNodeLog } from '#shared/primitives/node-log.ts';
import { TIER_TABLES } from '#shared/tier/readme-table.ts';
import { createMinerClient } from '#shared/wire/miner-client.ts';
import { createNodeHttpFetch } from '#shared/wire/node-http-fetch.ts';
import { loadSr25519 } from '#shared/wire/node-sr25519.ts';
import { publicMinerUrl } from '#shared/wire/public-miner-url.ts';
import { keepTouched } from './alive-file.ts';
import { openAudits } from './audit-jobs.ts';
import { connectChain } from './chain/connect-chain.ts';
import { followBlocks } from './chain/follow-blocks.ts';
import { watchSubnet } from './chain/watch-subnet.ts';
import { dropsAreProbed } from './drops-are-probed.ts';
import { collect } from './flows/collect.ts';
import { dropDeleted } from './flows/drop-deleted.ts';
import { dropStrays } from './flows/drop-strays.ts';
import { expireFiles, expireUploads } from './flows/expire.ts';
import { grantEdges } from './flows/grant-edge.ts';
import { newPublishState, publishMiners } from './flows/publish-miners.ts';
import { indexMarksIn, rosterIn } from './folder.ts';
import { withDeadlines } from './job-deadlines.ts';
import { whileHeld } from './lease/held-lease.ts';
import { holderOf } from './lease/holder-id.ts';
import { openAsLeader } from './lease/open-as-leader.ts';
import { openDropReceipts } from './ledger/drop-receipts.ts';
import { loadHotkeyOf } from './load-hotkey.ts';
import { openMetrics } from './open-metrics.ts';
import { orderEndsDebt } from './order-ends-debt.ts';
import type { ValidatorPorts } from './ports.ts';
import { createProbeClient } from './probe-client.ts';
import { probeJobs } from './probe-jobs.ts';
import { repairJobs } from './repair-jobs.ts';
import { type Job, startSchedule } from './schedule.ts';
import { parseSettings, type ValidatorSettings } from './settings.ts';
import { allowanceIn, standingJobs } from './standing-jobs.ts';
import type { ValidatorState } from './state/open-state.ts';

const log = createNodeLog('validator', process.env.FILETAO_LOG_LEVEL === 'debug' ? 'debug' : 'info');

/** Another validator of this hotkey works now: whoever starts programs here starts this one again, as a stand-by. */
const EXIT_LEASE_LOST = 75;
/** An operator's word for one start: the records that this folder lacks are known to be lost. */
const TAKE_OVER_BEHIND = process.env.FILETAO_TAKE_OVER_BEHIND === '1';

const stopped = new AbortController();
for (const signal of ['SIGTERM', 'SIGINT', 'disconnect'] as const) process.on(signal, () => stopped.abort(signal));

async function readConfig(): Promise<ValidatorSettings> {
  const file = process.env.FILETAO_VALIDATOR_CONFIG;
  if (!file) throw new Error('FILETAO_VALIDATOR_CONFIG must name the settings file');
  return parseSettings(await readFile(file, 'utf8'));
}

async function main(): Promise<void> {
  const { FILETAO_ALIVE_FILE: aliveFile } = process.env;
  if (aliveFile) void keepTouched(aliveFile, systemClock, log, stopped.signal);
  const settings = await readConfig();
  const sr25519 = await loadSr25519();
  const signer = await loadHotkeyOf(settings, sr25519);
  const { netuid, genesisHash, dataDir } = settings;
  const network = { genesis: genesisHash, netuid };
  const effects = { clock: systemClock, log };
  const { endpoint, pace } = settings.chain.network;
  const { chain, first } = await connectChain({ endpoint, pace, genesisHash, dataDir }, effects, stopped.signal);
  const index = createIndex({ ...settings.index, clock: systemClock });
  // From here on this process is the one of its hotkey that works; until then it stands by.
  const leader = {
    dataDir,
    holder: holderOf(dataDir),
    times: settings.lease,
    evenIfBehind: TAKE_OVER_BEHIND,
    tiers: TIER_TABLES[settings.tierTable],
  };
  const steadyMs = () => performance.now();
  const leased = { ...effects, leadership: index.leadership, steadyMs };
  const { lease, state: folder, behind } = await openAsLeader(leased, leader, stopped.signal);
  void lease.lost.then(() => process.exit(EXIT_LEASE_LOST));
  const head = await chain.finalizedHead();
  const blocks = followBlocks(chain, head.ok ? head.value : first, effects, stopped.signal);
  const newestRound = Math.floor(blocks.newest().number / settings.audit.roundBlocks);
  if (behind > 0) folder.state.book.beginAnew();
  const { state, metrics, ...watching } = await openMetrics(folder.state, blocks, settings, log);
  const { refreshBlocks } = settings.chain;
  const subnet = await watchSubnet(
    { chain, blocks, store: rosterIn(dataDir), log },
    { netuid, own: signer.hotkey, refreshBlocks },
    stopped.signal,
  );
  const http = createNodeHttpFetch();
  const wire = {
    fetch: http.fetch,
    signer,
    network,
    tenant: signer.hotkey,
    grant: () => undefined,
    clock: systemClock,
    random: systemRandom,
    verify: sr25519.verify,
  };
  const dropReceipts = await openDropReceipts(dataDir, systemClock);
  const client = createMinerClient({ ...wire, onDropReceipt: dropReceipts.keep });
  const ports: ValidatorPorts = {
    chain: whileHeld(lease, chain),
    blocks,
    departures: subnet.departures,
    files: whileHeld(lease, index.files),
    directory: whileHeld(lease, index.miners),
    access: whileHeld(lease, index.access),
    miners: dropsAreProbed(
      orderEndsDebt(whileHeld(lease, client), state),
      ...[state.dropProbes, systemClock, settings.probeDroppedMs],
    ),
    inventories: state.inventories,
    registrations: subnet.registrations,
    indexMarks: indexMarksIn(dataDir),
    minerUrl: publicMinerUrl(settings.minerUrlPattern, { loopback: settings.loopbackMiners }),
    signer,
    network,
    clock: systemClock,
    log,
  };
  const edges = async () => [...new Set([...settings.edges, ...(await readEdgeList(dataDir))])];
  const audits = await openAudits(ports, state, settings, sr25519.verify, edges);
  if (behind > 0) state.book.setLastRound(newestRound);
  const jobs = [
    ...jobsOf(ports, state, settings, sr25519.verify, edges),
    ...standingJobs(ports, state, settings, whileHeld(lease, index.history)),
    ...audits.jobs,
    ...probeJobs(ports, state, settings, { ledger: audits.ledger, probes: createProbeClient(wire) }),
  ];
  const schedule = startSchedule(withDeadlines(jobs), systemClock, log, metrics?.watchRun);
  metrics?.watchJobs(() => schedule.states());
  // A new miner need not wait for the next round of looking at all of them.
  subnet.onChange(() => void schedule.trigger('publish'));
  log.info('started', { hotkey: signer.hotkey, edges: settings.edges.length });

  await aborted(stopped.signal);
  log.info('stopping', { why: stopped.signal.reason });
  await schedule.stop();
  await watching.close();
  await Promise.all([blocks.ended, subnet.ended]);
  await chain.close();
  await audits.close();
  await dropReceipts.close();
  folder.close();
  await lease.release();
  http.close();
}

const aborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    signal.addEventListener('abort', () => resolve());
  });

function jobsOf(
  ports: ValidatorPorts,
  state: ValidatorState,
  settings: ValidatorSettings,
  verify: Parameters<typeof grantEdges>[0]['verify'],
  edges: () => Promise<readonly Hotkey[]>,
): readonly Job[] {
  const { everyMs, grantMs } = settings;
  const grant = async () => grantEdges({ ...ports, verify }, await edges(), grantMs);
  const published = newPublishState();
  const allowance = allowanceIn(state);
  const cursors = new Map();
  const { graceMs, ...limit } = settings.collect;
  return [
    {
      name: 'publish',
      everyMs: everyMs.publish,
      run: (signal) => publishMiners({ ...ports, allowance }, published, signal),
    },
    { name: 'grant', everyMs: everyMs.grant, run: grant },
    { name: 'expire-files', everyMs: everyMs.expire, run: (signal) => expireFiles(ports, signal) },
    { name: 'expire-uploads', everyMs: everyMs.expire, run: (signal) => expireUploads(ports, signal) },
    {
      name: 'drop-deleted',
      everyMs: everyMs.dropDeleted,
      run: (signal) => dropDeleted(ports, signal, settings.recode.graceMs),
    },
    { name: 'drop-strays', everyMs: everyMs.dropStrays, run: (signal) => dropStrays(ports, signal) },
    { name: 'collect', everyMs: everyMs.collect, run: (signal) => collect(ports, cursors, { graceMs, limit }, signal) },
    ...repairJobs(ports, state, settings),
  ];
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    // Asked to end while it still waited for the chain.
    if (stopped.signal.aborted) process.exit(0);
    log.error('not-started', { reason: error instanceof Error ? error.message : String(error) });
    process.exit(1);
  },
);
