import { describe, expect, it } from 'vitest';
import { isSealed } from '#shared/index/sealed-directory.ts';
import { fromHex, toHex } from '#shared/primitives/bytes.ts';
import {
  type AnchorId,
  type FileId,
  type FileNumber,
  type Hotkey,
  hotkeyOf,
  type MinerNumber,
  refOf,
} from '#shared/primitives/ids.ts';
import { MAX_GRANT_MS, parseGrant } from '#shared/proof/grant.ts';
import { openSigned } from '#shared/proof/statement.ts';
import {
  makeMiners,
  OWNER,
  randomRoot,
  sr25519,
  TestClock,
  type TestMiner,
  TestTenant,
} from '../testing/tenant-world.ts';
import { dropDeleted } from './drop-deleted.ts';
import { dropStrays } from './drop-strays.ts';
import { expireFiles, expireUploads } from './expire.ts';
import { grantEdges } from './grant-edge.ts';
import { newPublishState, publishMiners } from './publish-miners.ts';

const { signal } = new AbortController();

function makeWorld(count = 4) {
  const clock = new TestClock();
  const miners = makeMiners(count);
  return { clock, miners, tenant: new TestTenant(50, miners, clock) };
}

describe('dropDeleted', () => {
  it('has every shard of a deleted file dropped, marks each, and settles the tombstone', async () => {
    const { tenant } = makeWorld();
    const kept = await tenant.storeFile(1);
    const file = await tenant.storeFile(130);
    await tenant.index.deleteFile(file, 'deleted');
    expect(await dropDeleted(tenant.ports, signal)).toEqual({ tombstones: 1, settled: 1, dropped: 520 });
    expect(tenant.held).toBe(4);
    expect((await tenant.index.deletion(OWNER, file.cid))?.dropped).toBe(520);
    expect(await tenant.index.readFile(kept.number)).toBeDefined();
    expect(await dropDeleted(tenant.ports, signal)).toEqual({ tombstones: 0, settled: 0, dropped: 0 });
  });

  it('asks again those that did not answer, and only those', async () => {
    const { miners, tenant } = makeWorld();
    const file = await tenant.storeFile(3);
    const [dead] = miners as [TestMiner];
    dead.fault = 'dead';
    await tenant.index.deleteFile(file, 'deleted');
    expect(await dropDeleted(tenant.ports, signal)).toEqual({ tombstones: 1, settled: 0, dropped: 9 });
    expect(await dropDeleted(tenant.ports, signal)).toEqual({ tombstones: 1, settled: 0, dropped: 0 });
    dead.fault = 'none';
    expect(await dropDeleted(tenant.ports, signal)).toEqual({ tombstones: 1, settled: 1, dropped: 3 });
    expect(tenant.held).toBe(0);
  });

  it('gives up on miners that are no longer registered', async () => {
    const { miners, tenant } = makeWorld();
    const file = await tenant.storeFile(1);
    tenant.registered = miners.slice(1);
    await tenant.index.deleteFile(file, 'expired');
    expect(await dropDeleted(tenant.ports, signal)).toEqual({ tombstones: 1, settled: 1, dropped: 3 });
  });

  it('settles nothing while the registrations cannot be read', async () => {
    const { tenant } = makeWorld();
    const file = await tenant.storeFile(1);
    await tenant.index.deleteFile(file, 'deleted');
    const registrations = { read: () => Promise.reject(new Error('no chain')) };
    await expect(dropDeleted({ ...tenant.ports, registrations }, signal)).rejects.toThrow('no chain');
    expect((await tenant.index.tombstones(undefined, 10)).items).toHaveLength(1);
  });
});

