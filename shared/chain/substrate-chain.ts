/**
 * The port `Chain` over a Substrate node, through `@polkadot/api`. That library costs some 320 MB of memory: import
 * this file in the validator, in the command line and in short-lived child processes, never in a miner or the edge.
 * Storage and calls are found by the chain's own metadata; what is needed of it is checked at connect and again after
 * each runtime upgrade.
 */
import type { Clock, Log, Random } from '#shared/primitives/effects.ts';
import type { Result } from '#shared/primitives/failure.ts';
import { type ChainFailure, plainFailure } from './chain-failure.ts';
import { followHeads } from './follow-heads.ts';
import { HeadWatch } from './head-watch.ts';
import { bytesOfHex } from './header.ts';
import type { BlockRef, Chain, CommitStore, Metagraph } from './ports.ts';
import { attempt, refuse } from './rpc-error.ts';
import { PUBLIC_PACE, type RpcPace } from './rpc-pace.ts';
import { RpcSocket } from './rpc-socket.ts';
import { type Connection, hex } from './substrate/connection.ts';
import { register, serveAxon } from './substrate/neuron-actions.ts';
import { readNewNeurons } from './substrate/read-events.ts';
import { readMetagraph } from './substrate/read-metagraph.ts';
import { readBalance, readOffer, readRegistration, readRules } from './substrate/read-subnet.ts';
import { readWeightState } from './substrate/read-weight-state.ts';
import { RuntimeKeeper } from './substrate/runtime-keeper.ts';
import { type AccountQueue, submit } from './substrate/submit.ts';
import { revealWeights } from './weights/reveal-weights.ts';
import { setWeights } from './weights/set-weights.ts';
import type { WeightPorts } from './weights/weight-ports.ts';

const CONNECT_TIMEOUT_MS = 30_000;

export interface SubstrateChainOptions {
  /** ws:// or wss:// */
  readonly endpoint: string;
  readonly clock: Clock;
  readonly random: Random;
  readonly log: Log;
  readonly commits: CommitStore;
  /** Default: what public endpoints allow. */
  readonly pace?: RpcPace;
  readonly connectTimeoutMs?: number;
  readonly openSocket?: (endpoint: string) => WebSocket;
}

/** `unreachable` when no node answers in time, `runtime-changed` when this program is too old for the chain. */
export function connectSubstrateChain(options: SubstrateChainOptions): Promise<Result<SubstrateChain, ChainFailure>> {
  const { endpoint, clock, pace = PUBLIC_PACE, openSocket } = options;
  const socket = new RpcSocket({ endpoint, clock, pace, ...(openSocket && { openSocket }) });
  return attempt(async () => {
    try {
      const runtimes = await RuntimeKeeper.start(socket, options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS, options.log);
      const heads = new HeadWatch(socket, clock);
      await heads.start();
      return new SubstrateChain(options, socket, heads, runtimes);
    } catch (error) {
      socket.close();
      throw error;
    }
  });
}

/** Metagraphs kept: one subnet at the newest and at a few named blocks. */
const KEPT_METAGRAPHS = 4;

export class SubstrateChain implements Chain {
  readonly #connection: Connection;
  readonly #runtimes: RuntimeKeeper;
  readonly #weights: WeightPorts;
  readonly #queue: AccountQueue = new Map();
  readonly #metagraphs = new Map<string, Promise<Metagraph>>();

  constructor(options: SubstrateChainOptions, socket: RpcSocket, heads: HeadWatch, runtimes: RuntimeKeeper) {
    const { clock, log, commits, random } = options;
    this.#runtimes = runtimes;
    this.#connection = { socket, heads, clock, log, runtime: () => runtimes.current() };
    this.#weights = {
      commits,
      random,
      state: async (netuid, hotkey) => readWeightState(this.#connection, netuid, hotkey, await heads.newest('best')),
      setWeights: (netuid, weights, versionKey, signer) =>
        this.#send(signer, 'included', 'set_weights', netuid, ...columnsOf(weights), versionKey),
      commit: (netuid, commit, signer) => this.#send(signer, 'included', 'commit_weights', netuid, `0x${commit}`),
      reveal: (netuid, weights, salt, versionKey, signer) =>
        this.#send(signer, 'included', 'reveal_weights', netuid, ...columnsOf(weights), salt, versionKey),
    };
  }

