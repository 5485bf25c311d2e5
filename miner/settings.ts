/**
 * The miner's settings from the environment: every one checked, every wrong one named in a line of its own. The whole
 * list with defaults is `docs/run-a-miner.md`. Read once by `main.ts`.
 */
import { homedir } from 'node:os';
import { join } from 'node:path';
import { z } from 'zod';
import { nodeOf } from '#shared/chain/network-settings.ts';
import type { RpcPace } from '#shared/chain/rpc-pace.ts';
import { type Hotkey, parseHotkey } from '#shared/primitives/ids.ts';
import { u128OfAddress } from '#shared/wire/address.ts';
import { hexBytes } from '#shared/wire/setting-schemas.ts';
import type { MinerKey } from './load-miner-key.ts';

const HOUR_MS = 3_600_000;
const DEFAULT_HOLD_MS = 72 * HOUR_MS;
/** Left for the system and for the rows: 1 GiB. */
const DEFAULT_FREE_FLOOR_BYTES = 2 ** 30;
const MAX_PORT = 65_535;
/** The usual port of a Bittensor axon. */
const DEFAULT_PORT = 8091;
/** Tenants and our own place change a few times a day; a public endpoint allows a request a second. */
const DEFAULT_CHAIN_EVERY_MS = 5 * 60_000;
/** Somebody who was replaced serves what he has for three days at most. */
const DEFAULT_LEAVING_MS = 72 * HOUR_MS;
const RAO_PER_TAO = 1_000_000_000;
/** Exit code for settings or a folder that an operator has to mend: a restart will not help (sysexits EX_CONFIG). */
export const EXIT_CONFIG = 78;

const number = (min: number, max: number) =>
  z
    .string()
    .regex(/^(?:0|[1-9][0-9]{0,15})$/, 'must be a whole number')
    .transform(Number)
    .refine((value) => value >= min && value <= max, `must lie between ${min} and ${max}`);
const bytes = number(0, Number.MAX_SAFE_INTEGER);

const tenants = z.string().transform((text, context) => {
  const list = text.split(',').filter((part) => part.trim() !== '');
  const found = new Map<Hotkey, number>();
  for (const part of list) {
    const [name = '', quota] = part.trim().split(':');
    const hotkey = parseHotkey(name);
    const quotaBytes = quota === undefined ? Number.MAX_SAFE_INTEGER : Number(quota);
    if (!hotkey || !Number.isSafeInteger(quotaBytes) || quotaBytes < 0 || found.has(hotkey)) {
      context.addIssue({ code: 'custom', message: `"${part}" is not hotkey or hotkey:quotaBytes, each hotkey once` });
      return z.NEVER;
    }
    found.set(hotkey, quotaBytes);
  }
  if (found.size === 0) context.addIssue({ code: 'custom', message: 'names no tenant' });
  return [...found].map(([hotkey, quotaBytes]) => ({ hotkey, quotaBytes }));
});

/** An address as the chain and hello count it. */
const address = z.string().transform((text, context) => {
  const value = u128OfAddress(text);
  if (value !== undefined && value !== 0n) return value;
  context.addIssue({ code: 'custom', message: 'must be the IPv4 or IPv6 address that others reach this miner at' });
  return z.NEVER;
});

const node = z.string().transform((text, context) => {
  const found = nodeOf(text);
  if (found) return found;
  context.addIssue({ code: 'custom', message: 'must be finney, test, local, or the ws:// or wss:// URL of a node' });
  return z.NEVER;
});

/** TAO or alpha with up to nine digits after the point, in billionths. */
const amount = z
  .string()
  .regex(/^\d{1,8}(?:\.\d{1,9})?$/, 'must be an amount such as 0.5')
  .transform((text) => BigInt(Math.round(Number(text) * RAO_PER_TAO)));

const SETTINGS = z.object({
  FILETAO_MINER_DATA_DIR: z.string().min(1, 'must name a folder'),
  FILETAO_MINER_HOST: z.string().min(1).default('127.0.0.1'),
  FILETAO_MINER_PORT: number(0, MAX_PORT).default(DEFAULT_PORT),
  FILETAO_MINER_EXTERNAL_IP: address.optional(),
  FILETAO_MINER_EXTERNAL_PORT: number(1, MAX_PORT).optional(),
  FILETAO_MINER_CAPACITY_BYTES: bytes,
  FILETAO_MINER_FREE_FLOOR_BYTES: bytes.default(DEFAULT_FREE_FLOOR_BYTES),
  FILETAO_MINER_KEY_FILE: z.string().optional(),
  BT_WALLETS_PATH: z.string().optional(),
  FILETAO_WALLET: z.string().optional(),
  FILETAO_HOTKEY: z.string().default('default'),
  FILETAO_SUBTENSOR: node.optional(),
  FILETAO_GENESIS_HASH: hexBytes(32).optional(),
  FILETAO_NETUID: number(0, MAX_PORT),
  FILETAO_TENANTS: tenants.optional(),
  FILETAO_TENANT_MIN_STAKE: amount.default(0n),
  FILETAO_ANNOUNCE: z.enum(['self', 'elsewhere']).default('self'),
  FILETAO_REGISTER_AT_MOST: amount.optional(),
  FILETAO_CHAIN_EVERY_MS: number(100, 24 * HOUR_MS).default(DEFAULT_CHAIN_EVERY_MS),
  FILETAO_LEAVING_MS: number(0, 365 * 24 * HOUR_MS).default(DEFAULT_LEAVING_MS),
  FILETAO_HOLD_MS: number(0, 365 * 24 * HOUR_MS).default(DEFAULT_HOLD_MS),
  FILETAO_METRICS_HOST: z.string().min(1).default('127.0.0.1'),
  FILETAO_METRICS_PORT: number(0, MAX_PORT).optional(),
  FILETAO_LOG_LEVEL: z.enum(['debug', 'info', 'warn', 'error']).default('info'),
});

