/**
 * One tenant's part of a local network: its index, its own process, its edge. A second tenant on the same miners is a
 * second one of these; it shares nothing with the first but the miners.
 */
import { createIndex } from '#shared/index/redis-index.ts';
import { apiKeyHash } from '#shared/primitives/api-key.ts';
import { systemClock } from '#shared/primitives/effects.ts';
import type { Hotkey, OwnerId } from '#shared/primitives/ids.ts';
import type { Sr25519 } from '#shared/primitives/signer.ts';
import { TEMPO } from './genesis.ts';
import { freePort } from './ports.ts';
import { edgeProgram, indexProgram, type Listening, tenantProgram } from './programs.ts';
import type { Secrets, TenancySecrets } from './secrets.ts';
import { StartRefused, type StateFolder } from './state-folder.ts';
import { Supervised, type Supervision } from './supervised.ts';
import { keyOf, writeWallet } from './throw-away-wallet.ts';
import type { NetworkTimes } from './times.ts';

/** Until the tenant has proven, asked and published every miner. */
const DIRECTORY_MS = 60_000;

export interface TenancySetup {
  readonly state: StateFolder;
  /** Begins the names of its files and folders; empty for the first tenant. */
  readonly prefix: string;
  readonly network: Pick<Secrets, 'genesisHash' | 'netuid'>;
  readonly secrets: TenancySecrets;
  readonly sr25519: Sr25519;
  readonly times: NetworkTimes;
  /** 0 takes any. */
  readonly edgePort: number;
  readonly chainUrl: () => string;
  readonly supervision: Supervision;
}

export class Tenancy {
  readonly hotkey: Hotkey;
  readonly edgeHotkey: Hotkey;
  readonly apiKey: string;
  readonly index: Supervised<Listening>;
  readonly tenant: Supervised<true>;
  readonly edge: Supervised<Listening>;
  readonly #setup: TenancySetup;
  #indexPort = 0;
  #edgePort: number;

