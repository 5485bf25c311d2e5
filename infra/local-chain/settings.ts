/**
 * Settings of the local chain: flags first, then the environment, then defaults. Refuses what it does not know.
 *   --port            FILETAO_CHAIN_PORT            9944; 0 takes a free one
 *   --host            FILETAO_CHAIN_HOST            127.0.0.1; another address for containers only
 *   --dir             FILETAO_CHAIN_DIR             .filetao/chain
 *   --block-time-ms   FILETAO_CHAIN_BLOCK_TIME_MS   1000
 *   --tempo           FILETAO_CHAIN_TEMPO           60 blocks an epoch
 *   --netuid          FILETAO_CHAIN_NETUID          21
 *   --finality-lag    FILETAO_CHAIN_FINALITY_LAG    2 blocks behind the head
 *   --history         FILETAO_CHAIN_HISTORY         4096 blocks whose state is kept
 *   --genesis         FILETAO_CHAIN_GENESIS         JSON file of `genesis-file.ts`
 *   --local-axons     FILETAO_CHAIN_LOCAL_AXONS=1   loopback and private axons are accepted
 */
import { parseArgs } from 'node:util';

export interface Settings {
  readonly port: number;
  readonly host: string;
  readonly dir: string;
  readonly blockTimeMs: number;
  readonly tempo: number;
  readonly netuid: number;
  readonly finalityLag: number;
  readonly history: number;
  readonly genesis: string | undefined;
  readonly localAxons: boolean;
}
type Environment = Readonly<Record<string, string | undefined>>;

const VALUES = [
  'port',
  'host',
  'dir',
  'block-time-ms',
  'tempo',
  'netuid',
  'finality-lag',
  'history',
  'genesis',
] as const;
type Name = (typeof VALUES)[number];

const variable = (name: string): string => `FILETAO_CHAIN_${name.replaceAll('-', '_').toUpperCase()}`;

export function readSettings(args: readonly string[], env: Environment): Settings {
  const options = Object.fromEntries(VALUES.map((name) => [name, { type: 'string' as const }]));
  const { values } = parseArgs({
    args: [...args],
    options: { ...options, 'local-axons': { type: 'boolean' } },
    strict: true,
    allowPositionals: false,
  });
  const flags = values as Readonly<Record<string, string | boolean | undefined>>;
  const text = (name: Name): string | undefined =>
    (flags[name] as string | undefined) || env[variable(name)] || undefined;
  const whole = (name: Name, fallback: number, least: number, most: number): number => {
    const given = text(name);
    if (given === undefined) return fallback;
    const value = /^\d{1,9}$/.test(given) ? Number(given) : Number.NaN;
    if (value >= least && value <= most) return value;
    throw new Error(`--${name} must be a number from ${least} to ${most}, not ${given}`);
  };
  return {
    port: whole('port', 9944, 0, 65_535),
    host: text('host') ?? '127.0.0.1',
    dir: text('dir') ?? '.filetao/chain',
    blockTimeMs: whole('block-time-ms', 1000, 10, 600_000),
    tempo: whole('tempo', 60, 1, 50_400),
    // Storage indices of mechanisms begin at 4096; 0 is the root network.
    netuid: whole('netuid', 21, 1, 4095),
    finalityLag: whole('finality-lag', 2, 0, 64),
    history: whole('history', 4096, 128, 65_536),
    genesis: text('genesis'),
    localAxons: flags['local-axons'] === true || env[variable('local-axons')] === '1',
  };
}
