/**
 * How each program of the network is started here: its script, its settings, its log, and how it says that it is
 * ready. Secrets go by files that only their owner may read, never by a command line.
 */
import { fileURLToPath } from 'node:url';
import { offlineWrangler } from '../offline-wrangler.ts';
import type { ChildSpec } from './child.ts';

const PROJECT = fileURLToPath(new URL('../..', import.meta.url)).replace(/\/$/, '');

export interface Listening {
  readonly url: string;
}

/** Servers of ours say `{"event":"listening","url":…}`. */
function listening(message: unknown): Listening | undefined {
  const { event, url } = fieldsOf(message);
  return event === 'listening' && typeof url === 'string' ? { url } : undefined;
}

/** `wrangler dev` tells its parent when the Worker answers. */
function workerReady(message: unknown): Listening | undefined {
  const { event, ip, port } = fieldsOf(message);
  return event === 'DEV_SERVER_READY' ? { url: `http://${ip}:${port}` } : undefined;
}

const tenantStarted = (message: unknown): true | undefined =>
  fieldsOf(message).event === 'started' ? true : undefined;

const fieldsOf = (message: unknown): Readonly<Record<string, unknown>> =>
  typeof message === 'object' && message !== null ? (message as Record<string, unknown>) : {};

export interface IndexStart {
  readonly name: string;
  readonly dataDir: string;
  readonly port: number;
  /** The tenant's token, and the edge's, which may do less. */
  readonly tokenFile: string;
  readonly edgeTokenFile: string;
  readonly logFile: string;
}

export function indexProgram({
  name,
  dataDir,
  port,
  tokenFile,
  edgeTokenFile,
  logFile,
}: IndexStart): ChildSpec<Listening> {
  const env: Record<string, string> = {
    FILETAO_INDEX_DIR: dataDir,
    FILETAO_INDEX_PORT: String(port),
    FILETAO_INDEX_TOKEN_FILE: tokenFile,
    FILETAO_INDEX_EDGE_TOKEN_FILE: edgeTokenFile,
  };
  // A Redis of one's own, when the person names one.
  for (const setting of ['REDIS_URL', 'FILETAO_REDIS_SERVER']) {
    const value = process.env[setting];
    if (value) env[setting] = value;
  }
  return { name, args: ['infra/gateway/main.ts'], env, cwd: PROJECT, logFile, ready: listening };
}

export interface ChainStart {
  readonly dataDir: string;
  readonly port: number;
  readonly netuid: number;
  readonly tempo: number;
  readonly blockMs: number;
  readonly genesisFile: string;
  readonly logFile: string;
}

export function chainProgram(start: ChainStart): ChildSpec<Listening> {
  const env = {
    FILETAO_CHAIN_DIR: start.dataDir,
    FILETAO_CHAIN_PORT: String(start.port),
    FILETAO_CHAIN_NETUID: String(start.netuid),
    FILETAO_CHAIN_TEMPO: String(start.tempo),
    FILETAO_CHAIN_BLOCK_TIME_MS: String(start.blockMs),
    FILETAO_CHAIN_GENESIS: start.genesisFile,
    FILETAO_CHAIN_LOCAL_AXONS: '1',
    // One node that nobody contradicts: its blocks are final when they are made.
    FILETAO_CHAIN_FINALITY_LAG: '0',
  };
  const { logFile } = start;
  return { name: 'chain', args: ['infra/local-chain/main.ts'], env, cwd: PROJECT, logFile, ready: listening };
}

/** Registers and announces local miners, then ends. */
export function announceProgram(planFile: string, logFile: string): ChildSpec<true> {
  const env = { FILETAO_ANNOUNCE_PLAN: planFile };
  const ready = (message: unknown): true | undefined => (fieldsOf(message).event === 'announced' ? true : undefined);
  return { name: 'announce', args: ['infra/announce-miners/main.ts'], env, cwd: PROJECT, logFile, ready };
}

export interface MinerStart {
  readonly name: string;
  readonly dataDir: string;
  readonly port: number;
  readonly keyFile: string;
  readonly logFile: string;
  readonly genesisHash: string;
  readonly netuid: number;
  /** Undefined: the chain says who. */
  readonly tenants: readonly string[] | undefined;
  /** Undefined: there is no chain. */
  readonly chain: { readonly url: string; readonly everyMs: number } | undefined;
  readonly capacityBytes: number;
  readonly freeFloorBytes: number;
  readonly restoreMs: number;
}

export function minerProgram(start: MinerStart): ChildSpec<Listening> {
  const env = {
    FILETAO_MINER_DATA_DIR: start.dataDir,
    FILETAO_MINER_HOST: '127.0.0.1',
    FILETAO_MINER_PORT: String(start.port),
    FILETAO_MINER_EXTERNAL_IP: '127.0.0.1',
    FILETAO_MINER_EXTERNAL_PORT: String(start.port),
    FILETAO_MINER_KEY_FILE: start.keyFile,
    FILETAO_MINER_CAPACITY_BYTES: String(start.capacityBytes),
    FILETAO_MINER_FREE_FLOOR_BYTES: String(start.freeFloorBytes),
    FILETAO_GENESIS_HASH: start.genesisHash,
    FILETAO_NETUID: String(start.netuid),
    ...(start.tenants && { FILETAO_TENANTS: start.tenants.join(',') }),
    ...(start.chain && {
      FILETAO_SUBTENSOR: start.chain.url,
      // One process does it for all of them: each by its own would load the library a dozen times.
      FILETAO_ANNOUNCE: 'elsewhere',
      FILETAO_CHAIN_EVERY_MS: String(start.chain.everyMs),
    }),
    FILETAO_HOLD_MS: String(start.restoreMs),
  };
  const finished = (message: unknown): boolean => fieldsOf(message).event === 'left-subnet';
  const { name, logFile } = start;
  return { name, args: ['miner/main.ts'], env, cwd: PROJECT, logFile, ready: listening, finished };
}

export interface TenantStart {
  readonly name: string;
  readonly configFile: string;
  readonly logFile: string;
}

export function tenantProgram({ name, configFile, logFile }: TenantStart): ChildSpec<true> {
  const env = { FILETAO_VALIDATOR_CONFIG: configFile };
  return { name, args: ['validator/main.ts'], env, cwd: PROJECT, logFile, ready: tenantStarted };
}

export interface EdgeStart {
  readonly name: string;
  readonly port: number;
  /** The Worker's settings and secrets, NAME=value a line. */
  readonly envFile: string;
  /** Whatever `wrangler dev` writes. */
  readonly workDir: string;
  readonly logFile: string;
}

export function edgeProgram({ name, port, envFile, workDir, logFile }: EdgeStart): ChildSpec<Listening> {
  const options = {
    '--config': `${PROJECT}/wrangler.toml`,
    '--env-file': envFile,
    '--ip': '127.0.0.1',
    '--port': String(port),
    '--inspector-port': '0',
    '--persist-to': `${workDir}/state`,
    '--show-interactive-dev-session': 'false',
  };
  // Its launcher would start this script as one process more.
  const script = 'node_modules/wrangler/wrangler-dist/cli.js';
  return {
    name,
    args: [script, 'dev', ...Object.entries(options).flat()],
    env: offlineWrangler(workDir),
    cwd: PROJECT,
    logFile,
    ready: workerReady,
  };
}
