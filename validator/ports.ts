/**
 * What the validator's flows need beyond the shared ports: who is registered, where a miner is reached, and the
 * tenant's own memory on disk. `main.ts` fills them; the chain will fill `Registrations` later.
 */
import type { AccessIndex, FileIndex, MinerAddress, MinerDirectory } from '#shared/index/ports.ts';
import type { Clock, Log } from '#shared/primitives/effects.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';
import type { Signer } from '#shared/primitives/signer.ts';
import type { Network } from '#shared/proof/statement.ts';
import type { MinerClient } from '#shared/wire/ports.ts';

/** A miner as its registration has it; nothing of it is proven yet. */
export interface RegisteredMiner {
  readonly hotkey: Hotkey;
  /** SS58 text. */
  readonly coldkey: string;
  readonly address: MinerAddress;
}

export interface Registrations {
  /** All miners registered now. Rejects when it cannot know: an empty network is never assumed. */
  read(): Promise<readonly RegisteredMiner[]>;
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
  /** Origin of a miner's address, without a trailing slash; undefined when the address is none. */
  readonly minerUrl: (address: MinerAddress) => string | undefined;
  readonly signer: Signer;
  readonly network: Network;
  readonly clock: Clock;
  readonly log: Log;
}
