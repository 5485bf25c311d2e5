/**
 * Which epoch of a subnet a block belongs to (subtensor `current_epoch_with_lookahead`, spec 424): a counter, plus one
 * when an epoch is due in the block itself. Commits are tagged with it and can be revealed in exactly one later epoch.
 */
export interface EpochState {
  /** The block that this was read at. */
  readonly block: number;
  readonly index: bigint;
  readonly tempo: number;
  readonly lastEpochBlock: number;
  /** An epoch that the subnet's owner asked for; 0: none. */
  readonly pendingEpochAt: number;
}

function isDue({ tempo, lastEpochBlock, pendingEpochAt }: EpochState, block: number): boolean {
  if (tempo === 0) return false;
  return (pendingEpochAt > 0 && block >= pendingEpochAt) || block - lastEpochBlock >= tempo;
}

export const epochNow = (state: EpochState): bigint => state.index + (isDue(state, state.block) ? 1n : 0n);

/** About the first block of `epoch`: owners may trigger epochs earlier, crowded blocks run them later. */
export function firstBlockOf(epoch: bigint, state: EpochState): number {
  const ahead = Number(epoch - state.index);
  return ahead <= 0 ? state.block : state.lastEpochBlock + ahead * state.tempo;
}
