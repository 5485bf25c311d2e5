/**
 * A small world for tests and benchmarks of the transfer engines: fake miners, ports, one file's coding, and the
 * questions that every such test asks afterwards (is what was recorded really held? is all else accounted for?).
 */
import type { Kernel } from '#shared/codec/kernel.ts';
import { shardBytesOf } from '#shared/codec/reed-solomon.ts';
import { SEGMENT_BYTES } from '#shared/codec/segment.ts';
import { equalBytes } from '#shared/primitives/bytes.ts';
import { type Clock, silentLog, systemClock, systemRandom } from '#shared/primitives/effects.ts';
import { type FileNumber, newFileId, newOrderId } from '#shared/primitives/ids.ts';
import { sha256 } from '#shared/primitives/sha256.ts';
import { anchorIdOf, anchorOf } from '#shared/proof/anchor.ts';
import { ZK_ANCHOR_TYPE } from '#shared/proof/zk/zk-anchor.ts';
import type { ZkKernel } from '#shared/proof/zk/zk-kernel.ts';
import { createBudget, TRANSFER_BUDGET_BYTES } from '#shared/transfer/budget.ts';
import { createLatencies } from '#shared/transfer/latencies.ts';
import type { Pace } from '#shared/transfer/pace.ts';
import type {
  Budget,
  FetchSegment,
  FileCoding,
  StoredSegment,
  StoreRequest,
  Stray,
  TransferPorts,
} from '#shared/transfer/ports.ts';
import { createFakeMiners, type FakeMiners } from './fake-miners.ts';

/** For faults that show only by waiting. Wide enough for a busy machine: a good miner must not look late. */
export const QUICK_PACE: Pace = {
  hedgeMinMs: 150,
  hedgeFactor: 4,
  distantMs: 500,
  replyMs: 1000,
  stallMs: 800,
  receiptMs: 100,
  finishMs: 100,
};

/** For everything that is decided without waiting: no deadline of it comes in a test that works. */
export const PATIENT_PACE: Pace = {
  hedgeMinMs: 8000,
  hedgeFactor: 4,
  distantMs: 8000,
  replyMs: 15_000,
  stallMs: 15_000,
  receiptMs: 8000,
  finishMs: 8000,
};

export interface TransferWorld {
  readonly miners: FakeMiners;
  readonly ports: TransferPorts;
  readonly coding: FileCoding;
  readonly budget: Budget;
  readonly abort: AbortController;
  readonly strays: Stray[];
  readonly stored: StoredSegment[];
  storeRequest(expectedBytes?: number): StoreRequest;
  onStored(segment: StoredSegment): Promise<void>;
  onStrays(strays: readonly Stray[]): void;
}

export interface WorldOptions {
  readonly kernel: Kernel;
  readonly miners: number;
  readonly k: number;
  readonly n: number;
  readonly clock?: Clock;
  readonly pace?: Pace;
  readonly checksAnchors?: boolean;
  /** With it every file of the world has anchors of type 2. */
  readonly zkKernel?: () => ZkKernel;
  readonly sha256?: TransferPorts['sha256'];
}

const noZkKernel = (): never => {
  throw new Error('this world has no anchors of type 2');
};

export function createTransferWorld(options: WorldOptions): TransferWorld {
  const clock = options.clock ?? systemClock;
  const { kernel, k, n, zkKernel, checksAnchors = true } = options;
  const miners = createFakeMiners({
    count: options.miners,
    kernel,
    clock,
    checksAnchors,
    ...(zkKernel && { zkKernel }),
  });
  const ports: TransferPorts = {
    ...{ kernel, zkKernel: zkKernel ?? noZkKernel, miners: miners.client, clock, random: systemRandom, log: silentLog },
    latencies: createLatencies(clock),
    sha256: options.sha256 ?? sha256,
    pace: options.pace ?? PATIENT_PACE,
  };
  const coding: FileCoding = {
    number: 7 as FileNumber,
    fileId: newFileId(systemRandom),
    ...(zkKernel && { anchorType: ZK_ANCHOR_TYPE }),
    ...{ k, n, codingId: systemRandom(16), maskEpoch: 1, maskSecret: systemRandom(32) },
  };
  const abort = new AbortController();
  const budget = createBudget(TRANSFER_BUDGET_BYTES);
  const strays: Stray[] = [];
  const stored: StoredSegment[] = [];
  const order = newOrderId(systemRandom);
  return {
    ...{ miners, ports, coding, budget, abort, strays, stored },
    storeRequest: (expectedBytes) => ({
      ...{ coding, order, holdUntilMs: 1, peers: miners.peers, budget, signal: abort.signal },
      ...(expectedBytes === undefined ? {} : { expectedBytes }),
    }),
    onStored: async (segment) => void stored.push(segment),
    onStrays: (found) => void strays.push(...found),
  };
}

/** Bytes that differ everywhere and are made quickly. */
export function testBytes(bytes: number): Uint8Array {
  const out = new Uint8Array(bytes);
  for (let at = 0, state = bytes + 1; at < bytes; at++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    out[at] = state >>> 24;
  }
  return out;
}

/** A file's segments as the engines want them: copies, so that a test notices who writes into them. */
export async function* segmentsOf(file: Uint8Array, segmentBytes = SEGMENT_BYTES): AsyncGenerator<Uint8Array> {
  for (let at = 0; at < Math.max(1, file.length); at += segmentBytes) yield file.slice(at, at + segmentBytes);
}

export const fetchSegmentsOf = (stored: readonly StoredSegment[]): readonly FetchSegment[] =>
  [...stored].sort((a, b) => a.index - b.index).map(({ index, bytes, record }) => ({ index, bytes, record }));

/** The stored slots of a segment with the name that their shards must have on their miners. */
function storedSlots(world: TransferWorld, { bytes, record }: StoredSegment) {
  const shardBytes = shardBytesOf(bytes, world.coding.k);
  return record.slots.flatMap((slot, shardIndex) =>
    slot.state === 'stored' ? [{ slot, shardIndex, anchorId: anchorIdOf({ root: slot.root, bytes: shardBytes }) }] : [],
  );
}

/** Every stored slot whose miner does not hold exactly that shard, byte for byte: must always be empty. */
export function falseSlots(world: TransferWorld): readonly string[] {
  const wrong: string[] = [];
  for (const segment of world.stored) {
    for (const { slot, shardIndex, anchorId } of storedSlots(world, segment)) {
      const held = world.miners.of(slot.miner).held.get(anchorId);
      const root = held && anchorOf(world.ports.kernel, held.frame.shard).root;
      if (!root || !equalBytes(root, slot.root)) wrong.push(`segment ${segment.index} shard ${shardIndex}`);
    }
  }
  return wrong;
}

/** Every shard that a miner holds and that is neither recorded nor a stray: must always be empty. */
export function unaccounted(world: TransferWorld): readonly string[] {
  const known = new Set(world.strays.map(({ miner, anchorId }) => `${miner} ${anchorId}`));
  for (const segment of world.stored) {
    for (const { slot, anchorId } of storedSlots(world, segment)) known.add(`${slot.miner} ${anchorId}`);
  }
  return world.miners.miners.flatMap(({ peer, held }) =>
    [...held.keys()].map((anchorId) => `${peer.number} ${anchorId}`).filter((name) => !known.has(name)),
  );
}
