/**
 * The miner wired together: settings in, then serving until a signal. Logs are JSON lines on stdout; the first says
 * `listening` with url and hotkey (and the parent is told the same when there is a channel to it).
 * Called by `main.ts`, which only sets the stage. Settings: `docs/run-a-miner.md`.
 */
import { loadNodeKernel } from '#shared/codec/node-kernel.ts';
import { type Log, systemClock, systemRandom } from '#shared/primitives/effects.ts';
import { createNodeLog } from '#shared/primitives/node-log.ts';
import { loadNodeZkKernel } from '#shared/proof/zk/node-zk-kernel.ts';
import { NonceSource } from '#shared/proof/zk/prove-possession.ts';
import { loadSr25519 } from '#shared/wire/node-sr25519.ts';
import { SecondBudget, STRANGERS_PER_SECOND } from './admission/caller-load.ts';
import { announceAxon } from './chain/announce-axon.ts';
import { ChainRefused } from './chain/follow-chain.ts';
import { type JoinedChain, joinChain } from './chain/join-chain.ts';
import { MAX_ORDER_AGE_MS } from './flows/carry-out-drop.ts';
import { leavingIn } from './leaving.ts';
import { loadMinerKey } from './load-miner-key.ts';
import { type MinerServer, startMinerServer } from './server/miner-server.ts';
import { EXIT_CONFIG, type MinerSettings, readSettings } from './settings.ts';
import type { WhileBusy } from './small-heap.ts';
import { DatabaseRefused } from './store/database.ts';
import { ShardStore } from './store/shard-store.ts';

const MINER_VERSION = '0.1.0';

/** After a signal, requests under way get this long to end. */
const GRACE_MS = 3_000;
/** How often a miner that lost its place looks whether it is drained. */
const DRAINED_LOOK_MS = 1_000;

function giveUp(lines: readonly string[]): never {
  for (const line of lines) process.stderr.write(`${line}\n`);
  process.exit(EXIT_CONFIG);
}

type Environment = Readonly<Record<string, string | undefined>>;

async function run(settings: MinerSettings, environment: Environment, whileBusy: WhileBusy): Promise<void> {
  const log = createNodeLog('miner', settings.logLevel);
  const sr25519 = await loadSr25519();
  const key = await loadMinerKey(settings.key, sr25519);
  if (!key.ok)
    giveUp([`${settings.key.kind === 'file' ? 'FILETAO_MINER_KEY_FILE' : 'FILETAO_WALLET'}: ${key.failure.message}`]);
  const signer = key.value;
  const stopped = new AbortController();
  const ending = endOnSignals(stopped);
  const chain = await joinChain(settings, signer.hotkey, { clock: systemClock, log }, stopped.signal);
  const network = { genesis: chain.genesis, netuid: settings.netuid };
  const store = await ShardStore.open(
    {
      kernel: loadNodeKernel(),
      zkKernel: loadNodeZkKernel,
      nonces: new NonceSource(systemRandom),
      ...{ signer, network, clock: systemClock, log },
    },
    {
      root: settings.dataDir,
      capacityBytes: settings.capacityBytes,
      freeFloorBytes: settings.freeFloorBytes,
      holdMs: settings.holdMs,
      orderAgeMs: MAX_ORDER_AGE_MS,
      tenants: chain.tenants(),
    },
  );
  let tenants = new Set(chain.tenants().map((tenant) => tenant.hotkey));
  const address = { ip: settings.externalIp, port: settings.externalPort };
  const leaving = leavingIn(settings.dataDir, () => systemClock.nowMs());
  const metrics = await openMetrics(settings, store, log);
  let server: MinerServer;
  try {
    server = await startMinerServer(
      {
        store,
        signer,
        verify: sr25519.verify,
        network,
        clock: systemClock,
        version: MINER_VERSION,
        address,
        strangers: new SecondBudget(STRANGERS_PER_SECOND),
        isTenant: (hotkey) => tenants.has(hotkey),
        leaving: () => leaving.announced() || chain.leftMs() !== undefined,
        log,
        whileBusy,
        ...(metrics ? { watch: metrics.watch } : {}),
      },
      { host: settings.host, port: settings.port },
    );
  } catch (error) {
    await store.close();
    giveUp([`FILETAO_MINER_PORT: cannot listen on ${settings.host}:${settings.port}: ${(error as Error).message}`]);
  }
  const host = settings.host.includes(':') ? `[${settings.host}]` : settings.host;
  const listening = { url: `http://${host}:${server.port}`, hotkey: signer.hotkey };
  process.on('SIGUSR2', () => {
    leaving.announce(!leaving.announced());
    log.info(leaving.announced() ? 'leaving' : 'staying', { shards: store.shards });
  });
  log.info('listening', { ...listening, shards: store.shards, freeBytes: store.freeBytes, ...store.recovered });
  process.send?.({ event: 'listening', ...listening });

  const followed = chain.follow(() => {
    store.setTenants(chain.tenants());
    tenants = new Set(chain.tenants().map((tenant) => tenant.hotkey));
    log.info('tenants', { tenants: tenants.size, registered: chain.leftMs() === undefined });
  });
  const announced = announce(settings, environment, chain, server.port, { log, stopped });
  const drained = endWhenDrained(settings, chain, store, { log, stopped });
  const why = await ending;
  log.info('stopping', { signal: why });
  await Promise.all([followed, announced, drained, server.close(GRACE_MS), metrics?.close()]);
  await store.close();
  log.info('stopped');
  process.exit(process.exitCode ?? 0);
}

