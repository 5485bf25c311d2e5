/** A gateway over either engine, and clients of it, with a clock that tests set forward. */

import { createIndex, type Index } from '#shared/index/redis-index.ts';
import { silentLog } from '#shared/primitives/effects.ts';
import { openEmbeddedEngine } from '../embedded/embedded-engine.ts';
import type { Engine } from '../engine.ts';
import { type Gateway, openGateway } from '../gateway.ts';
import { openRespEngine } from '../resp-engine.ts';
import { startRedisForTest } from './redis-for-tests.ts';

export const TENANT_TOKEN = 'tenant-token-of-a-test';
export const EDGE_TOKEN = 'edge-token-of-a-test';

export interface OpenIndex {
  readonly engine: Engine;
  readonly gateway: Gateway;
  connect(url?: string): Index;
  nowMs(): number;
  advance(ms: number): void;
  close(): Promise<void>;
}

interface OpenOptions {
  /** A redis-server program; the embedded engine without one. */
  readonly redis?: string;
  /** Time stands still but for `advance` and for sleeps, which take no real time. */
  readonly virtualTime?: boolean;
}

export async function openIndex({ redis, virtualTime = false }: OpenOptions = {}): Promise<OpenIndex> {
  const startMs = Date.now();
  let offsetMs = 0;
  const nowMs = () => (virtualTime ? startMs : Date.now()) + offsetMs;
  const clock = {
    nowMs,
    sleep: (ms: number): Promise<void> => {
      if (virtualTime) offsetMs += ms;
      return new Promise((resolve) => setTimeout(resolve, virtualTime ? 0 : ms));
    },
  };
  const server = redis === undefined ? undefined : await startRedisForTest(redis);
  const engine = server ? openRespEngine(server.url) : openEmbeddedEngine(':memory:', nowMs);
  const tokens = { tenant: TENANT_TOKEN, edge: EDGE_TOKEN };
  const gateway = await openGateway({ engine, tokens, log: silentLog, port: 0 });
  return {
    engine,
    gateway,
    connect: (url = gateway.url) => createIndex({ url, token: TENANT_TOKEN, clock }),
    nowMs,
    advance: (ms) => {
      offsetMs += ms;
    },
    async close() {
      await gateway.close();
      await engine.close();
      await server?.stop();
    },
  };
}
