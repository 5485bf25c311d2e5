/**
 * The miner's settings from the environment: every one checked, every wrong one named in a line of its own. The whole
 * list with defaults is `docs/run-a-miner.md`. Read once by `main.ts`.
 */
import { z } from 'zod';
import { type Hotkey, parseHotkey } from '#shared/primitives/ids.ts';
import { u128OfAddress } from '#shared/wire/address.ts';
import { hexBytes } from '#shared/wire/setting-schemas.ts';

const HOUR_MS = 3_600_000;
const DEFAULT_HOLD_MS = 72 * HOUR_MS;
/** Left for the system and for the rows: 1 GiB. */
const DEFAULT_FREE_FLOOR_BYTES = 2 ** 30;
const MAX_PORT = 65_535;
/** The usual port of a Bittensor axon. */
const DEFAULT_PORT = 8091;

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

const SETTINGS = z.object({
  FILETAO_MINER_DATA_DIR: z.string().min(1, 'must name a folder'),
  FILETAO_MINER_HOST: z.string().min(1).default('127.0.0.1'),
  FILETAO_MINER_PORT: number(0, MAX_PORT).default(DEFAULT_PORT),
  FILETAO_MINER_EXTERNAL_IP: address.optional(),
  FILETAO_MINER_EXTERNAL_PORT: number(1, MAX_PORT).optional(),
  FILETAO_MINER_CAPACITY_BYTES: bytes,
  FILETAO_MINER_FREE_FLOOR_BYTES: bytes.default(DEFAULT_FREE_FLOOR_BYTES),
  FILETAO_MINER_KEY_FILE: z.string().min(1, 'must name the hotkey file'),
  FILETAO_GENESIS_HASH: hexBytes(32),
  FILETAO_NETUID: number(0, MAX_PORT),
  FILETAO_TENANTS: tenants,
  FILETAO_HOLD_MS: number(0, 365 * 24 * HOUR_MS).default(DEFAULT_HOLD_MS),
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
  readonly keyFile: string;
  readonly genesis: Uint8Array;
  readonly netuid: number;
  readonly tenants: readonly { readonly hotkey: Hotkey; readonly quotaBytes: number }[];
  readonly holdMs: number;
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
      keyFile: data.FILETAO_MINER_KEY_FILE,
      genesis: data.FILETAO_GENESIS_HASH,
      netuid: data.FILETAO_NETUID,
      tenants: data.FILETAO_TENANTS,
      holdMs: data.FILETAO_HOLD_MS,
      logLevel: data.FILETAO_LOG_LEVEL,
    },
  };
}
