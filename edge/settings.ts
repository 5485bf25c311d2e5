/**
 * What an edge is told by its environment (`wrangler.toml` vars and secrets), checked once per isolate. A wrong
 * setting never half-works: the Worker then answers every request with one `misconfigured` problem that names the
 * settings at fault, never their values. Described for operators in `docs/run-an-edge.md`.
 */
import { z } from 'zod';
import { fromHex } from '#shared/primitives/bytes.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';
import type { HostPattern } from '#shared/wire/miner-url.ts';
import { hexBytes, hostPatternSetting, hotkeySetting } from '#shared/wire/setting-schemas.ts';

const HOUR_MS = 3_600_000;
/** Long enough for the largest upload on a slow line; a session's leavings are collected only after it. */
const DEFAULT_SESSION_MS = 6 * HOUR_MS;
/** An upload by parts may wait for its client's next day; miners hold its shards a day longer, and 14 days at most. */
const DEFAULT_UPLOAD_SESSION_MS = 7 * 24 * HOUR_MS;
const MAX_UPLOAD_SESSION_MS = 12 * 24 * HOUR_MS;
/** por/v1 and design: every frame is held until the end of its session plus a day. */
const DEFAULT_COLLECT_GRACE_MS = 24 * HOUR_MS;
/** 5 GiB. The host's own limit comes first: 100 MB on Cloudflare Free and Pro, 200 MB on Business, 5 GB at most. */
const DEFAULT_MAX_FILE_BYTES = 5 * 1024 ** 3;

/** One secret that masks are derived from (por/v1 §3). */
export interface MaskSecret {
  readonly epoch: number;
  readonly secret: Uint8Array;
}

/** `0:hex64,1:hex64` → secrets by rising epoch; epochs are 16-bit and unique. */
const maskSecrets = z.string().transform((text, context): readonly MaskSecret[] => {
  const secrets: MaskSecret[] = [];
  for (const item of text.split(',')) {
    const match = /^\s*(\d{1,5}):([0-9a-f]{64})\s*$/.exec(item);
    const epoch = Number(match?.[1]);
    const secret = fromHex(match?.[2] ?? '', 32);
    if (!secret || epoch > 0xffff || secrets.some((known) => known.epoch === epoch)) {
      context.addIssue({ code: 'custom', message: 'must be EPOCH:HEX64[,EPOCH:HEX64…] with each epoch once' });
      return z.NEVER;
    }
    secrets.push({ epoch, secret });
  }
  return secrets.sort((a, b) => a.epoch - b.epoch);
});

/** Origins as browsers send them, or `*`; empty: no cross-origin use. */
const origins = z.string().transform((text, context): readonly string[] => {
  const items = text
    .split(',')
    .map((item) => item.trim())
    .filter((item) => item !== '');
  for (const item of items) {
    if (item === '*' || (URL.canParse(item) && new URL(item).origin === item)) continue;
    context.addIssue({ code: 'custom', message: 'must be origins such as https://app.example, or *' });
    return z.NEVER;
  }
  return items;
});

const integer = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,16}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(min).max(max));

const Environment = z.object({
  UPSTASH_REDIS_REST_URL: z.url({ protocol: /^https?$/ }),
  UPSTASH_REDIS_REST_TOKEN: z.string().min(1),
  EDGE_HOTKEY_SEED: hexBytes(32),
  TENANT_HOTKEY: hotkeySetting,
  GENESIS_HASH: hexBytes(32),
  NETUID: integer(0, 0xffff),
  MASK_SECRETS: maskSecrets,
  MINER_URL_PATTERN: hostPatternSetting,
  CORS_ORIGINS: origins.default([]),
  MAX_FILE_BYTES: integer(1, 2 ** 44).default(DEFAULT_MAX_FILE_BYTES),
  SESSION_MS: integer(1_000, 7 * 24 * HOUR_MS).default(DEFAULT_SESSION_MS),
  UPLOAD_SESSION_MS: integer(1_000, MAX_UPLOAD_SESSION_MS).default(DEFAULT_UPLOAD_SESSION_MS),
  COLLECT_GRACE_MS: integer(0, 30 * 24 * HOUR_MS).default(DEFAULT_COLLECT_GRACE_MS),
  PUBLIC_READS: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true'),
  OPEN_ACCOUNTS: z
    .enum(['true', 'false'])
    .default('false')
    .transform((text) => text === 'true'),
});

/** Every setting by name, as documented. */
export const SETTING_NAMES: readonly string[] = Object.keys(Environment.shape);

/** The raw bindings of the Worker: all text. */
export type Environment = z.input<typeof Environment>;

/** What the app needs to know; secrets that only the wiring needs are kept apart. */
export interface Settings {
  readonly tenant: Hotkey;
  readonly genesisHash: Uint8Array;
  readonly netuid: number;
  readonly maskSecrets: readonly MaskSecret[];
  readonly corsOrigins: readonly string[];
  readonly maxFileBytes: number;
  readonly sessionMs: number;
  /** How long an upload by parts may take. */
  readonly uploadSessionMs: number;
  readonly collectGraceMs: number;
  readonly publicReads: boolean;
  /** Any account key may log in; otherwise only owners that the operator let in. */
  readonly openAccounts: boolean;
}

export interface WiringSettings extends Settings {
  readonly indexUrl: string;
  readonly indexToken: string;
  readonly hotkeySeed: Uint8Array;
  readonly minerUrlPattern: HostPattern;
}

export type SettingsOutcome =
  | { readonly ok: true; readonly settings: WiringSettings }
  /** Name of each setting at fault and what it must be. */
  | { readonly ok: false; readonly wrong: readonly { readonly setting: string; readonly message: string }[] };

export function readSettings(environment: unknown): SettingsOutcome {
  const parsed = Environment.safeParse(environment);
  if (!parsed.success) {
    const wrong = parsed.error.issues.map(({ path, message }) => ({ setting: String(path[0] ?? ''), message }));
    return { ok: false, wrong };
  }
  const value = parsed.data;
  return {
    ok: true,
    settings: {
      indexUrl: value.UPSTASH_REDIS_REST_URL,
      indexToken: value.UPSTASH_REDIS_REST_TOKEN,
      hotkeySeed: value.EDGE_HOTKEY_SEED,
      minerUrlPattern: value.MINER_URL_PATTERN,
      tenant: value.TENANT_HOTKEY,
      genesisHash: value.GENESIS_HASH,
      netuid: value.NETUID,
      maskSecrets: value.MASK_SECRETS,
      corsOrigins: value.CORS_ORIGINS,
      maxFileBytes: value.MAX_FILE_BYTES,
      sessionMs: value.SESSION_MS,
      uploadSessionMs: value.UPLOAD_SESSION_MS,
      collectGraceMs: value.COLLECT_GRACE_MS,
      publicReads: value.PUBLIC_READS,
      openAccounts: value.OPEN_ACCOUNTS,
    },
  };
}

/** The secret that new files are masked with: the newest epoch's. */
export function newestSecret(settings: Pick<Settings, 'maskSecrets'>): MaskSecret {
  const newest = settings.maskSecrets.at(-1);
  if (!newest) throw new Error('no mask secret');
  return newest;
}
