/**
 * The validator's settings: one JSON file, named by FILETAO_VALIDATOR_CONFIG, that only its owner may read. Checked
 * whole at start; a mistake names the setting and what it must be, never its value. Described in
 * `docs/run-a-validator.md`.
 */
import { z } from 'zod';
import { parseSs58 } from '#shared/primitives/ids.ts';
import { MAX_GRANT_MS } from '#shared/proof/grant.ts';
import { parseAddress } from '#shared/wire/address.ts';
import { parseHostPattern } from '#shared/wire/miner-url.ts';
import { hexBytes, hostPatternSetting, hotkeySetting } from '#shared/wire/setting-schemas.ts';
import type { RegisteredMiner } from './ports.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

const period = (defaultMs: number) =>
  z
    .int()
    .min(100)
    .max(24 * HOUR_MS)
    .default(defaultMs);

const Config = z.strictObject({
  genesisHash: hexBytes(32),
  netuid: z.int().min(0).max(0xffff),
  /** JSON file with the tenant's key: {"secretSeed":"0x…"}. */
  keyFile: z.string().min(1),
  /** Folder of the tenant's own memory: what must not be lost with the index. */
  dataDir: z.string().min(1),
  /** JSON list of the registered miners; read again and again, so it may change. */
  minersFile: z.string().min(1),
  minerUrlPattern: hostPatternSetting.default(() => parseHostPattern('http://{ip}:{port}')),
  index: z.strictObject({ url: z.url({ protocol: /^https?$/ }), token: z.string().min(1) }),
  edges: z.array(hotkeySetting).max(1000).default([]),
  /** How long an edge's grant holds; renewed at half of it. */
  grantMs: z
    .int()
    .min(MINUTE_MS)
    .max(MAX_GRANT_MS)
    .default(12 * HOUR_MS),
  /** Pause between two runs of each job. */
  everyMs: z
    .strictObject({
      publish: period(5 * SECOND_MS),
      grant: period(MINUTE_MS),
      expire: period(MINUTE_MS),
      dropDeleted: period(10 * SECOND_MS),
      dropStrays: period(10 * SECOND_MS),
      collect: period(HOUR_MS),
    })
    .prefault({}),
  collect: z
    .strictObject({
      /** After a shard's own hold (design, "Collect": 24 h). */
      graceMs: z
        .int()
        .min(0)
        .default(24 * HOUR_MS),
      fraction: z.number().min(0).max(1).default(0.01),
      shards: z.int().min(0).default(1000),
    })
    .prefault({}),
});

export type ValidatorSettings = z.output<typeof Config>;

/** Throws one line that names every setting at fault. */
export function parseSettings(text: string): ValidatorSettings {
  return parseWith(Config, text, 'validator settings');
}

const Miners = z.array(
  z.object({
    hotkey: hotkeySetting,
    coldkey: z.string().refine((text) => parseSs58(text) !== undefined, 'must be an SS58 address with prefix 42'),
    ip: z.string().refine((text) => parseAddress(text) !== undefined, 'must be an IP address'),
    port: z.int().min(1).max(65_535),
  }),
);

export function parseMiners(text: string): readonly RegisteredMiner[] {
  const miners = parseWith(Miners, text, 'miners file');
  return miners.map(({ hotkey, coldkey, ip, port }) => ({ hotkey, coldkey, address: { ip, port } }));
}

function parseWith<Schema extends z.ZodType>(schema: Schema, text: string, what: string): z.output<Schema> {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    throw new Error(`${what}: not JSON`);
  }
  const parsed = schema.safeParse(json);
  if (parsed.success) return parsed.data;
  const wrong = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'all of it'} ${message}`);
  throw new Error(`${what}: ${wrong.join('; ')}`);
}
