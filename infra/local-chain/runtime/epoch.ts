/**
 * What an epoch makes of the weights: a simple stake-weighted rule in place of Yuma consensus.
 *   stake share  Sᵢ  of the active neurons with a permit, by their alpha; a neuron is active while its last update is
 *                    within the activity cutoff; permits go to the `MaxAllowedValidators` largest stakes
 *   ranks        Rⱼ = Σᵢ Sᵢ·wᵢⱼ, each row of weights normalized, without weight on oneself and on neurons that were
 *                    registered after the weights were set
 *   incentive    Rⱼ / ΣR · 65,535; consensus is the same, scaled to its largest
 *   dividends    Sᵢ of those who set weights, normalized; validator trust 65,535 for them
 *   emission     1 alpha a block: 41 % by incentive, 41 % by dividends, 18 % the owner's; it adds to the hotkeys' stake
 * Called at each block's start.
 */
import type { Context } from './context.ts';
import { epochRunsAt } from './epoch-schedule.ts';
import { Columns, Commits, Neurons, Subnet } from './items.ts';
import { stakeOf } from './neuron-columns.ts';

const FULL = 65_535;
/** 1 alpha, in rao. */
const ALPHA_PER_BLOCK = 1_000_000_000n;
const SHARE_PERCENT = { miners: 41n, validators: 41n, owner: 18n };

export function stepSubnet(context: Context, netuid: number): void {
  const { state, block } = context;
  const waited = Subnet.blocksSinceStep.get(state, netuid) + 1n;
  if (!epochRunsAt(state, netuid, block)) {
    Subnet.blocksSinceStep.put(state, waited, netuid);
    return;
  }
  dropExpiredCommits(context, netuid);
  runEpoch(context, netuid, waited * ALPHA_PER_BLOCK);
  Subnet.blocksSinceStep.put(state, 0n, netuid);
  Subnet.lastEpochBlock.put(state, BigInt(block), netuid);
  Subnet.lastStepBlock.put(state, BigInt(block), netuid);
  Subnet.pendingEpochAt.put(state, 0n, netuid);
  Subnet.epochIndex.update(state, (index) => index + 1n, netuid);
}

/** Time-locked commits that nobody can open any more. */
function dropExpiredCommits({ state }: Context, netuid: number): void {
  const gone = Subnet.epochIndex.get(state, netuid) - Subnet.revealPeriod.get(state, netuid);
  if (gone >= 0n && Commits.timelocked.has(state, netuid, gone)) Commits.timelocked.remove(state, netuid, gone);
}

interface Row {
  readonly uid: number;
  readonly hotkey: Uint8Array;
  readonly stake: bigint;
  readonly active: boolean;
  permit: boolean;
}

function readRows({ state, block }: Context, netuid: number): Row[] {
  const cutoff =
    (BigInt(Subnet.activityCutoffMilli.get(state, netuid)) * BigInt(Subnet.tempo.get(state, netuid))) / 1000n;
  const updates = Columns.lastUpdate.get(state, netuid);
  const rows = Array.from({ length: Subnet.size.get(state, netuid) }, (_, uid): Row => {
    const hotkey = Neurons.hotkey.get(state, netuid, uid);
    const active = (updates[uid] ?? 0n) + cutoff >= BigInt(block);
    return { uid, hotkey, stake: stakeOf(state, netuid, hotkey), active, permit: false };
  });
  const byStake = rows.filter((row) => row.stake > 0n).sort((a, b) => (a.stake > b.stake ? -1 : 1));
  for (const row of byStake.slice(0, Subnet.maxValidators.get(state, netuid))) row.permit = true;
  return rows;
}

/** Normalized weights of one validator, by uid; empty when it set none that count. */
function rowOfWeights({ state }: Context, netuid: number, row: Row): Map<number, number> {
  const setAt = Columns.lastUpdate.get(state, netuid)[row.uid] ?? 0n;
  const counted = Neurons.weights.get(state, netuid, row.uid).filter(([uid, weight]) => {
    return uid !== row.uid && weight > 0 && Neurons.registeredAt.get(state, netuid, uid) < setAt;
  });
  const sum = counted.reduce((total, [, weight]) => total + weight, 0);
  return new Map(counted.map(([uid, weight]) => [uid, weight / sum]));
}

const normalize = (values: readonly number[]): number[] => {
  const sum = values.reduce((total, value) => total + value, 0);
  return sum > 0 ? values.map((value) => value / sum) : values.map(() => 0);
};
const toU16 = (share: number): number => Math.floor(share * FULL);
/** A share of an amount, to nine digits: enough for a share that was a double. */
const part = (amount: bigint, share: number): bigint => (amount * BigInt(Math.round(share * 1e9))) / 1_000_000_000n;

function runEpoch(context: Context, netuid: number, emission: bigint): void {
  const { state } = context;
  const rows = readRows(context, netuid);
  const stakes = normalize(rows.map((row) => (row.active && row.permit ? Number(row.stake) : 0)));
  const ranks = rows.map(() => 0);
  const voted = rows.map((row) => {
    const share = stakes[row.uid] ?? 0;
    if (share === 0) return 0;
    const weights = rowOfWeights(context, netuid, row);
    for (const [uid, weight] of weights) ranks[uid] = (ranks[uid] ?? 0) + share * weight;
    return weights.size > 0 ? share : 0;
  });
  const incentive = normalize(ranks);
  const dividends = normalize(voted);
  const largest = Math.max(0, ...incentive);
  const earned = rows.map(({ uid }) => ({
    miner: part((emission * SHARE_PERCENT.miners) / 100n, incentive[uid] ?? 0),
    validator: part((emission * SHARE_PERCENT.validators) / 100n, dividends[uid] ?? 0),
  }));
  Columns.active.put(
    state,
    rows.map((row) => row.active),
    netuid,
  );
  Columns.permit.put(
    state,
    rows.map((row) => row.permit),
    netuid,
  );
  Columns.incentive.put(state, incentive.map(toU16), netuid);
  Columns.consensus.put(
    state,
    incentive.map((share) => (largest > 0 ? toU16(share / largest) : 0)),
    netuid,
  );
  Columns.dividends.put(state, dividends.map(toU16), netuid);
  Columns.validatorTrust.put(
    state,
    voted.map((share) => (share > 0 ? FULL : 0)),
    netuid,
  );
  Columns.emission.put(
    state,
    earned.map(({ miner, validator }) => miner + validator),
    netuid,
  );
  for (const row of rows) {
    const { miner, validator } = earned[row.uid] ?? { miner: 0n, validator: 0n };
    if (miner + validator > 0n) {
      Neurons.alpha.put(state, row.stake + miner + validator, row.hotkey, netuid);
    }
    if (validator > 0n || Neurons.alphaDividends.has(state, netuid, row.hotkey)) {
      Neurons.alphaDividends.put(state, validator, netuid, row.hotkey);
    }
  }
  const owner = Subnet.ownerHotkey.get(state, netuid);
  Neurons.alpha.update(state, (alpha) => alpha + (emission * SHARE_PERCENT.owner) / 100n, owner, netuid);
  context.emit({
    pallet: 'SubtensorModule',
    name: 'IncentiveAlphaEmittedToMiners',
    value: { netuid, emissions: earned.map(({ miner }) => miner) },
  });
}
