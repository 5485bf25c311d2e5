/**
 * Rows of the network's series and its state of now as the index keeps them: JSON lists in a fixed order, because there
 * are many of them. Parsers refuse with undefined and never guess: what they read lay in a database.
 *
 *   miner    [hotkey, incentive, emission, tier, stored, shards, capacity, total successes, six counts]
 *   tier     [tier, miners, capacity, stored, attempts, successes, total successes]
 *   network  [capacity, stored, attempts, successes, total successes, emission, index bytes or null]
 */
import { z } from 'zod';
import { type Hotkey, parseHotkey } from '#shared/primitives/ids.ts';
import type {
  MinerDetail,
  MinerNow,
  MinerRow,
  NetworkNow,
  NetworkRow,
  NetworkSnapshot,
  TierRow,
  WindowCounts,
} from './network-ports.ts';

const Count = z.int().min(0);
const Amount = z.number();
const HotkeyText = z
  .string()
  .refine((text) => parseHotkey(text) !== undefined)
  .transform((text) => text as Hotkey);

const countsOf = (counts: WindowCounts): readonly number[] =>
  [counts.store, counts.challenge, counts.retrieve].flatMap(({ attempts, successes }) => [attempts, successes]);

export const packMinerRow = (row: MinerRow): string =>
  JSON.stringify([
    ...[row.hotkey, row.incentive, row.emission, row.tier, row.storedBytes, row.shards],
    ...[row.capacityBytes, row.totalSuccesses, ...countsOf(row.counts)],
  ]);

const Miner = z
  .tuple([
    ...([HotkeyText, Count, Count, z.string(), Count, Count, Count, Count] as const),
    ...([Count, Count, Count, Count, Count, Count] as const),
  ])
  .transform(
    ([hotkey, incentive, emission, tier, storedBytes, shards, capacityBytes, totalSuccesses, ...counts]): MinerRow => ({
      ...{ hotkey, incentive, emission, tier, storedBytes, shards, capacityBytes, totalSuccesses },
      counts: {
        store: { attempts: counts[0], successes: counts[1] },
        challenge: { attempts: counts[2], successes: counts[3] },
        retrieve: { attempts: counts[4], successes: counts[5] },
      },
    }),
  );

const Tier = z.tuple([z.string(), Count, Count, Count, Count, Count, Count]).transform(
  ([tier, miners, capacityBytes, storedBytes, attempts, successes, totalSuccesses]): TierRow => ({
    ...{ tier, miners, capacityBytes, storedBytes, attempts, successes, totalSuccesses },
  }),
);
const packTier = (row: TierRow) => [
  ...[row.tier, row.miners, row.capacityBytes, row.storedBytes],
  ...[row.attempts, row.successes, row.totalSuccesses],
];

const Network = z.tuple([Count, Count, Count, Count, Count, Count, Count.nullable()]).transform(
  ([capacityBytes, storedBytes, attempts, successes, totalSuccesses, emission, indexBytes]): NetworkRow => ({
    ...{ capacityBytes, storedBytes, attempts, successes, totalSuccesses, emission, indexBytes },
  }),
);
const packNetwork = (row: NetworkRow) => [
  ...[row.capacityBytes, row.storedBytes, row.attempts, row.successes, row.totalSuccesses],
  ...[row.emission, row.indexBytes],
];

const General = z.tuple([Network, z.array(Tier)]).transform(([network, tiers]) => ({ network, tiers }));
export const packGeneral = ({ network, tiers }: Pick<NetworkSnapshot, 'network' | 'tiers'>): string =>
  JSON.stringify([packNetwork(network), tiers.map(packTier)]);

const Attempts = z.object({ attempts: Count, successes: Count });
const MinerState = z.object({
  hotkey: HotkeyText,
  coldkey: z.string(),
  uid: Count.nullable(),
  tier: z.string(),
  score: Amount,
  reward: Amount,
  weight: Count,
  storedBytes: Count,
  shards: Count,
  freeBytes: Count,
  capacityBytes: Count,
  limitBytes: Count,
  accepting: z.boolean(),
  window: z.object({ store: Attempts, challenge: Attempts, retrieve: Attempts }),
  totalSuccesses: Count,
  strikes: Count,
});

const Detail = z.object({
  takenAtMs: Count,
  miner: MinerState,
  sinceMs: Count.nullable(),
  totalStrikes: Count,
  lastWindow: Attempts.extend({ window: Count, score: Amount }).nullable(),
  explanation: z.array(z.string()),
  events: z.array(
    z.object({
      atMs: Count,
      block: Count.nullable(),
      cause: z.string(),
      ending: z.string().nullable(),
      reason: z.string(),
      evidence: z.string(),
      earned: Amount,
      score: z.tuple([Amount, Amount]),
      tier: z.tuple([z.string(), z.string()]),
      reward: z.tuple([Amount, Amount]),
    }),
  ),
});

const Now = z.object({
  takenAtMs: Count,
  block: Count,
  window: z.object({ number: Count, blocks: Count }),
  network: Network,
  tiers: z.array(Tier),
  miners: Count,
  accepting: Count,
  weights: z.object({ atMs: Count, block: Count, step: z.string(), reason: z.string() }).nullable(),
});
const Head = z.object({ version: Count, pages: Count, now: Now });

export interface NowHead {
  readonly version: number;
  readonly pages: number;
  readonly now: NetworkNow;
}

export const packHead = ({ version, pages, now }: NowHead): string =>
  JSON.stringify({
    version,
    pages,
    now: { ...now, network: packNetwork(now.network), tiers: now.tiers.map(packTier) },
  });
export const packMinerNow = (miner: MinerNow): string => JSON.stringify(miner);
export const packDetail = (detail: MinerDetail): string => JSON.stringify(detail);

function parse<T>(schema: z.ZodType<T>, text: string): T | undefined {
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    return undefined;
  }
  const parsed = schema.safeParse(json);
  return parsed.success ? parsed.data : undefined;
}

export const parseMinerRow = (text: string): MinerRow | undefined => parse(Miner, text);
export const parseGeneral = (text: string) => parse(General, text);
export const parseMinerNow = (text: string): MinerNow | undefined => parse(MinerState, text);
export const parseDetail = (text: string): MinerDetail | undefined => parse(Detail, text);
export const parseHead = (text: string): NowHead | undefined => parse(Head, text);

/** A snapshot's entry in the list of snapshots: when it was taken, its rows' bucket, how many miners it has. */
export interface SnapshotEntry {
  readonly takenAtMs: number;
  readonly chunk: number;
  readonly miners: number;
}

export const packEntry = ({ takenAtMs, chunk, miners }: SnapshotEntry): string =>
  [takenAtMs, chunk, miners].map((part) => part.toString(36)).join(':');

export function parseEntry(text: string): SnapshotEntry | undefined {
  const match = /^([0-9a-z]{1,11}):([0-9a-z]{1,11}):([0-9a-z]{1,6})$/.exec(text);
  if (!match) return undefined;
  const [takenAtMs = 0, chunk = 0, miners = 0] = match.slice(1).map((part) => Number.parseInt(part, 36));
  return [takenAtMs, chunk, miners].every(Number.isSafeInteger) ? { takenAtMs, chunk, miners } : undefined;
}
