/**
 * A whole network in one process for stepping through every point of a change: the edge's real flows and engines, the
 * real index adapter over the gateway's embedded engine, the validator's real jobs, miners in memory. Time
 * stands still but for `advance` and for sleeps, which take a fiftieth of their time; what waits for miners runs on
 * real time, where only a defect makes it wait.
 */
import { randomUUID } from 'node:crypto';
import { retrieveFile } from '#edge/flows/retrieve-file.ts';
import { storeFile } from '#edge/flows/store-file.ts';
import type { Upload } from '#edge/flows/upload.ts';
import { Admission } from '#edge/network/admission.ts';
import { nodeSha256, webSha256 } from '#edge/network/digests.ts';
import { maskSecretsOf } from '#edge/network/mask-secrets.ts';
import { type DirectoryCache, minerNetwork } from '#edge/network/miner-network.ts';
import type { EdgePorts } from '#edge/ports.ts';
import { pieceSource } from '#edge/testing/sources.ts';
import { loadNodeKernel } from '#shared/codec/node-kernel.ts';
import type { FileChange, FileRecord } from '#shared/index/ports.ts';
import { createIndex, type Index } from '#shared/index/redis-index.ts';
import { concatBytes } from '#shared/primitives/bytes.ts';
import { type Clock, silentLog, systemClock, systemRandom } from '#shared/primitives/effects.ts';
import { type Cid, hotkeyOf, type MinerNumber, newOwnerId, type OwnerId } from '#shared/primitives/ids.ts';
import { loadNodeZkKernel } from '#shared/proof/zk/node-zk-kernel.ts';
import { createFakeMiners, type FakeMiners } from '#shared/testing/fake-miners.ts';
import { PATIENT_PACE } from '#shared/testing/transfer-world.ts';
import { createBudget } from '#shared/transfer/budget.ts';
import { fetchSegments } from '#shared/transfer/fetch-segments.ts';
import { createLatencies } from '#shared/transfer/latencies.ts';
import { storeSegments } from '#shared/transfer/store-segments.ts';
import type { MinerClient, MinerPeer } from '#shared/wire/ports.ts';
import { collect } from '#validator/flows/collect.ts';
import { dropDeleted } from '#validator/flows/drop-deleted.ts';
import { dropStrays } from '#validator/flows/drop-strays.ts';
import { expireFiles, expireUploads } from '#validator/flows/expire.ts';
import type { IndexMark, TenantPorts } from '#validator/ports.ts';
import { openMemoryDatabase } from '#validator/state/database.ts';
import { createInventories } from '#validator/state/inventories.ts';
import { OWED_SCHEMA } from '#validator/state/owed-rows.ts';
import type { EffectGate } from './effect-gate.ts';
import { FaultyStore } from './faulty-engine.ts';
import { faultyMiners } from './faulty-miners.ts';
import { openDoors } from './index-door.ts';
import { dumpIndex } from './index-dump.ts';
import type { Seen } from './invariants.ts';

const HOUR_MS = 3_600_000;
/** Longer than any change takes, and short, because every two minutes that pass are a set for the tenant to look at. */
const SESSION_MS = 120_000;
const HOLD_MS = 120_000;
/** Sleeps on the standing clock take this part of their time: a lease outlives the work that is done under it. */
const SLEEP_SHARE = 1 / 50;
const SETTINGS = {
  ...{ tenant: hotkeyOf(new Uint8Array(32).fill(8)), genesisHash: new Uint8Array(32), netuid: 21 },
  ...{
    maskSecrets: [{ epoch: 3, secret: new Uint8Array(32).fill(9) }],
    corsOrigins: [],
    publicReads: false,
    openAccounts: false,
  },
  ...{ maxFileBytes: 2 ** 30, sessionMs: SESSION_MS, uploadSessionMs: SESSION_MS, collectGraceMs: HOLD_MS },
};
const kernel = loadNodeKernel();
const { signal } = new AbortController();

/** One Worker, and what its routes do with the flows. Rejects where a route would answer that the index is gone. */
export class Worker {
  readonly ports: EdgePorts;

  constructor(ports: EdgePorts) {
    this.ports = ports;
  }

