/**
 * The chain as validators, miners and the command line see it, in our words. One adapter speaks to a Substrate node
 * (`substrate-chain.ts`); every adapter passes `shared/testing/chain-suite.ts`. Nothing here rejects for what can be
 * expected: a node that is away, a refusal or a rate limit is a value with a code of `chain-failure.ts`.
 * Facts of the chain: `docs/wallets.md`, "The chain".
 */
import type { Result } from '#shared/primitives/failure.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';
import type { Signer } from '#shared/primitives/signer.ts';
import type { ChainFailure } from './chain-failure.ts';

export interface BlockRef {
  readonly number: number;
  /** 32 bytes. */
  readonly hash: Uint8Array;
}

/** Where a neuron says it can be reached. Whoever registers chooses it: judge it before connecting. */
export interface ServedAxon {
  /** Canonical text of an IPv4 or IPv6 address. */
  readonly ip: string;
  readonly port: number;
  /** The software version it claims. */
  readonly version: number;
  /** The block it was served in. */
  readonly block: number;
}

/** One row of the metagraph. */
export interface Neuron {
  readonly uid: number;
  readonly hotkey: Hotkey;
  /** SS58 text of the key that owns the hotkey. */
  readonly coldkey: string;
  /** Absent when it never served, or serves what is no address. */
  readonly axon: ServedAxon | undefined;
  /** In billionths: what the subnet counts (`Metagraph.stakeKind`). */
  readonly stake: bigint;
  readonly validatorPermit: boolean;
  /** Block of its last weights or commit; of its registration while it set none. */
  readonly lastUpdate: number;
  /** Share of the miners' emission, 0 to 65,535. */
  readonly incentive: number;
  /** Billionths of the subnet's token, per tempo. */
  readonly emission: bigint;
  readonly registeredAt: number;
}

/** Everything about a subnet's neurons at one block; `neurons[i].uid === i`. */
export interface Metagraph {
  readonly netuid: number;
  readonly block: BlockRef;
  readonly neurons: readonly Neuron[];
  /** `total`: alpha, weighted TAO and what parents delegate. `alpha`: the subnet's own token alone (read from storage). */
  readonly stakeKind: 'total' | 'alpha';
}

/** What a subnet demands of who takes part. Rates and periods in blocks. */
export interface SubnetRules {
  readonly netuid: number;
  readonly tempo: number;
  readonly neuronCount: number;
  readonly maxNeurons: number;
  readonly immunityPeriod: number;
  /** Weights are committed first and revealed `revealPeriodEpochs` epochs later. */
  readonly commitReveal: boolean;
  readonly revealPeriodEpochs: number;
  readonly weightsRateLimit: number;
  readonly servingRateLimit: number;
  /** Weights with a smaller version key are refused; 0 takes any. */
  readonly weightsVersionKey: bigint;
  /** Fewer weights than this are refused. */
  readonly minWeights: number;
  /** Largest share of one uid, 0 to 1. */
  readonly maxWeightShare: number;
}

export interface NewNeuron {
  readonly uid: number;
  readonly hotkey: Hotkey;
  /** Who held the uid before; absent when the uid was free. */
  readonly replaced: Hotkey | undefined;
}

export interface OwnRegistration {
  readonly uid: number;
  readonly coldkey: string;
  readonly registeredAt: number;
  readonly validatorPermit: boolean;
  readonly axon: ServedAxon | undefined;
}

/** What the caller must see before it pays. */
export interface RegistrationOffer {
  readonly netuid: number;
  /** Billionths of TAO, burned whatever happens to the registration later. */
  readonly burnRao: bigint;
  readonly open: boolean;
  /** 0: the weakest neuron out of immunity is replaced. */
  readonly freeUids: number;
  readonly block: BlockRef;
}

export interface Registered {
  readonly uid: number;
  readonly block: BlockRef;
}

export interface AxonClaim {
  /** As others reach it: text of an IPv4 or IPv6 address. */
  readonly ip: string;
  readonly port: number;
  readonly version: number;
}

export interface WeightRow {
  readonly uid: number;
  /** 0 to 65,535. */
  readonly value: number;
}

export interface WeightsRequest {
  readonly netuid: number;
  readonly signer: Signer;
  readonly weights: readonly WeightRow[];
  readonly versionKey: bigint;
}

export type WeightsOutcome =
  | { readonly kind: 'set'; readonly block: BlockRef }
  /** Counts only once `revealWeights` revealed it, in `revealEpoch` (about from `revealFromBlock` on). */
  | {
      readonly kind: 'committed';
      readonly block: BlockRef;
      readonly commit: string;
      readonly revealEpoch: bigint;
      readonly revealFromBlock: number;
    };

