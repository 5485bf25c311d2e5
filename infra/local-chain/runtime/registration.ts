/**
 * Burned registration and the replacement of the weakest neuron on a full subnet. Rules and their order follow
 * subtensor's `subnets/registration.rs` and `subnets/uids.rs`; the price is burned instead of swapped for alpha, because
 * the local chain has no market.
 */
import { equalBytes } from '#shared/primitives/bytes.ts';
import type { StateView } from '../state/state-view.ts';
import { burn, canSpend } from './accounts.ts';
import { type Context, type Dispatched, type Inspection, refuse } from './context.ts';
import { type AccountId, Columns, Neurons, Subnet } from './items.ts';
import { setLastUpdate } from './neuron-columns.ts';

/** U64F64: 64 bits of fraction. */
const ONE_U64F64 = 1n << 64n;
const ZERO_ACCOUNT = new Uint8Array(32);

export function burnedRegister(context: Context, coldkey: AccountId, netuid: number, hotkey: AccountId): Dispatched {
  const { state } = context;
  if (netuid === 0) return refuse('RegistrationNotPermittedOnRootSubnet');
  if (!Subnet.added.get(state, netuid)) return refuse('SubnetNotExists');
  if (!Subnet.registrationAllowed.get(state, netuid)) return refuse('SubNetRegistrationDisabled');
  if (Neurons.uid.has(state, netuid, hotkey)) return refuse('HotKeyAlreadyRegisteredInSubNet');
  const cost = Subnet.burn.get(state, netuid);
  if (!canSpend(state, coldkey, cost)) return refuse('NotEnoughBalanceToStake');
  const owner = Neurons.owner.get(state, hotkey);
  if (!equalBytes(owner, ZERO_ACCOUNT) && !equalBytes(owner, coldkey)) return refuse('NonAssociatedColdKey');
  const full = Subnet.size.get(state, netuid) >= Subnet.maxUids.get(state, netuid);
  const replaced = full ? neuronToPrune(context, netuid) : undefined;
  if (full && replaced === undefined) return refuse('NoNeuronIdAvailable');

  burn(context, coldkey, cost);
  Subnet.recycled.update(state, (total) => total + cost, netuid);
  raiseBurn(context, netuid);
  associate(context, coldkey, hotkey);
  const uid = replaced ?? appendNeuron(context, netuid, hotkey);
  if (replaced !== undefined) replaceNeuron(context, netuid, replaced, hotkey);
  Subnet.registrationsThisBlock.update(state, (count) => count + 1, netuid);
  context.emit({ pallet: 'SubtensorModule', name: 'NeuronRegistered', value: [netuid, uid, hotkey] });
  return undefined;
}

export function registerWithLimit(
  context: Context,
  coldkey: AccountId,
  netuid: number,
  hotkey: AccountId,
  limit: bigint,
): Dispatched {
  if (netuid === 0) return refuse('RegistrationNotPermittedOnRootSubnet');
  if (!Subnet.added.get(context.state, netuid)) return refuse('SubnetNotExists');
  if (Subnet.burn.get(context.state, netuid) > limit) return refuse('RegistrationPriceLimitExceeded');
  return burnedRegister(context, coldkey, netuid, hotkey);
}

/** Makes `coldkey` the owner of `hotkey`, unless the hotkey has one. */
export function associate({ state }: Context, coldkey: AccountId, hotkey: AccountId): void {
  if (Neurons.owner.has(state, hotkey)) return;
  Neurons.owner.put(state, coldkey, hotkey);
  Neurons.owned.update(state, (hotkeys) => [...hotkeys, hotkey], coldkey);
}

function raiseBurn({ state }: Context, netuid: number): void {
  const raised = (Subnet.burn.get(state, netuid) * Subnet.burnIncrease.get(state, netuid).bits) / ONE_U64F64;
  Subnet.burn.put(state, withinBurn(state, netuid, raised), netuid);
}

const withinBurn = (state: StateView, netuid: number, price: bigint): bigint => {
  const least = Subnet.minBurn.get(state, netuid);
  const most = Subnet.maxBurn.get(state, netuid);
  return price < least ? least : price > most ? most : price;
};

/** Each block lets the price fall, by half in `BurnHalfLife` blocks. */
export function decayBurn({ state }: Context, netuid: number): void {
  const halfLife = Subnet.burnHalfLife.get(state, netuid);
  if (halfLife === 0) return;
  const price = Subnet.burn.get(state, netuid);
  const lower = BigInt(Math.floor(Number(price) * 0.5 ** (1 / halfLife)));
  const next = withinBurn(state, netuid, lower);
  if (next !== price) Subnet.burn.put(state, next, netuid);
}

