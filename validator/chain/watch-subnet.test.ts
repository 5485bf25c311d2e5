import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { plainFailure } from '#shared/chain/chain-failure.ts';
import type { BlockRef, Metagraph, MetagraphReader, Neuron } from '#shared/chain/ports.ts';
import { type Clock, silentLog } from '#shared/primitives/effects.ts';
import { fail, succeed } from '#shared/primitives/failure.ts';
import { type Hotkey, hotkeyOf } from '#shared/primitives/ids.ts';
import type { Roster } from '../domain/roster.ts';
import { rosterIn } from '../folder.ts';
import { followBlocks } from './follow-blocks.ts';
import { type RosterStore, watchSubnet } from './watch-subnet.ts';

const key = (number: number): Hotkey => hotkeyOf(new Uint8Array(32).fill(number));
const OWN = key(255);
const block = (number: number): BlockRef => ({ number, hash: new Uint8Array(32).fill(number) });

/** A chain whose blocks the test makes. */
class TestChain {
  neurons: Neuron[] = [];
  away = false;
  reads = 0;
  #number = 1;
  #wake: (() => void)[] = [];

  /** @param taken uid whose holder is replaced, in the next block */
  join(hotkey: Hotkey, taken?: number): void {
    const uid = taken ?? this.neurons.length;
    const registeredAt = this.#number + (taken === undefined ? 0 : 1);
    const axon = { ip: '9.0.0.9', port: 9000 + uid, version: 1, block: 1 };
    const rest = { stake: 0n, validatorPermit: false, lastUpdate: 0, incentive: 0, emission: 0n };
    this.neurons[uid] = { uid, hotkey, coldkey: key(200), axon, registeredAt, ...rest };
  }

