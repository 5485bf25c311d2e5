/**
 * A subnet with all its neurons, as the runtime APIs answer it. Follows subtensor's `rpc_info/metagraph.rs` and
 * `neuron_info.rs`: what the real chain no longer computes (rank, trust, pruning score) is empty or zero here too. There
 * is no root stake locally, so total stake is alpha.
 */

import { SELECTIVE_FIELD_NAMES } from '../metadata/rpc-types.ts';
import type { ScaleValue } from '../scale/type.ts';
import { type StateView, StoredItem } from '../state/state-view.ts';
import { type AxonInfo, Columns, Neurons, Subnet, System } from './items.ts';
import { stakeOf, storageIndex } from './neuron-columns.ts';

const NO_AXON: AxonInfo = {
  block: 0n,
  version: 0,
  ip: 0n,
  port: 0,
  ip_type: 0,
  protocol: 0,
  placeholder1: 0,
  placeholder2: 0,
};
const NO_PROMETHEUS = { block: 0n, version: 0, ip: 0n, port: 0, ip_type: 0 };
const U16_MAX = 65_535;

const perSubnet = (name: string) => new StoredItem<[number], ScaleValue>('SubtensorModule', name);
/** Fields that are one storage item each. */
const DIRECT: Readonly<Record<string, StoredItem<[number], ScaleValue>>> = {
  network_registered_at: perSubnet('NetworkRegisteredAt'),
  owner_hotkey: perSubnet('SubnetOwnerHotkey'),
  owner_coldkey: perSubnet('SubnetOwner'),
  tempo: perSubnet('Tempo'),
  last_step: perSubnet('LastMechansimStepBlock'),
  alpha_in: perSubnet('SubnetAlphaIn'),
  alpha_out: perSubnet('SubnetAlphaOut'),
  tao_in: perSubnet('SubnetTAO'),
  subnet_volume: perSubnet('SubnetVolume'),
  moving_price: perSubnet('SubnetMovingPrice'),
  rho: perSubnet('Rho'),
  kappa: perSubnet('Kappa'),
  min_allowed_weights: perSubnet('MinAllowedWeights'),
  max_weights_limit: perSubnet('MaxWeightsLimit'),
  weights_version: perSubnet('WeightsVersionKey'),
  weights_rate_limit: perSubnet('WeightsSetRateLimit'),
  max_validators: perSubnet('MaxAllowedValidators'),
  num_uids: perSubnet('SubnetworkN'),
  max_uids: perSubnet('MaxAllowedUids'),
  burn: perSubnet('Burn'),
  difficulty: perSubnet('Difficulty'),
  registration_allowed: perSubnet('NetworkRegistrationAllowed'),
  pow_registration_allowed: perSubnet('NetworkPowRegistrationAllowed'),
  immunity_period: perSubnet('ImmunityPeriod'),
  min_difficulty: perSubnet('MinDifficulty'),
  max_difficulty: perSubnet('MaxDifficulty'),
  min_burn: perSubnet('MinBurn'),
  max_burn: perSubnet('MaxBurn'),
  adjustment_alpha: perSubnet('AdjustmentAlpha'),
  adjustment_interval: perSubnet('AdjustmentInterval'),
  target_regs_per_interval: perSubnet('TargetRegistrationsPerInterval'),
  max_regs_per_block: perSubnet('MaxRegistrationsPerBlock'),
  serving_rate_limit: perSubnet('ServingRateLimit'),
  commit_reveal_weights_enabled: perSubnet('CommitRevealWeightsEnabled'),
  commit_reveal_period: perSubnet('RevealPeriodEpochs'),
  liquid_alpha_enabled: perSubnet('LiquidAlphaOn'),
  bonds_moving_avg: perSubnet('BondsMovingAverage'),
  active: Columns.active as unknown as StoredItem<[number], ScaleValue>,
  validator_permit: Columns.permit as unknown as StoredItem<[number], ScaleValue>,
  emission: Columns.emission as unknown as StoredItem<[number], ScaleValue>,
  dividends: Columns.dividends as unknown as StoredItem<[number], ScaleValue>,
  consensus: Columns.consensus as unknown as StoredItem<[number], ScaleValue>,
};
const alphaValues = perSubnet('AlphaValues');

