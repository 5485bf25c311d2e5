/**
 * The miners of a local network: each a process with a throw-away wallet, a folder and a port of its own.
 */
import type { Hotkey } from '#shared/primitives/ids.ts';
import type { Sr25519 } from '#shared/primitives/signer.ts';
import { freePort } from './ports.ts';
import { type Listening, minerProgram } from './programs.ts';
import type { Secrets } from './secrets.ts';
import type { StateFolder } from './state-folder.ts';
import { Supervised, type Supervision } from './supervised.ts';
import { keyOf, writeWallet } from './throw-away-wallet.ts';

/** Where each listened last. */
const PORTS_FILE = 'miner-ports.json';
/** Each; the disk's own room comes first. */
const CAPACITY_BYTES = 16 * 2 ** 30;
/** Left free on the disk, whatever miners would still take. */
const FREE_FLOOR_BYTES = 512 * 2 ** 20;

export interface LocalMiner {
  readonly hotkey: Hotkey;
  readonly coldkey: string;
  readonly hotkeyFile: string;
  readonly coldkeyFile: string;
  readonly folder: string;
  /** Where it listens, or last listened. */
  port: number;
  readonly run: Supervised<Listening>;
}

export interface FleetSettings {
  /** Undefined: the miners learn them from the chain. */
  readonly tenants: readonly Hotkey[] | undefined;
  /** Undefined: there is no chain, and `tenants` says all. */
  readonly chain: { readonly url: () => string; readonly everyMs: number } | undefined;
  readonly restoreMs: number;
  /** Told when a miner is up again after it had died: it may listen on another port. */
  readonly onRestart?: (miner: LocalMiner) => void;
}

/** The miners, not yet running; each takes the port that it had last time when that is free. */
export function createFleet(
  state: StateFolder,
  secrets: Pick<Secrets, 'genesisHash' | 'netuid' | 'miners'>,
  sr25519: Sr25519,
  settings: FleetSettings,
  supervision: Supervision,
): readonly LocalMiner[] {
  const lastPorts = readPorts(state);
  const miners = secrets.miners.map(({ hotkeySeed, coldkeySeed }, index): LocalMiner => {
    const number = String(index + 1).padStart(2, '0');
    const [hotkey, coldkey] = [keyOf(sr25519, hotkeySeed), keyOf(sr25519, coldkeySeed)];
    const wallet = writeWallet(state, `miner-${number}`, { hotkeySeed, hotkey, coldkeySeed, coldkey });
    const folder = state.folder('miners', number);
    const miner: LocalMiner = {
      hotkey,
      coldkey,
      ...wallet,
      folder,
      port: lastPorts.get(hotkey) ?? 0,
      run: new Supervised(
        async () => {
          miner.port = await freePort(miner.port);
          return minerProgram({
            name: `miner ${number}`,
            dataDir: folder,
            port: miner.port,
            keyFile: wallet.hotkeyFile,
            logFile: state.file('logs', `miner-${number}.log`),
            genesisHash: secrets.genesisHash,
            netuid: secrets.netuid,
            tenants: settings.tenants,
            chain: settings.chain && { url: settings.chain.url(), everyMs: settings.chain.everyMs },
            capacityBytes: CAPACITY_BYTES,
            freeFloorBytes: FREE_FLOOR_BYTES,
            restoreMs: settings.restoreMs,
          });
        },
        // A restart may have moved it to another port.
        {
          ...supervision,
          onRestart: () => {
            settings.onRestart?.(miner);
            supervision.onRestart();
          },
        },
      ),
    };
    return miner;
  });
  return miners;
}

/** Before anything starts, so that they can be announced while they start; the ports of last time where they are free. */
export async function choosePorts(state: StateFolder, miners: readonly LocalMiner[]): Promise<void> {
  for (const miner of miners) miner.port = await freePort(miner.port);
  notePorts(state, miners);
}

export function notePorts(state: StateFolder, miners: readonly LocalMiner[]): void {
  const ports = Object.fromEntries(miners.map(({ hotkey, port }) => [hotkey, port]));
  state.write(PORTS_FILE, `${JSON.stringify(ports, undefined, 2)}\n`);
}

function readPorts(state: StateFolder): ReadonlyMap<string, number> {
  const ports = state.readJson(PORTS_FILE);
  return new Map(typeof ports === 'object' && ports !== null ? Object.entries(ports as Record<string, number>) : []);
}
