/**
 * Writes into the index what the network looks like: the state of now at every run, each miner's reasons when they
 * changed, and a snapshot for the series when one is due. Edges serve all of it. Reads a few records per miner and none
 * per file. A chain that is away leaves out only what it alone knows.
 */

import type { MinerDetail, MinerNow, NetworkHistory } from '#shared/index/network-ports.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';
import type { Tiers } from '#shared/tier/table.ts';
import { explainStanding } from '#validator/domain/explain-standing.ts';
import {
  type KnownMiner,
  knownMiners,
  minerEvent,
  minerNow,
  type NetworkFacts,
  networkSnapshot,
} from '#validator/domain/network-rows.ts';
import { newStanding } from '#validator/domain/standing-steps.ts';
import { limitBytesOf } from '#validator/domain/tier-allowance.ts';
import type { ValidatorPorts } from '#validator/ports.ts';
import type { Inventories, StandingsBook } from '#validator/state/ports.ts';
import type { WeightHistory } from '#validator/state/weight-history.ts';

/** Snapshots in the series: thirty days of one an hour. */
const SNAPSHOTS_KEPT = 720;
/** Events told of each miner. */
const EVENTS_TOLD = 50;
/** What is told of a miner is told for so long, and again when half of it is over. */
const DETAIL_MS = 14 * 86_400_000;

type Ports = Pick<ValidatorPorts, 'chain' | 'blocks' | 'directory' | 'network' | 'clock'> & {
  readonly history: NetworkHistory;
  readonly standings: StandingsBook;
  readonly inventories: Pick<Inventories, 'head'>;
  readonly weights: WeightHistory;
};

export interface DescribeRules {
  readonly tiers: Tiers;
  readonly windowBlocks: number;
  readonly snapshotMs: number;
}

/** What earlier runs wrote; made once, kept by the caller. */
export interface DescribeState {
  snapshotAtMs: number | undefined;
  readonly told: Map<Hotkey, { readonly what: string; readonly atMs: number }>;
}

export const newDescribeState = (): DescribeState => ({ snapshotAtMs: undefined, told: new Map() });

export async function describeNetwork(
  ports: Ports,
  rules: DescribeRules,
  state: DescribeState,
  signal: AbortSignal,
): Promise<void> {
  const { tiers } = rules;
  const nowMs = ports.clock.nowMs();
  const block = ports.blocks.newest().number;
  const [directory, metagraph, indexBytes] = await Promise.all([
    ports.directory.read(),
    ports.chain.metagraph(ports.network.netuid),
    ports.history.indexBytes(),
  ]);
  signal.throwIfAborted();
  const lastSet = ports.weights.newestSet();
  const facts: NetworkFacts = {
    tiers,
    directory,
    metagraph: metagraph.ok ? metagraph.value : undefined,
    standings: ports.standings.all(),
    owed: (miner) => ports.inventories.head(miner),
    weights: new Map(lastSet?.weights.map(({ hotkey, value }) => [hotkey, value])),
  };
  const miners = knownMiners(facts);
  const window = { number: Math.floor(block / rules.windowBlocks), blocks: rules.windowBlocks };
  const snapshot = networkSnapshot(miners, tiers, nowMs, indexBytes);
  const now = miners.map((miner) => minerNow(miner, tiers));
  const [last] = ports.weights.list(1);
  await ports.history.publishNow(
    {
      ...{ takenAtMs: nowMs, block, window, network: snapshot.network, tiers: snapshot.tiers },
      ...{ miners: now.length, accepting: now.filter(({ accepting }) => accepting).length },
      weights: last ? { atMs: last.atMs, block: last.block, step: last.step, reason: last.reason } : null,
    },
    now,
  );
  signal.throwIfAborted();
  const closesAtBlock = (window.number + 1) * window.blocks;
  await tellDetails(ports, { miners, now, tiers, closesAtBlock, weighed: lastSet !== undefined, nowMs }, state);
  signal.throwIfAborted();
  state.snapshotAtMs ??= (
    await ports.history.networkRows({ fromMs: 0, toMs: nowMs, offset: 0, limit: 1 })
  )[0]?.takenAtMs;
  if (state.snapshotAtMs !== undefined && nowMs - state.snapshotAtMs < rules.snapshotMs) return;
  await ports.history.append(snapshot, SNAPSHOTS_KEPT * rules.snapshotMs);
  state.snapshotAtMs = nowMs;
}

interface Telling {
  readonly miners: readonly KnownMiner[];
  readonly now: readonly MinerNow[];
  readonly tiers: Tiers;
  readonly closesAtBlock: number;
  readonly weighed: boolean;
  readonly nowMs: number;
}

/** Writes what is new about each miner, and one last time of those that are gone. */
async function tellDetails(ports: Ports, telling: Telling, { told }: DescribeState): Promise<void> {
  const { miners, now, closesAtBlock, nowMs } = telling;
  const details: MinerDetail[] = [];
  const written: (readonly [Hotkey, string])[] = [];
  for (const [i, miner] of miners.entries()) {
    const shown = now[i];
    if (!shown) continue;
    const { changedAtMs, totalStrikes } = miner.standing;
    const what = JSON.stringify([shown, changedAtMs, totalStrikes, closesAtBlock, telling.weighed]);
    const before = told.get(miner.hotkey);
    if (before?.what === what && nowMs - before.atMs < DETAIL_MS / 2) continue;
    details.push(detailOf(ports, miner, shown, telling));
    written.push([miner.hotkey, what]);
  }
  const present = new Set(miners.map(({ hotkey }) => hotkey));
  const gone = [...told.keys()].filter((hotkey) => !present.has(hotkey));
  details.push(...gone.map((hotkey) => departedDetail(ports, hotkey, telling)));
  await ports.history.publishDetails(details, DETAIL_MS);
  for (const [hotkey, what] of written) told.set(hotkey, { what, atMs: nowMs });
  for (const hotkey of gone) told.delete(hotkey);
}

function detailOf(ports: Ports, miner: KnownMiner, shown: MinerNow, telling: Telling): MinerDetail {
  const { standing, weight } = miner;
  const { storedBytes, limitBytes, accepting } = shown;
  const events = ports.standings.events(miner.hotkey, EVENTS_TOLD);
  return {
    takenAtMs: telling.nowMs,
    miner: shown,
    sinceMs: ports.standings.find(miner.hotkey) ? standing.sinceMs : null,
    totalStrikes: standing.totalStrikes,
    lastWindow: standing.lastWindow ?? null,
    explanation: explainStanding(standing, {
      ...{ tiers: telling.tiers, closesAtBlock: telling.closesAtBlock, storedBytes, limitBytes, accepting, events },
      weight: telling.weighed ? weight : undefined,
    }),
    events: events.map(minerEvent),
  };
}

function departedDetail(ports: Ports, hotkey: Hotkey, { tiers, nowMs }: Telling): MinerDetail {
  const standing = ports.standings.find(hotkey) ?? newStanding(hotkey, nowMs, tiers);
  const nothing: KnownMiner = {
    ...{ hotkey, entry: undefined, neuron: undefined, standing, weight: 0 },
    owed: ports.inventories.head(hotkey),
  };
  return {
    takenAtMs: nowMs,
    miner: { ...minerNow(nothing, tiers), limitBytes: limitBytesOf({ storageLimitBytes: 0n }) },
    sinceMs: null,
    totalStrikes: standing.totalStrikes,
    lastWindow: null,
    explanation: ['This hotkey is no longer in the subnet. If it registers again, its record begins at 0.'],
    events: ports.standings.events(hotkey, EVENTS_TOLD).map(minerEvent),
  };
}