export interface MinerSettings {
  readonly dataDir: string;
  readonly host: string;
  readonly port: number;
  /** What hello claims, as a number. */
  readonly externalIp: bigint;
  /** Absent: the port that is listened on. */
  readonly externalPort: number | undefined;
  readonly capacityBytes: number;
  readonly freeFloorBytes: number;
  readonly key: MinerKey;
  /** Where the chain is asked; undefined: nowhere, and `genesis` and `tenants` are given. */
  readonly chain: { readonly endpoint: string; readonly pace: RpcPace } | undefined;
  /** Undefined: the chain says. */
  readonly genesis: Uint8Array | undefined;
  readonly netuid: number;
  /** Undefined: the validators of the subnet. */
  readonly tenants: readonly { readonly hotkey: Hotkey; readonly quotaBytes: number }[] | undefined;
  /** Validators with less of the subnet's token are no tenants. */
  readonly tenantMinStakeRao: bigint;
  /** `elsewhere`: somebody else registers and announces this miner. */
  readonly announce: 'self' | 'elsewhere';
  /** What a registration may burn; undefined: it is not registered by itself. */
  readonly registerAtMostRao: bigint | undefined;
  readonly chainEveryMs: number;
  /** How long it serves on after it lost its place. */
  readonly leavingMs: number;
  readonly holdMs: number;
  /** Where Prometheus finds `/metrics`; undefined: nowhere. */
  readonly metrics: { readonly host: string; readonly port: number } | undefined;
  readonly logLevel: 'debug' | 'info' | 'warn' | 'error';
}

export type ReadSettings =
  | { readonly ok: true; readonly settings: MinerSettings }
  /** One line each, beginning with the setting's name. */
  | { readonly ok: false; readonly lines: readonly string[] };

export function readSettings(variables: Readonly<Record<string, string | undefined>>): ReadSettings {
  // A variable that is set to nothing is not set: container files often have such lines.
  const environment = Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ''));
  const parsed = SETTINGS.safeParse(environment);
  if (!parsed.success) {
    const lines = parsed.error.issues.map((issue) => {
      const name = issue.path.join('.');
      return `${name} ${environment[name] === undefined ? 'is not set' : issue.message}`;
    });
    return { ok: false, lines };
  }
  const { data } = parsed;
  // Where one address is listened on, that is the one to claim.
  const externalIp = data.FILETAO_MINER_EXTERNAL_IP ?? u128OfAddress(data.FILETAO_MINER_HOST);
  if (!externalIp) return { ok: false, lines: ['FILETAO_MINER_EXTERNAL_IP is not set'] };
  const lines: string[] = [];
  if (!data.FILETAO_SUBTENSOR) {
    const without = 'is not set (or name a chain with FILETAO_SUBTENSOR)';
    if (!data.FILETAO_GENESIS_HASH) lines.push(`FILETAO_GENESIS_HASH ${without}`);
    if (!data.FILETAO_TENANTS) lines.push(`FILETAO_TENANTS ${without}`);
  }
  const key = keyOf(data.FILETAO_MINER_KEY_FILE, data.FILETAO_WALLET, data.FILETAO_HOTKEY, data.BT_WALLETS_PATH);
  if (!key) lines.push('FILETAO_MINER_KEY_FILE is not set (or name a wallet with FILETAO_WALLET)');
  if (data.FILETAO_REGISTER_AT_MOST !== undefined && key?.kind === 'file') {
    lines.push('FILETAO_REGISTER_AT_MOST needs FILETAO_WALLET: its coldkey pays');
  }
  if (lines.length > 0 || !key) return { ok: false, lines };
  const { FILETAO_METRICS_HOST: metricsHost, FILETAO_METRICS_PORT: metricsPort } = data;
  return {
    ok: true,
    settings: {
      dataDir: data.FILETAO_MINER_DATA_DIR,
      host: data.FILETAO_MINER_HOST,
      port: data.FILETAO_MINER_PORT,
      externalIp,
      externalPort: data.FILETAO_MINER_EXTERNAL_PORT,
      capacityBytes: data.FILETAO_MINER_CAPACITY_BYTES,
      freeFloorBytes: data.FILETAO_MINER_FREE_FLOOR_BYTES,
      key,
      chain: data.FILETAO_SUBTENSOR,
      genesis: data.FILETAO_GENESIS_HASH,
      netuid: data.FILETAO_NETUID,
      tenants: data.FILETAO_TENANTS,
      tenantMinStakeRao: data.FILETAO_TENANT_MIN_STAKE,
      announce: data.FILETAO_ANNOUNCE,
      registerAtMostRao: data.FILETAO_REGISTER_AT_MOST,
      chainEveryMs: data.FILETAO_CHAIN_EVERY_MS,
      leavingMs: data.FILETAO_LEAVING_MS,
      holdMs: data.FILETAO_HOLD_MS,
      metrics: metricsPort === undefined ? undefined : { host: metricsHost, port: metricsPort },
      logLevel: data.FILETAO_LOG_LEVEL,
    },
  };
}

function keyOf(
  path: string | undefined,
  wallet: string | undefined,
  hotkey: string,
  root = join(homedir(), '.bittensor', 'wallets'),
): MinerKey | undefined {
  // The file is the nearer name: containers may set a wallet for all programs.
  if (path !== undefined) return { kind: 'file', path };
  return wallet === undefined ? undefined : { kind: 'wallet', root, wallet, hotkey };
}
