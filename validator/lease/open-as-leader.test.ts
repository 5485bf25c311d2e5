/** A validator's folder behind the lease: what is refused when it is not held any more, with the real database. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type OpenIndex, openIndex } from '#infra/gateway/testing/open-index.ts';
import { type Clock, silentLog } from '#shared/primitives/effects.ts';
import { hotkeyOf } from '#shared/primitives/ids.ts';
import { TIERS } from '#shared/tier/table.ts';
import type { Batch } from '#validator/state/ports.ts';
import { LeaseNotHeld } from './held-lease.ts';
import { openAsLeader } from './open-as-leader.ts';

const miner = hotkeyOf(new Uint8Array(32).fill(3));
const batch = (id: string): Batch => ({
  ...{ id, task: 'challenge', atMs: 1, block: 1 },
  observations: [{ miner, ending: 'passed', seconds: 1, bytes: 1000, reason: 'passed', evidence: id }],
});

async function open(index: OpenIndex, dataDir: string, holder: string, evenIfBehind = false) {
  const sleep: Clock['sleep'] = (_, signal) =>
    new Promise((_, reject) => {
      if (signal?.aborted) reject(signal.reason);
      signal?.addEventListener('abort', () => reject(signal.reason));
    });
  const clock = { nowMs: () => index.nowMs(), sleep };
  const ports = { clock, log: silentLog, leadership: index.connect().leadership, steadyMs: () => index.nowMs() };
  const settings = { dataDir, holder, times: { ttlMs: 30_000, renewMs: 5_000 }, evenIfBehind, tiers: TIERS };
  return await openAsLeader(ports, settings, new AbortController().signal);
}

it('counts nothing after the lease, reads on, and tells how far it came', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'filetao-leader-'));
  const index = await openIndex({ virtualTime: true });
  try {
    const { state, lease } = await open(index, join(folder, 'a'), 'a'.repeat(16));
    expect(state.state.standings.record(batch('one'))).toBe(true);
    index.advance(24_000);
    expect(() => state.state.standings.record(batch('two'))).toThrow(LeaseNotHeld);
    expect(() => state.state.synthetics.beginDraw('store', 5)).toThrow(LeaseNotHeld);
    expect(state.state.standings.find(miner)?.counts.challenge).toEqual({ attempts: 1, successes: 1 });
    await index.connect().leadership.tell(lease.leader, 1);
    await lease.release();
    state.close();

    // An empty folder is behind; told to, it begins anew, and nothing of the other's is counted again by it.
    const other = await open(index, join(folder, 'b'), 'b'.repeat(16), true);
    expect(other.behind).toBe(1);
    expect(other.lease.leader.fence).toBeGreaterThan(lease.leader.fence);
    other.state.close();
    await other.lease.release();
  } finally {
    await index.close();
    rmSync(folder, { recursive: true, force: true });
  }
});
