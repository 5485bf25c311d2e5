/**
 * The chain of a local network: its process, and the announcing of its miners, by a process that ends when it is done.
 * Where every miner is registered and announced already, as at a second start, none is started.
 */
import { createRawRpc } from '#shared/chain/raw/raw-rpc.ts';
import { readNeuron } from '#shared/chain/raw/read-neuron.ts';
import { AXON_VERSION } from '#shared/chain/register-and-serve.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';
import { Child } from './child.ts';
import { TEMPO } from './genesis.ts';
import { freePort } from './ports.ts';
import { announceProgram, chainProgram, type Listening } from './programs.ts';
import { GENESIS_FILE, type Secrets } from './secrets.ts';
import type { StateFolder } from './state-folder.ts';
import { Supervised, type Supervision } from './supervised.ts';

/** A thousand TAO: on a chain of one's own the price only has to be paid. */
const BURN_AT_MOST_RAO = 1_000_000_000_000n;

export interface AnnouncedMiner {
  readonly hotkey: Hotkey;
  readonly hotkeyFile: string;
  readonly coldkeyFile: string;
  readonly port: number;
}

export class LocalChainRun {
  readonly run: Supervised<Listening>;
  readonly #state: StateFolder;
  readonly #netuid: number;
  readonly #blockMs: number;
  readonly #supervision: Supervision;
  #port = 0;
  /** One announcement after another: two of one miner would get in each other's way. */
  #turn: Promise<unknown> = Promise.resolve();

  constructor(state: StateFolder, { netuid }: Pick<Secrets, 'netuid'>, blockMs: number, supervision: Supervision) {
    this.#blockMs = blockMs;
    this.#state = state;
    this.#netuid = netuid;
    this.#supervision = supervision;
    this.run = new Supervised(async () => this.#spec(), supervision);
  }

  /** Chosen before anything starts, and kept: everybody is told where the chain will be. */
  async choosePort(): Promise<void> {
    this.#port = await freePort(0);
  }

  get url(): string {
    return `ws://127.0.0.1:${this.#port}`;
  }

  #spec() {
    return chainProgram({
      dataDir: this.#state.folder('chain'),
      port: this.#port,
      netuid: this.#netuid,
      tempo: TEMPO,
      blockMs: this.#blockMs,
      genesisFile: this.#state.file(GENESIS_FILE),
      logFile: this.#state.file('logs', 'chain.log'),
    });
  }

  /** Resolves when all of them are registered and serve on the chain. */
  announce(miners: readonly AnnouncedMiner[]): Promise<void> {
    const next = this.#turn.catch(() => undefined).then(() => this.#announce(miners));
    this.#turn = next;
    return next;
  }

  async #announce(miners: readonly AnnouncedMiner[]): Promise<void> {
    const rpc = createRawRpc({ endpoint: this.url, fetch });
    const seen = await Promise.all(miners.map(({ hotkey }) => readNeuron(rpc, this.#netuid, hotkey)));
    const rest = miners.filter((miner, i) => {
      const neuron = seen[i]?.ok ? seen[i].value : undefined;
      return neuron?.axon?.ip !== '127.0.0.1' || neuron.axon.port !== miner.port;
    });
    if (rest.length === 0) return;
    const plan = {
      endpoint: this.url,
      netuid: this.#netuid,
      version: AXON_VERSION,
      burnAtMostRao: String(BURN_AT_MOST_RAO),
      miners: rest.map(({ hotkeyFile, coldkeyFile, port }) => ({ hotkeyFile, coldkeyFile, ip: '127.0.0.1', port })),
    };
    const planFile = this.#state.write('keys/announce.json', `${JSON.stringify(plan, undefined, 2)}\n`);
    const { onSpawn, onEnd } = this.#supervision;
    const child = await Child.start(
      announceProgram(planFile, this.#state.file('logs', 'announce.log')),
      (spawned: Child) => {
        onSpawn(spawned);
        void spawned.ended.then(() => onEnd(spawned));
      },
    );
    await child.ended;
  }
}
