/** The network's routes as a client sees them: the original's four in its own words, ours beside them. */
import { beforeEach, describe, expect, it } from 'vitest';
import { createTestEdge, type TestEdge } from '#edge/testing/test-edge.ts';
import { IndexUnavailable } from '#shared/index/ports.ts';
import { minerKey, newDetail, newMinerNow, newNow, newSnapshot } from '#shared/testing/network-rows.ts';
import { minerStatistics, networkStatistics, stampOf, tierStatistics } from './original-rows.ts';

const MIB = 2 ** 20;
const HOUR_MS = 3_600_000;
let edge: TestEdge;
/** A whole second. */
let nowMs: number;
beforeEach(async () => {
  edge = await createTestEdge({ settings: { corsOrigins: ['*'] } });
  nowMs = Math.floor(edge.clock.nowMs() / 1000) * 1000;
});

// biome-ignore lint/suspicious/noExplicitAny: answers are compared with what they must be
type Rows = any[];
const get = async (path: string): Promise<Response> => edge.fetch(path, { headers: { Authorization: '' } });
const rowsOf = async (path: string): Promise<Rows> => {
  const response = await get(path);
  expect(response.status).toBe(200);
  return (await response.json()) as Rows;
};

describe('the original’s routes', () => {
  it('answer in its names and scales', () => {
    const counts = {
      store: { attempts: 4, successes: 3 },
      challenge: { attempts: 10, successes: 9 },
      retrieve: { attempts: 2, successes: 1 },
    };
    const taken = { takenAtMs: Date.UTC(2026, 10, 22, 21, 5, 0, 999) };
    const sums = { capacityBytes: 8 * MIB, storedBytes: 2 * MIB + 1, attempts: 16, successes: 12, totalSuccesses: 99 };
    const miner = { hotkey: minerKey(1), incentive: 7, emission: 8, tier: 'Gold', shards: 5, counts };
    expect(minerStatistics({ ...taken, ...miner, ...sums })).toEqual({
      ...{ TIMESTAMP: '2026-11-22 21:05:00', HOTKEY: minerKey(1), INCENTIVE: 7, EMISSION: 8, TIER: 'Gold' },
      ...{ CURRENT_STORAGE: 2, CAPACITY: 8, PERCENT_USAGE: (2 * MIB + 1) / (8 * MIB), NUM_HASHES: 5 },
      ...{ TOTAL_SUCCESSES: 99, STORE_SUCCESSES: 3, STORE_ATTEMPTS: 4, CHALLENGE_SUCCESSES: 9 },
      ...{ CHALLENGE_ATTEMPTS: 10, RETRIEVE_SUCCESSES: 1, RETRIEVE_ATTEMPTS: 2 },
    });
    expect(tierStatistics({ ...taken, tier: 'Gold', miners: 3, ...sums })).toEqual({
      ...{ TIMESTAMP: '2026-11-22 21:05:00', TIER: 'Gold', COUNTS: 3, CAPACITY: 8, CURRENT_STORAGE: 2 },
      ...{ PERCENT_USAGE: (100 * (2 * MIB + 1)) / (8 * MIB), CURRENT_ATTEMPTS: 16, CURRENT_SUCCESSES: 12 },
      ...{ GLOBAL_SUCCESS_RATE: 0.75, TOTAL_GLOBAL_SUCCESSES: 99 },
    });
    expect(networkStatistics({ ...taken, ...sums, emission: 55, indexBytes: MIB + 1 })).toEqual({
      ...{ TIMESTAMP: '2026-11-22 21:05:00', CURRENT_STORAGE: 2, NETWORK_CAPACITY: 8 },
      ...{ TOTAL_SUCCESSFUL_REQUESTS: 99, REDIS_INDEX_SIZE_MB: 2, GLOBAL_CURRENT_ATTEMPTS: 16 },
      ...{ GLOBAL_CURRENT_SUCCESSES: 12, GLOBAL_CURRENT_SUCCESS_RATE: 0.75, TOTAL_EMISSION: 55 },
    });
    const nothing = { capacityBytes: 0, storedBytes: 0, attempts: 0, successes: 0, totalSuccesses: 0 };
    expect(tierStatistics({ ...taken, tier: 'Ruby', miners: 0, ...nothing })).toMatchObject({
      ...{ PERCENT_USAGE: 0, GLOBAL_SUCCESS_RATE: 0 },
    });
  });

  it('show the last hour unless asked, newest first, fifty at a time', async () => {
    for (const hours of [3, 2, 1, 0.5, 0]) await edge.history.append(newSnapshot(nowMs - hours * HOUR_MS, 30), 1e12);
    const stamps = async (query: string) => {
      const rows = await rowsOf(`/network_data${query}`);
      return rows.map(({ TIMESTAMP }) => TIMESTAMP);
    };
    const at = (hours: number) => stampOf(nowMs - hours * HOUR_MS);
    const seconds = (hours: number) => (nowMs - hours * HOUR_MS) / 1000;
    expect((await stamps('')).slice(0, 2)).toEqual([at(0), at(0.5)]);
    expect(await stamps(`?start_time=${seconds(3)}&end_time=${seconds(1)}`)).toEqual(
      [at(3), at(2), at(1)].toReversed(),
    );
    expect(await stamps(`?start_time=${seconds(3)}&limit=2&offset=1`)).toEqual([at(0.5), at(1)]);
    expect(await stamps(`?start_time=${seconds(0)}&end_time=${seconds(1)}`)).toEqual([]);
    const miners = await rowsOf('/miner_statistics');
    expect(miners).toHaveLength(50);
    expect(miners.slice(0, 30).map(({ HOTKEY }) => HOTKEY)).toEqual(Array.from({ length: 30 }, (_, i) => minerKey(i)));
    expect(await rowsOf(`/miner/${minerKey(2)}?start_time=0`)).toHaveLength(5);
    expect(await rowsOf(`/miner/${minerKey(200)}`)).toEqual([]);
    expect((await rowsOf('/tiers_data?limit=2')).map(({ TIER }) => TIER)).toEqual(['Silver', 'Bronze']);
  });

  const bad = [
    'limit=0',
    'limit=1001',
    'limit=x',
    'offset=-1',
    'start_time=now',
    'end_time=1e9',
    'limit=1&limit=2',
    'from=1',
  ];
  it.each(bad)('refuse ?%s', async (query) => {
    for (const path of ['/miner_statistics', `/miner/${minerKey(1)}`, '/tiers_data', '/network_data']) {
      const response = await get(`${path}?${query}`);
      expect([response.status, ((await response.json()) as { code: string }).code]).toEqual([400, 'bad-request']);
    }
  });
  it.each(['', 'x', `${minerKey(1)}x`, minerKey(1).toLowerCase(), '%ff', '..%2f'])(
    'refuse "%s" as a hotkey',
    async (text) => {
      for (const path of ['/miner/', '/v1/network/miners/']) {
        expect((await get(path + text)).status).toBe(text === '' ? 404 : 400);
      }
    },
  );
});

