/** What the weight flows need of the chain's adapter; refusals arrive as `ChainRefusal`. */
import type { Random } from '#shared/primitives/effects.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';
import type { Signer } from '#shared/primitives/signer.ts';
import type { BlockRef, CommitStore, SubnetRules, WeightRow } from '../ports.ts';
import type { EpochState } from './epoch.ts';

/** A commit as the chain keeps it. */
export interface ChainCommit {
  /** 64 hex digits. */
  readonly commit: string;
  readonly epoch: bigint;
}

/** Everything that decides whether weights can be set now, all of the newest block. */
export interface WeightState {
  readonly rules: SubnetRules;
  readonly epoch: EpochState;
  /** Undefined: not registered. */
  readonly uid: number | undefined;
  readonly validatorPermit: boolean;
  /** Block of the last weights or commit. */
  readonly lastUpdate: number;
  readonly commits: readonly ChainCommit[];
}

export interface WeightPorts {
  state(netuid: number, hotkey: Hotkey): Promise<WeightState>;
  setWeights(netuid: number, weights: readonly WeightRow[], versionKey: bigint, signer: Signer): Promise<BlockRef>;
  commit(netuid: number, commit: string, signer: Signer): Promise<BlockRef>;
  reveal(
    netuid: number,
    weights: readonly WeightRow[],
    salt: readonly number[],
    versionKey: bigint,
    signer: Signer,
  ): Promise<BlockRef>;
  readonly commits: CommitStore;
  readonly random: Random;
}
