/**
 * The miners of a local network: each a process with a key, a folder and a port of its own, and the list of them that
 * tenants read in place of a chain.
 */

import { fromHex } from '#shared/primitives/bytes.ts';
import { type Hotkey, hotkeyOf } from '#shared/primitives/ids.ts';
import type { Sr25519 } from '#shared/primitives/signer.ts';
import { freePort } from './ports.ts';
import { type Listening, minerProgram } from './programs.ts';
import type { Secrets } from './secrets.ts';
import type { StateFolder } from './state-folder.ts';
import { Supervised, type Supervision } from './supervised.ts';

export const MINERS_FILE = 'miners.json';
/** Each; the disk's own room comes first. */
const CAPACITY_BYTES = 16 * 2 ** 30;
/** Left free on the disk, whatever miners would still take. */
const FREE_FLOOR_BYTES = 512 * 2 ** 20;

export interface LocalMiner {
  readonly hotkey: Hotkey;
  readonly coldkey: string;
  readonly folder: string;
  /** Where it listens, or last listened. */
  port: number;
  readonly run: Supervised<Listening>;
}

export interface FleetSettings {
  readonly tenants: readonly Hotkey[];
  readonly restoreMs: number;
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
    const keyFile = state.write(`keys/miner-${number}.json`, `${JSON.stringify({ secretSeed: `0x${hotkeySeed}` })}\n`);
    const hotkey = hotkeyOf(publicKeyOf(sr25519, hotkeySeed));
    const folder = state.folder('miners', number);
    const miner: LocalMiner = {
      hotkey,
      coldkey: hotkeyOf(publicKeyOf(sr25519, coldkeySeed)),
      folder,
      port: lastPorts.get(hotkey) ?? 0,
      run: new Supervised(
        async () => {
          miner.port = await freePort(miner.port);
          return minerProgram({
            name: `miner ${number}`,
            dataDir: folder,
            port: miner.port,
            keyFile,
            logFile: state.file('logs', `miner-${number}.log`),
            genesisHash: secrets.genesisHash,
            netuid: secrets.netuid,
            tenants: settings.tenants,
            capacityBytes: CAPACITY_BYTES,
            freeFloorBytes: FREE_FLOOR_BYTES,
            restoreMs: settings.restoreMs,
          });
        },
        // A restart may have moved it to another port.
        {
          ...supervision,
          onRestart: () => {
            registerMiners(state, miners);
            supervision.onRestart();
          },
        },
      ),
    };
    return miner;
  });
  return miners;
}

/** Writes the list that tenants publish from: here it stands for the registrations on a chain. */
export function registerMiners(state: StateFolder, miners: readonly LocalMiner[]): void {
  const list = miners.map(({ hotkey, coldkey, port }) => ({ hotkey, coldkey, ip: '127.0.0.1', port }));
  state.write(MINERS_FILE, `${JSON.stringify(list, undefined, 2)}\n`);
}

function readPorts(state: StateFolder): ReadonlyMap<string, number> {
  const list = state.readJson(MINERS_FILE);
  if (!Array.isArray(list)) return new Map();
  return new Map(list.map(({ hotkey, port }: { hotkey: string; port: number }) => [hotkey, port]));
}

function publicKeyOf(sr25519: Sr25519, seedHex: string): Uint8Array {
  const seed = fromHex(seedHex, 32);
  if (!seed) throw new Error('a seed in secrets.json is damaged');
  return sr25519.signerFromSeed(seed).publicKey;
}