export function appendNeuron(context: Context, netuid: number, hotkey: AccountId): number {
  const { state } = context;
  const uid = Subnet.size.get(state, netuid);
  Subnet.size.put(state, uid + 1, netuid);
  Columns.active.update(state, (column) => [...column, true], netuid);
  Columns.permit.update(state, (column) => [...column, false], netuid);
  Columns.emission.update(state, (column) => [...column, 0n], netuid);
  for (const column of [Columns.consensus, Columns.incentive, Columns.dividends, Columns.validatorTrust]) {
    column.update(state, (values) => [...values, 0], netuid);
  }
  setLastUpdate(context, netuid, uid);
  seat(context, netuid, uid, hotkey);
  return uid;
}

function seat({ state, block }: Context, netuid: number, uid: number, hotkey: AccountId): void {
  Neurons.hotkey.put(state, hotkey, netuid, uid);
  Neurons.uid.put(state, uid, netuid, hotkey);
  Neurons.registeredAt.put(state, BigInt(block), netuid, uid);
  Neurons.member.put(state, true, hotkey, netuid);
}

function replaceNeuron(context: Context, netuid: number, uid: number, hotkey: AccountId): void {
  const { state } = context;
  const old = Neurons.hotkey.get(state, netuid, uid);
  Neurons.uid.remove(state, netuid, old);
  Neurons.member.remove(state, old, netuid);
  Neurons.axon.remove(state, netuid, old);
  Neurons.certificate.remove(state, netuid, old);
  const reset = <V>(column: readonly V[], value: V): V[] => column.map((found, i) => (i === uid ? value : found));
  Columns.active.update(state, (column) => reset(column, true), netuid);
  Columns.permit.update(state, (column) => reset(column, false), netuid);
  Columns.emission.update(state, (column) => reset(column, 0n), netuid);
  for (const column of [Columns.consensus, Columns.incentive, Columns.dividends, Columns.validatorTrust]) {
    column.update(state, (values) => reset(values, 0), netuid);
  }
  Neurons.weights.remove(state, netuid, uid);
  const size = Subnet.size.get(state, netuid);
  for (let other = 0; other < size; other++) {
    const weights = Neurons.weights.get(state, netuid, other);
    if (!weights.some(([target]) => target === uid)) continue;
    const cleared = weights.map(([target, weight]) => [target, target === uid ? 0 : weight] as const);
    Neurons.weights.put(state, cleared, netuid, other);
  }
  setLastUpdate(context, netuid, uid);
  seat(context, netuid, uid, hotkey);
}

/** The uid with the least emission that is not immune; among equals the oldest. Undefined: nobody may go. */
function neuronToPrune({ state, block }: Inspection, netuid: number): number | undefined {
  const owner = ownerUids(state, netuid);
  const emission = Columns.emission.get(state, netuid);
  const period = BigInt(Subnet.immunityPeriod.get(state, netuid));
  const size = Subnet.size.get(state, netuid);
  type Candidate = { uid: number; emission: bigint; registeredAt: bigint };
  const free: Candidate[] = [];
  const immune: Candidate[] = [];
  for (let uid = 0; uid < size; uid++) {
    if (owner.has(uid)) continue;
    const registeredAt = Neurons.registeredAt.get(state, netuid, uid);
    const candidate = { uid, emission: emission[uid] ?? 0n, registeredAt };
    (BigInt(block) - registeredAt < period ? immune : free).push(candidate);
  }
  const weaker = (a: Candidate, b: Candidate): number =>
    a.emission !== b.emission
      ? a.emission < b.emission
        ? -1
        : 1
      : a.registeredAt !== b.registeredAt
        ? a.registeredAt < b.registeredAt
          ? -1
          : 1
        : a.uid - b.uid;
  const pool = free.length > Subnet.minNonImmune.get(state, netuid) ? free : immune;
  return pool.sort(weaker)[0]?.uid;
}

/** The subnet owner's hotkey keeps its place (`ImmuneOwnerUidsLimit` is 1). */
function ownerUids(state: StateView, netuid: number): ReadonlySet<number> {
  const uid = Neurons.uid.get(state, netuid, Subnet.ownerHotkey.get(state, netuid));
  return new Set(uid === undefined ? [] : [uid]);
}
