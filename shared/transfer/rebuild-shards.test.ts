import { describe, expect, it } from 'vitest';
import { loadNodeKernel } from '#shared/codec/node-kernel.ts';
import { shardBytesOf } from '#shared/codec/reed-solomon.ts';
import type { SegmentRecord, ShardSlot } from '#shared/index/ports.ts';
import { systemRandom } from '#shared/primitives/effects.ts';
import { newOrderId } from '#shared/primitives/ids.ts';
import { anchorIdOf } from '#shared/proof/anchor.ts';
import { shardIdOf } from '#shared/proof/any-anchor.ts';
import { loadNodeZkKernel } from '#shared/proof/zk/node-zk-kernel.ts';
import { ZK_ANCHOR_TYPE } from '#shared/proof/zk/zk-anchor.ts';
import type { MinerFault } from '#shared/testing/fake-miners.ts';
import {
  createTransferWorld,
  falseSlots,
  QUICK_PACE,
  segmentsOf,
  type TransferWorld,
  testBytes,
} from '#shared/testing/transfer-world.ts';
import { fetchSegments } from './fetch-segments.ts';
import type { SlotComplaint, StoredSegment } from './ports.ts';
import type { PlacedShard, Placing, RebuildRequest, WantedShard } from './rebuild-ports.ts';
import { rebuildShards } from './rebuild-shards.ts';
import { storeSegments } from './store-segments.ts';

const kernel = loadNodeKernel();
const SEGMENT = 64 * 1024;

interface Repaired {
  readonly world: TransferWorld;
  readonly file: Uint8Array;
  readonly segment: StoredSegment;
}

async function stored(
  miners: number,
  k: number,
  n: number,
  bytes = SEGMENT,
  options: Pick<Parameters<typeof createTransferWorld>[0], 'zkKernel'> = {},
): Promise<Repaired> {
  const world = createTransferWorld({ kernel, miners, k, n, pace: QUICK_PACE, ...options });
  const file = testBytes(bytes);
  const request = world.storeRequest(file.length);
  const outcome = await storeSegments(world.ports, request, segmentsOf(file), world.onStored, world.onStrays);
  expect(outcome.ok).toBe(true);
  return { world, file, segment: world.stored[0] as StoredSegment };
}

interface Run {
  readonly outcome: Awaited<ReturnType<typeof rebuildShards>>;
  readonly placings: readonly Placing[];
  readonly complaints: readonly SlotComplaint[];
}

/** Rebuilds, and keeps the record as an index would. */
async function rebuild(
  { world, segment }: Repaired,
  wanted: readonly WantedShard[],
  changes: Partial<RebuildRequest> = {},
  accepts: (shard: PlacedShard) => boolean = () => true,
): Promise<Run> {
  const placings: Placing[] = [];
  const complaints: SlotComplaint[] = [];
  const alive = world.miners.peers.filter(({ number }) => world.miners.of(number).fault !== 'dead');
  const request: RebuildRequest = {
    coding: world.coding,
    fileBytes: segment.bytes,
    segment,
    wanted,
    sources: new Map(alive.map((peer) => [peer.number, peer])),
    candidates: alive,
    order: newOrderId(systemRandom),
    holdUntilMs: 1,
    budget: world.budget,
    signal: world.abort.signal,
    ...changes,
  };
  const outcome = await rebuildShards(world.ports, request, {
    onPlacing: (placing) => void placings.push(placing),
    onPlaced: async (shard) => {
      if (!accepts(shard)) return false;
      (segment.record.slots as ShardSlot[])[shard.shardIndex] = shard.slot;
      return true;
    },
    onComplaint: (complaint) => void complaints.push(complaint),
  });
  expect(world.budget.used).toBe(0);
  return { outcome, placings, complaints };
}

const slotAt = ({ segment }: Repaired, index: number) => segment.record.slots[index] as ShardSlot;
const fault = (one: Repaired, index: number, what: MinerFault) => {
  one.world.miners.of(slotAt(one, index).miner).fault = what;
};
const lost = (shardIndex: number): WantedShard => ({ shardIndex, placement: 1, movable: false });
const moved = (shardIndex: number): WantedShard => ({ shardIndex, placement: 1, movable: true });

async function readBack({ world, segment }: Repaired): Promise<Uint8Array | undefined> {
  const peers = new Map(world.miners.peers.map((peer) => [peer.number, peer]));
  const request = { coding: world.coding, peers, budget: world.budget, signal: world.abort.signal };
  for await (const part of fetchSegments(world.ports, request, [segment], () => undefined)) {
    if (part.ok) return part.value.bytes.slice();
  }
  return undefined;
}

