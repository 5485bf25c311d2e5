/** A Worker that does with one miner what it is asked to, and tells how each request ended. */
import { fromBase64 } from '#shared/primitives/bytes.ts';
import { systemClock, systemRandom } from '#shared/primitives/effects.ts';
import type { Failure, Result } from '#shared/primitives/failure.ts';
import { type AnchorId, type Hotkey, hexId, newOrderId } from '#shared/primitives/ids.ts';
import { createMinerClient } from '#shared/wire/miner-client.ts';
import type { MinerPeer, ShardFrame } from '#shared/wire/ports.ts';
import { signerFromSeed, verify } from '#shared/wire/sr25519-scure.ts';

export interface WorkerTask {
  readonly miner: MinerPeer;
  readonly tenant: Hotkey;
  readonly edgeSeed: number;
  readonly network: { readonly genesis: number; readonly netuid: number };
  /** Base64. */
  readonly grant: string;
  readonly idleMs: number;
  /** Shards of the stream, in bytes each. */
  readonly shards: readonly number[];
  readonly abortAfterMs?: number;
}

export interface WorkerReport {
  readonly health: string;
  readonly put: string;
  readonly open: string;
  readonly receipts: readonly string[];
  readonly streamMs: number;
  readonly read: readonly string[];
  readonly head: string;
}

const tell = (result: Result<unknown, Failure>): string => (result.ok ? 'ok' : result.failure.code);
const filled = (n: number) => new Uint8Array(32).fill(n);

function frameOf(index: number, bytes: number): ShardFrame {
  return {
    anchorId: hexId<AnchorId>(filled(index + 1), 32),
    ref: BigInt(index),
    holdUntilMs: Date.now() + 60_000,
    label: Uint8Array.of(index),
    shard: new Uint8Array(bytes).fill(index),
  };
}

async function run(task: WorkerTask): Promise<WorkerReport> {
  const { miner } = task;
  const client = createMinerClient({
    fetch: (url, init) => fetch(url, init as RequestInit),
    signer: signerFromSeed(filled(task.edgeSeed)),
    network: { genesis: filled(task.network.genesis), netuid: task.network.netuid },
    tenant: task.tenant,
    grant: () => fromBase64(task.grant),
    clock: systemClock,
    random: systemRandom,
    verify,
    timeouts: { idleMs: task.idleMs, totalMs: 4 * task.idleMs },
  });
  const controller = new AbortController();
  if (task.abortAfterMs !== undefined) setTimeout(() => controller.abort(), task.abortAfterMs);
  const { signal } = controller;
  const health = tell(await client.health(miner, signal));
  const put = tell(await client.putShard(miner, newOrderId(systemRandom), frameOf(200, 100_000), signal));
  const frames = task.shards.map((bytes, index) => frameOf(index, bytes));
  const opened = await client.openStream(miner, newOrderId(systemRandom), 1_000_000_000, signal);
  const startedMs = Date.now();
  const receipts: string[] = [];
  if (opened.ok) {
    const pending: Promise<Result<unknown, Failure>>[] = [];
    for (const frame of frames) {
      const { sent, receipt } = opened.value.send(frame);
      pending.push(receipt);
      await sent;
    }
    for (const receipt of pending) receipts.push(tell(await receipt));
    await opened.value.finish();
  }
  const streamMs = Date.now() - startedMs;
  const read: string[] = [];
  const wanted = frames.slice(0, 64).map(({ anchorId, shard }) => ({ anchorId, bytes: shard.length }));
  for await (const result of client.readShards(miner, wanted, signal)) read.push(tell(result));
  // Not of a dishonest miner: a HEAD whose answer never ends holds up the next request of its connection, its own.
  const first = receipts.includes('ok') ? wanted[0] : undefined;
  const head = first ? tell(await client.headShard(miner, first.anchorId, signal)) : 'none';
  return { health, put, open: tell(opened), receipts, streamMs, read, head };
}

export default {
  fetch: async (request: Request): Promise<Response> => Response.json(await run((await request.json()) as WorkerTask)),
};
