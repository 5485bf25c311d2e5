import { describe, expect, it } from 'vitest';
import type { FakeMiner } from '#shared/testing/fake-miners.ts';
import { RepairWorld, SETTINGS } from '../testing/repair-world.ts';
import { repair } from './repair.ts';
import { survey } from './survey.ts';
import { walkInventories, walkOf } from './walk-inventories.ts';

const { signal } = new AbortController();
const look = (world: RepairWorld) => survey(world.ports, SETTINGS, 10, signal);
const mend = (world: RepairWorld) => repair(world.ports, SETTINGS, signal);

/** Miners that hold shards of the file's first segment, in the order of its slots. */
async function holders(world: RepairWorld, file: Awaited<ReturnType<RepairWorld['store']>>) {
  const shards = await world.shards(file);
  return shards.filter(({ segment }) => segment === 0).map(({ slot }) => world.minerOf(slot.miner));
}
const full = (segments: number, n = 10) => new Array(segments).fill(n);

async function expectSound(world: RepairWorld, file: Awaited<ReturnType<RepairWorld['store']>>) {
  expect(await world.readBack(file)).toBe(true);
  for (const { slot, anchorId, segment } of await world.shards(file)) {
    const miner = world.minerOf(slot.miner);
    expect(world.owed(miner)).toContain(anchorId);
    const others = (await world.shards(file)).filter((other) => other.segment === segment);
    expect(others.filter((other) => other.slot.miner === slot.miner)).toHaveLength(1);
  }
}

