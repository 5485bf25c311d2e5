/**
 * What the validator's flows need beyond the shared ports: who is registered, where a miner is reached, who left the
 * subnet, finalized blocks, and the tenant's own memory on disk. `main.ts` fills them, from the chain.
 */
import type { ChainFailure } from '#shared/chain/chain-failure.ts';
import type { BlockRef, Chain } from '#shared/chain/ports.ts';
import type { AccessIndex, FileIndex, MinerAddress, MinerDirectory } from '#shared/index/ports.ts';
import type { Clock, Log } from '#shared/primitives/effects.ts';
import type { Result } from '#shared/primitives/failure.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';
import type { Signer } from '#shared/primitives/signer.ts';
import type { Network } from '#shared/proof/statement.ts';
import type { MinerClient } from '#shared/wire/ports.ts';
import type { Inventories } from './state/ports.ts';

/** A miner as its registration has it; nothing of it is proven yet. */
export interface RegisteredMiner {
  readonly hotkey: Hotkey;
  /** SS58 text. */
  readonly coldkey: string;
  readonly address: MinerAddress;
  /**
   * The block in which it lost its place in the subnet; absent while it is registered. It is still read from and told
   * what to drop, until its departure is settled; it gets nothing new and owes nothing.
   */
  readonly leftAt?: number;
}

export interface Registrations {
  /**
   * All that serve in the subnet now, and those that left and are not settled. Rejects when it cannot know: an empty
   * network is never assumed.
   */
  read(): Promise<readonly RegisteredMiner[]>;
}

/** A hotkey that was replaced, or is missing from the metagraph. */
export interface Departure {
  readonly hotkey: Hotkey;
  /** SS58 text. */
  readonly coldkey: string;
  /** Where it served last; absent when it never did. */
  readonly address: MinerAddress | undefined;
  readonly leftAt: number;
  /** Five blocks went by without another registration since: what it held can be moved at once for all that left. */
  readonly due: boolean;
}

/** Who left and is not settled yet; survives restarts, and sees what happened while the validator was away. */
export interface Departures {
  list(): readonly Departure[];
  /**
   * Nothing of ours is with it any more: it is off the list, durably, and for a while still among the registrations, so
   * that orders under way reach it. Unknown hotkeys are no error.
   */
  settle(hotkey: Hotkey): Promise<void>;
}

/** Finalized blocks for jobs that need one; fed by one subscription for all. */
export interface FinalizedBlocks {
  /** The newest that we know of. */
  newest(): BlockRef;
  /** Hash of a finalized block by number. */
  hash(number: number): Promise<Result<Uint8Array, ChainFailure>>;
  /** The newest as soon as there is one above `number`; rejects when the signal ends the wait. */
  above(number: number, signal?: AbortSignal): Promise<BlockRef>;
}

/** Id and epoch of the index that this tenant last worked with: what a restored backup of the index does not match. */
export interface IndexMark {
  readonly id: string;
  readonly epoch: number;
  /** An epoch that may have been reached already: written before the index is told to advance. */
  readonly nextEpoch: number;
}

/** The tenant's memory of its index, durable before `write` resolves. */
export interface IndexMarks {
  read(): Promise<IndexMark | undefined>;
  write(mark: IndexMark): Promise<void>;
}

export interface TenantPorts {
  readonly files: FileIndex;
  readonly directory: MinerDirectory;
  readonly access: AccessIndex;
  readonly miners: MinerClient;
  readonly registrations: Registrations;
  readonly indexMarks: IndexMarks;
  readonly inventories: Inventories;
  /** Origin of a miner's address, without a trailing slash; undefined when the address is none. */
  readonly minerUrl: (address: MinerAddress) => string | undefined;
  readonly signer: Signer;
  readonly network: Network;
  readonly clock: Clock;
  readonly log: Log;
}

/** The tenant's ports and the chain: what jobs beyond the tenant's own take. */
export interface ValidatorPorts extends TenantPorts {
  readonly chain: Chain;
  readonly blocks: FinalizedBlocks;
  readonly departures: Departures;
}
