/**
 * The first state of a chain, from a genesis description: funded accounts, one subnet with its owner, neurons and
 * stakes, hyperparameters by the names of their storage items. Where nothing is said, rates that the real chain sets
 * for a tempo of 360 blocks are scaled to the local tempo.
 */
import { utf8 } from '#shared/primitives/bytes.ts';
import { invariant } from '#shared/primitives/failure.ts';
import { palletOf, storageOf } from '../metadata/runtime-declaration.ts';
import { encode } from '../scale/encode.ts';
import { type Changes, Overlay } from '../state/state-view.ts';
import { storageKey } from '../state/storage-key.ts';
import { mint } from './accounts.ts';
import type { ChainEvent, Context } from './context.ts';
import { type AccountId, Columns, Neurons, Subnet, System } from './items.ts';
import { stakeOf } from './neuron-columns.ts';
import { appendNeuron, associate } from './registration.ts';
import { SPEC_NAME, SPEC_VERSION } from './runtime-version.ts';

export interface Genesis {
  readonly netuid: number;
  readonly tempo: number;
  readonly name: string;
  readonly owner: { readonly coldkey: AccountId; readonly hotkey: AccountId };
  readonly balances: readonly { readonly account: AccountId; readonly rao: bigint }[];
  /** Registered from block 0 on, after the owner's hotkey. */
  readonly neurons: readonly { readonly hotkey: AccountId; readonly coldkey: AccountId; readonly stake: bigint }[];
  /** Storage items of `SubtensorModule` that are kept by netuid alone, or by nothing. */
  readonly hyperparameters: Readonly<Record<string, number | bigint | boolean>>;
}

const REAL_TEMPO = 360;
const scaled = (blocks: number, tempo: number): number => Math.max(1, Math.round((blocks * tempo) / REAL_TEMPO));
const TAO = 1_000_000_000n;

function defaults(tempo: number): Record<string, number | bigint | boolean> {
  return {
    ImmunityPeriod: scaled(4096, tempo),
    WeightsSetRateLimit: scaled(100, tempo),
    ServingRateLimit: scaled(50, tempo),
    BurnHalfLife: scaled(360, tempo),
    // A few neurons must be able to set weights; the real default of 1,024 asks for all of them.
    MinAllowedWeights: 1,
    // What the real chain asks of a validator.
    StakeThreshold: 1_000n * TAO,
  };
}

export function genesisState(genesis: Genesis): Changes {
  const state = new Overlay({ read: () => undefined });
  const ignore = (_event: ChainEvent) => undefined;
  const context: Context = { state, block: 0, rules: { localAxons: true }, emit: ignore };
  const { netuid, owner } = genesis;
  System.number.put(state, 0);
  System.lastUpgrade.put(state, { spec_version: SPEC_VERSION, spec_name: SPEC_NAME });
  for (const { account, rao } of genesis.balances) mint(context, account, rao);
  Subnet.added.put(state, true, 0);
  Subnet.added.put(state, true, netuid);
  Subnet.totalNetworks.put(state, 2);
  Subnet.owner.put(state, owner.coldkey, netuid);
  Subnet.ownerHotkey.put(state, owner.hotkey, netuid);
  const empty = new Uint8Array(0);
  const identity = {
    subnet_name: utf8(genesis.name),
    github_repo: empty,
    subnet_contact: empty,
    subnet_url: empty,
    discord: empty,
    description: empty,
    logo_url: empty,
    additional: empty,
  };
  Subnet.identity.put(state, identity, netuid);
  Subnet.tempo.put(state, genesis.tempo, netuid);
  const settings = { ...defaults(genesis.tempo), ...genesis.hyperparameters };
  for (const [name, value] of Object.entries(settings)) putHyperparameter(state, netuid, name, value);
  for (const { hotkey, coldkey, stake } of [{ ...owner, stake: 0n }, ...genesis.neurons]) {
    if (Neurons.uid.has(state, netuid, hotkey)) {
      Neurons.alpha.put(state, stake, hotkey, netuid);
      continue;
    }
    associate(context, coldkey, hotkey);
    appendNeuron(context, netuid, hotkey);
    if (stake > 0n) Neurons.alpha.put(state, stake, hotkey, netuid);
  }
  grantPermits(state, netuid);
  return state.changes;
}

/** Who starts with stake starts with a permit, instead of waiting for the first epoch. */
function grantPermits(state: Overlay, netuid: number): void {
  const permits = Columns.permit
    .get(state, netuid)
    .map((_, uid) => stakeOf(state, netuid, Neurons.hotkey.get(state, netuid, uid)) > 0n);
  Columns.permit.put(state, permits, netuid);
}

/** True when a genesis may set this: a plain number or flag, kept by netuid or alone. */
export function isHyperparameter(name: string, value: number | bigint | boolean): boolean {
  const item = palletOf('SubtensorModule').storage.find((candidate) => candidate.name === name);
  if (!item || FIXED.has(name) || item.keys.length > 1 || item.value.kind !== 'primitive') return false;
  if (item.keys[0] && !isNetuid(item.keys[0].type)) return false;
  if (item.value.name === 'bool') return typeof value === 'boolean';
  if (typeof value === 'boolean' || value < 0) return false;
  const bits = Number(item.value.name.slice(1));
  return BigInt(value) < 1n << BigInt(bits);
}

/** What follows from the rest of the state, or what the local chain has one of. */
const FIXED = new Set([
  'SubnetworkN',
  'NetworksAdded',
  'TotalNetworks',
  'LastEpochBlock',
  'SubnetEpochIndex',
  'BlocksSinceLastStep',
  'LastMechansimStepBlock',
  'Tempo',
  'MechanismCountCurrent',
]);
const isNetuid = (type: { kind: string; name?: string }): boolean => type.kind === 'primitive' && type.name === 'u16';

function putHyperparameter(state: Overlay, netuid: number, name: string, value: number | bigint | boolean): void {
  invariant(isHyperparameter(name, value), `${name} = ${value} is no hyperparameter`);
  const item = storageOf('SubtensorModule', name);
  const wide = item.value.kind === 'primitive' && Number(item.value.name.slice(1)) > 32;
  const encoded = encode(item.value, wide && typeof value === 'number' ? BigInt(value) : value);
  state.write(storageKey(item, item.keys.length === 0 ? [] : [netuid]), encoded);
}