  constructor(setup: TenancySetup) {
    const { sr25519, secrets, supervision, edgePort } = setup;
    this.#setup = setup;
    this.#edgePort = edgePort;
    this.hotkey = keyOf(sr25519, secrets.tenantSeed);
    this.edgeHotkey = keyOf(sr25519, secrets.edgeSeed);
    this.apiKey = secrets.apiKey;
    this.index = new Supervised(() => this.#indexSpec(), supervision);
    this.tenant = new Supervised(() => this.#tenantSpec(), supervision);
    this.edge = new Supervised(() => this.#edgeSpec(), supervision);
  }

  get indexUrl(): string {
    return `http://127.0.0.1:${this.#indexPort}`;
  }
  get indexToken(): string {
    return this.#setup.secrets.indexToken;
  }
  get edgeUrl(): string {
    return `http://127.0.0.1:${this.#edgePort}`;
  }

  #file(kind: string, name: string): string {
    const { state, prefix } = this.#setup;
    state.folder(kind);
    return state.file(kind, `${prefix}${name}`);
  }
  #write(kind: string, name: string, text: string): string {
    const { state, prefix } = this.#setup;
    state.folder(kind);
    return state.write(`${kind}/${prefix}${name}`, text);
  }

  /** Chosen before anything starts, and kept: the edge and the tenant are told where the index will be. */
  async choosePorts(): Promise<void> {
    this.#indexPort = await freePort(0);
    if (this.#edgePort === 0) this.#edgePort = await freePort(0);
  }

  async #indexSpec() {
    const { secrets, state, prefix } = this.#setup;
    return indexProgram({
      name: `${prefix}index`,
      dataDir: state.folder(`${prefix}index`),
      port: this.#indexPort,
      tokenFile: this.#write('keys', 'index-token', secrets.indexToken),
      edgeTokenFile: this.#write('keys', 'index-edge-token', secrets.indexEdgeToken),
      logFile: this.#file('logs', 'index.log'),
    });
  }

  async #tenantSpec() {
    const { secrets, state, prefix, network, times, sr25519 } = this.#setup;
    const { tenantSeed: hotkeySeed, tenantColdkeySeed: coldkeySeed } = secrets;
    const coldkey = keyOf(sr25519, coldkeySeed);
    const keys = { hotkeySeed, hotkey: this.hotkey, coldkeySeed, coldkey };
    const wallet = writeWallet(state, `${prefix}validator`, keys);
    const config = {
      genesisHash: network.genesisHash,
      netuid: network.netuid,
      keyFile: wallet.hotkeyFile,
      dataDir: state.folder(`${prefix}validator`),
      chain: { network: this.#setup.chainUrl(), refreshBlocks: 1 },
      loopbackMiners: true,
      index: { url: this.indexUrl, token: secrets.indexToken },
      edges: [this.edgeHotkey],
      everyMs: {
        publish: times.publishMs,
        grant: times.jobMs,
        expire: times.jobMs,
        dropDeleted: times.jobMs,
        dropStrays: times.jobMs,
        collect: times.collectMs,
        closeWindow: times.blockJobMs,
        setWeights: times.blockJobMs,
        describe: times.jobMs,
        monitor: times.monitorMs,
        repair: times.jobMs,
        survey: times.jobMs,
        receipts: times.jobMs,
        challenge: times.blockJobMs,
        sweep: times.sweepMs,
        syntheticStore: times.blockJobMs,
        retrieve: times.blockJobMs,
      },
      audit: { roundBlocks: times.roundBlocks },
      synthetic: {
        ...{ miners: 4, everyBlocks: times.syntheticBlocks, bytesPerDay: times.syntheticBytesPerDay },
        lifeBlocks: 10 * TEMPO,
      },
      retrieve: { everyBlocks: times.retrieveBlocks, edges: [{ hotkey: this.edgeHotkey, url: this.edgeUrl }] },
      windowBlocks: times.windowBlocks,
      metrics: { port: 0 },
      snapshotMs: times.snapshotMs,
      collect: { graceMs: times.collectGraceMs },
      maskSecretsFile: this.#write('keys', 'mask-secrets', `0:${secrets.maskSecret}\n`),
      probeDroppedMs: times.jobMs,
      repair: { delayMs: times.repairDelayMs, retryMs: times.jobMs, holdMs: times.sessionMs + times.holdMs },
    };
    return tenantProgram({
      name: `${prefix}tenant`,
      configFile: this.#write('keys', 'validator.json', `${JSON.stringify(config, undefined, 2)}\n`),
      logFile: this.#file('logs', 'tenant.log'),
    });
  }

  async #edgeSpec() {
    const { secrets, state, prefix, network, times } = this.#setup;
    const settings = {
      UPSTASH_REDIS_REST_URL: this.indexUrl,
      UPSTASH_REDIS_REST_TOKEN: secrets.indexEdgeToken,
      EDGE_HOTKEY_SEED: secrets.edgeSeed,
      TENANT_HOTKEY: this.hotkey,
      GENESIS_HASH: network.genesisHash,
      NETUID: String(network.netuid),
      MASK_SECRETS: `0:${secrets.maskSecret}`,
      MINER_URL_PATTERN: 'http://{ip}:{port}',
      CORS_ORIGINS: '*',
      OPEN_ACCOUNTS: 'true',
      SESSION_MS: String(times.sessionMs),
      UPLOAD_SESSION_MS: String(times.uploadSessionMs),
      COLLECT_GRACE_MS: String(times.holdMs),
    };
    const lines = Object.entries(settings).map(([name, value]) => `${name}="${value}"\n`);
    return edgeProgram({
      name: `${prefix}edge`,
      port: this.#edgePort,
      envFile: this.#write('keys', 'edge.env', lines.join('')),
      workDir: state.folder(`${prefix}worker`),
      logFile: this.#file('logs', 'edge.log'),
    });
  }

  /** Has its person's key in the index; the same at every start. */
  async registerApiKey(): Promise<void> {
    const { owner, apiKey, apiKeyId } = this.#setup.secrets;
    const hash = apiKeyHash(apiKey);
    const { access } = this.#openIndex();
    if (await access.findKey(hash)) return;
    const createdAtMs = systemClock.nowMs();
    await access.addKey({ keyId: apiKeyId, owner: owner as OwnerId, label: 'local', createdAtMs }, hash);
  }

  /** Resolves when edges have a grant and so many miners to place on. */
  async ready(miners: number): Promise<void> {
    const { miners: directory, access } = this.#openIndex();
    const deadline = Date.now() + DIRECTORY_MS;
    for (;;) {
      const [{ miners: listed }, grant] = await Promise.all([directory.read(), access.readGrant(this.edgeHotkey)]);
      const accepting = listed.filter((miner) => miner.accepting).length;
      if (accepting >= miners && grant) return;
      if (Date.now() > deadline) {
        const what = grant ? `${accepting} of ${miners} miners are ready` : 'the edge has no grant';
        throw new StartRefused(`after ${DIRECTORY_MS / 1000} s ${what}: see ${this.#file('logs', 'tenant.log')}`);
      }
      await systemClock.sleep(50);
    }
  }

  #openIndex() {
    return createIndex({ url: this.indexUrl, token: this.#setup.secrets.indexToken, clock: systemClock });
  }
}