/** Loaded when it is wanted, and not before: the library takes memory. */
async function openMetrics({ metrics: address }: MinerSettings, store: ShardStore, log: Log) {
  if (!address) return undefined;
  const [{ createMinerMetrics }, { startMetricsServer }] = await Promise.all([
    import('./metrics.ts'),
    import('#shared/wire/node-metrics-server.ts'),
  ]);
  const metrics = createMinerMetrics(store);
  const server = await startMetricsServer(metrics, address).catch((error: Error) =>
    giveUp([`FILETAO_METRICS_PORT: cannot listen on ${address.host}:${address.port}: ${error.message}`]),
  );
  log.info('metrics', { url: server.url });
  return { watch: metrics.watch, close: () => server.close() };
}

interface Life {
  readonly log: Log;
  readonly stopped: AbortController;
}

/** Has the chain know where we are; what only an operator can mend ends the miner. */
async function announce(
  { announce: who }: MinerSettings,
  environment: Environment,
  chain: JoinedChain,
  port: number,
  { log, stopped }: Life,
): Promise<void> {
  if (who === 'elsewhere' || chain.leftMs() !== undefined || chain.announcedAt(port)) return;
  const env = { ...environment, FILETAO_MINER_PORT: String(port) };
  const done = await announceAxon(env, { clock: systemClock, log }, stopped.signal);
  if (done || stopped.signal.aborted) return;
  process.exitCode = EXIT_CONFIG;
  stopped.abort('not announced');
}

/** A miner that lost its place serves what it has until its tenants have it elsewhere, or for so long as was set. */
async function endWhenDrained(
  { leavingMs }: MinerSettings,
  chain: JoinedChain,
  store: ShardStore,
  { log, stopped }: Life,
): Promise<void> {
  let told = false;
  while (!stopped.signal.aborted) {
    const leftMs = chain.leftMs();
    if (leftMs !== undefined) {
      const held = store.heldShards();
      const leftOverMs = leftMs + leavingMs - systemClock.nowMs();
      if (!told) log.warn('lost-place', { held, servesForMs: Math.max(0, leftOverMs), until: 'drained' });
      told = true;
      if (held === 0 || leftOverMs <= 0) {
        log.warn('left-subnet', { why: held === 0 ? 'drained' : 'deadline', held });
        process.send?.({ event: 'left-subnet' });
        stopped.abort('left the subnet');
      }
    } else told = false;
    await systemClock.sleep(DRAINED_LOOK_MS, stopped.signal).catch(() => undefined);
  }
}

/** Resolves with what ended it. */
function endOnSignals(stopped: AbortController): Promise<string> {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => stopped.abort(signal));
  // A parent that is gone cannot stop us any more.
  if (process.send) process.on('disconnect', () => stopped.abort('disconnect'));
  return new Promise((resolve) => {
    stopped.signal.addEventListener('abort', () => resolve(String(stopped.signal.reason)));
  });
}

export async function runMiner(environment: Environment, whileBusy: WhileBusy): Promise<void> {
  const read = readSettings(environment);
  if (!read.ok) giveUp(read.lines);
  try {
    await run(read.settings, environment, whileBusy);
  } catch (error) {
    if (error instanceof DatabaseRefused) giveUp([`FILETAO_MINER_DATA_DIR: ${error.message}`]);
    if (error instanceof ChainRefused) giveUp([error.message]);
    throw error;
  }
}
