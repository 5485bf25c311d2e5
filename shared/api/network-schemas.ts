/**
 * What edges say about the network: `/v1/network` and below in our words (bytes, ISO times), and the original's four
 * routes in its own (upper-case names, MiB, `YYYY-MM-DD HH:MM:SS` in UTC). The edge types its answers by these, the
 * command line its tables. Source of the second half: FileTAO 3.0.0, its indexer's endpoint.
 */
import { z } from 'zod';
import { parseHotkey } from '#shared/primitives/ids.ts';

const Time = z.iso.datetime();
const Count = z.int().min(0);
const Attempts = z.strictObject({ attempts: Count, successes: Count });
const WindowCounts = z
  .strictObject({ store: Attempts, challenge: Attempts, retrieve: Attempts })
  .meta({ description: 'Answers of the open window of statistics' });

export const HotkeyText = z
  .string()
  .transform((text, context) => {
    const hotkey = parseHotkey(text);
    if (hotkey) return hotkey;
    context.addIssue({ code: 'custom', message: 'must be an SS58 address with prefix 42 ("5…")' });
    return z.NEVER;
  })
  .meta({ description: "The miner's hotkey, SS58" });

/** More than any subnet has; a page of all of a subnet's 256. */
const MAX_MINERS = 1000;
const wholeText = (min: number, max: number) =>
  z
    .string()
    .regex(/^\d{1,12}$/, 'must be a whole number')
    .transform(Number)
    .pipe(z.number().min(min).max(max));

export const MinersQuery = z.strictObject({
  limit: wholeText(1, MAX_MINERS).default(256),
  offset: wholeText(0, 1_000_000).default(0),
});

export const MinerStateAnswer = z
  .strictObject({
    hotkey: z.string(),
    coldkey: z.string(),
    uid: Count.nullable().meta({ description: 'null: not in the metagraph (any more)' }),
    tier: z.string(),
    score: z.number().meta({ description: 'Of the open window, 0 to 1; 0.5 while nothing was asked in it' }),
    reward: z.number().meta({ description: 'Moving average of rewards: what weights are made of' }),
    weight: Count.meta({ description: 'Of the last weights that the validator set, 0 to 65,535' }),
    storedBytes: Count,
    shards: Count,
    freeBytes: Count.meta({ description: 'What it can still be given: the smaller of its disk and its tier' }),
    capacityBytes: Count.meta({ description: 'Its disk, as it says' }),
    limitBytes: Count.meta({ description: 'The most that its tier allows' }),
    accepting: z.boolean().meta({ description: 'false: it gets nothing new' }),
    window: WindowCounts,
    totalSuccesses: Count.meta({ description: 'Of its lifetime under this hotkey' }),
    strikes: Count.meta({ description: 'Of the open window' }),
  })
  .meta({ id: 'MinerState' });
export type MinerStateAnswer = z.output<typeof MinerStateAnswer>;

const Change = <T extends z.ZodType>(of: T) => z.strictObject({ before: of, after: of });

export const MinerEventAnswer = z
  .strictObject({
    at: Time,
    block: Count.nullable(),
    cause: z.string().meta({ description: 'store, challenge, retrieve, monitor, window or forgotten' }),
    ending: z.string().nullable().meta({ description: 'Of an answer: passed, wrong or silent' }),
    reason: z.string().meta({ description: 'A stable code' }),
    evidence: z.string().meta({ description: 'Where it can be looked up, as "round:412"' }),
    earned: z.number(),
    score: Change(z.number()),
    tier: Change(z.string()),
    reward: Change(z.number()),
  })
  .meta({ id: 'MinerEvent' });
export type MinerEventAnswer = z.output<typeof MinerEventAnswer>;

export const MinerDetailAnswer = MinerStateAnswer.extend({
  takenAt: Time,
  since: Time.nullable().meta({ description: 'When the validator first judged it; null: not yet' }),
  totalStrikes: Count,
  lastWindow: Attempts.extend({ window: Count, score: z.number() })
    .nullable()
    .meta({ description: 'The last window in which it was asked anything: its tier was set by it' }),
  explanation: z.array(z.string()).meta({ description: 'Why it stands where it stands, and what would raise it' }),
  events: z.array(MinerEventAnswer).meta({ description: 'Newest first' }),
}).meta({ id: 'Miner' });
export type MinerDetailAnswer = z.output<typeof MinerDetailAnswer>;

export const MinersAnswer = z
  .strictObject({ takenAt: Time.nullable(), total: Count, miners: z.array(MinerStateAnswer) })
  .meta({ id: 'Miners' });