describe('repair', () => {
  it('brings back what a dead miner held, for k shards read a segment, after its delay', async () => {
    const world = new RepairWorld(14);
    const file = await world.store(5);
    const [one, two] = (await holders(world, file)) as [FakeMiner, FakeMiner];
    await world.kill(one, two);
    for (const dead of [one, two]) world.repairs.setCursor(walkOf(dead.peer.hotkey), '');
    expect(await walkInventories(world.ports, SETTINGS, signal)).toBeGreaterThan(0);
    expect(await mend(world)).toMatchObject({ segments: 0 });
    world.clock.ms += SETTINGS.delayMs;
    const report = await mend(world);
    expect(report).toMatchObject({ waiting: 0 });
    // Four shards of 4096 bytes each, a few less in the last segment.
    expect(report.segments * 16_384 - report.readBytes).toBeLessThanOrEqual(100);
    expect(report.readBytes).toBeLessThanOrEqual(report.segments * 16_384);
    expect(await world.healthy(file)).toEqual(full(5));
    for (const dead of [one, two]) expect(world.owed(dead)).toEqual([]);
    await expectSound(world, file);
  });

  it('does not wait below the threshold', async () => {
    const world = new RepairWorld(16);
    const file = await world.store(1);
    await world.kill(...(await holders(world, file)).slice(0, 4));
    await look(world);
    await mend(world);
    expect(await world.healthy(file)).toEqual(full(1));
    await expectSound(world, file);
  });

  it('lets a miner that comes back keep what was not replaced', async () => {
    const world = new RepairWorld(14);
    const file = await world.store(2);
    const [one] = (await holders(world, file)) as [FakeMiner];
    await world.kill(one);
    await look(world);
    await mend(world);
    one.fault = 'none';
    world.ping(one, 'up');
    await world.publish();
    world.clock.ms += SETTINGS.delayMs;
    const before = await world.shards(file);
    expect(await mend(world)).toMatchObject({ shards: 0, waiting: 0 });
    expect(await world.shards(file)).toEqual(before);
  });

  it('makes a shard anew that its miner no longer has, reported by whoever found out', async () => {
    const world = new RepairWorld(12);
    const file = await world.store(1);
    const shard = (await world.shards(file))[3];
    if (!shard) throw new Error('no shard');
    const miner = world.minerOf(shard.slot.miner);
    miner.held.delete(shard.anchorId);
    const loss = {
      file: file.number,
      segment: 0,
      shardIndex: 3,
      placement: 0,
      reason: 'declared-missing',
      evidence: 'round:1',
    };
    world.repairs.report(loss);
    await mend(world);
    expect(await mend(world)).toMatchObject({ waiting: 1 });
    world.clock.ms += SETTINGS.delayMs;
    expect(await mend(world)).toMatchObject({ shards: 1, waiting: 0 });
    expect(await world.healthy(file)).toEqual(full(1));
    expect((await world.shards(file))[3]?.slot).toMatchObject({ placement: 1 });
    expect(world.owed(miner)).not.toContain(shard.anchorId);
    await expectSound(world, file);
  });

  it('moves what a leaving miner has at once, one read a shard, until it owes nothing', async () => {
    const world = new RepairWorld(12);
    const file = await world.store(6);
    const [leaver] = (await holders(world, file)) as [FakeMiner];
    const had = world.owed(leaver).length;
    expect(had).toBeGreaterThan(0);
    world.ping(leaver, 'leaving');
    await world.publish((miner) => (miner === leaver ? { accepting: false } : {}));
    await look(world);
    const report = await mend(world);
    expect(report).toMatchObject({ shards: had, waiting: 0 });
    expect(report.readBytes).toBe(report.sentBytes);
    expect(world.owed(leaver)).toEqual([]);
    expect(leaver.requests.get('readShards')).toBe(had);
    // What it still has is told to be dropped.
    expect(world.index.strays).toHaveLength(had);
    await expectSound(world, file);
  });

  it('drains a hotkey that left the subnet once that is due', async () => {
    const world = new RepairWorld(12);
    const file = await world.store(2);
    const [gone] = (await holders(world, file)) as [FakeMiner];
    const { hotkey } = gone.peer;
    const departure = { hotkey, coldkey: hotkey, address: undefined, leftAt: 7 };
    world.departures.push({ ...departure, due: false });
    await look(world);
    expect(world.repairs.counts().segments).toBe(0);
    world.departures[0] = { ...departure, due: true };
    await look(world);
    await mend(world);
    expect(world.owed(gone)).toEqual([]);
    await expectSound(world, file);
  });

  it('places as many as there are miners, says why the rest waits, and goes on when one joins', async () => {
    const world = new RepairWorld(11);
    const file = await world.store(1);
    const spare = world.miners.find((miner) => miner.held.size === 0) as FakeMiner;
    await world.publish((miner) => (miner === spare ? { accepting: false } : {}));
    await world.kill(...(await holders(world, file)).slice(0, 3));
    spare.fault = 'none';
    await world.publish((miner) => (miner === spare ? { accepting: false } : {}));
    await look(world);
    world.clock.ms += SETTINGS.delayMs;
    expect(await mend(world)).toMatchObject({ shards: 0, waiting: 1 });
    expect(world.repairs.counts().byReason).toEqual({ 'too-few-miners': 1 });
    expect(world.miners.some((miner) => miner.requests.has('readShards'))).toBe(false);
    await world.publish();
    world.clock.ms += SETTINGS.retryMs;
    expect(await mend(world)).toMatchObject({ shards: 1, waiting: 1 });
    expect(await world.healthy(file)).toEqual([8]);
  });

  it('says of a segment that lost too much that it did, tries it more and more slowly, and repairs the others', async () => {
    const world = new RepairWorld(18);
    const lost = await world.store(1);
    const kept = await world.store(1, { k: 1, n: 5 });
    const dead = (await holders(world, lost)).slice(0, 7);
    await world.kill(...dead);
    await look(world);
    world.clock.ms += SETTINGS.delayMs;
    await mend(world);
    expect(world.repairs.counts()).toMatchObject({ segments: 1, beyondRepair: 1, byReason: { unrecoverable: 1 } });
    expect(world.events.map(({ event }) => event)).toContain('segment-beyond-repair');
    expect(await world.healthy(kept)).toEqual([5]);
    const attempts = async () => {
      const before = world.events.length;
      await mend(world);
      return world.events.length > before || world.repairs.due(world.clock.ms, 1).length;
    };
    expect(await attempts()).toBe(0);
    for (const miner of dead) {
      miner.fault = 'none';
      world.ping(miner, 'up');
    }
    await world.publish();
    world.clock.ms += 64 * SETTINGS.retryMs;
    expect(await mend(world)).toMatchObject({ waiting: 0 });
    expect(await world.healthy(lost)).toEqual([10]);
  });

  it('settles what an index that did not answer left open, as named or as a stray', async () => {
    const world = new RepairWorld(12);
    const file = await world.store(1);
    const [dead] = (await holders(world, file)) as [FakeMiner];
    await world.kill(dead);
    await look(world);
    world.clock.ms += SETTINGS.delayMs;
    world.index.fail('replaceSlot');
    await mend(world);
    expect(world.repairs.open(10)).toHaveLength(1);
    const [open] = world.repairs.open(10);
    world.clock.ms += SETTINGS.retryMs;
    await mend(world);
    expect(world.repairs.open(10)).toEqual([]);
    expect(world.index.strays.map(({ miner }) => miner)).toContain(open?.miner);
    expect(await world.healthy(file)).toEqual([10]);
    expect((await world.shards(file)).map(({ slot }) => slot.placement)).toContain(2);
    await expectSound(world, file);
  });

  it('adopts what the index took although its answer was lost', async () => {
    const world = new RepairWorld(12);
    const file = await world.store(1);
    const [dead] = (await holders(world, file)) as [FakeMiner];
    await world.kill(dead);
    await look(world);
    world.clock.ms += SETTINGS.delayMs;
    const { replaceSlot } = world.index;
    world.index.replaceSlot = async (...all) => {
      await replaceSlot.apply(world.index, all);
      world.index.replaceSlot = replaceSlot;
      world.index.fail('replaceSlot');
      return replaceSlot.apply(world.index, all);
    };
    await mend(world);
    expect(world.repairs.open(10)).toHaveLength(1);
    world.clock.ms += SETTINGS.retryMs;
    await mend(world);
    await mend(world);
    expect(world.repairs.open(10)).toEqual([]);
    expect(world.repairs.counts().segments).toBe(0);
    expect(world.index.strays).toEqual([]);
    await expectSound(world, file);
    // The dead miner's debt is found out at the next walk.
    expect(world.owed(dead)).toHaveLength(1);
    world.repairs.setCursor(walkOf(dead.peer.hotkey), '');
    await walkInventories(world.ports, SETTINGS, signal);
    expect(world.owed(dead)).toEqual([]);
  });

  it('forgets the segments of a file that is deleted', async () => {
    const world = new RepairWorld(12);
    const file = await world.store(3);
    await world.kill(...(await holders(world, file)).slice(0, 1));
    await look(world);
    await world.index.deleteFile(file, 'deleted');
    world.clock.ms += SETTINGS.delayMs;
    expect(await mend(world)).toMatchObject({ shards: 0, waiting: 0 });
  });

  it('touches nothing on an index that is not the own', async () => {
    const world = new RepairWorld(12);
    const file = await world.store(1);
    await world.kill(...(await holders(world, file)).slice(0, 4));
    await look(world);
    world.mark = { id: 'another', epoch: 1, nextEpoch: 1 };
    const before = await world.shards(file);
    expect(await mend(world)).toMatchObject({ shards: 0 });
    expect(await look(world)).toMatchObject({ files: 0 });
    expect(await world.shards(file)).toEqual(before);
    expect(world.events.map(({ event }) => event)).toContain('index-refused');
  });
});