/** Every slot on a miner of its own. */
const expectSpread = ({ slots }: SegmentRecord) =>
  expect(new Set(slots.map(({ miner }) => miner)).size).toBe(slots.length);

describe('a shard of anchor type 2', () => {
  it.each([
    { how: 'rebuilt', wanted: lost(3) },
    { how: 'moved', wanted: moved(3) },
  ])('that is $how is anchored anew, under a blind key of its own', async ({ wanted }) => {
    const one = await stored(12, 4, 10, 20_000, { zkKernel: loadNodeZkKernel });
    const before = slotAt(one, 3);
    const { outcome } = await rebuild(one, [wanted]);
    expect(outcome.ok && outcome.value.placed.map(({ shardIndex }) => shardIndex)).toEqual([3]);
    const after = slotAt(one, 3);
    expect(after.root).not.toEqual(before.root);
    expect(after.miner).not.toBe(before.miner);
    const bytes = shardBytesOf(one.segment.bytes, 4);
    const frameOf = ({ root, miner }: ShardSlot) =>
      one.world.miners.of(miner).held.get(shardIdOf(ZK_ANCHOR_TYPE, root, bytes))?.frame;
    expect(frameOf(before)?.blindKey).toHaveLength(32);
    expect(frameOf(after)?.blindKey).toHaveLength(32);
    expect(frameOf(after)?.blindKey).not.toEqual(frameOf(before)?.blindKey);
    expect(await readBack(one)).toEqual(one.file);
  });
});

