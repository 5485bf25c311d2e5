import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  KEYS,
  type LoopbackMiner,
  NETWORK,
  randomFrame,
  sr25519,
  startLoopbackMiner,
} from '#miner/testing/loopback-miner.ts';
import { silentLog, systemClock, systemRandom } from '#shared/primitives/effects.ts';
import { type MinerNumber, newOrderId } from '#shared/primitives/ids.ts';
import { createMinerClient } from '#shared/wire/miner-client.ts';
import { createNodeHttpFetch } from '#shared/wire/node-http-fetch.ts';
import type { MinerClient } from '#shared/wire/ports.ts';
import { dropsAreProbed } from '../drops-are-probed.ts';
import { type DropReceipts, openDropReceipts, readDropReceipts } from '../ledger/drop-receipts.ts';
import { openMemoryDatabase } from '../state/database.ts';
import { createDropProbes, DROP_PROBES_SCHEMA } from '../state/drop-probes.ts';
import type { Batch } from '../state/ports.ts';
import { probeDropped } from './probe-dropped.ts';
import { restoreDropped } from './restore-dropped.ts';

const { signal } = new AbortController();
const AGAIN_MS = 1000;
let miner: LoopbackMiner;
let receipts: DropReceipts;
let client: MinerClient;
const folder = mkdtempSync(join(tmpdir(), 'filetao-drops-'));
const http = createNodeHttpFetch();
const probes = createDropProbes(openMemoryDatabase([DROP_PROBES_SCHEMA]));
const clock = { ms: Date.now(), nowMs: () => clock.ms, sleep: systemClock.sleep };
const batches: Batch[] = [];

beforeAll(async () => {
  miner = await startLoopbackMiner();
  receipts = await openDropReceipts(folder, clock);
  const signed = createMinerClient({
    ...{ fetch: http.fetch, signer: KEYS.tenant, network: NETWORK, tenant: KEYS.tenant.hotkey },
    ...{ grant: () => undefined, clock: systemClock, random: systemRandom, verify: sr25519.verify },
    onDropReceipt: receipts.keep,
  });
  client = dropsAreProbed(signed, probes, clock, AGAIN_MS);
});
afterAll(async () => {
  await receipts?.close();
  await miner?.remove();
  http.close();
  rmSync(folder, { recursive: true, force: true });
});

const portsWith = (miners: MinerClient, registered = true) => ({
  ...{ miners, clock, log: silentLog, probes, minerUrl: () => miner.peer.url, blockNumber: () => 1 },
  registrations: {
    read: async () =>
      registered ? [{ hotkey: miner.peer.hotkey, coldkey: 'c', address: { ip: '127.0.0.1', port: 1 } }] : [],
  },
  directory: { numberOf: async () => new Map([[miner.peer.hotkey, 1 as MinerNumber]]) } as never,
  standings: { record: (batch: Batch) => batches.push(batch) > 0 },
});

async function storedAndDropped() {
  const frame = randomFrame(3000);
  expect((await client.putShard(miner.peer, newOrderId(systemRandom), frame, signal)).ok).toBe(true);
  expect((await client.drop(miner.peer, [frame.anchorId], 'drop', 1, signal)).ok).toBe(true);
  return frame.anchorId;
}

describe('a dropped shard', () => {
  it('is asked for later, and settled when it is not served', async () => {
    const anchorId = await storedAndDropped();
    expect(await probeDropped(portsWith(client), AGAIN_MS, signal)).toMatchObject({ asked: 0 });
    clock.ms += AGAIN_MS;
    expect(probes.due(clock.ms, 10).map((probe) => probe.anchorId)).toEqual([anchorId]);
    expect(await probeDropped(portsWith(client), AGAIN_MS, signal)).toEqual({ asked: 1, served: 0, silent: 0 });
    expect(probes.due(clock.ms + 1e9, 10)).toEqual([]);
    expect(batches).toEqual([]);
  });

  it('costs a miner that still serves it a wrong answer each time, until it does not', async () => {
    const anchorId = await storedAndDropped();
    const ports = portsWith({ ...client, headShard: async () => ({ ok: true, value: { bytes: 3000 } }) });
    clock.ms += AGAIN_MS;
    expect(await probeDropped(ports, AGAIN_MS, signal)).toMatchObject({ served: 1 });
    expect(await probeDropped(ports, AGAIN_MS, signal)).toMatchObject({ asked: 0 });
    clock.ms += AGAIN_MS;
    expect(await probeDropped(ports, AGAIN_MS, signal)).toMatchObject({ served: 1 });
    expect(batches.map(({ task, observations }) => [task, observations[0]?.ending, observations[0]?.reason])).toEqual([
      ['retrieve', 'wrong', 'dropped-but-served'],
      ['retrieve', 'wrong', 'dropped-but-served'],
    ]);
    expect(new Set(batches.map(({ id }) => id)).size).toBe(2);
    clock.ms += AGAIN_MS;
    expect(await probeDropped(portsWith(client), AGAIN_MS, signal)).toMatchObject({ asked: 1, served: 0 });
    expect(probes.due(clock.ms + 1e9, 10).filter((probe) => probe.anchorId === anchorId)).toEqual([]);
  });

  it('of a miner that is silent is asked for again, of one that left no more', async () => {
    await storedAndDropped();
    clock.ms += AGAIN_MS;
    const failure = { code: 'unreachable', fault: 'peer', message: '', miner: miner.peer.hotkey } as const;
    const silent = portsWith({ ...client, headShard: async () => ({ ok: false, failure }) });
    expect(await probeDropped(silent, AGAIN_MS, signal)).toMatchObject({ silent: 1 });
    clock.ms += AGAIN_MS;
    expect(await probeDropped(portsWith(client, false), AGAIN_MS, signal)).toMatchObject({ asked: 0 });
    expect(probes.due(clock.ms + 1e9, 10)).toEqual([]);
  });

  it('comes back when an operator has a span of time restored, and is probed no more', async () => {
    clock.ms += 1e6;
    const before = await storedAndDropped();
    clock.ms += 1000;
    const sinceMs = clock.ms;
    const anchors = [await storedAndDropped(), await storedAndDropped()];
    const entries = () => readDropReceipts(folder, NETWORK);
    const span = { sinceMs, untilMs: clock.ms };
    expect(await restoreDropped(portsWith(client), entries(), span, signal)).toEqual({
      ...{ asked: 2, restored: 2, notRestored: {} },
    });
    for (const anchorId of anchors) expect((await client.headShard(miner.peer, anchorId, signal)).ok).toBe(true);
    expect((await client.headShard(miner.peer, before, signal)).ok).toBe(false);
    expect(probes.due(clock.ms + 1e9, 10).map((probe) => probe.anchorId)).toEqual([before]);
    const report = await restoreDropped(portsWith(client, false), entries(), span, signal);
    expect(report).toMatchObject({ restored: 0, notRestored: { unanswered: 2 } });
  });
});