export function metagraph(state: StateView, netuid: number, mechanism = 0): Record<string, ScaleValue> | undefined {
  if (!Subnet.added.get(state, netuid) || mechanism >= Subnet.mechanisms.get(state, netuid)) return undefined;
  const index = storageIndex(netuid, mechanism);
  const direct = Object.fromEntries(Object.entries(DIRECT).map(([field, item]) => [field, item.get(state, netuid)]));
  const identity = Subnet.identity.get(state, netuid);
  const block = BigInt(System.number.get(state));
  const tempo = Subnet.tempo.get(state, netuid);
  const cutoff = Math.max(1, Math.floor((Subnet.activityCutoffMilli.get(state, netuid) * tempo) / 1000));
  const uids = Array.from({ length: Subnet.size.get(state, netuid) }, (_, uid) => uid);
  const hotkeys = uids.map((uid) => Neurons.hotkey.get(state, netuid, uid));
  const stakes = hotkeys.map((hotkey) => stakeOf(state, netuid, hotkey));
  const [alphaLow, alphaHigh] = alphaValues.get(state, netuid) as readonly number[];
  return {
    ...direct,
    netuid: index,
    name: [...((identity?.subnet_name as Uint8Array | undefined) ?? [])],
    symbol: [...Subnet.symbol.get(state, netuid)],
    identity,
    block,
    blocks_since_last_step: block - Subnet.lastStepBlock.get(state, netuid),
    subnet_emission: 0n,
    alpha_out_emission: 0n,
    alpha_in_emission: 0n,
    tao_in_emission: 0n,
    pending_alpha_emission: 0n,
    pending_root_emission: 0n,
    activity_cutoff: BigInt(cutoff),
    alpha_high: alphaHigh,
    alpha_low: alphaLow,
    hotkeys,
    coldkeys: hotkeys.map((hotkey) => Neurons.owner.get(state, hotkey)),
    identities: hotkeys.map(() => undefined),
    axons: hotkeys.map((hotkey) => ({ ...(Neurons.axon.get(state, netuid, hotkey) ?? NO_AXON) })),
    pruning_score: [],
    trust: [],
    rank: [],
    last_update: Columns.lastUpdate.get(state, index),
    incentives: Columns.incentive.get(state, index),
    block_at_registration: uids.map((uid) => Neurons.registeredAt.get(state, netuid, uid)),
    alpha_stake: stakes,
    tao_stake: stakes.map(() => 0n),
    total_stake: stakes,
    tao_dividends_per_hotkey: hotkeys.map((hotkey) => [hotkey, 0n]),
    alpha_dividends_per_hotkey: hotkeys.map((hotkey) => [hotkey, Neurons.alphaDividends.get(state, netuid, hotkey)]),
  };
}

/** Only the columns asked for, by position; the others are absent. */
export function selectiveMetagraph(
  state: StateView,
  netuid: number,
  indexes: readonly number[],
  mechanism = 0,
): Record<string, ScaleValue> | undefined {
  const whole = metagraph(state, netuid, mechanism);
  if (!whole) return undefined;
  const permits = Columns.permit.get(state, netuid);
  const all: Record<string, ScaleValue> = {
    ...whole,
    // Asked for and absent is `Some(None)`.
    identity: whole.identity ?? null,
    validators: permits.flatMap((permit, uid) => (permit ? [uid] : [])),
    commitments: [],
  };
  const chosen: Record<string, ScaleValue> = { netuid: all.netuid };
  for (const index of indexes) {
    const field = SELECTIVE_FIELD_NAMES[index];
    if (field) chosen[field] = all[field];
  }
  return chosen;
}

/** One neuron, with or without its weights; undefined for a uid that nobody has. */
export function neuronInfo(state: StateView, netuid: number, uid: number): Record<string, ScaleValue> | undefined {
  if (!Subnet.added.get(state, netuid) || uid >= Subnet.size.get(state, netuid)) return undefined;
  return neuronReader(state, netuid)(uid);
}

export function neuronInfos(state: StateView, netuid: number): readonly Record<string, ScaleValue>[] {
  if (!Subnet.added.get(state, netuid)) return [];
  const read = neuronReader(state, netuid);
  return Array.from({ length: Subnet.size.get(state, netuid) }, (_, uid) => read(uid));
}

/** Reads the columns once for all neurons. */
function neuronReader(state: StateView, netuid: number): (uid: number) => Record<string, ScaleValue> {
  const active = Columns.active.get(state, netuid);
  const permit = Columns.permit.get(state, netuid);
  const emission = Columns.emission.get(state, netuid);
  const incentive = Columns.incentive.get(state, netuid);
  const consensus = Columns.consensus.get(state, netuid);
  const trust = Columns.validatorTrust.get(state, netuid);
  const dividends = Columns.dividends.get(state, netuid);
  const lastUpdate = Columns.lastUpdate.get(state, netuid);
  return (uid) => {
    const hotkey = Neurons.hotkey.get(state, netuid, uid);
    const coldkey = Neurons.owner.get(state, hotkey);
    return {
      hotkey,
      coldkey,
      uid,
      netuid,
      active: active[uid] ?? false,
      axon_info: { ...(Neurons.axon.get(state, netuid, hotkey) ?? NO_AXON) },
      prometheus_info: NO_PROMETHEUS,
      stake: [[coldkey, stakeOf(state, netuid, hotkey)]],
      rank: 0,
      emission: emission[uid] ?? 0n,
      incentive: incentive[uid] ?? 0,
      consensus: consensus[uid] ?? 0,
      trust: 0,
      validator_trust: trust[uid] ?? 0,
      dividends: dividends[uid] ?? 0,
      last_update: lastUpdate[uid] ?? 0n,
      validator_permit: permit[uid] ?? false,
      weights: Neurons.weights.get(state, netuid, uid),
      bonds: [],
      pruning_score: U16_MAX,
    };
  };
}