describe('rebuildShards', () => {
  it.each([
    { id: 'one data shard', k: 4, n: 10, miners: 12, gone: [0] },
    { id: 'one parity shard', k: 4, n: 10, miners: 12, gone: [9] },
    { id: 'all that a segment can lose', k: 4, n: 10, miners: 18, gone: [0, 1, 2, 3, 4, 5] },
    { id: 'a copy', k: 1, n: 5, miners: 8, gone: [0, 3] },
    { id: 'a wide coding', k: 16, n: 40, miners: 44, gone: [0, 20, 39] },
  ])('brings $id back from one read of k shards', async ({ k, n, miners, gone }) => {
    const one = await stored(miners, k, n);
    const before = gone.map((index) => slotAt(one, index));
    for (const index of gone) fault(one, index, 'dead');
    const { outcome, placings } = await rebuild(one, gone.map(lost));
    const shardBytes = shardBytesOf(SEGMENT, k);
    expect(outcome).toMatchObject({ ok: true, value: { unplaced: [], strays: [], readBytes: k * shardBytes } });
    expect(outcome.ok && outcome.value.sentBytes).toBe(gone.length * shardBytes);
    expect(placings.map(({ shardIndex }) => shardIndex).sort((a, b) => a - b)).toEqual(gone);
    for (const [i, index] of gone.entries()) {
      expect(slotAt(one, index)).toMatchObject({ placement: 1, state: 'stored' });
      expect(slotAt(one, index).root).not.toEqual(before[i]?.root);
    }
    expect(falseSlots(one.world)).toEqual([]);
    expectSpread(one.segment.record);
    expect(await readBack(one)).toEqual(one.file);
  });

  it('moves a shard that is still served for one read of it, under another mask', async () => {
    const one = await stored(12, 4, 10);
    const before = slotAt(one, 2);
    const { outcome } = await rebuild(one, [moved(2)]);
    const shardBytes = shardBytesOf(SEGMENT, 4);
    expect(outcome).toMatchObject({ ok: true, value: { readBytes: shardBytes, sentBytes: shardBytes } });
    expect(slotAt(one, 2).miner).not.toBe(before.miner);
    expect(slotAt(one, 2).root).not.toEqual(before.root);
    expect(falseSlots(one.world)).toEqual([]);
    expectSpread(one.segment.record);
    expect(await readBack(one)).toEqual(one.file);
  });

  it.each<MinerFault>(['wrong-bytes', 'silent'])('rebuilds what was to move when its holder is %s', async (what) => {
    const one = await stored(12, 4, 10);
    fault(one, 2, what);
    const { outcome, complaints } = await rebuild(one, [moved(2)]);
    expect(outcome).toMatchObject({ ok: true, value: { unplaced: [] } });
    expect(complaints[0]).toMatchObject({ shardIndex: 2, what: what === 'silent' ? 'unreachable' : 'wrong' });
    one.world.miners.miners.forEach((miner) => {
      miner.fault = 'none';
    });
    expect(falseSlots(one.world)).toEqual([]);
    expect(await readBack(one)).toEqual(one.file);
  });

  it('reads around wrong shards and says whose they are', async () => {
    const one = await stored(12, 4, 10);
    fault(one, 0, 'dead');
    for (const index of [1, 2, 3]) fault(one, index, 'wrong-bytes');
    const { outcome, complaints } = await rebuild(one, [lost(0)]);
    expect(outcome).toMatchObject({ ok: true, value: { unplaced: [] } });
    expect(complaints.every(({ what }) => what === 'wrong')).toBe(true);
    expect(falseSlots(one.world)).toEqual([]);
  });

  it('goes on to another miner, under another placing, when the first refuses or stays silent', async () => {
    const one = await stored(14, 4, 10);
    fault(one, 0, 'dead');
    const free = one.world.miners.miners.filter((miner) => miner.held.size === 0);
    const faults = ['full', 'silent', 'none', 'full'] as const;
    for (const [i, miner] of free.entries()) miner.fault = faults[i] ?? 'none';
    const { outcome, placings } = await rebuild(one, [lost(0)]);
    expect(outcome).toMatchObject({ ok: true, value: { unplaced: [] } });
    expect(placings.map(({ placement }) => placement)).toEqual(placings.map((_, i) => i + 1));
    expect(new Set(placings.map(({ anchorId }) => anchorId)).size).toBe(placings.length);
    expect(falseSlots(one.world)).toEqual([]);
  });

  it('takes the receipt of a shard whose answer was lost', async () => {
    const one = await stored(11, 4, 10);
    fault(one, 0, 'dead');
    for (const miner of one.world.miners.miners) if (miner.held.size === 0) miner.fault = 'loses-answers';
    const { outcome } = await rebuild(one, [lost(0)]);
    expect(outcome).toMatchObject({ ok: true, value: { unplaced: [], strays: [] } });
    expect(falseSlots(one.world)).toEqual([]);
  });

  it('names as stray what the record did not take', async () => {
    const one = await stored(12, 4, 10);
    fault(one, 0, 'dead');
    const { outcome } = await rebuild(one, [lost(0)], {}, () => false);
    expect(outcome.ok && outcome.value.placed).toEqual([]);
    const [stray] = outcome.ok ? outcome.value.strays : [];
    expect(stray && one.world.miners.of(stray.miner.number).held.has(stray.anchorId)).toBe(true);
  });

  it('places what can be placed, and says what could not', async () => {
    const one = await stored(11, 4, 10);
    for (const index of [0, 1, 2]) fault(one, index, 'dead');
    const { outcome } = await rebuild(one, [0, 1, 2].map(lost));
    expect(outcome.ok && outcome.value.placed).toHaveLength(1);
    expect(outcome.ok && outcome.value.unplaced).toHaveLength(2);
  });

  it('reads nothing when nobody has room', async () => {
    const one = await stored(10, 4, 10);
    fault(one, 0, 'dead');
    const { outcome } = await rebuild(one, [lost(0)]);
    expect(outcome).toMatchObject({ ok: false, failure: { code: 'too-few-miners' } });
    expect(one.world.miners.miners.some((miner) => (miner.requests.get('readShards') ?? 0) > 0)).toBe(false);
  });

  it('gives the miner that lost a shard another one only when nobody else is there', async () => {
    const one = await stored(10, 4, 10);
    const { miner } = slotAt(one, 4);
    one.world.miners.of(miner).held.clear();
    (one.segment.record.slots as ShardSlot[])[4] = { ...slotAt(one, 4), state: 'lost' };
    const { outcome } = await rebuild(one, [lost(4)]);
    expect(outcome).toMatchObject({ ok: true, value: { unplaced: [] } });
    expect(slotAt(one, 4)).toMatchObject({ miner, placement: 1, state: 'stored' });
    expect(falseSlots(one.world)).toEqual([]);
  });

  it('says how much is left of a segment that lost too much', async () => {
    const one = await stored(18, 4, 10);
    for (let index = 0; index < 7; index++) fault(one, index, 'dead');
    const { outcome, placings } = await rebuild(one, [lost(0)]);
    expect(outcome).toMatchObject({ ok: false, failure: { code: 'unrecoverable', healthy: 3, needed: 4 } });
    expect(placings).toEqual([]);
  });

  it('makes a shard of a segment with its anchor as the encoder would', async () => {
    const one = await stored(12, 4, 10);
    fault(one, 0, 'dead');
    await rebuild(one, [lost(0)]);
    const slot = slotAt(one, 0);
    const anchorId = anchorIdOf({ root: slot.root, bytes: shardBytesOf(SEGMENT, 4) });
    expect(one.world.miners.of(slot.miner).held.has(anchorId)).toBe(true);
  });
});