  /** Resolves when everybody has seen it. */
  async make(count = 1): Promise<void> {
    for (let made = 0; made < count; made++) {
      this.#number += 1;
      for (const wake of this.#wake.splice(0)) wake();
      await new Promise((done) => setImmediate(done));
    }
  }

  readonly reader: MetagraphReader & { finalizedHeads(options?: { signal?: AbortSignal }): AsyncIterable<BlockRef> } = {
    metagraph: async (netuid) => {
      this.reads += 1;
      if (this.away) return fail(plainFailure('unreachable', 'no answer'));
      const graph: Metagraph = { netuid, block: block(this.#number), neurons: [...this.neurons], stakeKind: 'total' };
      return succeed(graph);
    },
    rules: async () => fail(plainFailure('refused', 'not asked')),
    newNeurons: async () => succeed([]),
    registration: async () => succeed(undefined),
    finalizedHeads: (options) => this.#heads(options?.signal),
  };

  async *#heads(signal: AbortSignal | undefined): AsyncGenerator<BlockRef> {
    for (let seen = this.#number; !signal?.aborted; ) {
      if (this.#number > seen) {
        seen = this.#number;
        yield block(seen);
        continue;
      }
      await new Promise<void>((wake) => {
        this.#wake.push(wake);
        signal?.addEventListener('abort', () => wake());
      });
    }
  }
}

/** A disk that can be full. */
class TestStore implements RosterStore {
  roster: Roster | undefined;
  full = false;
  async read() {
    return this.roster;
  }
  async write(roster: Roster) {
    if (this.full) throw new Error('ENOSPC');
    this.roster = roster;
  }
}

let store: TestStore;
let stopped: AbortController;
let chain: TestChain;
const events: string[] = [];
beforeEach(() => {
  store = new TestStore();
  stopped = new AbortController();
  chain = new TestChain();
  events.length = 0;
});
afterEach(() => stopped.abort());

async function watch(refreshBlocks = 1) {
  const note = (event: string) => void events.push(event);
  const log = { ...silentLog, info: note, warn: note };
  // Waits only for the signal: no silence is told.
  const clock: Clock = {
    nowMs: () => 0,
    sleep: (_, signal) =>
      new Promise((_wake, reject) => signal?.addEventListener('abort', () => reject(signal.reason))),
  };
  const heads = { ...chain.reader, genesisHash: new Uint8Array(32), runtime: () => 'test 1' };
  const finalized = {
    ...heads,
    head: async () => succeed(block(1)),
    finalizedHead: async () => succeed(block(1)),
    blockHash: async (number: number) => succeed(block(number).hash),
  };
  const blocks = followBlocks(finalized, block(1), { clock, log }, stopped.signal);
  const ports = { chain: chain.reader, blocks, store, log };
  return { blocks, ...(await watchSubnet(ports, { netuid: 21, own: OWN, refreshBlocks }, stopped.signal)) };
}

describe('the subnet', () => {
  it('is who serves in it, followed block by block, and every change is told', async () => {
    chain.join(OWN);
    chain.join(key(1));
    const subnet = await watch();
    let changes = 0;
    subnet.onChange(() => {
      changes += 1;
    });
    expect((await subnet.registrations.read()).map(({ hotkey }) => hotkey)).toEqual([key(1)]);
    chain.join(key(2));
    await chain.make(2);
    expect((await subnet.registrations.read()).map(({ hotkey }) => hotkey)).toEqual([key(1), key(2)]);
    expect(changes).toBe(1);
    expect(events).toContain('neuron-joined');
  });

  it('is not taken for empty while the chain does not answer', async () => {
    chain.join(key(1));
    chain.away = true;
    const subnet = await watch();
    await expect(subnet.registrations.read()).rejects.toThrow(/not been read/);
    chain.away = false;
    await chain.make();
    expect(await subnet.registrations.read()).toHaveLength(1);
    chain.away = true;
    await chain.make(3);
    expect(await subnet.registrations.read()).toHaveLength(1);
    expect(events.filter((event) => event === 'metagraph-unread')).toHaveLength(2);
  });

  it('is read every few blocks, not at every one', async () => {
    const subnet = await watch(5);
    await chain.make(20);
    expect(chain.reads).toBe(5);
    await expect(subnet.registrations.read()).resolves.toEqual([]);
  });
});

describe('departures', () => {
  it('stay known across a restart, with what happened while we were away', async () => {
    chain.join(key(1));
    chain.join(key(2));
    await watch();
    stopped.abort();
    chain.join(key(3), 0);
    await chain.make(10);
    stopped = new AbortController();
    const { departures, registrations } = await watch();
    expect(departures.list()).toMatchObject([{ hotkey: key(1), leftAt: 2, address: { port: 9000 } }]);
    const all = await registrations.read();
    expect(all.map(({ hotkey, leftAt }) => [hotkey, leftAt])).toEqual([
      [key(3), undefined],
      [key(2), undefined],
      [key(1), 2],
    ]);
  });

  it('are due once it was quiet for five blocks', async () => {
    chain.join(key(1));
    const { departures } = await watch();
    chain.join(key(2), 0);
    await chain.make(1);
    const due = () => departures.list().map((departure) => departure.due);
    expect(due()).toEqual([false]);
    await chain.make(4);
    expect(due()).toEqual([false]);
    await chain.make(1);
    expect(due()).toEqual([true]);
  });

  it('are settled once and for good, and still reached for a while', async () => {
    chain.join(key(1));
    const { departures, registrations } = await watch();
    chain.join(key(2), 0);
    await chain.make(2);
    await departures.settle(key(1));
    await departures.settle(key(9));
    expect(departures.list()).toEqual([]);
    expect(store.roster?.departed[0]?.settledAt).toBe(3);
    expect((await registrations.read()).map(({ hotkey }) => hotkey)).toContain(key(1));
    await chain.make(120);
    expect((await registrations.read()).map(({ hotkey }) => hotkey)).toEqual([key(2)]);
  });
});

it('a disk that is full is told once, and what it should have kept is kept later', async () => {
  chain.join(key(1));
  const { registrations, departures } = await watch();
  store.full = true;
  chain.join(key(2), 0);
  await chain.make(3);
  expect(events.filter((event) => event === 'roster-unwritten')).toHaveLength(1);
  store.full = false;
  await chain.make();
  expect(departures.list()).toMatchObject([{ hotkey: key(1), leftAt: 2 }]);
  expect((await registrations.read()).length).toBe(2);
});

describe('the roster on disk', () => {
  let dataDir: string;
  beforeEach(() => {
    dataDir = mkdtempSync(join(tmpdir(), 'filetao-roster-'));
  });
  afterEach(() => rmSync(dataDir, { recursive: true, force: true }));

  it('is what was written', async () => {
    chain.join(key(1));
    chain.join(key(2));
    await watch();
    chain.join(key(3), 0);
    await chain.make(2);
    const { roster } = store;
    if (!roster) throw new Error('nothing was written');
    expect(await rosterIn(dataDir).read()).toBeUndefined();
    await rosterIn(dataDir).write(roster);
    expect(await rosterIn(dataDir).read()).toEqual(roster);
  });

  it.each(['', '{', '[]', '{"block":1}', '{"block":-1,"lastRegistration":0,"members":[],"departed":[]}'])(
    'damaged, it stops the start: %s',
    async (text) => {
      writeFileSync(join(dataDir, 'roster.json'), text);
      await expect(rosterIn(dataDir).read()).rejects.toThrow();
    },
  );
});