describe('the network now', () => {
  it('is unknown before the validator wrote it, and empty lists are lists', async () => {
    expect((await get('/v1/network')).status).toBe(404);
    expect((await get(`/v1/network/miners/${minerKey(1)}`)).status).toBe(404);
    expect(await rowsOf('/v1/network/miners')).toEqual({ takenAt: null, total: 0, miners: [] });
    expect(await rowsOf('/network_data')).toEqual([]);
  });

  it('is what the validator wrote, cached for moments, open to other origins', async () => {
    await edge.history.publishNow(newNow(nowMs, 2), [newMinerNow(0), newMinerNow(1), newMinerNow(2)]);
    await edge.history.publishDetails([newDetail(nowMs, 2)], HOUR_MS);
    const response = await edge.fetch('/v1/network', { headers: { Authorization: '', Origin: 'https://any.example' } });
    expect(response.headers.get('Cache-Control')).toBe('public, max-age=5');
    expect(response.headers.get('Access-Control-Allow-Origin')).toBe('*');
    expect(await response.json()).toMatchObject({
      ...{ takenAt: new Date(nowMs).toISOString(), validator: edge.ports.settings.tenant, miners: { known: 2 } },
      ...{ window: { number: 3, blocks: 60, closesAtBlock: 240 }, weights: { step: 'set' } },
    });
    expect(await rowsOf('/v1/network/miners?offset=1&limit=1')).toMatchObject({
      ...{ total: 3, miners: [{ hotkey: minerKey(1), score: 0.75 }] },
    });
    expect(await rowsOf(`/v1/network/miners/${minerKey(2)}`)).toMatchObject({
      ...{ hotkey: minerKey(2), tier: 'Bronze', explanation: ['Tier Bronze, the lowest.', 'ü\n"\\'] },
      events: [{ reason: 'passed', evidence: 'round:0', score: { before: 0.5, after: 0.8 } }, { block: 1 }],
    });
  });

  it('answers 503 while the index does not', async () => {
    edge.history.readNow = () => Promise.reject(new IndexUnavailable('away'));
    expect((await get('/v1/network')).status).toBe(503);
  });
});
