/**
 * The miner wired together: settings in, then serving until a signal. Logs are JSON lines on stdout; the first says
 * `listening` with url and hotkey (and the parent is told the same when there is a channel to it).
 * Called by `main.ts`, which only sets the stage. Settings: `docs/run-a-miner.md`.
 */
import { loadNodeKernel } from '#shared/codec/node-kernel.ts';
import { type Log, systemClock } from '#shared/primitives/effects.ts';
import { createNodeLog } from '#shared/primitives/node-log.ts';
import { readKeyFile } from '#shared/wire/node-key-file.ts';
import { loadSr25519 } from '#shared/wire/node-sr25519.ts';
import { SecondBudget, STRANGERS_PER_SECOND } from './admission/caller-load.ts';
import { MAX_ORDER_AGE_MS } from './flows/carry-out-drop.ts';
import { leavingIn } from './leaving.ts';
import { type MinerServer, startMinerServer } from './server/miner-server.ts';
import { type MinerSettings, readSettings } from './settings.ts';
import type { WhileBusy } from './small-heap.ts';
import { DatabaseRefused } from './store/database.ts';
import { ShardStore } from './store/shard-store.ts';

const MINER_VERSION = '0.1.0';

/** After a signal, requests under way get this long to end. */
const GRACE_MS = 3_000;
/** Exit code for settings or a folder that an operator has to mend: a restart will not help (sysexits EX_CONFIG). */
const EXIT_CONFIG = 78;

function giveUp(lines: readonly string[]): never {
  for (const line of lines) process.stderr.write(`${line}\n`);
  process.exit(EXIT_CONFIG);
}

async function run(settings: MinerSettings, whileBusy: WhileBusy): Promise<void> {
  const log = createNodeLog('miner', settings.logLevel);
  const key = readKeyFile(settings.keyFile);
  if (!key.ok) giveUp([`FILETAO_MINER_KEY_FILE: ${key.failure.message}`]);
  const sr25519 = await loadSr25519();
  const signer = sr25519.signerFromSeed(key.value);
  const network = { genesis: settings.genesis, netuid: settings.netuid };
  const store = await ShardStore.open(
    { kernel: loadNodeKernel(), signer, network, clock: systemClock, log },
    {
      root: settings.dataDir,
      capacityBytes: settings.capacityBytes,
      freeFloorBytes: settings.freeFloorBytes,
      holdMs: settings.holdMs,
      orderAgeMs: MAX_ORDER_AGE_MS,
      tenants: settings.tenants,
    },
  );
  const tenants = new Set(settings.tenants.map((tenant) => tenant.hotkey));
  const address = { ip: settings.externalIp, port: settings.externalPort };
  const leaving = leavingIn(settings.dataDir, () => systemClock.nowMs());
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
        leaving: () => leaving.announced(),
        log,
        whileBusy,
      },
      { host: settings.host, port: settings.port },
    );
  } catch (error) {
    await store.close();
    giveUp([`FILETAO_MINER_PORT: cannot listen on ${settings.host}:${settings.port}: ${(error as Error).message}`]);
  }
  const host = settings.host.includes(':') ? `[${settings.host}]` : settings.host;
  const listening = { url: `http://${host}:${server.port}`, hotkey: signer.hotkey };
  stopOnSignals(server, store, log);
  process.on('SIGUSR2', () => {
    leaving.announce(!leaving.announced());
    log.info(leaving.announced() ? 'leaving' : 'staying', { shards: store.shards });
  });
  log.info('listening', { ...listening, shards: store.shards, freeBytes: store.freeBytes, ...store.recovered });
  process.send?.({ event: 'listening', ...listening });
}

function stopOnSignals(server: MinerServer, store: ShardStore, log: Log): void {
  let stopping = false;
  const stop = async (signal: string) => {
    if (stopping) return;
    stopping = true;
    log.info('stopping', { signal });
    await server.close(GRACE_MS);
    await store.close();
    log.info('stopped');
    process.exit(0);
  };
  process.on('SIGTERM', () => void stop('SIGTERM'));
  process.on('SIGINT', () => void stop('SIGINT'));
  // A parent that is gone cannot stop us any more.
  if (process.send) process.on('disconnect', () => void stop('disconnect'));
}

export async function runMiner(
  environment: Readonly<Record<string, string | undefined>>,
  whileBusy: WhileBusy,
): Promise<void> {
  const read = readSettings(environment);
  if (!read.ok) giveUp(read.lines);
  try {
    await run(read.settings, whileBusy);
  } catch (error) {
    if (error instanceof DatabaseRefused) giveUp([`FILETAO_MINER_DATA_DIR: ${error.message}`]);
    throw error;
  }
}