  /** Stores bytes as a request would; what it was answered, undefined when the answer was no success. */
  async store(owner: OwnerId, bytes: Uint8Array, options: Partial<Upload> = {}): Promise<FileRecord | undefined> {
    const upload: Upload = {
      owner,
      source: pieceSource(bytes),
      expectedBytes: bytes.length,
      expiresAtMs: 0,
      signal,
      ...options,
    };
    const stored = await storeFile(this.ports, upload);
    return stored.ok ? stored.value.file : undefined;
  }

  /** True when the file was there and the answer came. */
  async remove(owner: OwnerId, cid: Cid): Promise<boolean> {
    const file = await this.ports.files.findFile(cid, owner);
    return file !== undefined && (await this.ports.files.deleteFile(file, 'deleted'));
  }

  async change(owner: OwnerId, cid: Cid, change: FileChange): Promise<FileRecord | undefined> {
    const file = await this.ports.files.findFile(cid, owner);
    return file && (await this.ports.files.changeFile(file, change));
  }
}

export class World {
  readonly owner: OwnerId = newOwnerId(systemRandom);
  readonly clock: Clock;
  readonly miners: FakeMiners;
  readonly #store: FaultyStore;
  readonly #closeDoors: () => void;
  readonly #background = new Set<Promise<unknown>>();
  /** A name of this world's own. */
  readonly #zone = randomUUID();
  #sound: Index | undefined;
  #mark: IndexMark | undefined;
  #nowMs: number = Date.now();