export type MinersAnswer = z.output<typeof MinersAnswer>;

export const NetworkAnswer = z
  .strictObject({
    takenAt: Time,
    validator: z.string().meta({ description: 'Hotkey of the validator whose account this is' }),
    block: Count.meta({ description: 'Newest finalized block' }),
    window: z.strictObject({
      number: Count,
      blocks: Count,
      closesAtBlock: Count.meta({ description: 'Tiers are set then' }),
    }),
    miners: z.strictObject({ known: Count, accepting: Count }),
    storedBytes: Count,
    capacityBytes: Count.meta({ description: 'What the miners may hold at most: disks and tiers considered' }),
    indexBytes: Count.nullable().meta({ description: 'Memory of the index; null where it does not say' }),
    answers: Attempts.meta({ description: 'Of the open window, all tasks' }),
    totalSuccesses: Count,
    emission: Count.meta({ description: "Billionths of the subnet's token per tempo, all miners" }),
    tiers: z.array(
      z.strictObject({
        tier: z.string(),
        miners: Count,
        storedBytes: Count,
        capacityBytes: Count,
        answers: Attempts,
        totalSuccesses: Count,
      }),
    ),
    weights: z
      .strictObject({ at: Time, block: Count, step: z.string(), reason: z.string() })
      .nullable()
      .meta({ description: 'What the validator last did about weights' }),
  })
  .meta({ id: 'Network' });
export type NetworkAnswer = z.output<typeof NetworkAnswer>;

/** Unix seconds of any moment that a date can show. */
const UnixSeconds = wholeText(0, 8_640_000_000_000);
/** Rows of one answer. */
const MAX_ROWS = 1000;

export const SeriesQuery = z.strictObject({
  start_time: UnixSeconds.optional().meta({ description: 'Unix seconds; an hour ago when absent' }),
  end_time: UnixSeconds.optional().meta({ description: 'Unix seconds; now when absent' }),
  limit: wholeText(1, MAX_ROWS).default(50),
  offset: wholeText(0, 1_000_000).default(0),
});
export type SeriesQuery = z.output<typeof SeriesQuery>;

const Stamp = z.string().meta({ description: 'YYYY-MM-DD HH:MM:SS, UTC' });
const Mebibytes = z.int().min(0).meta({ description: 'MiB' });

export const MinerStatistics = z.array(
  z
    .strictObject({
      TIMESTAMP: Stamp,
      HOTKEY: z.string(),
      INCENTIVE: Count,
      EMISSION: Count,
      TIER: z.string(),
      CURRENT_STORAGE: Mebibytes,
      CAPACITY: Mebibytes,
      PERCENT_USAGE: z.number().meta({ description: '0 to 1' }),
      NUM_HASHES: Count.meta({ description: 'Shards' }),
      TOTAL_SUCCESSES: Count,
      STORE_SUCCESSES: Count,
      STORE_ATTEMPTS: Count,
      CHALLENGE_SUCCESSES: Count,
      CHALLENGE_ATTEMPTS: Count,
      RETRIEVE_SUCCESSES: Count,
      RETRIEVE_ATTEMPTS: Count,
    })
    .meta({ id: 'MinerStatistics' }),
);

export const TiersData = z.array(
  z
    .strictObject({
      TIMESTAMP: Stamp,
      TIER: z.string(),
      COUNTS: Count,
      CAPACITY: Mebibytes,
      CURRENT_STORAGE: Mebibytes,
      PERCENT_USAGE: z.number().meta({ description: '0 to 100' }),
      CURRENT_ATTEMPTS: Count,
      CURRENT_SUCCESSES: Count,
      GLOBAL_SUCCESS_RATE: z.number().meta({ description: '0 to 1' }),
      TOTAL_GLOBAL_SUCCESSES: Count,
    })
    .meta({ id: 'TierStatistics' }),
);

export const NetworkData = z.array(
  z
    .strictObject({
      TIMESTAMP: Stamp,
      CURRENT_STORAGE: Mebibytes,
      NETWORK_CAPACITY: Mebibytes,
      TOTAL_SUCCESSFUL_REQUESTS: Count,
      REDIS_INDEX_SIZE_MB: Mebibytes.meta({ description: 'MiB, rounded up; 0 where the index does not say' }),
      GLOBAL_CURRENT_ATTEMPTS: Count,
      GLOBAL_CURRENT_SUCCESSES: Count,
      GLOBAL_CURRENT_SUCCESS_RATE: z.number().meta({ description: '0 to 1' }),
      TOTAL_EMISSION: Count,
    })
    .meta({ id: 'NetworkStatistics' }),
);
