import { beforeEach, expect, it } from 'vitest';
import { waitFailure } from '#shared/chain/chain-failure.ts';
import type { Chain, Metagraph, Neuron } from '#shared/chain/ports.ts';
import { fail, succeed } from '#shared/primitives/failure.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';
import { MemoryNetworkHistory } from '#shared/testing/memory-network-history.ts';
import { TIERS } from '#shared/tier/table.ts';
import { openMemoryDatabase } from '#validator/state/database.ts';
import { createStandings } from '#validator/state/standings.ts';
import { STANDINGS_SCHEMA } from '#validator/state/standings-schema.ts';
import { createWeightHistory, WEIGHTS_SCHEMA } from '#validator/state/weight-history.ts';
import { makeMiners, TestClock, TestTenant } from '../testing/tenant-world.ts';
import { describeNetwork, newDescribeState } from './describe-network.ts';
import { newPublishState, publishMiners } from './publish-miners.ts';

const { signal } = new AbortController();
const rules = { tiers: TIERS, windowBlocks: 60, snapshotMs: 10_000 };
const ALL = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER, offset: 0, limit: 1000 };

async function openWorld() {
  const clock = new TestClock();
  const miners = makeMiners(3);
  const tenant = new TestTenant(50, miners, clock);
  const db = openMemoryDatabase([STANDINGS_SCHEMA, WEIGHTS_SCHEMA]);
  const history = new MemoryNetworkHistory(clock);
  const hotkeys = miners.map(({ peer }) => peer.hotkey);
  const published = newPublishState();
  const world = {
    registered: hotkeys,
    block: 130,
    chainAway: false,
    calls: [] as string[],
  };
  const neurons = (): readonly Neuron[] =>
    world.registered.map((hotkey, uid) => ({
      ...{ uid, hotkey, coldkey: hotkey, axon: undefined, stake: 0n, validatorPermit: false, lastUpdate: 0 },
      ...{ incentive: 100 + uid, emission: 5n, registeredAt: 0 },
    }));
  const metagraph: Chain['metagraph'] = async () =>
    world.chainAway
      ? fail(waitFailure('weights-too-fast', 'away', undefined))
      : succeed({
          netuid: 21,
          neurons: neurons(),
          stakeKind: 'total',
          block: { number: 1, hash: new Uint8Array(32) },
        } as Metagraph);
  const standings = createStandings(db);
  const weights = createWeightHistory(db);
  const ports = {
    ...tenant.ports,
    ...{ history, standings, weights },
    chain: { metagraph } as Chain,
    blocks: {
      newest: () => ({ number: world.block, hash: new Uint8Array(32) }),
      hash: () => Promise.reject(new Error('not asked')),
      above: () => Promise.reject(new Error('not asked')),
    },
    inventories: {
      head: (miner: Hotkey) => {
        const shards = miner === hotkeys[0] ? 2 : 0;
        return { inventory: new Uint8Array(32), leaves: shards, shards, bytes: 1000 * shards };
      },
    },
  };
  await publishMiners(tenant.ports, published, signal);
  const details = history.publishDetails.bind(history);
  history.publishDetails = (told, keepMs) => {
    world.calls.push(...told.map(({ miner }) => miner.hotkey));
    return details(told, keepMs);
  };
  const observe = (miner: Hotkey) =>
    standings.record({
      ...{ id: crypto.randomUUID(), task: 'challenge', atMs: clock.nowMs(), block: 1 },
      observations: [{ miner, ending: 'passed', seconds: 1, bytes: 1, reason: 'passed', evidence: 'round:1' }],
    });
  let state = newDescribeState();
  return {
    ...{ world, tenant, clock, history, standings, weights, hotkeys, observe },
    run: () => describeNetwork(ports, rules, state, signal),
    restart: () => {
      state = newDescribeState();
    },
    takeCalls: () => world.calls.splice(0),
    deregister: async (index: number) => {
      world.registered = hotkeys.filter((_, i) => i !== index);
      tenant.registered = miners.filter((_, i) => i !== index);
      await publishMiners(tenant.ports, published, signal);
    },
  };
}