  /** Requests sent to the node so far: for figures and tests. */
  get requests(): number {
    return this.#connection.socket.requests;
  }
  /** Drops the connection as a network would. */
  reconnect(): void {
    this.#connection.socket.reconnect();
  }

  get genesisHash(): Uint8Array {
    return this.#runtimes.genesisHash;
  }
  readonly runtime = (): string => this.#runtimes.name;

  readonly #send = async (
    signer: Parameters<typeof submit>[3],
    until: Parameters<typeof submit>[4],
    call: string,
    ...args: readonly unknown[]
  ): Promise<BlockRef> => {
    const runtime = await this.#connection.runtime();
    return submit(this.#connection, this.#queue, runtime.call('SubtensorModule', call, ...args), signer, until);
  };

  readonly #best = (): Promise<BlockRef> => this.#connection.heads.newest('best');

  head() {
    return attempt(async () => refOf(await this.#best()));
  }
  finalizedHead() {
    return attempt(async () => refOf(await this.#connection.heads.newest('finalized')));
  }
  blockHash(number: number) {
    return attempt(() => this.#hashOf(number));
  }
  async #hashOf(number: number): Promise<Uint8Array> {
    const hash = bytesOfHex(await this.#connection.socket.send('chain_getBlockHash', [number]), 32);
    return hash ?? refuse(plainFailure('block-unknown', `the node has no block ${number}`));
  }
  finalizedHeads(options?: { readonly after?: number; readonly signal?: AbortSignal }): AsyncIterable<BlockRef> {
    return followHeads(this.#connection.heads, this.#connection.clock, options);
  }

  metagraph(netuid: number, options: { readonly at?: BlockRef; readonly source?: 'runtime' | 'storage' } = {}) {
    return attempt(async () => {
      const block = options.at ?? refOf(await this.#connection.heads.newest('finalized'));
      const key = `${netuid} ${hex(block.hash)} ${options.source ?? ''}`;
      const known = this.#metagraphs.get(key);
      if (known) return known;
      const read = readMetagraph(this.#connection, netuid, block, options.source);
      this.#metagraphs.set(key, read);
      // What failed is asked again.
      read.catch(() => this.#metagraphs.delete(key));
      const [oldest] = this.#metagraphs.keys();
      if (oldest !== undefined && this.#metagraphs.size > KEPT_METAGRAPHS) this.#metagraphs.delete(oldest);
      return read;
    });
  }
  rules(netuid: number) {
    return attempt(async () => readRules(this.#connection, netuid, await this.#best()));
  }
  newNeurons(netuid: number, block: BlockRef) {
    const parent = () => this.#hashOf(block.number - 1);
    return attempt(() => readNewNeurons(this.#connection, netuid, block, parent));
  }
  registration(netuid: number, hotkey: Parameters<Chain['registration']>[1]) {
    return attempt(async () => readRegistration(this.#connection, netuid, hotkey, await this.#best()));
  }

  registrationOffer(netuid: number) {
    return attempt(async () => readOffer(this.#connection, netuid, refOf(await this.#best())));
  }
  register(request: Parameters<Chain['register']>[0]) {
    return attempt(() => register(this.#connection, this.#send, request));
  }
  serveAxon(...[netuid, hotkey, claim]: Parameters<Chain['serveAxon']>) {
    return attempt(() => serveAxon(this.#connection, this.#send, netuid, hotkey, claim));
  }
  balance(address: string) {
    return attempt(async () => readBalance(this.#connection, address, await this.#best()));
  }

  setWeights(request: Parameters<Chain['setWeights']>[0]) {
    return attempt(() => setWeights(this.#weights, request));
  }
  revealWeights(...[netuid, signer]: Parameters<Chain['revealWeights']>) {
    return attempt(() => revealWeights(this.#weights, netuid, signer));
  }

  async close(): Promise<void> {
    await this.#runtimes.close();
    this.#connection.socket.close();
  }
}

const refOf = ({ number, hash }: BlockRef): BlockRef => ({ number, hash });

const columnsOf = (weights: Parameters<WeightPorts['setWeights']>[1]): readonly [number[], number[]] => [
  weights.map(({ uid }) => uid),
  weights.map(({ value }) => value),
];
