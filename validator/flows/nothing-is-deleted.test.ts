import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  clientOf,
  grantOf,
  KEYS,
  type LoopbackMiner,
  randomFrame,
  startLoopbackMiner,
  type TestClient,
} from '#miner/testing/loopback-miner.ts';
import { fromHex } from '#shared/primitives/bytes.ts';
import { systemRandom } from '#shared/primitives/effects.ts';
import { type MinerNumber, newOrderId, refOf } from '#shared/primitives/ids.ts';
import { makeMiners, TestClock, type TestMiner, TestTenant } from '../testing/tenant-world.ts';
import { collect } from './collect.ts';
import { dropDeleted } from './drop-deleted.ts';
import { dropStrays } from './drop-strays.ts';

const { signal } = new AbortController();
const COLLECT = { graceMs: 0, limit: { fraction: 1, shards: 1e6 } };

function makeTenant(name = 50) {
  const clock = new TestClock();
  const miners = makeMiners(4);
  return { clock, miners, tenant: new TestTenant(name, miners, clock) };
}

/** Every job that orders drops. */
async function runAll({ ports }: TestTenant): Promise<void> {
  await collect(ports, new Map(), COLLECT, signal);
  await dropDeleted(ports, signal);
  await dropStrays(ports, signal);
}

/** Reports every shard on every miner as a stray. */
async function reportAll(tenant: TestTenant, miners: readonly TestMiner[], file: number): Promise<void> {
  const numbers = await tenant.numbers();
  for (const [at, miner] of miners.entries()) {
    for (const anchorId of tenant.heldBy(miner)) {
      const ref = refOf(file as never, 0);
      await tenant.index.addStrays([
        { miner: numbers[at] as MinerNumber, anchorId: fromHex(anchorId) as Uint8Array, ref },
      ]);
    }
  }
}

describe('nothing is deleted', () => {
  it('by an index that was rolled back: not what was stored since, nor what it still calls deleted', async () => {
    const { clock, miners, tenant } = makeTenant();
    const old = await tenant.storeFile(2);
    await runAll(tenant);
    await runAll(tenant);
    const held = tenant.held;
    // A backup of an earlier hour: an older epoch, without the file, with a tombstone and strays of its own.
    const backup = await tenant.index.identity();
    await runAll(tenant);
    tenant.index.epoch = backup.epoch - 1;
    await tenant.index.deleteFile(old, 'deleted');
    await reportAll(tenant, miners, 999);
    clock.ms += 1e9;
    await runAll(tenant);
    expect(tenant.held).toBe(held);
    expect(tenant.events).toEqual(expect.arrayContaining(['collection-stopped', 'index-refused']));
  });

  it('by a wrong index URL: another index, empty or another tenant’s, explains none of our shards', async () => {
    const { clock, miners, tenant } = makeTenant();
    await tenant.storeFile(2);
    await runAll(tenant);
    const held = tenant.held;
    const other = new TestTenant(51, miners, clock);
    const gone = await other.storeFile(1);
    await other.index.deleteFile(gone, 'deleted');
    await reportAll(other, miners, 1);
    const othersHeld = other.held;
    other.index.identity = async () => ({ id: 'another index', epoch: 1 });
    const misled = { ...tenant.ports, files: other.index, directory: other.index };
    clock.ms += 1e9;
    await collect(misled, new Map(), COLLECT, signal);
    await dropDeleted(misled, signal);
    await dropStrays(misled, signal);
    expect(tenant.held).toBe(held);
    expect(other.held).toBe(othersHeld);
  });

  describe('by a stolen edge key', () => {
    let miner: LoopbackMiner;
    const clients: TestClient[] = [];
    beforeAll(async () => {
      miner = await startLoopbackMiner();
    });
    afterAll(async () => {
      for (const client of clients) client.close();
      await miner?.remove();
    });

    it('on the miners: it stores and reads, and its drop orders are refused', async () => {
      const edge = clientOf(KEYS.edge, KEYS.tenant, grantOf());
      // The thief signs orders as if it were a tenant of its own, and presents the grant.
      const thief = clientOf(KEYS.edge, KEYS.edge, grantOf());
      clients.push(edge, thief);
      const frame = randomFrame(5000);
      expect((await edge.putShard(miner.peer, newOrderId(systemRandom), frame, signal)).ok).toBe(true);
      const dropped = await thief.drop(miner.peer, [frame.anchorId], 'drop', 1, signal);
      expect(dropped).toMatchObject({ ok: false, failure: { code: 'refused' } });
      expect((await edge.headShard(miner.peer, frame.anchorId, signal)).ok).toBe(true);
    });

    it('through the index: live shards that it reports as strays stay', async () => {
      const { clock, miners, tenant } = makeTenant();
      const file = await tenant.storeFile(1);
      const held = tenant.held;
      await reportAll(tenant, miners, file.number);
      clock.ms += 1e9;
      await dropStrays(tenant.ports, signal);
      expect(tenant.held).toBe(held);
    });
  });
});
