/**
 * A real miner for tests and benchmarks: own folder, own key, two tenants, an edge with grants, listening on loopback;
 * and real clients for it. Nothing here is a fake but the seeds of the keys.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadNodeKernel } from '#shared/codec/node-kernel.ts';
import { type Clock, type Log, silentLog, systemClock, systemRandom } from '#shared/primitives/effects.ts';
import type { AnchorId } from '#shared/primitives/ids.ts';
import type { Signer } from '#shared/primitives/signer.ts';
import { anchorIdOf, anchorOf } from '#shared/proof/anchor.ts';
import { encodeGrant, type Grant } from '#shared/proof/grant.ts';
import { signStatement } from '#shared/proof/statement.ts';
import { loadNodeZkKernel } from '#shared/proof/zk/node-zk-kernel.ts';
import { NonceSource } from '#shared/proof/zk/prove-possession.ts';
import { createMinerClient } from '#shared/wire/miner-client.ts';
import { createNodeHttpFetch } from '#shared/wire/node-http-fetch.ts';
import { loadSr25519 } from '#shared/wire/node-sr25519.ts';
import type { MinerClient, MinerPeer, ShardFrame } from '#shared/wire/ports.ts';
import { SecondBudget, STRANGERS_PER_SECOND } from '../admission/caller-load.ts';
import { MAX_ORDER_AGE_MS } from '../flows/carry-out-drop.ts';
import { startMinerServer } from '../server/miner-server.ts';
import { ShardStore, type StoreSettings } from '../store/shard-store.ts';

export const sr25519 = await loadSr25519();
export const kernel = loadNodeKernel();
export const ZK = { zkKernel: loadNodeZkKernel, nonces: new NonceSource(systemRandom) };
export const NETWORK = { genesis: new Uint8Array(32).fill(7), netuid: 21 };

const signerOf = (name: number): Signer => sr25519.signerFromSeed(new Uint8Array(32).fill(name));
export const MINER_SEED = new Uint8Array(32).fill(1);
export const KEYS = {
  miner: signerOf(1),
  tenant: signerOf(2),
  otherTenant: signerOf(3),
  edge: signerOf(4),
  stranger: signerOf(5),
} as const;

export const HOUR_MS = 3_600_000;
const GIB = 2 ** 30;

export const STORE_SETTINGS: Omit<StoreSettings, 'root'> = {
  capacityBytes: 4 * GIB,
  freeFloorBytes: 0,
  holdMs: HOUR_MS,
  orderAgeMs: MAX_ORDER_AGE_MS,
  tenants: [
    { hotkey: KEYS.tenant.hotkey, quotaBytes: 2 * GIB },
    { hotkey: KEYS.otherTenant.hotkey, quotaBytes: 2 * GIB },
  ],
};

/** A clock that a test can set ahead. */
export interface ShiftedClock extends Clock {
  aheadMs: number;
}
export const shiftedClock = (): ShiftedClock => ({
  aheadMs: 0,
  nowMs() {
    return systemClock.nowMs() + this.aheadMs;
  },
  sleep: systemClock.sleep,
});

export interface LoopbackMiner {
  readonly peer: MinerPeer;
  readonly port: number;
  readonly root: string;
  readonly store: ShardStore;
  readonly clock: ShiftedClock;
  /** Ends the server and the store, keeps the folder. */
  stop(graceMs?: number): Promise<void>;
  /** `stop`, and the folder goes. */
  remove(): Promise<void>;
}

export interface LoopbackOptions {
  readonly root?: string;
  readonly settings?: Partial<StoreSettings>;
  readonly log?: Log;
  readonly leaving?: () => boolean;
}

export const makeFolder = (): Promise<string> => mkdtemp(join(tmpdir(), 'filetao-miner-'));

export async function startLoopbackMiner(options: LoopbackOptions = {}): Promise<LoopbackMiner> {
  const root = options.root ?? (await makeFolder());
  const clock = shiftedClock();
  const log = options.log ?? silentLog;
  const settings = { ...STORE_SETTINGS, root, ...options.settings };
  const store = await ShardStore.open({ kernel, ...ZK, signer: KEYS.miner, network: NETWORK, clock, log }, settings);
  const server = await startMinerServer(
    {
      store,
      signer: KEYS.miner,
      verify: sr25519.verify,
      network: NETWORK,
      clock,
      version: 'test',
      address: { ip: 0x7f000001n, port: undefined },
      strangers: new SecondBudget(STRANGERS_PER_SECOND),
      ...(options.leaving && { leaving: options.leaving }),
      isTenant: (hotkey) => settings.tenants.some((tenant) => tenant.hotkey === hotkey),
      log,
    },
    { host: '127.0.0.1', port: 0 },
  );
  let stopped: Promise<void> | undefined;
  const stop = (graceMs = 0) => {
    stopped ??= server.close(graceMs).then(() => store.close());
    return stopped;
  };
  return {
    peer: { hotkey: KEYS.miner.hotkey, url: `http://127.0.0.1:${server.port}` },
    port: server.port,
    root,
    store,
    clock,
    stop,
    remove: async () => {
      await stop();
      await rm(root, { recursive: true, force: true });
    },
  };
}

/** The tenant's grant for the edge, good for an hour, all rights; fields can be changed. */
export function grantOf(changes: Partial<Grant> = {}, signer: Signer = KEYS.tenant): Uint8Array {
  const nowMs = Date.now();
  const grant: Grant = {
    validator: KEYS.tenant.hotkey,
    edge: KEYS.edge.hotkey,
    put: true,
    get: true,
    fromMs: nowMs - 1000,
    untilMs: nowMs + HOUR_MS,
    ...changes,
  };
  return signStatement(signer, encodeGrant(NETWORK, grant));
}

export interface TestClient extends MinerClient {
  close(): void;
}

/** A client with a key: an edge when there is a grant, else the tenant itself. */
export function clientOf(signer: Signer, tenant: Signer, grant?: Uint8Array, clock: Clock = systemClock): TestClient {
  const http = createNodeHttpFetch();
  const client = createMinerClient({
    fetch: http.fetch,
    signer,
    network: NETWORK,
    tenant: tenant.hotkey,
    grant: () => grant,
    clock,
    random: systemRandom,
    verify: sr25519.verify,
  });
  return { ...client, close: http.close };
}

export const anchorIdOfShard = (shard: Uint8Array): AnchorId => anchorIdOf(anchorOf(kernel, shard));

let lastRef = 0n;

/** A frame of random bytes, held for an hour. */
export function randomFrame(bytes: number, changes: Partial<ShardFrame> = {}): ShardFrame {
  const shard = new Uint8Array(bytes);
  for (let at = 0; at < bytes; at += 65_536) crypto.getRandomValues(shard.subarray(at, at + 65_536));
  return {
    anchorId: anchorIdOfShard(shard),
    ref: ++lastRef,
    holdUntilMs: Date.now() + HOUR_MS,
    label: Uint8Array.of(1, 2, 3),
    shard,
    ...changes,
  };
}
