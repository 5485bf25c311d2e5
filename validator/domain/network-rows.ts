/**
 * Snapshots and the state of now, made of what the validator knows: pure, from the directory, the metagraph, the
 * standings and what each miner owes. Its cost is in miners, never in files. `describe-network.ts` gathers and writes.
 */

import type { Metagraph, Neuron } from '#shared/chain/ports.ts';
import type {
  MinerEvent,
  MinerNow,
  MinerRow,
  NetworkRow,
  NetworkSnapshot,
  TierRow,
} from '#shared/index/network-ports.ts';
import type { DirectorySnapshot, MinerEntry } from '#shared/index/ports.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';
import type { Tiers } from '#shared/tier/table.ts';
import type { Standing, StandingEvent } from '#validator/state/standing.ts';
import { newStanding, tierNamed, windowTotals } from './standing-steps.ts';
import { limitBytesOf } from './tier-allowance.ts';

/** All that is known of one miner at one moment. */
export interface KnownMiner {
  readonly hotkey: Hotkey;
  readonly entry: MinerEntry | undefined;
  readonly neuron: Neuron | undefined;
  readonly standing: Standing;
  readonly owed: { readonly bytes: number; readonly shards: number };
  readonly weight: number;
}

export interface NetworkFacts {
  readonly tiers: Tiers;
  readonly directory: DirectorySnapshot;
  /** Undefined while the chain does not answer: what it alone knows is then left out. */
  readonly metagraph: Metagraph | undefined;
  readonly standings: readonly Standing[];
  owed(miner: Hotkey): { readonly bytes: number; readonly shards: number };
  /** Of the last weights set. */
  readonly weights: ReadonlyMap<Hotkey, number>;
}

/** Miners that are listed, or registered with a standing; best rewarded first. */
export function knownMiners(facts: NetworkFacts): readonly KnownMiner[] {
  const neurons = new Map(facts.metagraph?.neurons.map((neuron) => [neuron.hotkey, neuron]));
  const entries = new Map(facts.directory.miners.map((entry) => [entry.hotkey, entry]));
  const standings = new Map(facts.standings.map((standing) => [standing.hotkey, standing]));
  const judged = [...standings.keys()].filter((hotkey) => neurons.has(hotkey));
  return [...new Set([...entries.keys(), ...judged])]
    .map((hotkey) => ({
      hotkey,
      entry: entries.get(hotkey),
      neuron: neurons.get(hotkey),
      standing: standings.get(hotkey) ?? newStanding(hotkey, 0, facts.tiers),
      owed: facts.owed(hotkey),
      weight: facts.weights.get(hotkey) ?? 0,
    }))
    .sort((a, b) => b.standing.reward - a.standing.reward || (a.hotkey < b.hotkey ? -1 : 1));
}

const limitOf = ({ standing }: KnownMiner, tiers: Tiers): number => limitBytesOf(tierNamed(standing.tier, tiers));

export function minerNow(miner: KnownMiner, tiers: Tiers): MinerNow {
  const { hotkey, entry, neuron, standing, owed, weight } = miner;
  return {
    hotkey,
    coldkey: entry?.coldkey ?? neuron?.coldkey ?? '',
    uid: neuron?.uid ?? null,
    tier: standing.tier,
    score: standing.score,
    reward: standing.reward,
    weight,
    storedBytes: owed.bytes,
    shards: owed.shards,
    freeBytes: entry?.freeBytes ?? 0,
    capacityBytes: entry?.capacityBytes ?? 0,
    limitBytes: limitOf(miner, tiers),
    accepting: entry?.accepting ?? false,
    window: standing.counts,
    totalSuccesses: standing.totalSuccesses,
    strikes: standing.strikes,
  };
}

function minerRow(miner: KnownMiner, tiers: Tiers): MinerRow {
  const { hotkey, entry, neuron, standing, owed } = miner;
  return {
    hotkey,
    incentive: neuron?.incentive ?? 0,
    emission: Number(neuron?.emission ?? 0n),
    tier: standing.tier,
    storedBytes: owed.bytes,
    shards: owed.shards,
    capacityBytes: Math.min(limitOf(miner, tiers), entry?.capacityBytes ?? 0),
    totalSuccesses: standing.totalSuccesses,
    counts: standing.counts,
  };
}

const sum = <T>(items: readonly T[], of: (item: T) => number): number =>
  items.reduce((total, item) => total + of(item), 0);

/** Sums stay whole numbers that JSON carries exactly, whatever the limits of tiers add up to. */
const bounded = (value: number): number => Math.min(Number.MAX_SAFE_INTEGER, value);

function totalsOf(rows: readonly MinerRow[]) {
  const windows = rows.map(({ counts }) => windowTotals(counts));
  return {
    capacityBytes: bounded(sum(rows, (row) => row.capacityBytes)),
    storedBytes: bounded(sum(rows, (row) => row.storedBytes)),
    attempts: sum(windows, ({ attempts }) => attempts),
    successes: sum(windows, ({ successes }) => successes),
    totalSuccesses: sum(rows, (row) => row.totalSuccesses),
  };
}

export function networkSnapshot(
  miners: readonly KnownMiner[],
  tiers: Tiers,
  takenAtMs: number,
  indexBytes: number | undefined,
): NetworkSnapshot {
  const rows = miners.map((miner) => minerRow(miner, tiers));
  const emission = bounded(sum(rows, (row) => row.emission));
  const network: NetworkRow = { ...totalsOf(rows), emission, indexBytes: indexBytes ?? null };
  const tierRows = tiers.map(({ name }): TierRow => {
    const members = rows.filter((row) => row.tier === name);
    return { tier: name, miners: members.length, ...totalsOf(members) };
  });
  return { takenAtMs, network, tiers: tierRows, miners: rows };
}

export const minerEvent = (event: StandingEvent): MinerEvent => ({
  atMs: event.atMs,
  block: event.block ?? null,
  cause: event.cause,
  ending: event.ending ?? null,
  reason: event.reason,
  evidence: event.evidence,
  earned: event.earned,
  score: [event.score.before, event.score.after],
  tier: [event.tier.before, event.tier.after],
  reward: [event.reward.before, event.reward.after],
});