/** What became of one pending commit. */
export type RevealOutcome =
  | { readonly kind: 'revealed'; readonly commit: string; readonly block: BlockRef }
  | { readonly kind: 'waiting'; readonly commit: string; readonly revealFromBlock: number }
  /** A newer commit of the same epoch was revealed, which drops this one. */
  | { readonly kind: 'superseded'; readonly commit: string }
  /** Its epoch passed, or the chain does not know it (any more). */
  | { readonly kind: 'lost'; readonly commit: string };

/** A commit whose weights the chain does not know yet. The salt exists nowhere else. */
export interface PendingCommit {
  readonly netuid: number;
  readonly hotkey: Hotkey;
  /** BLAKE2b-256 in hex: its name here and on the chain. */
  readonly commit: string;
  readonly weights: readonly WeightRow[];
  readonly salt: readonly number[];
  readonly versionKey: bigint;
  /** Best block when it was sent. */
  readonly sentAtBlock: number;
}

/** Where pending commits survive a restart. One writer. */
export interface CommitStore {
  /** Oldest first. Rejects when it cannot know. */
  list(netuid: number, hotkey: Hotkey): Promise<readonly PendingCommit[]>;
  /** Durable when it resolves; called before the commit is sent. */
  put(commit: PendingCommit): Promise<void>;
  /** What is not there is no error. */
  remove(commits: readonly string[]): Promise<void>;
}

export interface ChainHeads {
  /** 32 bytes: which chain this is. */
  readonly genesisHash: Uint8Array;
  /** Name and version of the runtime, as "node-subtensor 424": for logs and failures. */
  readonly runtime: () => string;
  /** Newest block; a later call may name a sibling of it. */
  head(): Promise<Result<BlockRef, ChainFailure>>;
  finalizedHead(): Promise<Result<BlockRef, ChainFailure>>;
  blockHash(number: number): Promise<Result<Uint8Array, ChainFailure>>;
  /**
   * Every finalized block after `after` (default: from the newest on), once, in order, across lost connections; ends
   * with the signal. A node that is away only makes it wait.
   */
  finalizedHeads(options?: { readonly after?: number; readonly signal?: AbortSignal }): AsyncIterable<BlockRef>;
}

export interface MetagraphReader {
  /**
   * The subnet at `at` (default: the newest finalized block). Kept per block: asking again costs nothing.
   * `source` says how it is read; the default takes the runtime's own answer, and storage where there is none.
   */
  metagraph(
    netuid: number,
    options?: { readonly at?: BlockRef; readonly source?: 'runtime' | 'storage' },
  ): Promise<Result<Metagraph, ChainFailure>>;
  rules(netuid: number): Promise<Result<SubnetRules, ChainFailure>>;
  /** Neurons registered in this very block, and whom each replaced. */
  newNeurons(netuid: number, block: BlockRef): Promise<Result<readonly NewNeuron[], ChainFailure>>;
  /** Undefined when the hotkey is not registered in the subnet. Reads the newest block. */
  registration(netuid: number, hotkey: Hotkey): Promise<Result<OwnRegistration | undefined, ChainFailure>>;
}

export interface NeuronActions {
  registrationOffer(netuid: number): Promise<Result<RegistrationOffer, ChainFailure>>;
  /**
   * Burns and registers; `cost-changed` when it would burn more than `burnAtMostRao`, with nothing paid.
   * @param coldkey pays and owns the hotkey
   */
  register(request: {
    readonly netuid: number;
    readonly coldkey: Signer;
    readonly hotkey: Hotkey;
    readonly burnAtMostRao: bigint;
  }): Promise<Result<Registered, ChainFailure>>;
  /** Announces where the hotkey serves; `unchanged` sends nothing. */
  serveAxon(
    netuid: number,
    hotkey: Signer,
    claim: AxonClaim,
  ): Promise<Result<{ readonly kind: 'served' | 'unchanged' }, ChainFailure>>;
  /** Free balance in billionths of TAO of an SS58 address. */
  balance(address: string): Promise<Result<bigint, ChainFailure>>;
}

export interface WeightSetter {
  /** Sets, or commits where the subnet demands it. A refusal that time cures names the block to try again at. */
  setWeights(request: WeightsRequest): Promise<Result<WeightsOutcome, ChainFailure>>;
  /** Reveals what is due: call it at every new head, also after a restart. Empty when nothing is pending. */
  revealWeights(netuid: number, signer: Signer): Promise<Result<readonly RevealOutcome[], ChainFailure>>;
}

export interface Chain extends ChainHeads, MetagraphReader, NeuronActions, WeightSetter {
  /** Ends subscriptions and the connection; nothing of it keeps a process alive afterwards. */
  close(): Promise<void>;
}
