/**
 * What the runtime APIs about neurons and subnets answer with, as the real chain has it (node-subtensor, spec 424).
 */
const METAGRAPH_FIELDS: Readonly<Record<string, string>> = {
  netuid: 'Compact<u16>',
  name: 'Vec<Compact<u8>>',
  symbol: 'Vec<Compact<u8>>',
  identity: 'Option<SubnetIdentityV3>',
  network_registered_at: 'Compact<u64>',
  owner_hotkey: 'AccountId32',
  owner_coldkey: 'AccountId32',
  block: 'Compact<u64>',
  tempo: 'Compact<u16>',
  last_step: 'Compact<u64>',
  blocks_since_last_step: 'Compact<u64>',
  subnet_emission: 'Compact<u64>',
  alpha_in: 'Compact<u64>',
  alpha_out: 'Compact<u64>',
  tao_in: 'Compact<u64>',
  alpha_out_emission: 'Compact<u64>',
  alpha_in_emission: 'Compact<u64>',
  tao_in_emission: 'Compact<u64>',
  pending_alpha_emission: 'Compact<u64>',
  pending_root_emission: 'Compact<u64>',
  subnet_volume: 'Compact<u128>',
  moving_price: 'FixedI128',
  rho: 'Compact<u16>',
  kappa: 'Compact<u16>',
  min_allowed_weights: 'Compact<u16>',
  max_weights_limit: 'Compact<u16>',
  weights_version: 'Compact<u64>',
  weights_rate_limit: 'Compact<u64>',
  activity_cutoff: 'Compact<u64>',
  max_validators: 'Compact<u16>',
  num_uids: 'Compact<u16>',
  max_uids: 'Compact<u16>',
  burn: 'Compact<u64>',
  difficulty: 'Compact<u64>',
  registration_allowed: 'bool',
  pow_registration_allowed: 'bool',
  immunity_period: 'Compact<u16>',
  min_difficulty: 'Compact<u64>',
  max_difficulty: 'Compact<u64>',
  min_burn: 'Compact<u64>',
  max_burn: 'Compact<u64>',
  adjustment_alpha: 'Compact<u64>',
  adjustment_interval: 'Compact<u16>',
  target_regs_per_interval: 'Compact<u16>',
  max_regs_per_block: 'Compact<u16>',
  serving_rate_limit: 'Compact<u64>',
  commit_reveal_weights_enabled: 'bool',
  commit_reveal_period: 'Compact<u64>',
  liquid_alpha_enabled: 'bool',
  alpha_high: 'Compact<u16>',
  alpha_low: 'Compact<u16>',
  bonds_moving_avg: 'Compact<u64>',
  hotkeys: 'Vec<AccountId32>',
  coldkeys: 'Vec<AccountId32>',
  identities: 'Vec<Option<ChainIdentityV2>>',
  axons: 'Vec<AxonInfo>',
  active: 'Vec<bool>',
  validator_permit: 'Vec<bool>',
  pruning_score: 'Vec<Compact<u16>>',
  last_update: 'Vec<Compact<u64>>',
  emission: 'Vec<Compact<u64>>',
  dividends: 'Vec<Compact<u16>>',
  incentives: 'Vec<Compact<u16>>',
  consensus: 'Vec<Compact<u16>>',
  trust: 'Vec<Compact<u16>>',
  rank: 'Vec<Compact<u16>>',
  block_at_registration: 'Vec<Compact<u64>>',
  alpha_stake: 'Vec<Compact<u64>>',
  tao_stake: 'Vec<Compact<u64>>',
  total_stake: 'Vec<Compact<u64>>',
  tao_dividends_per_hotkey: 'Vec<(AccountId32, Compact<u64>)>',
  alpha_dividends_per_hotkey: 'Vec<(AccountId32, Compact<u64>)>',
};

const list = (fields: Readonly<Record<string, string>>): string =>
  Object.entries(fields)
    .map(([name, type]) => `${name}: ${type}`)
    .join(', ');

/** Every column but the netuid is there only when it was asked for, by its position in this list. */
const SELECTIVE_FIELDS: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    Object.entries(METAGRAPH_FIELDS).map(([name, type]) => [name, name === 'netuid' ? type : `Option<${type}>`]),
  ),
  validators: 'Option<Vec<Compact<u16>>>',
  commitments: 'Option<Vec<(AccountId32, Vec<Compact<u8>>)>>',
};
export const SELECTIVE_FIELD_NAMES: readonly string[] = Object.keys(SELECTIVE_FIELDS);

export const RPC_TYPES: Readonly<Record<string, string>> = {
  Metagraph: `pallet_subtensor::rpc_info::metagraph::Metagraph { ${list(METAGRAPH_FIELDS)} }`,
  SelectiveMetagraph: `pallet_subtensor::rpc_info::metagraph::SelectiveMetagraph { ${list(SELECTIVE_FIELDS)} }`,
  NeuronInfo: `
    pallet_subtensor::rpc_info::neuron_info::NeuronInfo { hotkey: AccountId32, coldkey: AccountId32, uid:
    Compact<u16>, netuid: Compact<u16>, active: bool, axon_info: AxonInfo, prometheus_info: PrometheusInfo, stake:
    Vec<(AccountId32, Compact<u64>)>, rank: Compact<u16>, emission: Compact<u64>, incentive: Compact<u16>,
    consensus: Compact<u16>, trust: Compact<u16>, validator_trust: Compact<u16>, dividends: Compact<u16>,
    last_update: Compact<u64>, validator_permit: bool, weights: Vec<(Compact<u16>, Compact<u16>)>, bonds:
    Vec<(Compact<u16>, Compact<u16>)>, pruning_score: Compact<u16> }
  `,
  NeuronInfoLite: `
    pallet_subtensor::rpc_info::neuron_info::NeuronInfoLite { hotkey: AccountId32, coldkey: AccountId32, uid:
    Compact<u16>, netuid: Compact<u16>, active: bool, axon_info: AxonInfo, prometheus_info: PrometheusInfo, stake:
    Vec<(AccountId32, Compact<u64>)>, rank: Compact<u16>, emission: Compact<u64>, incentive: Compact<u16>,
    consensus: Compact<u16>, trust: Compact<u16>, validator_trust: Compact<u16>, dividends: Compact<u16>,
    last_update: Compact<u64>, validator_permit: bool, pruning_score: Compact<u16> }
  `,
  SubnetHyperparams: `
    pallet_subtensor::rpc_info::subnet_info::SubnetHyperparams { rho: Compact<u16>, kappa: Compact<u16>,
    immunity_period: Compact<u16>, min_allowed_weights: Compact<u16>, max_weights_limit: Compact<u16>, tempo:
    Compact<u16>, min_difficulty: Compact<u64>, max_difficulty: Compact<u64>, weights_version: Compact<u64>,
    weights_rate_limit: Compact<u64>, adjustment_interval: Compact<u16>, activity_cutoff: Compact<u64>,
    registration_allowed: bool, target_regs_per_interval: Compact<u16>, min_burn: Compact<u64>, max_burn:
    Compact<u64>, bonds_moving_avg: Compact<u64>, max_regs_per_block: Compact<u16>, serving_rate_limit:
    Compact<u64>, max_validators: Compact<u16>, adjustment_alpha: Compact<u64>, difficulty: Compact<u64>,
    commit_reveal_period: Compact<u64>, commit_reveal_weights_enabled: bool, alpha_high: Compact<u16>, alpha_low:
    Compact<u16>, liquid_alpha_enabled: bool }
  `,
};
