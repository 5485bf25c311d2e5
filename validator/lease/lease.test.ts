/** Two validators and one index: the real gateway over its embedded engine, with time that tests set forward. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type OpenIndex, openIndex } from '#infra/gateway/testing/open-index.ts';
import { type Clock, silentLog } from '#shared/primitives/effects.ts';
import { DatabaseRefused, openDatabase } from '#validator/state/database.ts';
import { HeldLease, LeaseNotHeld, type LeasePorts, whileHeld } from './held-lease.ts';
import { holderOf } from './holder-id.ts';
import { standBy } from './stand-by.ts';

const TIMES = { ttlMs: 30_000, renewMs: 5_000 };
const A = 'a'.repeat(16);
const B = 'b'.repeat(16);

let index: OpenIndex;
/** Sleeps end when a test says so. */
let wakes: (() => void)[];
let stop: AbortController;

beforeEach(async () => {
  index = await openIndex({ virtualTime: true });
  wakes = [];
  stop = new AbortController();
});
afterEach(async () => {
  stop.abort();
  await index.close();
});

const clock: Clock = {
  nowMs: () => index.nowMs(),
  sleep: (_, signal) =>
    new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(signal.reason);
      wakes.push(resolve);
      signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
    }),
};
const ports = (): LeasePorts => ({
  ...{ clock, log: silentLog, leadership: index.connect().leadership, steadyMs: () => index.nowMs() },
});
const both = () => ({ wall: index.nowMs(), steady: index.nowMs() });

