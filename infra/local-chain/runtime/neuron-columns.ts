/**
 * Reads and writes of one neuron's place in the columns of a subnet, and its stake. Shared by registration, weights,
 * serving and the answers to runtime calls.
 */
import { equalBytes } from '#shared/primitives/bytes.ts';
import type { StateView } from '../state/state-view.ts';
import type { Context, Inspection } from './context.ts';
import { type AccountId, Columns, Neurons, Subnet } from './items.ts';

/** Storage index of a mechanism: incentive, last update, weights and commits are kept by it. */
const MECHANISM_STRIDE = 4096;
export const storageIndex = (netuid: number, mechanism: number): number => netuid + MECHANISM_STRIDE * mechanism;

/** Marks the neuron's last weights, commit or registration. The column grows to hold it. */
export function setLastUpdate({ state, block }: Context, index: number, uid: number): void {
  const column = [...Columns.lastUpdate.get(state, index)];
  while (column.length <= uid) column.push(0n);
  column[uid] = BigInt(block);
  Columns.lastUpdate.put(state, column, index);
}

export const stakeOf = (state: StateView, netuid: number, hotkey: AccountId): bigint =>
  Neurons.alpha.get(state, hotkey, netuid);

export function isOwnerHotkey(state: StateView, netuid: number, hotkey: AccountId): boolean {
  return Neurons.uid.has(state, netuid, hotkey) && equalBytes(Subnet.ownerHotkey.get(state, netuid), hotkey);
}

/** The subnet owner's hotkey needs no stake. */
export function hasStakeForWeights({ state }: Inspection, netuid: number, hotkey: AccountId): boolean {
  return isOwnerHotkey(state, netuid, hotkey) || stakeOf(state, netuid, hotkey) >= Subnet.stakeThreshold.get(state);
}

/** True when enough blocks have passed since the neuron's last update; never updated passes. */
export function passesWeightsRateLimit(
  { state, block }: Inspection,
  netuid: number,
  index: number,
  uid: number,
): boolean {
  if (uid >= Subnet.size.get(state, netuid)) return false;
  const last = Columns.lastUpdate.get(state, index)[uid] ?? 0n;
  return last === 0n || BigInt(block) - last >= Subnet.weightsRateLimit.get(state, netuid);
}
