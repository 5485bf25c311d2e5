import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { toHex } from '#shared/primitives/bytes.ts';
import type { AnchorId, FileId, FileNumber } from '#shared/primitives/ids.ts';
import { makeMiners, OWNER, randomRoot, TestClock, type TestMiner, TestTenant } from '../testing/tenant-world.ts';
import { type CollectSettings, collect } from './collect.ts';

const GRACE_MS = 100;
const SETTINGS: CollectSettings = { graceMs: GRACE_MS, limit: { fraction: 0.01, shards: 1000 } };
const { signal } = new AbortController();

const newAnchor = (): AnchorId => toHex(randomRoot()) as AnchorId;

function makeWorld(miners = 4) {
  const clock = new TestClock();
  const shared = makeMiners(miners);
  const tenant = new TestTenant(50, shared, clock);
  return { clock, miners: shared, tenant, first: shared[0] as TestMiner };
}
const run = (tenant: TestTenant, settings = SETTINGS) => collect(tenant.ports, new Map(), settings, signal);

describe('collection', () => {
  it('never drops a shard that a manifest names, and drops all that nothing explains', async () => {
    const kinds = ['garbage', 'on-hold', 'upload-open', 'wrong-miner'] as const;
    const litter = fc.array(fc.record({ kind: fc.constantFrom(...kinds), miner: fc.nat(3) }), { maxLength: 20 });
    await fc.assert(
      fc.asyncProperty(fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 5 }), litter, async (files, leavings) => {
        const { clock, miners, tenant } = makeWorld();
        for (const segments of files) await tenant.storeFile(segments);
        const named = miners.map((miner) => tenant.heldBy(miner));
        const nowMs = clock.nowMs();
        const intent = { owner: OWNER, fileId: 'ff'.repeat(16) as FileId, expiresAtMs: nowMs + 1e6 };
        const open = await tenant.index.beginUpload(intent);
        const kept: { miner: TestMiner; anchorId: AnchorId }[] = [];
        const gone: { miner: TestMiner; anchorId: AnchorId }[] = [];
        for (const { kind, miner: at } of leavings) {
          const miner = miners[at] as TestMiner;
          // A shard that the manifest names on another miner: what an earlier placing left behind.
          const twin = kind === 'wrong-miner' ? named[(at + 1) % 4]?.[0] : undefined;
          const anchorId = twin ?? newAnchor();
          const holdUntilMs = kind === 'on-hold' ? nowMs + 5 : nowMs;
          const file = kind === 'upload-open' ? open : ((files.length > 0 ? 1 : 9999) as FileNumber);
          tenant.hold(miner, anchorId, file, 0, holdUntilMs);
          (kind === 'on-hold' || kind === 'upload-open' ? kept : gone).push({ miner, anchorId });
        }
        clock.ms = nowMs + GRACE_MS;
        await run(tenant);
        miners.forEach((miner, at) => {
          for (const anchorId of named[at] ?? []) expect(tenant.heldBy(miner)).toContain(anchorId);
        });
        for (const { miner, anchorId } of kept) expect(tenant.heldBy(miner)).toContain(anchorId);
        for (const { miner, anchorId } of gone) expect(tenant.heldBy(miner)).not.toContain(anchorId);
      }),
      { numRuns: 60 },
    );
  });

  it('of two tenants on the same miners never touches what the other stored', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 0, max: 4 }),
        fc.integer({ min: 0, max: 4 }),
        fc.nat(5),
        async (a, b, litter) => {
          const clock = new TestClock();
          const miners = makeMiners(3);
          const tenants = [new TestTenant(50, miners, clock), new TestTenant(51, miners, clock)] as const;
          for (let i = 0; i < a; i++) await tenants[0].storeFile(2);
          for (let i = 0; i < b; i++) await tenants[1].storeFile(1);
          for (let i = 0; i < litter; i++)
            tenants[i % 2]?.hold(miners[0] as TestMiner, newAnchor(), 77 as FileNumber, 0, 0);
          clock.ms += 1e6;
          await Promise.all(tenants.map((tenant) => run(tenant)));
          expect(tenants.map((tenant) => tenant.held)).toEqual([a * 2 * 3, b * 3]);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('keeps the shards of a deleted file until its tombstone is settled', async () => {
    const { clock, tenant } = makeWorld();
    const file = await tenant.storeFile(1);
    await tenant.index.deleteFile(file, 'deleted');
    clock.ms += 1e6;
    await run(tenant);
    expect(tenant.held).toBe(4);
    await tenant.index.settleTombstone(file.number);
    await run(tenant);
    expect(tenant.held).toBe(0);
  });

  it('walks listings of any length, and goes on where the last run stopped', async () => {
    const { clock, tenant, first } = makeWorld(1);
    for (let i = 0; i < 16_500; i++) tenant.hold(first, newAnchor(), 77 as FileNumber, 0, clock.ms + 1e9);
    const last = newAnchor();
    tenant.hold(first, last, 77 as FileNumber, 0, 0);
    clock.ms += GRACE_MS;
    const cursors = new Map();
    expect(await collect(tenant.ports, cursors, SETTINGS, signal)).toMatchObject({ listed: 16_000, garbage: 0 });
    expect(await collect(tenant.ports, cursors, SETTINGS, signal)).toMatchObject({ listed: 501, dropped: 1 });
    expect(tenant.heldBy(first)).not.toContain(last);
  });

  it('goes on without a miner that does not answer', async () => {
    const { clock, miners, tenant } = makeWorld();
    for (const miner of miners) tenant.hold(miner, newAnchor(), 77 as FileNumber, 0, 0);
    (miners[1] as TestMiner).fault = 'dead';
    clock.ms += 1e6;
    expect(await run(tenant)).toMatchObject({ listed: 3, garbage: 3, dropped: 3 });
  });
});