/** Lets everybody who sleeps go on until the condition holds. */
async function until(condition: () => boolean): Promise<void> {
  const deadline = Date.now() + 5000;
  while (!condition()) {
    if (Date.now() > deadline) throw new Error('it does not come');
    for (const wake of wakes.splice(0)) wake();
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

const take = async (holder: string) => {
  const leader = await ports().leadership.take(holder, TIMES.ttlMs);
  return leader && new HeldLease(ports(), TIMES, leader, both());
};
const mustTake = async (holder: string) => {
  const lease = await take(holder);
  if (!lease) throw new Error('the lease is not free');
  return lease;
};

describe('the lease', () => {
  it('is one validator’s until it ends, and every taker has a larger number', async () => {
    const first = await mustTake(A);
    expect(await take(B)).toBeUndefined();
    index.advance(29_999);
    expect(await take(B)).toBeUndefined();
    index.advance(1);
    const second = await mustTake(B);
    expect(second.leader.fence).toBeGreaterThan(first.leader.fence);
  });

  it('is not surely held any more well before the index gives it to another', async () => {
    const lease = await mustTake(A);
    expect(lease.isHeld).toBe(true);
    index.advance(23_999);
    expect(lease.isHeld).toBe(true);
    index.advance(1);
    expect(lease.isHeld).toBe(false);
    expect(() => lease.check()).toThrow(LeaseNotHeld);
    expect(await take(B)).toBeUndefined();
  });

  it('counts by the clock that shows more: one set back, one that slept', async () => {
    const leader = await ports().leadership.take(A, TIMES.ttlMs);
    if (!leader) throw new Error('not free');
    let [wall, steady] = [0, 0];
    const shifted = { ...ports(), clock: { ...clock, nowMs: () => wall }, steadyMs: () => steady };
    const lease = new HeldLease(shifted, TIMES, leader, { wall: 0, steady: 0 });
    wall = -3_600_000;
    steady = 24_000;
    expect(lease.isHeld).toBe(false);
    wall = 24_000;
    steady = 0;
    expect(lease.isHeld).toBe(false);
  });

  it('stays as long as it is renewed', async () => {
    const lease = await mustTake(A);
    lease.keepUp(() => 7);
    for (let i = 0; i < 5; i++) {
      await until(() => wakes.length > 0);
      index.advance(20_000);
      const before = index.nowMs();
      await until(() => lease.isHeld && index.nowMs() >= before);
    }
    expect(await take(B)).toBeUndefined();
    expect((await ports().leadership.read()).progress).toBe(7);
    await lease.release();
    expect(await take(B)).toBeDefined();
  });

  it('that lapsed goes on when nobody ever had it in between', async () => {
    const lease = await mustTake(A);
    index.advance(60_000);
    expect(lease.isHeld).toBe(false);
    lease.keepUp(() => 0);
    await until(() => lease.isHeld);
    expect(await take(B)).toBeUndefined();
    await lease.release();
  });

  it('that another had in between is lost for good, even when it is free again', async () => {
    const lease = await mustTake(A);
    index.advance(60_000);
    const other = await mustTake(B);
    await other.release();
    let lost = false;
    void lease.lost.then(() => {
      lost = true;
    });
    lease.keepUp(() => 0);
    await until(() => lost);
    expect(lease.isHeld).toBe(false);
    await lease.release();
    expect(await take(B)).toBeDefined();
  });

  it('of another is neither prolonged into ours nor ended by us', async () => {
    const lease = await mustTake(A);
    index.advance(30_000);
    const other = await mustTake(B);
    expect(await ports().leadership.renew(lease.leader, TIMES.ttlMs)).toBe(false);
    await ports().leadership.release(lease.leader);
    expect((await ports().leadership.read()).leader).toEqual(other.leader);
  });
});

describe('a port that is used while the lease is held', () => {
  it('refuses every call afterwards, and passes values through', async () => {
    let held = true;
    const check = () => {
      if (!held) throw new LeaseNotHeld('no');
    };
    const calls: number[] = [];
    class Port {
      readonly #secret = 3;
      readonly name = 'port';
      add(value: number) {
        calls.push(value);
        return value + this.#secret;
      }
    }
    const port = whileHeld({ check }, new Port());
    expect([port.name, port.add(4)]).toEqual(['port', 7]);
    held = false;
    expect(() => port.add(5)).toThrow(LeaseNotHeld);
    expect(calls).toEqual([4]);
  });
});

describe('a stand-by', () => {
  const input = (holder: string, opened: () => number | Error, evenIfBehind = false) => ({
    ...{ holder, times: TIMES, evenIfBehind },
    open: () => {
      const state = opened();
      if (state instanceof Error) throw state;
      return { progress: state };
    },
    isBusy: (error: unknown) => error instanceof DatabaseRefused,
    close: () => undefined,
    progressOf: (state: { progress: number }) => state.progress,
  });

  it('takes over when the holder’s lease ends, not before', async () => {
    const first = await standBy(
      ports(),
      input(A, () => 5),
      stop.signal,
    );
    let second: Awaited<ReturnType<typeof standBy>> | undefined;
    const waiting = standBy(
      ports(),
      input(B, () => 5),
      stop.signal,
    ).then((leading) => {
      second = leading;
    });
    for (let i = 0; i < 10; i++) {
      for (const wake of wakes.splice(0)) wake();
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    expect(second).toBeUndefined();
    await first.lease.release();
    await until(() => second !== undefined);
    await waiting;
    expect(second?.lease.leader.holder).toBe(B);
    await second?.lease.release();
  });

  it('with a folder that is behind waits, unless it is told that this is known', async () => {
    await ports().leadership.tell(await mustTake(A).then(({ leader }) => leader), 10);
    index.advance(30_000);
    const refused: string[] = [];
    const watched = { ...ports(), log: { ...silentLog, warn: (event: string) => void refused.push(event) } };
    const waiting = standBy(
      watched,
      input(B, () => 9),
      stop.signal,
    );
    await until(() => refused.includes('folder-behind'));
    expect((await ports().leadership.read()).leader).toBeUndefined();
    const told = await standBy(
      ports(),
      input(A, () => 9, true),
      stop.signal,
    );
    expect(told.behind).toBe(1);
    stop.abort(new Error('over'));
    await expect(waiting).rejects.toThrow('over');
    await told.lease.release();
  });

  it('goes on at once on the folder of a process that died', async () => {
    await mustTake(A);
    const again = await standBy(
      ports(),
      input(A, () => 0),
      stop.signal,
    );
    expect(again.lease.isHeld).toBe(true);
    await again.lease.release();
  });

  it('on a folder that is in use gives the lease back and waits', async () => {
    let busy = true;
    const waiting = standBy(
      ports(),
      input(B, () => (busy ? new DatabaseRefused('in use') : 1)),
      stop.signal,
    );
    await until(() => wakes.length > 0);
    expect((await ports().leadership.read()).leader).toBeUndefined();
    busy = false;
    let leading: Awaited<typeof waiting> | undefined;
    void waiting.then((one) => {
      leading = one;
    });
    await until(() => leading !== undefined);
    await leading?.lease.release();
  });

  it('that has the folder of a living process leaves its lease alone', async () => {
    const living = await mustTake(A);
    const waiting = standBy(
      ports(),
      input(A, () => new DatabaseRefused('in use')),
      stop.signal,
    );
    await until(() => wakes.length > 0);
    expect((await ports().leadership.read()).leader).toEqual(living.leader);
    stop.abort(new Error('over'));
    await expect(waiting).rejects.toThrow('over');
  });

  it('does not hide a folder that is broken', async () => {
    const broken = standBy(
      ports(),
      input(A, () => new Error('disk')),
      stop.signal,
    );
    await expect(broken).rejects.toThrow('disk');
  });
});

it('two folders have two names, and one keeps its own', () => {
  const folder = mkdtempSync(join(tmpdir(), 'filetao-holder-'));
  try {
    const [one, other] = [join(folder, 'one'), join(folder, 'other')];
    expect(holderOf(one)).toMatch(/^[0-9a-f]{16}$/);
    expect(holderOf(one)).toBe(holderOf(one));
    expect(holderOf(other)).not.toBe(holderOf(one));
    const database = openDatabase(one, []);
    expect(() => openDatabase(one, [])).toThrow(DatabaseRefused);
    database.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