  private constructor(miners: number) {
    this.clock = {
      nowMs: () => this.#nowMs,
      sleep: async (ms, aborted) => {
        await systemClock.sleep(ms * SLEEP_SHARE, aborted);
        this.#nowMs += ms;
      },
    };
    this.#store = new FaultyStore(`file:${this.#zone}?mode=memory&cache=shared`, () => this.#nowMs);
    this.miners = createFakeMiners({ count: miners, kernel });
    const { sound, faulty } = this.#store;
    this.#closeDoors = openDoors(this.#zone, {
      tenant: { engine: sound, role: 'tenant' },
      edge: { engine: sound, role: 'edge' },
      'faulty-tenant': { engine: faulty, role: 'tenant' },
      'faulty-edge': { engine: faulty, role: 'edge' },
    });
  }

  static async open(miners: number): Promise<World> {
    const world = new World(miners);
    const { directory } = world.tenant();
    await directory.numberOf(world.miners.peers.map((peer) => peer.hotkey));
    await world.index.files.identity();
    const entries = world.miners.peers.map(({ number, hotkey, freeBytes }) => ({
      ...{ number, hotkey, coldkey: hotkey, freeBytes, capacityBytes: 2 ** 41, accepting: true },
      address: { ip: '127.0.0.1', port: 9000 + number },
    }));
    await directory.publish({ takenAtMs: world.#nowMs, miners: entries });
    return world;
  }

  /** The index as the tenant sees it, without faults. */
  get index(): Index {
    this.#sound ??= this.#connect('tenant');
    return this.#sound;
  }
  #connect(door: string): Index {
    return createIndex({ url: `http://${door}.${this.#zone}.invalid`, token: 'of-a-test', clock: this.clock });
  }

  advance(ms: number): void {
    this.#nowMs += ms;
  }

  /** A Worker whose effects pass the gate; only one such at a time. Without a gate nothing happens to it. */
  worker(gate?: EffectGate): Worker {
    if (gate) this.#store.gate = gate;
    const { clock } = this;
    const index = this.#connect(gate ? 'faulty-edge' : 'edge');
    const { client } = this.miners;
    const numbers = new Map(this.miners.peers.map(({ hotkey, number }) => [hotkey, number]));
    const numberOf = ({ hotkey }: MinerPeer) => numbers.get(hotkey) as MinerNumber;
    const miners: MinerClient = gate ? faultyMiners(client, gate, numberOf) : client;
    const cache: DirectoryCache = {};
    const ports: EdgePorts = {
      settings: SETTINGS,
      maskSecrets: maskSecretsOf(SETTINGS, index.files, new Set(), silentLog),
      hotkey: hotkeyOf(new Uint8Array(32).fill(7)),
      files: index.files,
      uploads: index.uploads,
      access: index.access,
      history: index.history,
      network: minerNetwork(index.miners, ({ port }) => `http://miner-${port - 9001}.invalid`, cache, clock),
      grants: {
        signed: async () => new Uint8Array(1),
        state: async () => ({ state: 'valid', untilMs: clock.nowMs() + HOUR_MS }),
      },
      transfer: {
        ...{
          kernel,
          zkKernel: loadNodeZkKernel,
          miners,
          clock: systemClock,
          random: systemRandom,
          log: silentLog,
          sha256: webSha256,
        },
        ...{ latencies: createLatencies(systemClock), pace: PATIENT_PACE },
      },
      ...{ storeSegments, fetchSegments, newSha256: nodeSha256, admission: new Admission(), newBudget: createBudget },
      ...{ clock, random: systemRandom, log: silentLog },
      background: (work) => {
        this.#background.add(work);
        void work.catch(() => undefined).finally(() => this.#background.delete(work));
      },
    };
    return new Worker(ports);
  }

  /** Nothing that a Worker left running behind its answers is under way any more. */
  async settled(): Promise<void> {
    while (this.#background.size > 0) await Promise.allSettled(this.#background);
  }

  readonly #inventories = createInventories(openMemoryDatabase([OWED_SCHEMA]));

  /** The tenant's ports; with a gate its requests meet faults as a Worker's do. */
  tenant(gate?: EffectGate): TenantPorts {
    if (gate) this.#store.gate = gate;
    const index = gate ? this.#connect('faulty-tenant') : this.index;
    const { miners } = this;
    const numberOf = new Map(miners.peers.map(({ hotkey, number }) => [hotkey, number]));
    return {
      files: index.files,
      directory: index.miners,
      access: index.access,
      miners: gate
        ? faultyMiners(miners.client, gate, ({ hotkey }) => numberOf.get(hotkey) as MinerNumber)
        : miners.client,
      registrations: {
        read: async () =>
          miners.peers.map(({ hotkey, number }) => ({
            ...{ hotkey, coldkey: hotkey, address: { ip: '127.0.0.1', port: 9000 + number } },
          })),
      },
      indexMarks: {
        read: async () => this.#mark,
        write: async (mark) => {
          this.#mark = mark;
        },
      },
      inventories: this.#inventories,
      minerUrl: ({ port }) => `http://miner-${port - 9001}.invalid`,
      signer: {
        hotkey: hotkeyOf(new Uint8Array(32).fill(8)),
        publicKey: new Uint8Array(32),
        sign: () => new Uint8Array(64),
      },
      network: { genesis: new Uint8Array(32), netuid: 21 },
      ...{ clock: this.clock, log: silentLog },
    };
  }

  /** The tenant's jobs, once each, at a time when every session and hold is over. */
  async runJobs(ports: TenantPorts = this.tenant()): Promise<void> {
    await expireUploads(ports, signal);
    await expireFiles(ports, signal);
    await dropDeleted(ports, signal);
    await dropStrays(ports, signal);
    const report = await collect(ports, new Map(), { graceMs: HOLD_MS, limit: { fraction: 1, shards: 1e6 } }, signal);
    if (report.refused) throw new Error(`collection stopped: ${report.refused}`);
  }

  /** Puts the clock past every session, hold and lease of before. */
  passAllHolds(): void {
    this.advance(SESSION_MS + 2 * HOLD_MS);
  }

  /** What the invariants are checked on. */
  get seen(): Seen {
    return {
      files: this.index.files,
      owner: this.owner,
      retrieve: (file) => this.#retrieve(file),
      dump: () => dumpIndex(this.#store.database, this.#nowMs),
      held: async () =>
        this.miners.miners.flatMap(({ peer, held }) =>
          [...held.keys()].map((anchorId) => ({ miner: peer.number, anchorId })),
        ),
    };
  }

  async #retrieve(file: FileRecord): Promise<Uint8Array> {
    const { ports } = this.worker();
    const found = await retrieveFile(ports, { file, from: 0, to: file.bytes, signal });
    if (!found.ok) throw new Error(`file ${file.number}: ${found.failure.code} ${found.failure.message}`);
    const pieces: Uint8Array[] = [];
    const failed = await found.value.deliver(async (piece) => void pieces.push(piece.slice()));
    if (failed) throw new Error(`file ${file.number}: ${failed.code} ${failed.message}`);
    return concatBytes(...pieces);
  }

  /** Forgets every file, and what was held for it; numbers, miners and the directory stay. */
  reset(): void {
    this.#store.gate = undefined;
    for (const miner of this.miners.miners) {
      miner.held.clear();
      miner.fault = 'none';
    }
    this.#store.forgetFiles();
  }

  async close(): Promise<void> {
    this.#closeDoors();
    await this.#store.close();
  }
}
