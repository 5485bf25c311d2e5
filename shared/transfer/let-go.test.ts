/**
 * Buffers that are freed as soon as nobody reads them. Here "freed" is real: the memory is detached, so whoever reads it
 * a moment too long sees no bytes, and the file would not come back.
 */
import { describe, expect, it } from 'vitest';
import { loadNodeKernel } from '#shared/codec/node-kernel.ts';
import { shardBytesOf } from '#shared/codec/reed-solomon.ts';
import { concatBytes, equalBytes } from '#shared/primitives/bytes.ts';
import { letGo } from '#shared/primitives/let-go.ts';
import type { MinerFault } from '#shared/testing/fake-miners.ts';
import {
  createTransferWorld,
  falseSlots,
  fetchSegmentsOf,
  QUICK_PACE,
  segmentsOf,
  testBytes,
  unaccounted,
} from '#shared/testing/transfer-world.ts';
import type { MinerClient, ShardFrame } from '#shared/wire/ports.ts';
import { fetchSegments } from './fetch-segments.ts';
import type { TransferPorts } from './ports.ts';
import { storeSegments } from './store-segments.ts';

const kernel = loadNodeKernel();
const SEGMENT_BYTES = 64 * 1024;
const SEGMENTS = 3;

/** A transport that has every byte of a frame once it says that it was sent: what comes after is its own copy. */
function copying(client: MinerClient): MinerClient {
  const copied = (frame: ShardFrame): ShardFrame => ({ ...frame, shard: frame.shard.slice() });
  return {
    ...client,
    async openStream(...args) {
      const opened = await client.openStream(...args);
      if (!opened.ok) return opened;
      const stream = opened.value;
      const send = (frame: ShardFrame) => stream.send(copied(frame));
      return { ok: true, value: { send, finish: () => stream.finish(), abort: () => stream.abort() } };
    },
    putShard: (miner, order, frame, signal) => client.putShard(miner, order, copied(frame), signal),
  };
}

function freeingWorld(shape: { miners: number; k: number; n: number }) {
  const world = createTransferWorld({ kernel, ...shape, pace: QUICK_PACE });
  let freedBytes = 0;
  const ports: TransferPorts = {
    ...world.ports,
    miners: copying(world.ports.miners),
    letGo(bytes) {
      expect(bytes.length).toBeGreaterThan(0);
      freedBytes += bytes.length;
      letGo(bytes);
    },
  };
  const store = (file: Uint8Array) =>
    storeSegments(
      ports,
      world.storeRequest(file.length),
      segmentsOf(file, SEGMENT_BYTES),
      world.onStored,
      world.onStrays,
    );
  const fetchAll = async (): Promise<Uint8Array> => {
    const { coding, budget, abort, miners } = world;
    const peers = new Map(miners.peers.map((peer) => [peer.number, peer]));
    const request = { coding, peers, budget, signal: abort.signal };
    const parts: Uint8Array[] = [];
    for await (const part of fetchSegments(ports, request, fetchSegmentsOf(world.stored), () => undefined)) {
      if (!part.ok) throw new Error(part.failure.message);
      parts.push(part.value.bytes.slice());
      part.value.release();
    }
    return concatBytes(...parts);
  };
  const freed = (): number => {
    const bytes = freedBytes;
    freedBytes = 0;
    return bytes;
  };
  return { world, store, fetchAll, freed };
}

const SHAPES = [
  { miners: 42, k: 16, n: 40 },
  { miners: 12, k: 4, n: 10 },
  { miners: 5, k: 1, n: 5 },
];

describe.each(SHAPES)('with (%o)', (shape) => {
  const { k, n } = shape;
  const shardBytes = shardBytesOf(SEGMENT_BYTES, k);

  it('frees every buffer that a store makes, once, and gives the file back', async () => {
    const { world, store, fetchAll, freed } = freeingWorld(shape);
    const file = testBytes(SEGMENTS * SEGMENT_BYTES);
    expect((await store(file)).ok).toBe(true);
    const parity = k === 1 ? 0 : (n - k) * shardBytes;
    expect(freed()).toBe(SEGMENTS * (SEGMENT_BYTES + parity + n * shardBytes));
    expect([falseSlots(world), unaccounted(world)]).toEqual([[], []]);
    expect(equalBytes(await fetchAll(), file)).toBe(true);
    // Masked, unmasked (at k = 1 that is the segment itself) and whole.
    expect(freed()).toBeGreaterThanOrEqual(SEGMENTS * (k === 1 ? 2 : 3) * SEGMENT_BYTES);
  });

  it.each(['dead', 'full', 'breaks-streams', 'loses-answers', 'no-receipt', 'corrupt-receipts'] as const)(
    'stores only right shards around miners that are %s',
    async (fault: MinerFault) => {
      const { world, store, fetchAll } = freeingWorld(shape);
      for (const miner of world.miners.miners.slice(0, shape.miners - n > 0 ? 2 : 0)) miner.fault = fault;
      const file = testBytes(SEGMENTS * SEGMENT_BYTES);
      expect((await store(file)).ok).toBe(true);
      expect([falseSlots(world), unaccounted(world)]).toEqual([[], []]);
      expect(equalBytes(await fetchAll(), file)).toBe(true);
    },
  );

  it.each(['dead', 'wrong-bytes', 'silent'] as const)('reads around a miner that is %s', async (fault) => {
    const { world, store, fetchAll } = freeingWorld(shape);
    const file = testBytes(SEGMENTS * SEGMENT_BYTES);
    expect((await store(file)).ok).toBe(true);
    for (const miner of world.miners.miners.slice(0, 2)) miner.fault = fault;
    expect(equalBytes(await fetchAll(), file)).toBe(true);
  });
});
