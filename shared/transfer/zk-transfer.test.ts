import { describe, expect, it } from 'vitest';
import { loadNodeKernel } from '#shared/codec/node-kernel.ts';
import { shardBytesOf } from '#shared/codec/reed-solomon.ts';
import { concatBytes } from '#shared/primitives/bytes.ts';
import { shardIdOf } from '#shared/proof/any-anchor.ts';
import { loadNodeZkKernel } from '#shared/proof/zk/node-zk-kernel.ts';
import { ZK_ANCHOR_TYPE } from '#shared/proof/zk/zk-anchor.ts';
import {
  createTransferWorld,
  fetchSegmentsOf,
  PATIENT_PACE,
  segmentsOf,
  type TransferWorld,
  testBytes,
} from '#shared/testing/transfer-world.ts';
import { fetchSegments } from './fetch-segments.ts';
import type { SlotComplaint } from './ports.ts';
import { storeSegments } from './store-segments.ts';

const kernel = loadNodeKernel();
const FILE = testBytes(40_000);

async function stored(shape: { miners: number; k: number; n: number }): Promise<TransferWorld> {
  const world = createTransferWorld({ kernel, zkKernel: loadNodeZkKernel, ...shape, pace: PATIENT_PACE });
  const request = world.storeRequest(FILE.length);
  const outcome = await storeSegments(world.ports, request, segmentsOf(FILE), world.onStored, world.onStrays);
  expect(outcome.ok).toBe(true);
  return world;
}

async function fetched(world: TransferWorld) {
  const parts: Uint8Array[] = [];
  const complaints: SlotComplaint[] = [];
  let failure: string | undefined;
  const request = {
    coding: world.coding,
    peers: new Map(world.miners.peers.map((peer) => [peer.number, peer])),
    ...{ budget: world.budget, signal: world.abort.signal },
  };
  const read = fetchSegments(world.ports, request, fetchSegmentsOf(world.stored), (one) => complaints.push(one));
  for await (const part of read) {
    if (!part.ok) failure = part.failure.code;
    else {
      parts.push(part.value.bytes.slice());
      part.value.release();
    }
  }
  return { bytes: concatBytes(...parts), complaints, failure };
}

/** The miner of a slot gives back something else from now on. */
function falsify(world: TransferWorld, shardIndex: number): void {
  const [segment] = world.stored;
  const slot = segment?.record.slots[shardIndex];
  if (!segment || !slot) throw new Error('no such slot');
  const miner = world.miners.miners[slot.miner - 1];
  const anchorId = shardIdOf(ZK_ANCHOR_TYPE, slot.root, shardBytesOf(segment.bytes, world.coding.k));
  const shard = miner?.held.get(anchorId)?.frame.shard;
  if (!shard) throw new Error('the miner does not hold what the record names');
  shard[7] = (shard[7] ?? 0) ^ 1;
}

describe('a file with anchors of type 2', () => {
  it('comes back, its shards sent one by one with their blind keys', async () => {
    const world = await stored({ miners: 10, k: 4, n: 10 });
    expect((await fetched(world)).bytes).toEqual(FILE);
    const frames = world.miners.miners.flatMap((miner) => [...miner.held.values()].map(({ frame }) => frame));
    expect(frames).toHaveLength(10);
    expect(new Set(frames.map(({ blindKey }) => blindKey?.join())).size).toBe(10);
    expect(world.miners.miners.every((miner) => !miner.requests.has('openStream'))).toBe(true);
  });

  it('is read past wrong shards, each found by its own anchor', async () => {
    const world = await stored({ miners: 10, k: 4, n: 10 });
    for (const index of [0, 2, 3]) falsify(world, index);
    const read = await fetched(world);
    expect(read.bytes).toEqual(FILE);
    expect(read.complaints.map(({ shardIndex, what }) => [shardIndex, what]).sort()).toEqual([
      [0, 'wrong'],
      [2, 'wrong'],
      [3, 'wrong'],
    ]);
  });

  it('is read past wrong copies', async () => {
    const world = await stored({ miners: 5, k: 1, n: 5 });
    for (const index of [0, 1, 2, 3]) falsify(world, index);
    const read = await fetched(world);
    expect(read.bytes).toEqual(FILE);
  });

  it('is lost when fewer than k shards are right, and says so', async () => {
    const world = await stored({ miners: 5, k: 2, n: 5 });
    for (const index of [0, 1, 2, 3]) falsify(world, index);
    expect((await fetched(world)).failure).toBe('unrecoverable');
  });
});
