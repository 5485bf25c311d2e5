/**
 * The storage that the local chain keeps, with types: one object a declared item. Reads of a missing entry give the
 * declared default, as on the real chain.
 */
import { StoredItem } from '../state/state-view.ts';

/** A 32-byte public key: hotkey or coldkey. */
export type AccountId = Uint8Array;

export interface AccountInfo {
  readonly nonce: number;
  readonly consumers: number;
  readonly providers: number;
  readonly sufficients: number;
  readonly data: { readonly free: bigint; readonly reserved: bigint; readonly frozen: bigint; readonly flags: bigint };
}
export interface AxonInfo {
  readonly block: bigint;
  readonly version: number;
  readonly ip: bigint;
  readonly port: number;
  readonly ip_type: number;
  readonly protocol: number;
  readonly placeholder1: number;
  readonly placeholder2: number;
}
/** (hash, epoch of the commit, block of the commit, 0). */
export type WeightCommit = readonly [hash: Uint8Array, epoch: bigint, block: bigint, unused: bigint];
export type TimelockedCommit = readonly [who: AccountId, block: bigint, commit: Uint8Array, round: bigint];
export type Weights = readonly (readonly [uid: number, weight: number])[];

class Item<K extends readonly (number | bigint | Uint8Array)[], V> extends StoredItem<K, V> {}

type NetUid = [netuid: number];
type Neuron = [netuid: number, uid: number];
type Hotkey = [netuid: number, hotkey: AccountId];

const perSubnet = <V>(name: string) => new Item<NetUid, V>('SubtensorModule', name);
const perNeuron = <V>(name: string) => new Item<Neuron, V>('SubtensorModule', name);
const perHotkey = <V>(name: string) => new Item<Hotkey, V>('SubtensorModule', name);

export const System = {
  account: new Item<[AccountId], AccountInfo>('System', 'Account'),
  blockHash: new Item<[number], Uint8Array>('System', 'BlockHash'),
  number: new Item<[], number>('System', 'Number'),
  parentHash: new Item<[], Uint8Array>('System', 'ParentHash'),
  events: new Item<[], readonly never[]>('System', 'Events'),
  eventCount: new Item<[], number>('System', 'EventCount'),
  lastUpgrade: new Item<[], { spec_version: number; spec_name: string } | undefined>('System', 'LastRuntimeUpgrade'),
};
export const Timestamp = { now: new Item<[], bigint>('Timestamp', 'Now') };
export const Balances = { totalIssuance: new Item<[], bigint>('Balances', 'TotalIssuance') };

export const Subnet = {
  added: perSubnet<boolean>('NetworksAdded'),
  totalNetworks: new Item<[], number>('SubtensorModule', 'TotalNetworks'),
  owner: perSubnet<AccountId>('SubnetOwner'),
  ownerHotkey: perSubnet<AccountId>('SubnetOwnerHotkey'),
  identity: perSubnet<Readonly<Record<string, Uint8Array>> | undefined>('SubnetIdentitiesV3'),
  symbol: perSubnet<Uint8Array>('TokenSymbol'),
  registeredAt: perSubnet<bigint>('NetworkRegisteredAt'),
  size: perSubnet<number>('SubnetworkN'),
  maxUids: perSubnet<number>('MaxAllowedUids'),
  immunityPeriod: perSubnet<number>('ImmunityPeriod'),
  minNonImmune: perSubnet<number>('MinNonImmuneUids'),
  registrationAllowed: perSubnet<boolean>('NetworkRegistrationAllowed'),
  burn: perSubnet<bigint>('Burn'),
  minBurn: perSubnet<bigint>('MinBurn'),
  maxBurn: perSubnet<bigint>('MaxBurn'),
  burnHalfLife: perSubnet<number>('BurnHalfLife'),
  burnIncrease: perSubnet<{ readonly bits: bigint }>('BurnIncreaseMult'),
  recycled: perSubnet<bigint>('RAORecycledForRegistration'),
  registrationsThisBlock: perSubnet<number>('RegistrationsThisBlock'),
  tempo: perSubnet<number>('Tempo'),
  lastEpochBlock: perSubnet<bigint>('LastEpochBlock'),
  pendingEpochAt: perSubnet<bigint>('PendingEpochAt'),
  epochIndex: perSubnet<bigint>('SubnetEpochIndex'),
  blocksSinceStep: perSubnet<bigint>('BlocksSinceLastStep'),
  lastStepBlock: perSubnet<bigint>('LastMechansimStepBlock'),
  activityCutoffMilli: perSubnet<number>('ActivityCutoffFactorMilli'),
  maxValidators: perSubnet<number>('MaxAllowedValidators'),
  mechanisms: perSubnet<number>('MechanismCountCurrent'),
  versionKey: perSubnet<bigint>('WeightsVersionKey'),
  weightsRateLimit: perSubnet<bigint>('WeightsSetRateLimit'),
  servingRateLimit: perSubnet<bigint>('ServingRateLimit'),
  minWeights: perSubnet<number>('MinAllowedWeights'),
  maxWeight: perSubnet<number>('MaxWeightsLimit'),
  commitReveal: perSubnet<boolean>('CommitRevealWeightsEnabled'),
  revealPeriod: perSubnet<bigint>('RevealPeriodEpochs'),
  commitRevealVersion: new Item<[], number>('SubtensorModule', 'CommitRevealWeightsVersion'),
  stakeThreshold: new Item<[], bigint>('SubtensorModule', 'StakeThreshold'),
};

/** Columns by uid; `incentive` and `lastUpdate` are by storage index (netuid + 4096 · mechanism). */
export const Columns = {
  active: perSubnet<readonly boolean[]>('Active'),
  permit: perSubnet<readonly boolean[]>('ValidatorPermit'),
  consensus: perSubnet<readonly number[]>('Consensus'),
  dividends: perSubnet<readonly number[]>('Dividends'),
  validatorTrust: perSubnet<readonly number[]>('ValidatorTrust'),
  emission: perSubnet<readonly bigint[]>('Emission'),
  incentive: perSubnet<readonly number[]>('Incentive'),
  lastUpdate: perSubnet<readonly bigint[]>('LastUpdate'),
};

export const Neurons = {
  hotkey: perNeuron<AccountId>('Keys'),
  registeredAt: perNeuron<bigint>('BlockAtRegistration'),
  weights: perNeuron<Weights>('Weights'),
  uid: perHotkey<number | undefined>('Uids'),
  axon: perHotkey<AxonInfo | undefined>('Axons'),
  certificate: perHotkey<{ readonly public_key: Uint8Array; readonly algorithm: number } | undefined>(
    'NeuronCertificates',
  ),
  alphaDividends: perHotkey<bigint>('AlphaDividendsPerSubnet'),
  owner: new Item<[hotkey: AccountId], AccountId>('SubtensorModule', 'Owner'),
  owned: new Item<[coldkey: AccountId], readonly AccountId[]>('SubtensorModule', 'OwnedHotkeys'),
  member: new Item<[hotkey: AccountId, netuid: number], boolean>('SubtensorModule', 'IsNetworkMember'),
  alpha: new Item<[hotkey: AccountId, netuid: number], bigint>('SubtensorModule', 'TotalHotkeyAlpha'),
};

export const Commits = {
  /** By storage index and hotkey. */
  salted: perHotkey<readonly WeightCommit[] | undefined>('WeightCommits'),
  /** By storage index and epoch. */
  timelocked: new Item<[index: number, epoch: bigint], readonly TimelockedCommit[]>(
    'SubtensorModule',
    'TimelockedWeightCommits',
  ),
};