describe('dropStrays', () => {
  /** A shard on each miner that no file names, as an edge reports it. */
  async function strayOnEach({ miners, tenant }: ReturnType<typeof makeWorld>, file = 77 as FileNumber) {
    const numbers = await tenant.numbers();
    return miners.map((miner, at) => {
      const anchorId = randomRoot();
      tenant.hold(miner, toHex(anchorId) as AnchorId, file, 0, 0);
      return { miner: numbers[at] as MinerNumber, anchorId, ref: refOf(file, 0) };
    });
  }

  it('drops what edges reported, and puts back what a silent miner still has', async () => {
    const world = makeWorld();
    const strays = await strayOnEach(world);
    await world.tenant.index.addStrays(strays);
    (world.miners[2] as TestMiner).fault = 'dead';
    expect(await dropStrays(world.tenant.ports, signal)).toBe(3);
    expect(world.tenant.index.strays).toEqual([strays[2]]);
  });

  it('never drops what a file names, whoever reported it', async () => {
    const { miners, tenant } = makeWorld();
    const file = await tenant.storeFile(1);
    const numbers = await tenant.numbers();
    const held = tenant.held;
    for (const [at, miner] of miners.entries()) {
      const anchorId = fromHex(tenant.heldBy(miner)[0] as string) as Uint8Array;
      await tenant.index.addStrays([{ miner: numbers[at] as MinerNumber, anchorId, ref: refOf(file.number, 0) }]);
    }
    expect(await dropStrays(tenant.ports, signal)).toBe(0);
    expect(tenant.held).toBe(held);
    expect(tenant.index.strays).toEqual([]);
    expect(tenant.events).toContain('stray-is-named');
  });

  it('waits with the shards of an upload that is open', async () => {
    const world = makeWorld();
    const { tenant, clock } = world;
    const number = await tenant.index.beginUpload({
      owner: OWNER,
      fileId: 'ab'.repeat(16) as FileId,
      expiresAtMs: clock.ms + 9,
    });
    const strays = await strayOnEach(world, number);
    await tenant.index.addStrays(strays);
    expect(await dropStrays(tenant.ports, signal)).toBe(0);
    expect(tenant.index.strays).toEqual(strays);
    await tenant.index.abandonUpload(number);
    expect(await dropStrays(tenant.ports, signal)).toBe(strays.length);
    expect(tenant.held).toBe(0);
  });

  it('does nothing on an index that is not the own', async () => {
    const world = makeWorld();
    const strays = await strayOnEach(world);
    await world.tenant.index.addStrays(strays);
    world.tenant.mark = { id: 'another', epoch: 1, nextEpoch: 1 };
    expect(await dropStrays(world.tenant.ports, signal)).toBe(0);
    expect(world.tenant.index.strays).toEqual(strays);
    expect(world.tenant.held).toBe(strays.length);
  });

  it('forgets none when the run breaks off', async () => {
    const world = makeWorld(1);
    const strays = await strayOnEach(world);
    await world.tenant.index.addStrays(strays);
    world.tenant.index.fail('numberOf');
    await expect(dropStrays(world.tenant.ports, signal)).rejects.toThrow();
    expect(world.tenant.index.strays).toEqual(strays);
  });
});

describe('expiry', () => {
  it('buries files whose time has come, however many, and no others', async () => {
    const { clock, tenant } = makeWorld(2);
    for (let i = 0; i < 70; i++) await tenant.storeFile(1, { expiresAtMs: clock.ms + 10 });
    await tenant.storeFile(1);
    const later = await tenant.storeFile(1, { expiresAtMs: clock.ms + 1e6 });
    clock.ms += 11;
    expect(await expireFiles(tenant.ports, signal)).toBe(70);
    expect(tenant.index.live.size).toBe(2);
    expect(await tenant.index.readFile(later.number)).toBeDefined();
  });

  it('takes the staged writes of uploads whose session is over', async () => {
    const { clock, tenant } = makeWorld(2);
    const number = await tenant.index.beginUpload({
      owner: OWNER,
      fileId: 'aa'.repeat(16) as never,
      expiresAtMs: clock.ms + 5,
    });
    expect(await expireUploads(tenant.ports, signal)).toBe(0);
    clock.ms += 6;
    expect(await expireUploads(tenant.ports, signal)).toBe(1);
    expect(await tenant.index.uploadOpen(number)).toBe(false);
  });
});

describe('grantEdges', () => {
  const edge = hotkeyOf(new Uint8Array(32).fill(77)) as Hotkey;
  const open = (tenant: TestTenant, signed: Uint8Array) =>
    openSigned(
      sr25519.verify,
      'grant',
      signed,
      (bytes) => parseGrant(tenant.ports.network, bytes),
      (grant) => grant.validator,
    );

  it('signs for at most a day, and again when half of it is over', async () => {
    const { clock, tenant } = makeWorld(1);
    clock.ms = Date.now();
    const ports = { ...tenant.ports, verify: sr25519.verify };
    await grantEdges(ports, [edge], 2 * MAX_GRANT_MS);
    const first = (await tenant.index.readGrant(edge)) as Uint8Array;
    expect(open(tenant, first)).toMatchObject({
      ok: true,
      value: { edge, validator: tenant.ports.signer.hotkey, put: true, get: true },
    });
    clock.ms += MAX_GRANT_MS / 3;
    await grantEdges(ports, [edge], MAX_GRANT_MS);
    expect(await tenant.index.readGrant(edge)).toEqual(first);
    clock.ms += MAX_GRANT_MS / 5;
    await grantEdges(ports, [edge], MAX_GRANT_MS);
    expect(await tenant.index.readGrant(edge)).not.toEqual(first);
  });

  it('replaces a grant that is damaged, of somebody else, or for another edge', async () => {
    const { clock, tenant } = makeWorld(1);
    clock.ms = Date.now();
    const ports = { ...tenant.ports, verify: sr25519.verify };
    const other = new TestTenant(51, makeMiners(1), clock);
    await grantEdges({ ...other.ports, verify: sr25519.verify }, [edge], MAX_GRANT_MS);
    const foreign = (await other.index.readGrant(edge)) as Uint8Array;
    for (const wrong of [foreign, new Uint8Array(10)]) {
      await tenant.index.writeGrant(edge, wrong);
      await grantEdges(ports, [edge], MAX_GRANT_MS);
      expect(open(tenant, (await tenant.index.readGrant(edge)) as Uint8Array)).toMatchObject({
        ok: true,
        value: { validator: tenant.ports.signer.hotkey },
      });
    }
  });
});

