/**
 * The validator's settings: one JSON file, named by FILETAO_VALIDATOR_CONFIG, that only its owner may read. Checked
 * whole at start; a mistake names the setting and what it must be, never its value. Described in
 * `docs/run-a-validator.md`.
 */
import { z } from 'zod';
import { nodeOf } from '#shared/chain/network-settings.ts';
import { MAX_GRANT_MS } from '#shared/proof/grant.ts';
import { parseHostPattern } from '#shared/wire/miner-url.ts';
import { hexBytes, hostPatternSetting, hotkeySetting } from '#shared/wire/setting-schemas.ts';
import { ROUND_BLOCKS } from './flows/audit/audit-ports.ts';
import { WINDOW_BLOCKS } from './flows/close-window.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const BLOCK_MS = 12 * SECOND_MS;

const period = (defaultMs: number) =>
  z
    .int()
    .min(100)
    .max(24 * HOUR_MS)
    .default(defaultMs);

const text = z.string().min(1);

const originSetting = z
  .url({ protocol: /^https?$/ })
  .refine(
    (url) => URL.canParse(url) && new URL(url).origin === url,
    'must be an origin such as https://files.example.org',
  );

const Config = z.strictObject({
  genesisHash: hexBytes(32),
  netuid: z.int().min(0).max(0xffff),
  /** JSON file with the tenant's key: {"secretSeed":"0x…"}. Or `wallet`. */
  keyFile: z.string().min(1).optional(),
  /** A hotkey of a Bittensor wallet that is not encrypted. */
  wallet: z
    .strictObject({ name: text.default('default'), hotkey: text.default('default'), path: text.optional() })
    .optional(),
  chain: z.strictObject({
    /** finney, test, local, or the ws:// or wss:// URL of a node. */
    network: z.string().transform((name, context) => {
      const node = nodeOf(name);
      if (node) return node;
      context.addIssue({
        code: 'custom',
        message: 'must be finney, test, local, or the ws:// or wss:// URL of a node',
      });
      return z.NEVER;
    }),
    /** The metagraph is read again after so many blocks. */
    refreshBlocks: z.int().min(1).max(300).default(5),
  }),
  /** Folder of the tenant's own memory: what must not be lost with the index. */
  dataDir: z.string().min(1),
  /** True on a network of one machine: miners on loopback addresses are talked to. */
  loopbackMiners: z.boolean().default(false),
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
      closeWindow: period(BLOCK_MS),
      setWeights: period(BLOCK_MS),
      describe: period(30 * SECOND_MS),
      monitor: period(30 * SECOND_MS),
      repair: period(5 * SECOND_MS),
      survey: period(10 * SECOND_MS),
      recode: period(MINUTE_MS),
      receipts: period(2 * SECOND_MS),
      challenge: period(2 * SECOND_MS),
      sweep: period(MINUTE_MS),
      syntheticStore: period(BLOCK_MS),
      retrieve: period(BLOCK_MS),
    })
    .prefault({}),
  /** Which of several validators with this hotkey works. */
  lease: z
    .strictObject({
      /** A stand-by takes over so long after the last sign of life; work pauses 6 s before. */
      ttlMs: z
        .int()
        .min(15 * SECOND_MS)
        .max(HOUR_MS)
        .default(30 * SECOND_MS),
      renewMs: z
        .int()
        .min(100)
        .max(MINUTE_MS)
        .default(5 * SECOND_MS),
    })
    .refine(({ ttlMs, renewMs }) => renewMs <= ttlMs / 5, 'renewMs must be at most a fifth of ttlMs')
    .prefault({}),
  audit: z
    .strictObject({
      /** Round r draws from block `roundBlocks`·r (por/v1 §4). Every validator of a network must use the same. */
      roundBlocks: z.int().min(1).max(100_000).default(ROUND_BLOCKS),
      /** How long miners' answers are kept; signed records and receipts are kept for ever. */
      answersMs: z
        .int()
        .min(MINUTE_MS)
        .default(30 * 24 * HOUR_MS),
    })
    .prefault({}),
  /** Where Prometheus finds `/metrics`; absent: nowhere. */
  metrics: z.strictObject({ host: text.default('127.0.0.1'), port: z.int().min(0).max(65_535) }).optional(),
  /** A snapshot of the network for its series; 720 are kept. */
  snapshotMs: period(HOUR_MS),
  /** Shards of random bytes for miners that hold little of ours. */
  synthetic: z
    .strictObject({
      /** Miners of one draw: the original's. */
      miners: z.int().min(1).max(256).default(15),
      everyBlocks: z.int().min(1).max(100_000).default(75),
      /** To all miners together; 0 turns it off. A draw is about 36 MiB, at 75 blocks 3.4 GiB a day. */
      bytesPerDay: z
        .int()
        .min(0)
        .default(4 * 2 ** 30),
      /** Until a shard is dropped: ten epochs of 361 blocks. */
      lifeBlocks: z.int().min(1).max(30_000).default(3610),
    })
    .prefault({}),
  /** Whole shards, read through edges. */
  retrieve: z
    .strictObject({
      /** Miners of one draw: the original's. */
      miners: z.int().min(1).max(256).default(10),
      everyBlocks: z.int().min(1).max(100_000).default(25),
      /** The edges to read through, of those that have our grant; without any nothing is read. */
      edges: z
        .array(z.strictObject({ hotkey: hotkeySetting, url: originSetting }))
        .max(1000)
        .default([]),
    })
    .prefault({}),
  /** What tiers ask for: the constants of the original's code, or the stricter table of its README. */
  tierTable: z.enum(['code', 'readme']).default('code'),
  /** Length of a window of statistics: when it closes, tiers are set. */
  windowBlocks: z.int().min(1).max(100_000).default(WINDOW_BLOCKS),
  /** Lines epoch:64 hex digits, mode 0600: what masks are made of (por/v1 §3). Without it nothing is repaired. */
  maskSecretsFile: text.optional(),
  /** From a receipted drop to the question whether the shard is really not served; and to the next one. */
  probeDroppedMs: z.int().min(100).default(HOUR_MS),
  repair: z
    .strictObject({
      /** How long a segment above its repair threshold waits for its miners to come back. */
      delayMs: z
        .int()
        .min(0)
        .default(24 * HOUR_MS),
      /** First pause after an attempt that failed; it doubles six times. */
      retryMs: z.int().min(100).default(MINUTE_MS),
      /** For miners: how long a repaired shard that no manifest names yet is kept. */
      holdMs: z
        .int()
        .min(1000)
        .default(24 * HOUR_MS),
      /** Segments under repair at the same time: 20 MiB of memory each. */
      atOnce: z.int().min(1).max(64).default(4),
      /** Read and sent, together. */
      bytesPerSecond: z
        .int()
        .min(64 * 1024)
        .default(32 * 2 ** 20),
      /** Pages of 64 files that one run of the survey looks at. */
      surveyPages: z.int().min(1).max(1000).default(4),
    })
    .prefault({}),
  /** Files whose (k, n) is below what the network's size allows are coded anew. */
  recode: z
    .strictObject({
      /** So long the network must have been larger than a size by the margin; never across a restart as long. */
      steadyMs: z
        .int()
        .min(1000)
        .default(24 * HOUR_MS),
      /** Of a size, in miners beyond it. */
      marginShare: z.number().min(0).max(1).default(0.1),
      /** How long the old shards are served still; longer than downloads take. */
      graceMs: z.int().min(0).default(HOUR_MS),
      maxFileBytes: z
        .int()
        .min(0)
        .default(64 * 2 ** 30),
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
export function parseSettings(config: string): ValidatorSettings {
  let json: unknown;
  try {
    json = JSON.parse(config);
  } catch {
    throw new Error('validator settings: not JSON');
  }
  const parsed = Config.safeParse(json);
  if (!parsed.success) {
    const wrong = parsed.error.issues.map(({ path, message }) => `${path.join('.') || 'all of it'} ${message}`);
    throw new Error(`validator settings: ${wrong.join('; ')}`);
  }
  const { keyFile, wallet } = parsed.data;
  if ((keyFile === undefined) === (wallet === undefined)) {
    throw new Error('validator settings: keyFile or wallet must be set, and not both');
  }
  return parsed.data;
}
