/** Synthetic stores and whole-shard reads over miners in memory, with the real database and the real kernel. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { loadNodeKernel } from '#shared/codec/node-kernel.ts';
import { silentLog, systemRandom } from '#shared/primitives/effects.ts';
import { hotkeyOf } from '#shared/primitives/ids.ts';
import { sha256 } from '#shared/primitives/sha256.ts';
import { anchorIdOf, anchorOf } from '#shared/proof/anchor.ts';
import { maskShard } from '#shared/proof/mask.ts';
import { pickMiners } from '#shared/proof/sample.ts';
import { createFakeMiners, type FakeMiners } from '#shared/testing/fake-miners.ts';
import { MemoryIndex } from '#shared/testing/memory-index.ts';
import type { ProbeAnswer, ProbeClient, ProbeEdge } from '#validator/probe-client.ts';
import { type Database, openMemoryDatabase } from '#validator/state/database.ts';
import { createInventories } from '#validator/state/inventories.ts';
import { SCHEMA_PARTS } from '#validator/state/open-state.ts';
import type { Batch } from '#validator/state/ports.ts';
import type { ReportedLoss } from '#validator/state/repairs.ts';
import { createSynthetics } from '#validator/state/synthetics.ts';
import { TestClock } from '#validator/testing/tenant-world.ts';
import { probeMiners } from './probe-miners.ts';
import { syntheticDrop } from './synthetic-drop.ts';
import { type SyntheticPorts, syntheticStore } from './synthetic-store.ts';

const kernel = loadNodeKernel();
const SETTINGS = { miners: 3, everyBlocks: 5, bytesPerDay: 2 ** 30, lifeBlocks: 40 };
const DROPPING = { roundBlocks: 5, lifeBlocks: SETTINGS.lifeBlocks };
const signal = new AbortController().signal;

let db: Database;
let miners: FakeMiners;
let world: ReturnType<typeof makeWorld>;

function makeWorld() {
  const clock = new TestClock();
  const index = new MemoryIndex(clock);
  const inventories = createInventories(db);
  const synthetics = createSynthetics(db);
  const batches: Batch[] = [];
  const losses: ReportedLoss[] = [];
  const receipts: Uint8Array[] = [];
  let number = 100;
  const hashOf = (block: number) => sha256(new Uint8Array([block >> 8, block & 255]));
  const registered = () =>
    miners.peers.map(({ hotkey, number: at }) => ({
      ...{ hotkey, coldkey: hotkey, address: { ip: '127.0.0.1', port: 9000 + at } },
    }));
  const ports: SyntheticPorts & { readonly inventories: typeof inventories } = {
    ...{ clock, log: silentLog, kernel, random: systemRandom, inventories, synthetics },
    directory: index,
    ledger: { keepReceipts: async (signed) => void receipts.push(...signed) },
    miners: miners.client,
    registrations: { read: async () => registered() },
    minerUrl: ({ port }) => miners.peers.find((peer) => 9000 + peer.number === port)?.url,
    blocks: { newest: () => ({ number, hash: hashOf(number) }) },
    standings: { record: (batch) => (batches.some(({ id }) => id === batch.id) ? false : batches.push(batch) > 0) },
    transaction: (work) => db.transaction(work),
  };
  const publish = async (accepting = true) => {
    const numbers = await index.numberOf(registered().map(({ hotkey }) => hotkey));
    await index.publish({
      takenAtMs: clock.nowMs(),
      miners: registered().map((miner) => ({
        ...{ ...miner, number: numbers.get(miner.hotkey) as never, freeBytes: 1e9, capacityBytes: 1e9, accepting },
      })),
    });
  };
  return {
    ...{ clock, index, ports, batches, losses, receipts, inventories, synthetics, publish, hashOf },
    advance: (blocks: number) => {
      number += blocks;
    },
    block: () => number,
  };
}

beforeEach(async () => {
  db = openMemoryDatabase(SCHEMA_PARTS);
  miners = createFakeMiners({ count: 6, kernel });
  world = makeWorld();
  await world.publish();
});
afterEach(() => db.close());

const heldBytes = () => miners.miners.reduce((sum, { held }) => sum + held.size, 0);

describe('synthetic stores', () => {
  it('go to the miners that the block’s hash draws, are owed without a place, and are one batch', async () => {
    const report = await syntheticStore(world.ports, SETTINGS, signal);
    expect(report).toEqual({ eligible: 6, sent: 3, stored: 3 });
    expect(world.receipts.length).toBe(3);
    const drawn = pickMiners(world.hashOf(100), 6, 3).map((at) => miners.peers[at]?.hotkey);
    const [batch] = world.batches;
    expect(batch).toMatchObject({ id: 'store:100', task: 'store', block: 100 });
    expect(batch?.observations.map(({ miner }) => miner).sort()).toEqual([...drawn].sort());
    for (const { peer, held } of miners.miners) {
      expect(held.size).toBe(drawn.includes(peer.hotkey) ? 1 : 0);
      for (const [anchorId, { frame }] of held) {
        const owed = world.inventories.find(peer.hotkey, anchorId);
        expect(owed).toMatchObject({ anchorType: 1, bytes: frame.shard.length, place: undefined });
      }
    }
  });

  it('are made again from the seed that is kept', async () => {
    await syntheticStore(world.ports, SETTINGS, signal);
    for (const { anchorId, seed, bytes } of world.synthetics.due('owed', 140, 10)) {
      expect(anchorIdOf(anchorOf(kernel, await maskShard(seed, new Uint8Array(bytes))))).toBe(anchorId);
    }
  });

  it('happen once for a block, and not before the next is due', async () => {
    await syntheticStore(world.ports, SETTINGS, signal);
    expect(await syntheticStore(world.ports, SETTINGS, signal)).toBeUndefined();
    world.advance(4);
    expect(await syntheticStore(world.ports, SETTINGS, signal)).toBeUndefined();
    world.advance(1);
    expect(await syntheticStore(world.ports, SETTINGS, signal)).toBeDefined();
    expect(world.batches.map(({ id }) => id)).toEqual(['store:100', 'store:105']);
  });

  it('keep within the budget of a day, and begin anew the next', async () => {
    const settings = { ...SETTINGS, bytesPerDay: 1 };
    expect(await syntheticStore(world.ports, settings, signal)).toMatchObject({ sent: 0 });
    expect(world.batches).toEqual([]);
    expect(world.synthetics.spend(90, 100, 0)).toBe(true);
    expect(world.synthetics.spend(11, 100, 1)).toBe(false);
    expect(world.synthetics.spend(11, 100, 86_400_000)).toBe(true);
  });

  it('leave out miners with enough user data, whatever synthetic they hold', async () => {
    const [rich, poor] = miners.peers;
    if (!rich || !poor) throw new Error('no miners');
    const owed = (fill: number, bytes: number) => ({
      ...{ anchorId: `${fill}`.padStart(64, '0') as never, anchorType: 1 as const, root: new Uint8Array(32), bytes },
      place: undefined,
    });
    for (let i = 0; i < 16; i++) world.inventories.add(rich.hotkey, owed(i, 2 ** 22));
    for (let i = 0; i < 16; i++) {
      const shard = owed(100 + i, 2 ** 22);
      world.inventories.add(poor.hotkey, shard);
      world.synthetics.add({ ...shard, miner: poor.hotkey, seed: new Uint8Array(32), block: 200 });
      world.synthetics.setState(shard.anchorId, 'owed', 200);
    }
    expect(await syntheticStore(world.ports, { ...SETTINGS, miners: 6 }, signal)).toMatchObject({ eligible: 5 });
    expect(rich && miners.miners[0]?.held.size).toBe(0);
  });

  it('leave out miners that proved no address or have no room', async () => {
    await world.publish(false);
    expect(await syntheticStore(world.ports, SETTINGS, signal)).toMatchObject({ eligible: 0, sent: 0 });
  });

  it('count a dead miner as silent, a full one not at all', async () => {
    const [dead, full] = miners.miners;
    if (!dead || !full) throw new Error('no miners');
    dead.fault = 'dead';
    full.fault = 'full';
    await syntheticStore(world.ports, { ...SETTINGS, miners: 6 }, signal);
    const seen = world.batches[0]?.observations ?? [];
    expect(seen.find(({ miner }) => miner === dead.peer.hotkey)).toMatchObject({ ending: 'silent' });
    expect(seen.some(({ miner }) => miner === full.peer.hotkey)).toBe(false);
    expect(seen.length).toBe(5);
  });
});

describe('the end of synthetic shards', () => {
  it('is an order that is given only when no round can ask for them any more', async () => {
    await syntheticStore(world.ports, SETTINGS, signal);
    expect(heldBytes()).toBe(3);
    world.advance(39);
    expect(await syntheticDrop(world.ports, DROPPING, signal)).toBe(0);
    world.advance(1);
    expect(await syntheticDrop(world.ports, DROPPING, signal)).toBe(0);
    // Owed no more, held still.
    expect(miners.peers.every(({ hotkey }) => world.inventories.head(hotkey).shards === 0)).toBe(true);
    expect(heldBytes()).toBe(3);
    world.advance(10);
    expect(await syntheticDrop(world.ports, DROPPING, signal)).toBe(3);
    expect(heldBytes()).toBe(0);
    expect(world.synthetics.due('leaving', 1000, 10)).toEqual([]);
  });

  it('waits for a miner that is away', async () => {
    await syntheticStore(world.ports, SETTINGS, signal);
    world.advance(40);
    await syntheticDrop(world.ports, DROPPING, signal);
    world.advance(10);
    for (const miner of miners.miners) miner.fault = 'dead';
    expect(await syntheticDrop(world.ports, DROPPING, signal)).toBe(0);
    for (const miner of miners.miners) miner.fault = 'none';
    expect(await syntheticDrop(world.ports, DROPPING, signal)).toBe(3);
  });

  it('takes what a crash left behind, once a later draw has begun', async () => {
    const stopping = new AbortController();
    const ports: SyntheticPorts = {
      ...world.ports,
      miners: {
        ...miners.client,
        putShard: async (...args) => {
          const receipt = await miners.client.putShard(...args);
          stopping.abort(new Error('killed'));
          return receipt;
        },
      },
    };
    await expect(syntheticStore(ports, SETTINGS, stopping.signal)).rejects.toThrow('killed');
    expect(world.batches).toEqual([]);
    const left = heldBytes();
    expect(left).toBeGreaterThan(0);
    world.advance(5);
    expect(await syntheticDrop(world.ports, DROPPING, signal)).toBe(0);
    await syntheticStore(world.ports, { ...SETTINGS, miners: 1 }, signal);
    expect(await syntheticDrop(world.ports, DROPPING, signal)).toBeGreaterThanOrEqual(left);
    expect(heldBytes()).toBe(1);
    expect(world.batches.map(({ id }) => id)).toEqual(['store:105']);
  });
});

describe('whole-shard reads', () => {
  const edges: ProbeEdge[] = [1, 2].map((at) => ({
    hotkey: hotkeyOf(new Uint8Array(32).fill(200 + at)),
    url: `http://edge-${at}.invalid`,
  }));
  const PROBES = { miners: 4, everyBlocks: 5, edges };

  /** Edges that read as edges do; `lie` says what one of them answers instead. */
  const probesThat = (
    lie: (edge: ProbeEdge, miner: string) => ProbeAnswer | undefined = () => undefined,
  ): ProbeClient => ({
    async probe(edge, miner, shard, ended) {
      const lied = lie(edge, miner);
      if (lied) return lied;
      const peer = miners.peers.find(({ hotkey }) => hotkey === miner);
      if (!peer) throw new Error('no such miner');
      for await (const answer of miners.client.readShards(peer, [shard], ended)) {
        if (answer.ok) return { kind: 'shard', bytes: answer.value };
        const code = answer.failure.code === 'absent' ? 'absent' : 'unreachable';
        return { kind: 'miner-failed', code, message: answer.failure.message };
      }
      throw new Error('no answer');
    },
  });
  const run = (probes: ProbeClient, settings = PROBES) =>
    probeMiners(
      { ...world.ports, probes, losses: { report: (loss) => void world.losses.push(loss) } },
      settings,
      signal,
    );
  const retrieved = () => world.batches.filter(({ task }) => task === 'retrieve');

  beforeEach(async () => {
    await syntheticStore(world.ports, { ...SETTINGS, miners: 6 }, signal);
  });

  it('ask the miners that the block’s hash draws for a shard that they owe', async () => {
    expect(await run(probesThat())).toEqual({ asked: 4, passed: 4, failed: 0, void: 0 });
    const drawn = pickMiners(world.hashOf(100), 6, 4).map((at) => miners.peers[at]?.hotkey);
    expect(retrieved()[0]?.observations.map(({ miner }) => miner)).toEqual(drawn);
    expect(retrieved()[0]).toMatchObject({ id: 'retrieve:100', block: 100 });
  });

  it('happen once for a block', async () => {
    await run(probesThat());
    expect(await run(probesThat())).toBeUndefined();
    world.advance(5);
    expect(await run(probesThat())).toBeDefined();
  });

  it('count what edge and validator both found absent, and report the shard', async () => {
    const [robbed] = miners.miners;
    const place = { file: 7 as never, segment: 1, shardIndex: 2, placement: 3 };
    const shard = systemRandom(5000);
    const anchor = anchorOf(kernel, shard);
    for (const { anchorId } of world.synthetics.due('owed', 200, 10)) {
      world.inventories.remove(robbed?.peer.hotkey as never, anchorId);
    }
    world.inventories.add(robbed?.peer.hotkey as never, {
      ...{ anchorId: anchorIdOf(anchor), anchorType: 1, root: anchor.root, bytes: 5000, place },
    });
    expect(await run(probesThat(), { ...PROBES, miners: 6 })).toMatchObject({ passed: 5, failed: 1 });
    const seen = retrieved()[0]?.observations.find(({ ending }) => ending !== 'passed');
    expect(seen).toMatchObject({ miner: robbed?.peer.hotkey, ending: 'wrong', reason: 'absent' });
    expect(world.losses).toMatchObject([{ ...place, reason: 'absent' }]);
  });

  it('count a dead miner as silent, and wrong bytes as wrong', async () => {
    const [dead, liar] = miners.miners;
    if (!dead || !liar) throw new Error('no miners');
    dead.fault = 'dead';
    liar.fault = 'wrong-bytes';
    await run(probesThat(), { ...PROBES, miners: 6 });
    const of = (miner: typeof dead) => retrieved()[0]?.observations.find((one) => one.miner === miner.peer.hotkey);
    expect(of(dead)).toMatchObject({ ending: 'silent', reason: 'unreachable' });
    expect(of(liar)).toMatchObject({ ending: 'wrong', reason: 'wrong-bytes' });
    // A synthetic shard is nobody's file: there is nothing to repair.
    expect(world.losses).toEqual([]);
  });

  it('let no single edge cost a miner anything', async () => {
    const victim = miners.peers[0]?.hotkey;
    const [first] = edges;
    const slander: ProbeAnswer = { kind: 'miner-failed', code: 'absent', message: 'not there' };
    const one = probesThat((edge, miner) => (miner === victim && edge === first ? slander : undefined));
    expect(await run(one, { ...PROBES, miners: 6, edges: [first as ProbeEdge] })).toMatchObject({ failed: 0, void: 1 });
    world.advance(5);
    expect(await run(one, { ...PROBES, miners: 6 })).toMatchObject({ passed: 6, failed: 0 });
  });

  it('count a miner that serves us and refuses two edges that work for others', async () => {
    const [shy] = miners.peers;
    const refusal: ProbeAnswer = { kind: 'miner-failed', code: 'unreachable', message: 'no connection' };
    let asked = 0;
    // The edge that is asked first brings the shards of half of the others, the second those of the rest.
    const probes = probesThat((_, miner) => {
      if (miner === shy?.hotkey) return refusal;
      return asked++ % 3 === 0 ? { kind: 'edge-failed', message: 'busy' } : undefined;
    });
    expect(await run(probes, { ...PROBES, miners: 6 })).toMatchObject({ passed: 5, failed: 1 });
    const seen = retrieved()[0]?.observations.find(({ miner }) => miner === shy?.hotkey);
    expect(seen).toMatchObject({ ending: 'silent', reason: 'refuses-edges' });
  });

  it('say nothing of anybody while no edge answers', async () => {
    const probes = probesThat(() => ({ kind: 'edge-failed', message: 'no connection' }));
    expect(await run(probes)).toEqual({ asked: 4, passed: 0, failed: 0, void: 4 });
    expect(retrieved()).toEqual([]);
  });
});
