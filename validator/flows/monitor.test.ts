import { describe, expect, it } from 'vitest';
import { silentLog, systemClock } from '#shared/primitives/effects.ts';
import { fail, succeed } from '#shared/primitives/failure.ts';
import { type Hotkey, hotkeyOf } from '#shared/primitives/ids.ts';
import { minerFailure } from '#shared/wire/miner-failure.ts';
import type { MinerClient } from '#shared/wire/ports.ts';
import type { RegisteredMiner } from '../ports.ts';
import { openMemoryDatabase } from '../state/database.ts';
import { createInventories } from '../state/inventories.ts';
import { OWED_SCHEMA } from '../state/owed-rows.ts';
import { createPings, PINGS_SCHEMA } from '../state/pings.ts';
import { createRepairs, REPAIRS_SCHEMA } from '../state/repairs.ts';
import { createStandings } from '../state/standings.ts';
import { STANDINGS_SCHEMA } from '../state/standings-schema.ts';
import { type MonitorPorts, monitor } from './monitor.ts';
import { walkOf } from './walk-inventories.ts';

const { signal } = new AbortController();
const hotkey = (n: number): Hotkey => hotkeyOf(new Uint8Array(32).fill(n));
type Answer = 'up' | 'leaving' | 'dead';

function makeWorld(count = 3) {
  const clock = { ms: 1_000_000, nowMs: () => clock.ms, sleep: systemClock.sleep };
  const database = openMemoryDatabase([OWED_SCHEMA, REPAIRS_SCHEMA, PINGS_SCHEMA, STANDINGS_SCHEMA]);
  const answers = new Map<Hotkey, Answer>();
  const registered: RegisteredMiner[] = Array.from({ length: count }, (_, i) => ({
    ...{ hotkey: hotkey(i + 1), coldkey: 'c', address: { ip: '127.0.0.1', port: i + 1 } },
  }));
  const health: MinerClient['health'] = async (peer) => {
    const answer = answers.get(peer.hotkey) ?? 'up';
    if (answer === 'dead') return fail(minerFailure(peer.hotkey, 'unreachable', 'no connection'));
    const counts = { freeBytes: 1, capacityBytes: 1, shards: 0, draining: answer === 'leaving' };
    const body = { hotkey: peer.hotkey, version: '1', role: 'miner' as const, ...counts };
    return succeed(answer === 'leaving' ? { ...body, leaving: true } : body);
  };
  const departures: { hotkey: Hotkey; leftAt: number; due: boolean }[] = [];
  const ports: MonitorPorts = {
    registrations: { read: async () => registered },
    minerUrl: ({ port }) => `http://127.0.0.1:${port}`,
    miners: { health } as MinerClient,
    ...{ clock, log: silentLog },
    repairs: createRepairs(database, clock.nowMs),
    pings: createPings(database),
    standings: createStandings(database),
    inventories: createInventories(database),
    departures: {
      list: () => departures,
      settle: async (gone) =>
        void departures.splice(
          departures.findIndex((one) => one.hotkey === gone),
          1,
        ),
    },
    transaction: (work) => database.transaction(work),
    blockNumber: () => 7,
  };
  const run = async (times: number) => {
    for (let i = 0; i < times; i++, clock.ms += 1000) await monitor(ports, signal);
  };
  return { clock, answers, registered, departures, ports, run, book: createStandings(database) };
}

describe('monitor', () => {
  it('strikes a miner at its sixth failed ping in a row, once, and has what it holds looked at', async () => {
    const { answers, ports, run, book } = makeWorld();
    answers.set(hotkey(1), 'dead');
    await run(5);
    expect(ports.pings.find(hotkey(1))?.state).toBe('up');
    expect(book.find(hotkey(1))).toBeUndefined();
    await run(1);
    expect(ports.pings.find(hotkey(1))?.state).toBe('down');
    expect(book.find(hotkey(1))).toMatchObject({ totalStrikes: 1 });
    expect(book.events(hotkey(1), 5)[0]).toMatchObject({ reason: 'pings-failed', earned: -0.005 });
    expect(ports.repairs.cursor(walkOf(hotkey(1)))).toBe('');
    expect(book.find(hotkey(2))).toBeUndefined();
  });

  it('begins anew when the miner answers in between', async () => {
    const { answers, ports, run } = makeWorld();
    for (let i = 0; i < 3; i++) {
      answers.set(hotkey(1), 'dead');
      await run(5);
      answers.set(hotkey(1), 'up');
      await run(1);
    }
    expect(ports.pings.find(hotkey(1))).toMatchObject({ state: 'up', failures: 0 });
  });

  it('strikes nobody when nobody answers: that is our own connection', async () => {
    const { answers, ports, run } = makeWorld();
    for (const n of [1, 2, 3]) answers.set(hotkey(n), 'dead');
    await run(20);
    expect(ports.pings.all().filter(({ state }) => state === 'down')).toEqual([]);
  });

  it('drains a miner that leaves, and does not punish it', async () => {
    const { answers, ports, run, book } = makeWorld();
    answers.set(hotkey(2), 'leaving');
    await run(10);
    expect(ports.pings.find(hotkey(2))?.state).toBe('leaving');
    expect(ports.repairs.cursor(walkOf(hotkey(2)))).toBe('');
    expect(book.find(hotkey(2))).toBeUndefined();
  });

  it('forgets the record of a hotkey that left, and the hotkey when it owes nothing', async () => {
    const world = makeWorld();
    const { answers, departures, ports, run, book } = world;
    answers.set(hotkey(3), 'dead');
    await run(6);
    const place = { file: 1 as never, segment: 0, shardIndex: 0, placement: 0 };
    const anchorId = 'ab'.repeat(32) as never;
    const inventories = ports.inventories as ReturnType<typeof createInventories>;
    inventories.add(hotkey(3), { anchorId, anchorType: 1, root: new Uint8Array(32), bytes: 1024, place });
    world.registered[2] = { ...(world.registered[2] as RegisteredMiner), leftAt: 9 };
    departures.push({ hotkey: hotkey(3), leftAt: 9, due: false });
    await run(1);
    expect(book.find(hotkey(3))).toBeDefined();
    departures[0] = { hotkey: hotkey(3), leftAt: 9, due: true };
    await run(1);
    expect(book.find(hotkey(3))).toBeUndefined();
    expect(departures).toHaveLength(1);
    inventories.remove(hotkey(3), anchorId);
    await run(1);
    expect(departures).toHaveLength(0);
  });
});
