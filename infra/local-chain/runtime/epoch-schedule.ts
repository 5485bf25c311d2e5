/**
 * When a subnet's epoch runs, and which epoch a commit made now belongs to. Follows subtensor's `run_coinbase.rs` and
 * `weights.rs`: an epoch fires `tempo` blocks after the last; a block in which it fires counts as the next epoch already.
 */
import type { StateView } from '../state/state-view.ts';
import type { Inspection } from './context.ts';
import { Subnet } from './items.ts';

export function epochRunsAt(state: StateView, netuid: number, block: number): boolean {
  const tempo = Subnet.tempo.get(state, netuid);
  if (tempo === 0) return false;
  const pending = Subnet.pendingEpochAt.get(state, netuid);
  if (pending > 0n && BigInt(block) >= pending) return true;
  return BigInt(block) - Subnet.lastEpochBlock.get(state, netuid) >= BigInt(tempo);
}

export function currentEpoch({ state, block }: Inspection, netuid: number): bigint {
  const epoch = Subnet.epochIndex.get(state, netuid);
  return epochRunsAt(state, netuid, block) ? epoch + 1n : epoch;
}

/** The block of the next epoch; undefined for a subnet that runs none. */
export function nextEpochBlock(state: StateView, netuid: number): bigint | undefined {
  const tempo = Subnet.tempo.get(state, netuid);
  if (tempo === 0) return undefined;
  const automatic = Subnet.lastEpochBlock.get(state, netuid) + BigInt(tempo);
  const pending = Subnet.pendingEpochAt.get(state, netuid);
  return pending > 0n && pending < automatic ? pending : automatic;
}
