/**
 * A whole network for one test file: the very thing that `npm start` brings up, in a temporary folder, on ports of its
 * own, with the times shortened; and the few requests and looks at the disks that the tests share.
 */
import { mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LocalNetwork, type NetworkOptions } from '#infra/local-network/local-network.ts';
import type { LocalMiner } from '#infra/local-network/miner-fleet.ts';
import type { Tenancy } from '#infra/local-network/tenancy.ts';
import type { NetworkTimes } from '#infra/local-network/times.ts';

/** Enough for (4, 10) and two to spare. A process each, over a second of processor time to start. */
export const MINERS = 12;
/** Enough for (2, 5) and one to spare: for what is the same whatever the code's shape is. */
export const FEW_MINERS = 6;

/** Every wait of the network in seconds or less. */
const FAST: NetworkTimes = {
  sessionMs: 20_000,
  uploadSessionMs: 60_000,
  holdMs: 500,
  collectGraceMs: 500,
  restoreMs: 300,
  jobMs: 300,
  publishMs: 500,
  collectMs: 500,
  blockMs: 250,
  minerChainMs: 1000,
  monitorMs: 500,
  repairDelayMs: 2000,
  blockJobMs: 300,
  snapshotMs: 3000,
  windowBlocks: 60,
  // What is about proofs asks for faster ones: they cost every other test of a network its processors.
  roundBlocks: 12,
  retrieveBlocks: 24,
  syntheticBlocks: 40,
  syntheticBytesPerDay: 0,
  sweepMs: 10_000,
};

/** For tests that wait for none of it: what goes on in the background leaves them the processors. */
export const CALM: Partial<NetworkTimes> = {
  jobMs: 1000,
  publishMs: 2000,
  collectMs: 2000,
  monitorMs: 2000,
  blockJobMs: 1000,
  snapshotMs: 10_000,
  roundBlocks: 24,
  retrieveBlocks: 60,
};

const newStateDir = (): string => mkdtempSync(join(tmpdir(), 'filetao-network-'));

export function startNetwork(options: Partial<NetworkOptions> = {}): Promise<LocalNetwork> {
  return LocalNetwork.start({
    edgePort: 0,
    miners: MINERS,
    ...options,
    stateDir: options.stateDir ?? newStateDir(),
    times: { ...FAST, ...options.times },
  });
}

type Edge = Pick<Tenancy, 'edgeUrl' | 'apiKey'>;

export function request(edge: Edge, path: string, init: RequestInit = {}): Promise<Response> {
  const headers = { authorization: `Bearer ${edge.apiKey}`, ...(init.headers as Record<string, string>) };
  return fetch(`${edge.edgeUrl}/v1/${path}`, { ...init, headers });
}

export const put = (edge: Edge, bytes: Uint8Array<ArrayBuffer>, query = ''): Promise<Response> =>
  request(edge, `files${query}`, { method: 'PUT', body: bytes });

/** Stores bytes and answers their CID; throws what the edge said when it did not. */
export async function store(edge: Edge, bytes: Uint8Array<ArrayBuffer>, query = ''): Promise<string> {
  const response = await put(edge, bytes, query);
  const text = await response.text();
  if (response.status !== 201) throw new Error(`store: ${response.status} ${text}`);
  return JSON.parse(text).cid;
}

export async function retrieve(edge: Edge, cid: string): Promise<Uint8Array> {
  const response = await request(edge, `files/${cid}`);
  if (response.status !== 200) throw new Error(`retrieve: ${response.status} ${await response.text()}`);
  return new Uint8Array(await response.arrayBuffer());
}

export async function json(edge: Edge, path: string, init: RequestInit = {}): Promise<Record<string, unknown>> {
  return (await request(edge, path, init)).json() as Promise<Record<string, unknown>>;
}

export function randomBytes(count: number): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(count);
  for (let at = 0; at < count; at += 65_536) crypto.getRandomValues(bytes.subarray(at, Math.min(at + 65_536, count)));
  return bytes;
}

/** Names of the shards that a miner has on its disk for this tenant: `shards/<tenant>/<ab>/<anchorId>`. */
function shardsOnDisk(miner: LocalMiner, tenant: Tenancy): readonly string[] {
  const folder = join(miner.folder, 'shards', tenant.hotkey);
  try {
    return readdirSync(folder).flatMap((prefix) => readdirSync(join(folder, prefix)));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
    throw error;
  }
}

/** Bytes of all shards of all tenants on all miners' disks. */
export function bytesOnDisks(network: LocalNetwork): number {
  let bytes = 0;
  for (const { folder } of network.miners) {
    for (const entry of readdirSync(join(folder, 'shards'), { recursive: true, withFileTypes: true })) {
      // Between the listing and the look a shard may be erased.
      if (entry.isFile()) bytes += statSync(join(entry.parentPath, entry.name), { throwIfNoEntry: false })?.size ?? 0;
    }
  }
  return bytes;
}

/** How many shards of this tenant each miner has. */
export const shardCounts = (network: LocalNetwork, tenant: Tenancy): readonly number[] =>
  network.miners.map((miner) => shardsOnDisk(miner, tenant).length);

export const countShards = (network: LocalNetwork, tenant: Tenancy): number =>
  shardCounts(network, tenant).reduce((sum, count) => sum + count, 0);

/** Waits until a condition holds, else fails and says what was seen last. */
export async function eventually<T>(
  what: string,
  look: () => T | Promise<T>,
  holds: (seen: T) => boolean,
  withinMs = 30_000,
): Promise<T> {
  for (const deadline = Date.now() + withinMs; ; ) {
    const seen = await look();
    if (holds(seen)) return seen;
    if (Date.now() > deadline) throw new Error(`${what}: still ${JSON.stringify(seen)} after ${withinMs} ms`);
    await new Promise((wake) => setTimeout(wake, 50));
  }
}

/** The JSON lines that a part of the network logged. */
export function logOf(network: LocalNetwork, part: string): readonly Record<string, unknown>[] {
  const lines = readFileSync(network.state.file('logs', `${part}.log`), 'utf8').split('\n');
  return lines.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
}
