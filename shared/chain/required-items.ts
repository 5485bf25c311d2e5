/**
 * Everything of the chain's runtime that this program reads, calls or listens to, with the shapes that it relies on.
 * Checked against the chain's own metadata at every connect (`substrate/check-runtime.ts`): whatever else a runtime
 * upgrade changes does not concern us, and what does is named in one line. Types as `@polkadot/types` spells them;
 * a list of fields stands for a struct that has at least those, in any order.
 */
type Shape = string | readonly string[];

export interface RequiredStorage {
  readonly pallet: string;
  readonly item: string;
  readonly keys: readonly string[];
  readonly value: Shape;
}

export interface RequiredCall {
  readonly pallet: string;
  readonly call: string;
  readonly args: readonly (readonly [name: string, type: string])[];
}

export interface RequiredEvent {
  readonly pallet: string;
  readonly event: string;
  readonly fields: readonly string[];
}

export interface RequiredRuntimeApi {
  readonly api: string;
  readonly method: string;
  readonly args: readonly string[];
  /** Fields of the struct inside the returned Option. */
  readonly fields: readonly string[];
}

const AXON = ['block', 'version', 'ip', 'port', 'ip_type'];

const ofSubnet = (item: string, value: Shape): RequiredStorage => ({
  pallet: 'SubtensorModule',
  item,
  keys: ['u16'],
  value,
});
const subtensor = (item: string, keys: readonly string[], value: Shape): RequiredStorage => ({
  pallet: 'SubtensorModule',
  item,
  keys,
  value,
});

export const REQUIRED_STORAGE: readonly RequiredStorage[] = [
  { pallet: 'System', item: 'Account', keys: ['AccountId32'], value: ['nonce', 'data'] },
  { pallet: 'System', item: 'Events', keys: [], value: 'Vec<FrameSystemEventRecord>' },
  subtensor('Uids', ['u16', 'AccountId32'], 'u16'),
  subtensor('Keys', ['u16', 'u16'], 'AccountId32'),
  subtensor('Axons', ['u16', 'AccountId32'], AXON),
  subtensor('Owner', ['AccountId32'], 'AccountId32'),
  subtensor('BlockAtRegistration', ['u16', 'u16'], 'u64'),
  subtensor('TotalHotkeyAlpha', ['AccountId32', 'u16'], 'u64'),
  subtensor('WeightCommits', ['u16', 'AccountId32'], 'Vec<(H256,u64,u64,u64)>'),
  ofSubnet('NetworksAdded', 'bool'),
  ofSubnet('SubnetworkN', 'u16'),
  ofSubnet('MaxAllowedUids', 'u16'),
  ofSubnet('ImmunityPeriod', 'u16'),
  ofSubnet('Tempo', 'u16'),
  ofSubnet('LastEpochBlock', 'u64'),
  ofSubnet('PendingEpochAt', 'u64'),
  ofSubnet('SubnetEpochIndex', 'u64'),
  ofSubnet('ValidatorPermit', 'Vec<bool>'),
  ofSubnet('LastUpdate', 'Vec<u64>'),
  ofSubnet('Incentive', 'Vec<u16>'),
  ofSubnet('Emission', 'Vec<u64>'),
  ofSubnet('CommitRevealWeightsEnabled', 'bool'),
  ofSubnet('RevealPeriodEpochs', 'u64'),
  ofSubnet('WeightsSetRateLimit', 'u64'),
  ofSubnet('WeightsVersionKey', 'u64'),
  ofSubnet('ServingRateLimit', 'u64'),
  ofSubnet('MinAllowedWeights', 'u16'),
  ofSubnet('MaxWeightsLimit', 'u16'),
  ofSubnet('Burn', 'u64'),
  ofSubnet('NetworkRegistrationAllowed', 'bool'),
];

export const REQUIRED_CALLS: readonly RequiredCall[] = [
  {
    pallet: 'SubtensorModule',
    call: 'set_weights',
    args: [
      ['netuid', 'u16'],
      ['dests', 'Vec<u16>'],
      ['weights', 'Vec<u16>'],
      ['version_key', 'u64'],
    ],
  },
  {
    pallet: 'SubtensorModule',
    call: 'commit_weights',
    args: [
      ['netuid', 'u16'],
      ['commit_hash', 'H256'],
    ],
  },
  {
    pallet: 'SubtensorModule',
    call: 'reveal_weights',
    args: [
      ['netuid', 'u16'],
      ['uids', 'Vec<u16>'],
      ['values', 'Vec<u16>'],
      ['salt', 'Vec<u16>'],
      ['version_key', 'u64'],
    ],
  },
  {
    pallet: 'SubtensorModule',
    call: 'serve_axon',
    args: [
      ['netuid', 'u16'],
      ['version', 'u32'],
      ['ip', 'u128'],
      ['port', 'u16'],
      ['ip_type', 'u8'],
      ['protocol', 'u8'],
      ['placeholder1', 'u8'],
      ['placeholder2', 'u8'],
    ],
  },
  {
    pallet: 'SubtensorModule',
    call: 'burned_register',
    args: [
      ['netuid', 'u16'],
      ['hotkey', 'AccountId32'],
    ],
  },
];

export const REQUIRED_EVENTS: readonly RequiredEvent[] = [
  { pallet: 'SubtensorModule', event: 'NeuronRegistered', fields: ['u16', 'u16', 'AccountId32'] },
  { pallet: 'System', event: 'ExtrinsicFailed', fields: ['SpRuntimeDispatchError', 'FrameSystemDispatchEventInfo'] },
];

/** Absent ones are done without: storage serves instead. A present one with other fields is a change. */
export const REQUIRED_RUNTIME_APIS: readonly RequiredRuntimeApi[] = [
  {
    api: 'SubnetInfoRuntimeApi',
    method: 'get_metagraph',
    args: ['u16'],
    fields: [
      'hotkeys',
      'coldkeys',
      'axons',
      'validator_permit',
      'last_update',
      'emission',
      'incentives',
      'block_at_registration',
      'total_stake',
    ],
  },
];
