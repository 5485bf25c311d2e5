/**
 * A whole network on loopback, of real processes: a chain, miners, and for each tenant an index, the tenant's process
 * and an edge under `wrangler dev`. Used by `npm start` and by the tests of the whole network; both get the same thing.
 */
import { rmSync } from 'node:fs';
import { systemRandom } from '#shared/primitives/effects.ts';
import { loadSr25519 } from '#shared/wire/node-sr25519.ts';
import type { Child } from './child.ts';
import { type AnnouncedMiner, LocalChainRun } from './local-chain-run.ts';
import { choosePorts, createFleet, type LocalMiner, notePorts } from './miner-fleet.ts';
import { isPortFree } from './ports.ts';
import { loadSecrets, type Secrets } from './secrets.ts';
import { StartRefused, StateFolder } from './state-folder.ts';
import type { Supervision } from './supervised.ts';
import { Tenancy } from './tenancy.ts';
import { keyOf, writeWallet } from './throw-away-wallet.ts';
import { LOCAL_TIMES, type NetworkTimes } from './times.ts';

export interface NetworkOptions {
  readonly stateDir: string;
  /** Of the first tenant's edge; 0 takes any. */
  readonly edgePort: number;
  readonly miners: number;
  readonly tenants?: number;
  readonly times?: Partial<NetworkTimes>;
  /** Of the chain's subnet, where it differs: read at the first start of a folder. */
  readonly hyperparameters?: Readonly<Record<string, number | boolean>>;
  /** Breaks a start off: what runs is ended, and the start rejects. */
  readonly signal?: AbortSignal;
  /** A line for whoever watches: what died, what is back. */
  readonly say?: (line: string) => void;
  /** A part is up, after so long. */
  readonly onProgress?: (part: string, ms: number) => void;
  /** Starts programs some other way than from this folder. */
  readonly launch?: Supervision['launch'];
}

const NETWORK_FILE = 'network.json';

export class LocalNetwork {
  readonly state: StateFolder;
  readonly secrets: Secrets;
  readonly chain: LocalChainRun;
  /** A wallet with TAO that nobody uses: for a person, or a test, to try things with. */
  readonly purse: Omit<AnnouncedMiner, 'port'>;
  readonly miners: readonly LocalMiner[];
  readonly tenancies: readonly Tenancy[];
  readonly #options: NetworkOptions;
  readonly #children = new Set<Child>();
  #up = false;
  #stopped: Promise<void> | undefined;

  private constructor(
    state: StateFolder,
    secrets: Secrets,
    options: NetworkOptions,
    sr25519: Awaited<ReturnType<typeof loadSr25519>>,
  ) {
    this.state = state;
    this.secrets = secrets;
    this.#options = options;
    const times = { ...LOCAL_TIMES, ...options.times };
    const supervision = {
      onSpawn: (child: Child) => {
        this.#record(() => this.#children.add(child));
        if (options.signal?.aborted) void child.stop(0);
      },
      onEnd: (child: Child) => this.#record(() => this.#children.delete(child)),
      onRestart: () => this.#up && this.#describe(),
      say: (line: string) => options.say?.(line),
      ...(options.launch && { launch: options.launch }),
    };
    this.chain = new LocalChainRun(state, secrets, times.blockMs, supervision);
    const chainUrl = () => this.chain.url;
    this.tenancies = secrets.tenancies.slice(0, options.tenants ?? 1).map((of, index) => {
      const prefix = index === 0 ? '' : `tenant-${index + 1}-`;
      const edgePort = index === 0 ? options.edgePort : 0;
      return new Tenancy({
        state,
        prefix,
        network: secrets,
        secrets: of,
        sr25519,
        times,
        edgePort,
        chainUrl,
        supervision,
      });
    });
    const fleet = { ...secrets, miners: secrets.miners.slice(0, options.miners) };
    const onRestart = (miner: LocalMiner) => this.#movedTo(miner);
    const chain = { url: chainUrl, everyMs: times.minerChainMs };
    const settings = { tenants: undefined, chain, restoreMs: times.restoreMs, onRestart };
    this.miners = createFleet(state, fleet, sr25519, settings, supervision);
    const { purseSeed } = secrets;
    const purse = keyOf(sr25519, purseSeed);
    const keys = { coldkeySeed: purseSeed, coldkey: purse, hotkeySeed: purseSeed, hotkey: purse };
    this.purse = { hotkey: purse, ...writeWallet(state, 'purse', keys) };
  }

  /** Brings everything up, or nothing: what was started is ended again before it rejects. */
  static async start(options: NetworkOptions): Promise<LocalNetwork> {
    if (options.edgePort !== 0 && !(await isPortFree(options.edgePort))) {
      throw new StartRefused(`port ${options.edgePort} is taken: choose another one with FILETAO_EDGE_PORT`);
    }
    const state = StateFolder.open(options.stateDir);
    try {
      const leftovers = await state.endLeftovers();
      if (leftovers.length > 0) options.say?.(`ended what an earlier start had left running: ${leftovers.join(', ')}`);
      state.remove(NETWORK_FILE);
      for (const folder of ['keys', 'logs', 'miners']) state.folder(folder);
      const counts = { miners: options.miners, tenants: options.tenants ?? 1 };
      const sr25519 = await loadSr25519();
      const secrets = loadSecrets(state, counts, systemRandom, (seed) => keyOf(sr25519, seed), options.hyperparameters);
      const network = new LocalNetwork(state, secrets, options, sr25519);
      const breakOff = () => void network.stop();
      options.signal?.addEventListener('abort', breakOff);
      try {
        await network.#bringUp();
        options.signal?.throwIfAborted();
      } catch (error) {
        await network.stop();
        throw error;
      } finally {
        options.signal?.removeEventListener('abort', breakOff);
      }
      return network;
    } catch (error) {
      state.close();
      throw error;
    }
  }