describe('publishMiners', () => {
  it('offers miners that proved their address and have room, and lists those that once did', async () => {
    const { miners, tenant } = makeWorld(4);
    const [, dead, liar, full] = miners as [TestMiner, TestMiner, TestMiner, TestMiner];
    const state = newPublishState();
    await publishMiners(tenant.ports, state, signal);
    dead.fault = 'dead';
    full.freeBytes = 0;
    await publishMiners(tenant.ports, state, signal);
    liar.fault = 'lies-about-address';
    // A validator that starts again knows its miners from what it published.
    await publishMiners(tenant.ports, newPublishState(), signal);
    const { miners: listed } = await tenant.index.read();
    expect(listed.map((miner) => miner.accepting)).toEqual([true, false, false, false]);
    expect(new Set(listed.map((miner) => miner.number)).size).toBe(4);
  });

  it('gives no number to a hotkey that never proved to be a miner', async () => {
    const { miners, tenant } = makeWorld(2);
    (miners[1] as TestMiner).fault = 'dead';
    await publishMiners(tenant.ports, newPublishState(), signal);
    expect((await tenant.index.read()).miners.map(({ hotkey }) => hotkey)).toEqual([miners[0]?.peer.hotkey]);
  });

  it('asks an address that proves nothing more and more rarely', async () => {
    const { clock, miners, tenant } = makeWorld(1);
    (miners[0] as TestMiner).fault = 'dead';
    let asked = 0;
    const { hello } = tenant.ports.miners;
    const counted: typeof tenant.ports.miners = {
      ...tenant.ports.miners,
      hello: (...args) => {
        asked += 1;
        return hello(...args);
      },
    };
    const state = newPublishState();
    for (let minute = 0; minute < 30; minute++) {
      await publishMiners({ ...tenant.ports, miners: counted }, state, signal);
      clock.ms += 60_000;
    }
    expect(asked).toBeLessThan(10);
  });

  it('keeps who lost its place listed for reading, and offers nothing more of it', async () => {
    const { tenant } = makeWorld(2);
    const state = newPublishState();
    await publishMiners(tenant.ports, state, signal);
    const all = await tenant.ports.registrations.read();
    const registrations = { read: async () => all.map((miner, i) => (i === 0 ? { ...miner, leftAt: 7 } : miner)) };
    await publishMiners({ ...tenant.ports, registrations }, state, signal);
    expect((await tenant.index.read()).miners.map(({ accepting }) => accepting)).toEqual([false, true]);
  });

  it('signs what it publishes', async () => {
    const { tenant } = makeWorld(2);
    await publishMiners(tenant.ports, newPublishState(), signal);
    const { network, signer } = tenant.ports;
    const expected = { network, tenant: signer.hotkey, verify: sr25519.verify };
    expect(isSealed(expected, await tenant.index.read())).toBe(true);
  });

  it('writes only when something changed, or the last time is long ago', async () => {
    const { clock, miners, tenant } = makeWorld(2);
    const state = newPublishState();
    const [miner] = miners as [TestMiner];
    const writes = () => tenant.index.calls.filter((call) => call === 'publish').length;
    const run = () => publishMiners(tenant.ports, state, signal);
    await run();
    miner.freeBytes -= 1000;
    await run();
    expect(writes()).toBe(1);
    miner.freeBytes /= 2;
    await run();
    expect(writes()).toBe(2);
    miner.draining = true;
    await run();
    expect(writes()).toBe(3);
    clock.ms += 60_000;
    await run();
    expect(writes()).toBe(4);
  });

  it('has an address proven anew after it did not answer', async () => {
    const { miners, tenant } = makeWorld(1);
    const state = newPublishState();
    const [miner] = miners as [TestMiner];
    const accepting = async () => {
      await publishMiners(tenant.ports, state, signal);
      return (await tenant.index.read()).miners[0]?.accepting;
    };
    expect(await accepting()).toBe(true);
    miner.fault = 'lies-about-address';
    expect(await accepting()).toBe(true);
    miner.fault = 'dead';
    expect(await accepting()).toBe(false);
    miner.fault = 'lies-about-address';
    expect(await accepting()).toBe(false);
    miner.fault = 'none';
    expect(await accepting()).toBe(true);
  });
});
