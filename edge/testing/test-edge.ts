/**
 * An edge for tests: the real app, flows, engines and kernel over an index and miners in memory. `fetch` is a client
 * with a key; everything behind it can be looked at and broken.
 */
import { createApp } from '#edge/app.ts';
import { Admission } from '#edge/network/admission.ts';
import { nodeSha256, webSha256 } from '#edge/network/digests.ts';
import { maskSecretsOf } from '#edge/network/mask-secrets.ts';
import { minerNetwork } from '#edge/network/miner-network.ts';
import type { EdgePorts, GrantState } from '#edge/ports.ts';
import type { Settings } from '#edge/settings.ts';
import kernelModule from '#shared/codec/kernel.wasm';
import { instantiateKernel } from '#shared/codec/wasm-kernel.ts';
import type { MinerEntry } from '#shared/index/ports.ts';
import { newApiKey } from '#shared/primitives/api-key.ts';
import { type Clock, type Log, systemClock, systemRandom } from '#shared/primitives/effects.ts';
import { hotkeyOf, newOwnerId, type OwnerId } from '#shared/primitives/ids.ts';
import { lazyZkKernel } from '#shared/proof/zk/wasm-zk-kernel.ts';
import zkKernelModule from '#shared/proof/zk/zk-kernel.wasm';
import { createFakeMiners, type FakeMiners } from '#shared/testing/fake-miners.ts';
import { MemoryIndex } from '#shared/testing/memory-index.ts';
import { MemoryNetworkHistory } from '#shared/testing/memory-network-history.ts';
import { createMemoryUploads } from '#shared/testing/memory-uploads.ts';
import { createBudget } from '#shared/transfer/budget.ts';
import { fetchSegments } from '#shared/transfer/fetch-segments.ts';
import { createLatencies } from '#shared/transfer/latencies.ts';
import { storeSegments } from '#shared/transfer/store-segments.ts';

const kernel = instantiateKernel(kernelModule);
const zkKernel = lazyZkKernel(zkKernelModule);
const ORIGIN = 'https://edge.test';

/** A clock that tests can put forward. */
export class ShiftedClock implements Clock {
  shiftMs = 0;
  nowMs(): number {
    return systemClock.nowMs() + this.shiftMs;
  }
  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    return systemClock.sleep(ms, signal);
  }
}

export interface LogLine {
  readonly level: keyof Log;
  readonly event: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

export interface TestEdge {
  readonly index: MemoryIndex;
  readonly history: MemoryNetworkHistory;
  readonly network: FakeMiners;
  readonly clock: ShiftedClock;
  readonly ports: EdgePorts;
  readonly owner: OwnerId;
  readonly key: string;
  readonly log: readonly LogLine[];
  /** Makes an account and answers its key. */
  newAccount(): Promise<{ readonly owner: OwnerId; readonly key: string }>;
  /** A request with the first account's key, unless `init` brings headers with another one (or an empty one). */
  fetch(path: string, init?: RequestInit): Promise<Response>;
  /** The status alone; the body is read to its end, because a body left unread keeps its retrieval going. */
  status(path: string, init?: RequestInit): Promise<number>;
  /** Resolves when nothing runs in the background any more. */
  settled(): Promise<void>;
}

export interface TestEdgeOptions {
  readonly miners?: number;
  readonly settings?: Partial<Settings>;
}

export async function createTestEdge(options: TestEdgeOptions = {}): Promise<TestEdge> {
  const clock = new ShiftedClock();
  const index = new MemoryIndex(clock);
  const history = new MemoryNetworkHistory(clock);
  const network = createFakeMiners({ count: options.miners ?? 12, kernel, zkKernel });
  const miners = network.peers.map(
    (peer): MinerEntry => ({
      number: peer.number,
      hotkey: peer.hotkey,
      coldkey: peer.hotkey,
      address: { ip: '127.0.0.1', port: 9000 + peer.number },
      freeBytes: peer.freeBytes,
      capacityBytes: 2 ** 41,
      accepting: true,
    }),
  );
  await index.publish({ takenAtMs: clock.nowMs(), miners });

  const log: LogLine[] = [];
  const line =
    (level: keyof Log) =>
    (event: string, fields: Readonly<Record<string, unknown>> = {}) =>
      void log.push({ level, event, fields });
  const logger: Log = { debug: line('debug'), info: line('info'), warn: line('warn'), error: line('error') };
  const grant: GrantState = { state: 'valid', untilMs: clock.nowMs() + 86_400_000 };
  const background = new Set<Promise<unknown>>();
  const hotkey = hotkeyOf(new Uint8Array(32).fill(7));
  const settings: Settings = {
    tenant: hotkeyOf(new Uint8Array(32).fill(8)),
    genesisHash: new Uint8Array(32),
    netuid: 21,
    maskSecrets: [{ epoch: 3, secret: new Uint8Array(32).fill(9) }],
    corsOrigins: [],
    maxFileBytes: 64 * 1024 * 1024,
    sessionMs: 3_600_000,
    uploadSessionMs: 86_400_000,
    collectGraceMs: 86_400_000,
    publicReads: false,
    openAccounts: false,
    ...options.settings,
  };
  const ports: EdgePorts = {
    settings,
    hotkey,
    files: index,
    uploads: createMemoryUploads(index, clock),
    access: index,
    history,
    network: minerNetwork(index, ({ port }) => `http://miner-${port - 9001}.invalid`, {}, clock),
    grants: { signed: async () => new Uint8Array(1), state: async () => grant },
    maskSecrets: maskSecretsOf(settings, index, new Set(), logger),
    transfer: {
      kernel,
      zkKernel,
      miners: network.client,
      clock,
      random: systemRandom,
      log: logger,
      latencies: createLatencies(clock),
      sha256: webSha256,
    },
    storeSegments,
    fetchSegments,
    newSha256: nodeSha256,
    admission: new Admission(),
    newBudget: createBudget,
    clock,
    random: systemRandom,
    log: logger,
    background: (work) => {
      background.add(work);
      void work.finally(() => background.delete(work));
    },
  };

  const app = createApp(() => ports);
  const newAccount = async () => {
    const owner = newOwnerId(systemRandom);
    const { keyId, text, hash } = newApiKey(systemRandom);
    await index.addKey({ keyId, owner, label: 'test', createdAtMs: clock.nowMs() }, hash);
    return { owner, key: text };
  };
  const { owner, key } = await newAccount();
  const fetch: TestEdge['fetch'] = async (path, init = {}) => {
    const headers = new Headers(init.headers);
    if (!headers.has('Authorization')) headers.set('Authorization', `Bearer ${key}`);
    if (headers.get('Authorization') === '') headers.delete('Authorization');
    return await app.fetch(new Request(new URL(path, ORIGIN), { ...init, headers }));
  };
  return {
    index,
    history,
    network,
    clock,
    ports,
    owner,
    key,
    log,
    newAccount,
    fetch,
    async status(path, init) {
      const response = await fetch(path, init);
      await response.arrayBuffer();
      return response.status;
    },
    async settled() {
      while (background.size > 0) await Promise.all(background);
    },
  };
}