  get edgeUrl(): string {
    return this.#first.edgeUrl;
  }
  get apiKey(): string {
    return this.#first.apiKey;
  }
  get #first(): Tenancy {
    return this.tenancies[0] as Tenancy;
  }

  async #bringUp(): Promise<void> {
    const timed = async (part: string, work: Promise<unknown>) => {
      const sinceMs = performance.now();
      await work;
      this.#options.onProgress?.(part, performance.now() - sinceMs);
    };
    const all = (start: (tenancy: Tenancy) => Promise<unknown>) => Promise.all(this.tenancies.map(start));
    await everyOne([
      all((tenancy) => tenancy.choosePorts()),
      this.chain.choosePort(),
      choosePorts(this.state, this.miners),
    ]);
    const edge = timed(
      'edge',
      all((tenancy) => tenancy.edge.up()),
    );
    const index = timed(
      'index',
      all((tenancy) => tenancy.index.up()),
    );
    const chain = timed('chain', this.chain.run.up());
    // What has to wait for blocks goes first; the processors are busy either way.
    const chosen = new Map(this.miners.map((miner) => [miner, miner.port]));
    const announced = chain.then(() => timed('axons', this.chain.announce(this.miners)));
    const miners = chain.then(() =>
      timed(`${this.miners.length} miners`, everyOne(this.miners.map((miner) => miner.run.up()))),
    );
    const tenant = everyOne([index, chain]).then(() =>
      timed(
        'tenant',
        all((tenancy) => this.#openTenancy(tenancy)),
      ),
    );
    // A port that somebody took between choosing and listening.
    const moved = everyOne([announced, miners]).then(() => {
      const elsewhere = this.miners.filter((miner) => chosen.get(miner) !== miner.port);
      if (elsewhere.length === 0) return;
      notePorts(this.state, this.miners);
      return this.chain.announce(elsewhere);
    });
    // Everything is awaited even when one part fails: none may come up after the rest was ended.
    await everyOne([chain, announced, moved, index, miners, edge, tenant]);
    this.#up = true;
    this.#describe();
  }

  /** Its person's key, its process, and the directory and grant that the process writes. */
  async #openTenancy(tenancy: Tenancy): Promise<void> {
    await everyOne([tenancy.registerApiKey(), tenancy.tenant.up()]);
    await tenancy.ready(this.miners.length);
  }

  /** A miner that came back on another port says so on the chain. */
  #movedTo(miner: LocalMiner): void {
    notePorts(this.state, this.miners);
    this.chain.announce([miner]).catch((error: unknown) => this.#options.say?.(`not announced: ${error}`));
  }

  /** `network.json`, for programs: where everything is, once everything is up. */
  #describe(): void {
    const { edgeUrl, apiKey, indexUrl, indexToken, hotkey, tenant } = this.#first;
    const description = {
      edge: { url: edgeUrl, apiKey },
      index: { url: indexUrl, token: indexToken },
      miners: this.miners.flatMap(({ hotkey, run, folder }) =>
        run.isUp ? [{ hotkey, pid: run.child.pid, url: run.child.ready.url, folder }] : [],
      ),
      chain: { url: this.chain.url, netuid: this.secrets.netuid, genesisHash: this.secrets.genesisHash },
      validator: { hotkey, pid: tenant.isUp ? tenant.child.pid : undefined },
    };
    this.state.write(NETWORK_FILE, `${JSON.stringify(description, undefined, 2)}\n`);
  }

  #record(change: () => void): void {
    change();
    this.state.recordChildren([...this.#children].map(({ name, identity }) => ({ name, ...identity })));
  }

  /** Ends every process; what it stored stays. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async #stop(): Promise<void> {
    this.#up = false;
    const parts = this.tenancies.flatMap(({ edge, tenant, index }) => [edge, tenant, index]).concat(this.chain.run);
    await everyOne([...parts, ...this.miners.map((miner) => miner.run)].map((part) => part.down()));
    // What was still coming up when it was told to end.
    await Promise.all([...this.#children].map((child) => child.stop(0)));
    this.state.remove(NETWORK_FILE);
    this.state.close();
  }

  /** For tests: ends everything and forgets that it was. */
  async destroy(): Promise<void> {
    await this.stop();
    rmSync(this.state.path, { recursive: true, force: true });
  }
}

/** Waits for all, then rejects with the first that failed: nothing is left under way. */
async function everyOne(work: readonly Promise<unknown>[]): Promise<void> {
  const outcomes = await Promise.allSettled(work);
  const failed = outcomes.find((outcome) => outcome.status === 'rejected');
  if (failed) throw failed.reason;
}