describe('level', () => {
  it('moves shards of an owner that holds too many, and is then content', async () => {
    const world = new RepairWorld(16);
    const file = await world.store(1);
    const crowd = (await holders(world, file)).slice(0, 5);
    world.joinOwners(crowd, 'one-owner');
    await world.publish();
    await look(world);
    world.clock.ms += SETTINGS.delayMs;
    expect(await mend(world)).toMatchObject({ shards: 2, waiting: 0 });
    const left = (await holders(world, file)).filter((miner) => crowd.includes(miner));
    expect(left).toHaveLength(3);
    await expectSound(world, file);
    await look(world);
    expect(world.repairs.counts().segments).toBe(0);
  });

  it('moves shards off a miner that is about to be full', async () => {
    const world = new RepairWorld(12);
    const file = await world.store(2);
    const [tight] = (await holders(world, file)) as [FakeMiner];
    await world.publish((miner) => (miner === tight ? { freeBytes: 1e7 } : {}));
    await look(world);
    world.clock.ms += SETTINGS.delayMs;
    await mend(world);
    expect(world.owed(tight)).toEqual([]);
    await expectSound(world, file);
  });
});

describe('the survey', () => {
  it('finds shards that were never stored', async () => {
    const world = new RepairWorld(12);
    const file = await world.store(1);
    const [record] = await world.index.readSegments(file, 0, 1);
    const slot = record?.slots[9];
    if (!slot) throw new Error('no slot');
    await world.index.replaceSlot(file.number, 0, 9, slot, { ...slot, root: new Uint8Array(32), state: 'lost' });
    expect(await look(world)).toMatchObject({ files: 1, queued: 1 });
    world.clock.ms += SETTINGS.delayMs;
    await mend(world);
    expect(await world.healthy(file)).toEqual([10]);
  });

  it('pages through files, and goes on where it stopped', async () => {
    const world = new RepairWorld(12);
    for (let i = 0; i < 70; i++) await world.store(1, { k: 1, n: 5 });
    expect(await survey(world.ports, SETTINGS, 1, signal)).toMatchObject({ files: 64 });
    expect(await survey(world.ports, SETTINGS, 1, signal)).toMatchObject({ files: 6 });
    expect(await survey(world.ports, SETTINGS, 1, signal)).toMatchObject({ files: 64 });
  });
});
