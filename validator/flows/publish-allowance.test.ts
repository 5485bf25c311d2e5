import { expect, it } from 'vitest';
import type { MinerEntry } from '#shared/index/ports.ts';
import { groupLimitOf, placeShards } from '#shared/placement/place-shards.ts';
import { systemRandom } from '#shared/primitives/effects.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';
import { makeMiners, TestClock, TestTenant } from '../testing/tenant-world.ts';
import { newPublishState, publishMiners } from './publish-miners.ts';

const { signal } = new AbortController();

async function publishedWith(allowances: readonly number[]): Promise<readonly MinerEntry[]> {
  const miners = makeMiners(allowances.length);
  const tenant = new TestTenant(50, miners, new TestClock());
  const allowed = new Map(miners.map(({ peer }, at) => [peer.hotkey, allowances[at] ?? 0]));
  const allowance = (hotkey: Hotkey) => allowed.get(hotkey) ?? 0;
  await publishMiners({ ...tenant.ports, allowance }, newPublishState(), signal);
  const { miners: entries } = await tenant.index.read();
  return miners.map(({ peer }) => entries.find(({ hotkey }) => hotkey === peer.hotkey) as MinerEntry);
}

it('offers no more than a tier leaves, nothing at its limit, and the disk’s room where that is less', async () => {
  const entries = await publishedWith([500, 0, Number.MAX_SAFE_INTEGER]);
  expect(entries.map(({ freeBytes, accepting }) => [freeBytes, accepting])).toEqual([
    [500, true],
    [0, false],
    [1e9, true],
  ]);
});

it('so that placement passes over who would hold more than its tier allows', async () => {
  const entries = await publishedWith([1000, 999, 0, 1e6]);
  const candidates = entries.map((entry) => ({ ...entry, groups: [entry.coldkey, `${entry.number}`] }));
  const placement = placeShards({
    ...{ candidates, count: 4, shardBytes: 1000, groupLimit: groupLimitOf(2, 4) },
    ...{ expectedMs: () => 1, random: systemRandom },
  });
  expect(placement.miners.map(({ number }) => number).toSorted()).toEqual([1, 4]);
});
