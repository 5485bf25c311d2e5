/**
 * The network as its validator describes it: now under `/v1/network`, and its past by the original's four routes. All
 * open to anyone; each reads a few records of the index, whose number does not depend on files.
 */
import { z } from 'zod';
import { failureResponse, refuse } from '#edge/http/problem.ts';
import { detailAnswer, minersAnswer, networkAnswer } from '#edge/indexer/network-answers.ts';
import { minerStatistics, networkStatistics, tierStatistics } from '#edge/indexer/original-rows.ts';
import {
  HotkeyText,
  MinerDetailAnswer,
  MinerStatistics,
  MinersAnswer,
  MinersQuery,
  NetworkAnswer,
  NetworkData,
  SeriesQuery,
  TiersData,
} from '#shared/api/network-schemas.ts';
import type { Span } from '#shared/index/network-ports.ts';
import type { Clock } from '#shared/primitives/effects.ts';
import { defineRoute, json } from './route.ts';

/** The state of now is written twice a minute, a series every hour: nobody misses anything by these. */
const NOW_CACHE = { 'Cache-Control': 'public, max-age=5' };
const SERIES_CACHE = { 'Cache-Control': 'public, max-age=30' };
const HOUR_SECONDS = 3600;

function spanOf(query: SeriesQuery, clock: Clock): Span {
  const nowSeconds = Math.floor(clock.nowMs() / 1000);
  const { start_time: start = nowSeconds - HOUR_SECONDS, end_time: end = nowSeconds, offset, limit } = query;
  // Rows are stamped with whole seconds: the whole of the last one belongs to the span.
  return { fromMs: start * 1000, toMs: end * 1000 + 999, offset, limit };
}

const readNetwork = defineRoute({
  method: 'GET',
  path: '/v1/network',
  access: 'anyone',
  operationId: 'readNetwork',
  summary: 'The network now: miners, tiers, bytes, answers, weights',
  answers: { 200: { description: 'As the validator last wrote it', schema: NetworkAnswer } },
  problems: ['not-found'],
  answer: async ({ ports }) => {
    const now = await ports.history.readNow();
    if (!now) return failureResponse(refuse('not-found', 'the validator has not described the network yet').failure);
    return json(200, networkAnswer(now, ports.settings.tenant), NOW_CACHE);
  },
});

const listMiners = defineRoute({
  method: 'GET',
  path: '/v1/network/miners',
  access: 'anyone',
  operationId: 'listMiners',
  summary: 'Every miner now: tier, score, reward, bytes, answers',
  query: MinersQuery,
  answers: { 200: { description: 'Miners, best rewarded first', schema: MinersAnswer } },
  problems: [],
  answer: async ({ ports, query }) => json(200, minersAnswer(await ports.history.minersNow(), query), NOW_CACHE),
});

const readMiner = defineRoute({
  method: 'GET',
  path: '/v1/network/miners/:hotkey',
  access: 'anyone',
  operationId: 'readMiner',
  summary: 'One miner now, why it stands where it stands, and what changed it',
  params: z.strictObject({ hotkey: HotkeyText }),
  answers: { 200: { description: 'The miner', schema: MinerDetailAnswer } },
  problems: ['not-found'],
  answer: async ({ ports, params }) => {
    const detail = await ports.history.minerDetail(params.hotkey);
    if (!detail) return failureResponse(refuse('not-found', 'no miner with this hotkey is known here').failure);
    return json(200, detailAnswer(detail), NOW_CACHE);
  },
});

const readMinerStatistics = defineRoute({
  method: 'GET',
  path: '/miner_statistics',
  access: 'anyone',
  operationId: 'readMinerStatistics',
  summary: 'Snapshots of all miners, newest first',
  query: SeriesQuery,
  answers: { 200: { description: 'A row for each miner and snapshot', schema: MinerStatistics } },
  problems: [],
  answer: async ({ ports, query }) => {
    const rows = await ports.history.minerRows(spanOf(query, ports.clock));
    return json(200, rows.map(minerStatistics), SERIES_CACHE);
  },
});

const readMinerSeries = defineRoute({
  method: 'GET',
  path: '/miner/:hotkey',
  access: 'anyone',
  operationId: 'readMinerSeries',
  summary: 'Snapshots of one miner, newest first',
  params: z.strictObject({ hotkey: HotkeyText }),
  query: SeriesQuery,
  answers: { 200: { description: 'A row for each snapshot; none for an unknown miner', schema: MinerStatistics } },
  problems: [],
  answer: async ({ ports, params, query }) => {
    const rows = await ports.history.minerRows(spanOf(query, ports.clock), params.hotkey);
    return json(200, rows.map(minerStatistics), SERIES_CACHE);
  },
});

const readTiersData = defineRoute({
  method: 'GET',
  path: '/tiers_data',
  access: 'anyone',
  operationId: 'readTiersData',
  summary: 'Snapshots of the tiers, newest first',
  query: SeriesQuery,
  answers: { 200: { description: 'A row for each tier and snapshot', schema: TiersData } },
  problems: [],
  answer: async ({ ports, query }) => {
    const rows = await ports.history.tierRows(spanOf(query, ports.clock));
    return json(200, rows.map(tierStatistics), SERIES_CACHE);
  },
});

const readNetworkData = defineRoute({
  method: 'GET',
  path: '/network_data',
  access: 'anyone',
  operationId: 'readNetworkData',
  summary: 'Snapshots of the network, newest first',
  query: SeriesQuery,
  answers: { 200: { description: 'A row for each snapshot', schema: NetworkData } },
  problems: [],
  answer: async ({ ports, query }) => {
    const rows = await ports.history.networkRows(spanOf(query, ports.clock));
    return json(200, rows.map(networkStatistics), SERIES_CACHE);
  },
});

export const networkRoutes = [
  readNetwork,
  listMiners,
  readMiner,
  readMinerStatistics,
  readMinerSeries,
  readTiersData,
  readNetworkData,
];