describe('collection stops, and drops nothing,', () => {
  const litterAndWait = ({ tenant, first, clock }: ReturnType<typeof makeWorld>, shards = 1) => {
    for (let i = 0; i < shards; i++) tenant.hold(first, newAnchor(), 77 as FileNumber, 0, 0);
    clock.ms += 1e6;
  };

  it('when the index is another one', async () => {
    const world = makeWorld();
    litterAndWait(world);
    world.tenant.mark = { id: 'another', epoch: 1, nextEpoch: 1 };
    expect(await run(world.tenant)).toEqual({ listed: 0, garbage: 0, dropped: 0, refused: 'other-index' });
    expect(world.tenant.held).toBe(1);
    expect(world.tenant.events).toContain('collection-stopped');
  });

  it('when the index is an older state of itself', async () => {
    const world = makeWorld();
    await run(world.tenant);
    await run(world.tenant);
    litterAndWait(world);
    world.tenant.index.epoch--;
    expect(await run(world.tenant)).toMatchObject({ refused: 'rolled-back' });
    expect(world.tenant.held).toBe(1);
  });

  it('when the tenant lost its own folder beside an index in use', async () => {
    const world = makeWorld();
    await run(world.tenant);
    litterAndWait(world);
    world.tenant.mark = undefined;
    expect(await run(world.tenant)).toMatchObject({ refused: 'unknown-index' });
  });

  it('when too much would go: more than the least, and more than its hundredth', async () => {
    const world = makeWorld(1);
    litterAndWait(world, 11);
    const settings = { graceMs: GRACE_MS, limit: { fraction: 0.5, shards: 10 } };
    expect(await run(world.tenant, settings)).toMatchObject({ garbage: 11, dropped: 0, refused: 'too-much-garbage' });
    expect(world.tenant.held).toBe(11);
    expect(await run(world.tenant)).toMatchObject({ garbage: 11, dropped: 11 });
  });

  it.each(['identity', 'advanceEpoch', 'uploadOpen', 'readAnyFile', 'numberOf'] as const)(
    'when the index fails in %s',
    async (method) => {
      const world = makeWorld();
      await world.tenant.storeFile(1);
      litterAndWait(world);
      world.tenant.index.fail(method);
      await expect(run(world.tenant)).rejects.toThrow('fails as told');
      expect(world.tenant.held).toBe(5);
    },
  );

  it('when a live file lacks segments', async () => {
    const world = makeWorld();
    const file = await world.tenant.storeFile(2);
    world.tenant.index.segments.set(file.number, []);
    world.clock.ms += 1e6;
    await expect(run(world.tenant)).rejects.toThrow('lacks segments');
    expect(world.tenant.held).toBe(8);
  });

  it('but not after a crash between its own note and the index', async () => {
    const world = makeWorld();
    world.tenant.index.fail('advanceEpoch');
    await expect(run(world.tenant)).rejects.toThrow();
    expect((await run(world.tenant)).refused).toBeUndefined();
    // The other way round: the index advanced, the second note was lost.
    const { id, epoch } = await world.tenant.index.identity();
    world.tenant.mark = { id, epoch, nextEpoch: epoch + 1 };
    await world.tenant.index.advanceEpoch();
    expect((await run(world.tenant)).refused).toBeUndefined();
  });
});
