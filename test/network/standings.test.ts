/**
 * A whole network from the first stored file to emission: miners are challenged, scored and paid, the chain carries the
 * weights, edges show all of it with its reasons; and a validator that is killed neither loses nor doubles anything.
 */
import { afterAll, beforeAll, expect, it } from 'vitest';
import type { LocalNetwork } from '#infra/local-network/local-network.ts';
import type { MinerDetailAnswer, MinersAnswer, NetworkAnswer } from '#shared/api/network-schemas.ts';
import { systemRandom } from '#shared/primitives/effects.ts';
import { put, request, startNetwork } from './network-under-test.ts';

let network: LocalNetwork;
beforeAll(async () => {
  // Sixty blocks to a tempo: twelve seconds.
  network = await startNetwork({
    times: { blockMs: 200, windowBlocks: 20, roundBlocks: 3, retrieveBlocks: 6, snapshotMs: 2000 },
  });
}, 60_000);
afterAll(() => network?.destroy());

const tenancy = () => {
  const [first] = network.tenancies;
  if (!first) throw new Error('no tenant');
  return first;
};
async function read<T>(path: string): Promise<T> {
  const response = await request(tenancy(), path);
  if (!response.ok) throw new Error(`${path}: ${response.status}`);
  return (await response.json()) as T;
}
const miners = async () => (await read<MinersAnswer>('network/miners')).miners;

async function until(what: string, happened: () => Promise<boolean>): Promise<void> {
  for (const deadline = Date.now() + 60_000; !(await happened().catch(() => false)); ) {
    if (Date.now() > deadline) throw new Error(`not within a minute: ${what}`);
    await new Promise((wake) => setTimeout(wake, 200));
  }
}

it('pays who proves what it holds, and says why', async () => {
  expect((await put(tenancy(), new Uint8Array(systemRandom(50_000)))).status).toBe(201);
  await until('ten miners passed challenges', async () => {
    const proven = (await miners()).filter(({ totalSuccesses, reward }) => totalSuccesses >= 2 && reward > 0);
    return proven.length >= 10;
  });
  await until('a window closed', async () => (await read<NetworkAnswer>('network')).window.number >= 1);
  await until('weights are on the chain', async () => {
    const { weights } = await read<NetworkAnswer>('network');
    return weights?.step === 'revealed' || weights?.step === 'committed';
  });
  const [best] = await miners();
  if (!best) throw new Error('no miner');
  expect(best).toMatchObject({ tier: 'Bronze', accepting: true, strikes: 0, uid: expect.any(Number) });
  expect(best.storedBytes).toBeGreaterThan(0);
  const detail = await read<MinerDetailAnswer>(`network/miners/${best.hotkey}`);
  expect(detail.explanation[0]).toMatch(/^Tier Bronze: /);
  expect(detail.events.some(({ cause, evidence }) => cause === 'challenge' && /^round:\d+$/.test(evidence))).toBe(true);
}, 90_000);

it('counts nothing twice and loses nothing when the validator is killed', async () => {
  const totals = async () => new Map((await miners()).map(({ hotkey, totalSuccesses }) => [hotkey, totalSuccesses]));
  const before = await totals();
  await tenancy().tenant.crash();
  await tenancy().tenant.up();
  const { takenAt } = await read<NetworkAnswer>('network');
  await until('it describes the network again', async () => (await read<NetworkAnswer>('network')).takenAt > takenAt);
  for (const [hotkey, successes] of await totals()) expect(successes).toBeGreaterThanOrEqual(before.get(hotkey) ?? 0);
  // What is told of a miner is what its events add up to.
  for (const { hotkey, totalSuccesses } of (await miners()).slice(0, 3)) {
    const { events } = await read<MinerDetailAnswer>(`network/miners/${hotkey}`);
    if (events.length === 50) continue;
    const passed = events.filter(({ ending, cause }) => ending === 'passed' && cause !== 'monitor').length;
    expect(Math.abs(passed - totalSuccesses)).toBeLessThanOrEqual(1);
  }
}, 60_000);

it('the chain pays by these weights, and the original’s routes show it', async () => {
  interface Row {
    readonly INCENTIVE: number;
    readonly CHALLENGE_ATTEMPTS: number;
  }
  await until('incentive', async () => {
    const response = await fetch(`${tenancy().edgeUrl}/miner_statistics?limit=12`);
    const rows = (await response.json()) as Row[];
    return rows.filter(({ INCENTIVE }) => INCENTIVE > 0).length >= 10;
  });
}, 90_000);
