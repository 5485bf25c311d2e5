import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Hotkey, hotkeyOf } from '#shared/primitives/ids.ts';
import { scoreOf } from '#shared/tier/score.ts';
import { TIERS } from '#shared/tier/table.ts';
import { weightsOf } from '#shared/tier/weights.ts';
import { openMemoryDatabase } from './database.ts';
import type { Batch, Observation } from './ports.ts';
import { createStandings } from './standings.ts';
import { STANDINGS_SCHEMA } from './standings-schema.ts';

const miner = (number: number): Hotkey => hotkeyOf(new Uint8Array(32).fill(number));
const [one, two, three] = [miner(1), miner(2), miner(3)];

const open = () => {
  const db = openMemoryDatabase([STANDINGS_SCHEMA]);
  return { db, standings: createStandings(db) };
};

const observe = (hotkey: Hotkey, change: Partial<Observation> = {}): Observation => ({
  ...{ miner: hotkey, ending: 'passed', seconds: 1, bytes: 1000, reason: 'passed', evidence: 'round:1' },
  ...change,
});
let serial = 0;
const batch = (observations: readonly Observation[], change: Partial<Batch> = {}): Batch => ({
  ...{ id: `b${serial++}`, task: 'challenge', atMs: 1000, block: 5, observations },
  ...change,
});
const silent = { ending: 'silent', reason: 'timeout' } as const;

describe('a batch', () => {
  it('moves counts, score, lifetime and reward, and says why', () => {
    const { standings } = open();
    expect(standings.record(batch([observe(one), observe(two, silent)]))).toBe(true);
    const good = standings.find(one);
    // 0.6 × 1.2 of Bronze's boost, of which the average takes a twentieth.
    expect(good).toMatchObject({ totalSuccesses: 1, score: scoreOf(1, 1), tier: 'Bronze' });
    expect(good?.counts.challenge).toEqual({ attempts: 1, successes: 1 });
    expect(good?.reward).toBeCloseTo(0.05 * 0.72, 12);
    expect(standings.find(two)).toMatchObject({ totalSuccesses: 0, score: scoreOf(0, 1), reward: 0 });
    expect(standings.events(two, 10)).toEqual([
      {
        ...{ hotkey: two, n: 1, atMs: 1000, block: 5, cause: 'challenge', ending: 'silent', reason: 'timeout' },
        ...{ evidence: 'round:1', earned: 0, score: { before: 0.5, after: scoreOf(0, 1) } },
        ...{ tier: { before: 'Bronze', after: 'Bronze' }, reward: { before: 0, after: 0 } },
      },
    ]);
  });

  it('is counted once, also by the next process', () => {
    const { db, standings } = open();
    const again = batch([observe(one)]);
    expect([standings.record(again), standings.record(again)]).toEqual([true, false]);
    const before = standings.all();
    expect(createStandings(db).record(again)).toBe(false);
    expect(createStandings(db).all()).toEqual(before);
  });

  it('is not counted when the transaction around it fails, and can come again', () => {
    const { db, standings } = open();
    const late = batch([observe(one)]);
    expect(() =>
      db.transaction(() => {
        standings.record(late);
        throw new Error('the verdict could not be written');
      }),
    ).toThrow();
    expect(standings.find(one)).toBeUndefined();
    expect(standings.record(late)).toBe(true);
    expect(standings.find(one)?.totalSuccesses).toBe(1);
  });

  it('of pings takes from those that failed and gives nobody anything', () => {
    const { standings } = open();
    standings.record(batch([observe(one), observe(two, silent)], { task: 'monitor' }));
    expect(standings.find(one)).toBeUndefined();
    expect(standings.find(two)).toMatchObject({ strikes: 1, totalStrikes: 1, score: 0.5, reward: 0.05 * -0.005 });
  });

  it('costs a challenged miner only what is proven', () => {
    const { standings } = open();
    standings.record(
      batch([observe(one), observe(two, { ending: 'wrong', reason: 'wrong-leaf' }), observe(three, silent)]),
    );
    expect(standings.find(two)?.reward).toBeCloseTo(0.05 * -0.05 * 0.6, 15);
    expect(standings.find(three)?.reward).toBe(0);
  });
});

