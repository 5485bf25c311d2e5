import { describe, expect, it } from 'vitest';
import type { FileRecord } from '#shared/index/ports.ts';
import { RepairWorld } from '../testing/repair-world.ts';
import { recode } from './recode.ts';

const { signal } = new AbortController();
const SETTINGS = {
  ...{ steadyMs: 1000, marginShare: 0.1, pages: 10, maxFileBytes: 2 ** 30, sessionMs: 3_600_000, holdMs: 60_000 },
};

/** Looks until the network's size is steady, then codes anew. */
async function recodeSteadily(world: RepairWorld) {
  for (let look = 0; look < 2; look++) {
    await recode(world.ports, SETTINGS, signal);
    world.clock.ms += 500;
  }
  return recode(world.ports, SETTINGS, signal);
}
const only = (world: RepairWorld) => [...world.index.live.values()][0] as FileRecord;

describe('a file below what the network allows', () => {
  it('is coded anew once the network has been large enough for long, and reads as before from both codings', async () => {
    const world = new RepairWorld(12);
    const file = await world.store(3, { k: 2, n: 5 });
    expect((await recode(world.ports, SETTINGS, signal)).files).toBe(0);
    expect(await recodeSteadily(world)).toMatchObject({ files: 1, recoded: 1, waiting: 0 });
    const now = only(world);
    expect(now).toMatchObject({ k: 4, n: 10, cid: file.cid, fileId: file.fileId, owner: file.owner });
    expect(now.number).not.toBe(file.number);
    expect(now.codingId).not.toEqual(file.codingId);
    expect(await world.readBack(now)).toBe(true);
    expect(await world.readBack(file)).toBe(true);
    expect(await world.healthy(now)).toEqual([10, 10, 10]);
    expect(world.index.receipts.filter((batch) => batch.file === now.number)).toHaveLength(3);
    expect(world.index.buried.get(file.number)?.tombstone.reason).toBe('recoded');
    expect((await recodeSteadily(world)).recoded).toBe(0);
  });
  it('that is deleted meanwhile stays deleted, and what was sent is handed over as strays', async () => {
    const world = new RepairWorld(12);
    const file = await world.store(2, { k: 2, n: 5 });
    for (const miner of world.miners) miner.latencyMs = 1;
    const { addReceipts } = world.index;
    world.index.addReceipts = async (batch) => {
      await addReceipts.call(world.index, batch);
      await world.index.deleteFile(file, 'deleted');
    };
    expect(await recodeSteadily(world)).toMatchObject({ recoded: 0 });
    expect(world.index.live.size).toBe(0);
    expect(world.index.intents.size).toBe(0);
    expect(world.index.strays).toHaveLength(20);
  });
  it('that cannot be read now stays, and holds up no other', async () => {
    const world = new RepairWorld(12);
    const lost = await world.store(2, { k: 2, n: 5 });
    const other = await world.store(2, { k: 2, n: 5 });
    for (const { slot, anchorId } of await world.shards(lost)) world.minerOf(slot.miner).held.delete(anchorId);
    expect(await recodeSteadily(world)).toMatchObject({ recoded: 1, waiting: 1 });
    expect(world.index.live.has(lost.number)).toBe(true);
    expect(world.index.live.has(other.number)).toBe(false);
  });
});
