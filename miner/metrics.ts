/**
 * What Prometheus sees of the miner: room, shards, requests by route and problem, how long challenges take. Loaded only
 * when a port is set, because the library costs memory that a small heap would rather have. Listed in
 * `docs/run-a-miner.md`.
 */
import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { MetricsSource } from '#shared/wire/node-metrics-server.ts';
import type { RequestWatcher } from './server/miner-server.ts';

const SECONDS = [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10];

export interface StoreFacts {
  readonly shards: number;
  readonly storedBytes: number;
  readonly freeBytes: number;
  readonly capacityBytes: number;
}

export interface MinerMetrics extends MetricsSource {
  readonly watch: RequestWatcher;
}

export function createMinerMetrics(store: StoreFacts): MinerMetrics {
  const registry = new Registry();
  const named = (name: string, help: string) => ({ name: `filetao_miner_${name}`, help, registers: [registry] });
  const gauge = (name: string, help: string, read: () => number) =>
    new Gauge({
      ...named(name, help),
      collect() {
        this.set(read());
      },
    });
  gauge('shards', 'Shards on disk', () => store.shards);
  gauge('stored_bytes', 'Bytes of shards on disk', () => store.storedBytes);
  gauge('free_bytes', 'Bytes that could be taken now', () => store.freeBytes);
  gauge('capacity_bytes', 'Bytes that this miner offers', () => store.capacityBytes);
  gauge('resident_bytes', 'Memory of the process', () => process.memoryUsage.rss());
  const requests = new Counter({
    ...named('requests_total', 'Requests that ended, by route and problem'),
    labelNames: ['route', 'problem'],
  });
  const seconds = new Histogram({
    ...named('request_seconds', 'How long requests took'),
    ...{ labelNames: ['route'], buckets: SECONDS },
  });
  return {
    contentType: registry.contentType,
    text: () => registry.metrics(),
    watch(route, problem, ms) {
      requests.inc({ route: route ?? 'none', problem: problem ?? 'none' });
      seconds.observe({ route: route ?? 'none' }, ms / 1000);
    },
  };
}