describe('a window', () => {
  it('that closes sets tiers, begins counts anew and keeps the lifetime', () => {
    const { standings } = open();
    expect(standings.enterWindow(7, 1, 100)).toBe(false);
    for (let i = 0; i < 500; i++) standings.record(batch([observe(one)]));
    expect(standings.find(one)?.tier).toBe('Bronze');
    expect(standings.enterWindow(7, 2, 101)).toBe(false);
    expect(standings.enterWindow(8, 3, 110)).toBe(true);
    expect(standings.find(one)).toMatchObject({
      ...{ tier: 'Silver', totalSuccesses: 500, score: 0.5, counts: { challenge: { attempts: 0, successes: 0 } } },
      lastWindow: { window: 7, attempts: 500, successes: 500, score: scoreOf(500, 500) },
    });
    expect(standings.events(one, 1)[0]).toMatchObject({
      ...{ cause: 'window', reason: 'tier-raised', evidence: 'window:7', block: 110 },
      ...{ tier: { before: 'Bronze', after: 'Silver' }, score: { before: scoreOf(500, 500), after: 0.5 } },
    });
    standings.record(batch([observe(one, silent)]));
    expect(standings.enterWindow(12, 4, 150)).toBe(true);
    expect(standings.find(one)).toMatchObject({ tier: 'Bronze', totalSuccesses: 500, lastWindow: { window: 8 } });
    expect(standings.events(one, 1)[0]?.reason).toBe('tier-lowered');
    expect(standings.openWindow()).toBe(12);
  });

  it('in which nobody asked leaves tiers alone, and none is opened twice or backwards', () => {
    const { standings } = open();
    standings.enterWindow(1, 0, 0);
    for (let i = 0; i < 500; i++) standings.record(batch([observe(one)]));
    standings.enterWindow(2, 0, 0);
    const before = standings.find(one);
    expect(standings.enterWindow(3, 9, 9)).toBe(true);
    expect([standings.enterWindow(3, 9, 9), standings.enterWindow(2, 9, 9)]).toEqual([false, false]);
    expect(standings.find(one)).toEqual(before);
  });

  it('reaches every tier of the vectors', () => {
    interface Case {
      readonly successes: number;
      readonly attempts: number;
      readonly totalSuccesses: number;
      readonly tier: string;
    }
    const text = readFileSync(new URL('../../test/vectors/tiers.json', import.meta.url), 'utf8');
    const cases: readonly Case[] = JSON.parse(text).tierCases;
    const { db, standings } = open();
    standings.enterWindow(0, 0, 0);
    for (const [i, { successes, attempts, totalSuccesses }] of cases.entries()) {
      standings.record(batch([observe(miner(i + 1))]));
      db.sql(
        'UPDATE standings SET challenge_attempts = ?, challenge_successes = ?, score = ?, total_successes = ? WHERE hotkey = ?',
      ).run(attempts, successes, scoreOf(successes, attempts), totalSuccesses, miner(i + 1));
    }
    standings.enterWindow(1, 0, 0);
    for (const [i, { attempts, tier }] of cases.entries()) {
      expect(standings.find(miner(i + 1))?.tier).toBe(attempts === 0 ? 'Bronze' : tier);
    }
  });
});

describe('a departure', () => {
  it('takes the record away; the hotkey would begin at 0', () => {
    const { standings } = open();
    for (let i = 0; i < 3; i++) standings.record(batch([observe(one)]));
    expect(standings.forget(one, 'replaced', 'block:9', 2000)).toBe(true);
    expect(standings.forget(one, 'replaced', 'block:9', 2000)).toBe(false);
    expect(standings.find(one)).toBeUndefined();
    const [last] = standings.events(one, 10);
    expect(last).toMatchObject({ cause: 'forgotten', reason: 'replaced', reward: { after: 0 }, score: { after: 0.5 } });
    expect(last?.reward.before).toBeGreaterThan(0);
    standings.record(batch([observe(one)]));
    expect(standings.find(one)).toMatchObject({ totalSuccesses: 1, reward: 0.05 * 0.72 });
    expect(standings.events(one, 10).map(({ n }) => n)).toEqual([5, 4, 3, 2, 1]);
  });
});

it('keeps a bounded history of each miner, newest first', () => {
  const { standings } = open();
  for (let i = 0; i < 620; i++) standings.record(batch([observe(one)]));
  const events = standings.events(one, 10_000);
  expect([events.length, events[0]?.n, events.at(-1)?.n]).toEqual([500, 620, 121]);
});

it('whatever comes: every batch once, nothing that is not a number, and events that lead from one state to the next', () => {
  const seconds = fc.oneof(fc.double(), fc.constantFrom(0, 5e-324, 1e300, -1, Number.NaN, Number.POSITIVE_INFINITY));
  const observation = fc.record({
    miner: fc.constantFrom(one, two, three),
    ending: fc.constantFrom('passed' as const, 'wrong' as const, 'silent' as const),
    seconds,
    bytes: fc.oneof(fc.nat(), fc.double(), fc.constantFrom(5e-324, 0.5, -1, 1e300)),
    reason: fc.constant('r'),
    evidence: fc.constant('e'),
  });
  const step = fc.oneof(
    fc.record({
      id: fc.nat(12).map(String),
      task: fc.constantFrom('store' as const, 'challenge' as const, 'retrieve' as const, 'monitor' as const),
      atMs: fc.nat(),
      block: fc.option(fc.nat(), { nil: undefined }),
      observations: fc.array(observation, { maxLength: 6 }),
    }),
    fc.record({ window: fc.nat(5) }),
    fc.record({ forget: fc.constantFrom(one, two) }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 25 }), (steps) => {
      const { standings } = open();
      const seen = new Set<string>();
      for (const item of steps) {
        if ('window' in item) standings.enterWindow(item.window, 0, 0);
        else if ('forget' in item) standings.forget(item.forget, 'replaced', 'e', 0);
        else {
          expect(standings.record(item)).toBe(!seen.has(item.id));
          seen.add(item.id);
        }
      }
      for (const { hotkey, reward, score, totalSuccesses, counts, tier } of standings.all()) {
        expect([reward, score].every(Number.isFinite) && Math.abs(reward) <= 2).toBe(true);
        expect(score >= 0 && score <= 1).toBe(true);
        expect(TIERS.some(({ name }) => name === tier)).toBe(true);
        for (const { attempts, successes } of Object.values(counts)) expect(successes <= attempts).toBe(true);
        const events = standings.events(hotkey, 1000).toReversed();
        expect(events.at(-1)?.reward.after).toBe(reward);
        expect(events.at(-1)?.score.after).toBe(score);
        for (const [i, event] of events.entries()) {
          if (i > 0) expect(event.reward.before).toBe(events[i - 1]?.reward.after);
        }
        const last = events.findLastIndex(({ cause }) => cause === 'forgotten');
        const passed = events.slice(last + 1).filter(({ ending, cause }) => ending === 'passed' && cause !== 'monitor');
        expect(totalSuccesses).toBe(passed.length);
      }
      const earners = standings.all().map(({ reward }, uid) => ({ uid, average: reward }));
      const weights = weightsOf(earners, { minCount: 1, maxShare: 1 });
      expect(weights.length > 0).toBe(earners.some(({ average }) => average > 0));
    }),
    { numRuns: 200 },
  );
});