let at: Awaited<ReturnType<typeof openWorld>>;
beforeEach(async () => {
  at = await openWorld();
});

it('shows every miner, best rewarded first, with what it holds, owes its tier and was weighed', async () => {
  const [one, two] = at.hotkeys as [Hotkey, Hotkey];
  at.observe(two);
  at.weights.note({
    ...{ atMs: 1, block: 120, step: 'set', reason: 'tempo', commit: undefined },
    weights: [{ uid: 1, value: 65_535, hotkey: two, reward: 0.1 }],
  });
  await at.run();
  expect(await at.history.readNow()).toMatchObject({
    ...{ block: 130, window: { number: 2, blocks: 60 }, miners: 3, accepting: 3 },
    ...{
      network: { storedBytes: 2000, capacityBytes: 3e9, attempts: 1, successes: 1, emission: 15, indexBytes: 4096 },
    },
    weights: { block: 120, step: 'set', reason: 'tempo' },
  });
  const { miners } = await at.history.minersNow();
  expect(miners.map(({ hotkey }) => hotkey)[0]).toBe(two);
  expect(miners.find(({ hotkey }) => hotkey === two)).toMatchObject({ weight: 65_535, uid: 1, totalSuccesses: 1 });
  expect(miners.find(({ hotkey }) => hotkey === one)).toMatchObject({
    ...{ storedBytes: 2000, shards: 2, freeBytes: 1e9, limitBytes: 10 * 2 ** 40, tier: 'Bronze', weight: 0 },
  });
  expect(await at.history.minerDetail(two)).toMatchObject({ events: [{ evidence: 'round:1', block: 1 }] });
  expect(await at.history.tierRows(ALL)).toHaveLength(8);
});

it('tells of a miner again only when something of it changed', async () => {
  await at.run();
  expect(at.takeCalls()).toHaveLength(3);
  await at.run();
  expect(at.takeCalls()).toEqual([]);
  at.observe(at.hotkeys[0] as Hotkey);
  at.clock.ms += 5;
  await at.run();
  expect(at.takeCalls()).toEqual([at.hotkeys[0]]);
  at.clock.ms += 8 * 86_400_000;
  await at.run();
  expect(at.takeCalls()).toHaveLength(3);
});

it('takes a snapshot when one is due, and none too many after a restart', async () => {
  await at.run();
  await at.run();
  at.restart();
  await at.run();
  expect(await at.history.networkRows(ALL)).toHaveLength(1);
  at.clock.ms += rules.snapshotMs;
  await at.run();
  expect(await at.history.networkRows(ALL)).toHaveLength(2);
  expect(await at.history.minerRows(ALL, at.hotkeys[2])).toHaveLength(2);
});

it('goes on without what only the chain knows', async () => {
  at.world.chainAway = true;
  await at.run();
  const { miners } = await at.history.minersNow();
  expect(miners.map(({ uid, storedBytes }) => [uid, storedBytes]).toSorted()).toEqual([
    [null, 0],
    [null, 0],
    [null, 2000],
  ]);
});

it('tells once of a miner that is gone', async () => {
  await at.run();
  at.observe(at.hotkeys[2] as Hotkey);
  at.takeCalls();
  await at.deregister(2);
  at.standings.forget(at.hotkeys[2] as Hotkey, 'replaced', 'block:9', at.clock.nowMs());
  await at.run();
  await at.run();
  expect(at.takeCalls()).toEqual([at.hotkeys[2]]);
  expect((await at.history.minersNow()).miners).toHaveLength(2);
  const gone = await at.history.minerDetail(at.hotkeys[2] as Hotkey);
  expect(gone?.explanation[0]).toMatch(/no longer in the subnet/);
  expect(gone?.events[0]).toMatchObject({ cause: 'forgotten', reason: 'replaced' });
});
