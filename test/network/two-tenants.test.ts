import { afterAll, beforeAll, expect, it } from 'vitest';
import type { LocalNetwork } from '#infra/local-network/local-network.ts';
import type { Tenancy } from '#infra/local-network/tenancy.ts';
import { createIndex } from '#shared/index/redis-index.ts';
import {
  countShards,
  eventually,
  FEW_MINERS,
  logOf,
  randomBytes,
  request,
  retrieve,
  startNetwork,
  store,
} from './network-under-test.ts';

/** Short, because the test waits it out. */
const SESSION_MS = 8000;

let network: LocalNetwork;
let first: Tenancy;
let second: Tenancy;
beforeAll(async () => {
  network = await startNetwork({ tenants: 2, miners: FEW_MINERS, times: { sessionMs: SESSION_MS } });
  [first, second] = network.tenancies as [Tenancy, Tenancy];
});
afterAll(() => network?.destroy());

/** Epoch of a tenant's index: each run of its collection moves it. */
async function collections(tenant: Tenancy): Promise<number> {
  const { files } = createIndex({ url: tenant.indexUrl, token: tenant.indexToken });
  return (await files.identity()).epoch;
}

it('two tenants on the same miners, both collecting, lose nothing of each other', async () => {
  const same = randomBytes(200_000);
  const [own, other] = [randomBytes(5_000_000), randomBytes(70_000)];
  const firstFiles = [same, own];
  const secondFiles = [same, other];
  const firstCids: string[] = [];
  const secondCids: string[] = [];
  for (const bytes of firstFiles) firstCids.push(await store(first, bytes));
  for (const bytes of secondFiles) secondCids.push(await store(second, bytes));
  expect(secondCids[0]).toBe(firstCids[0]);
  // Five of each segment: what a hurried upload placed besides is collected, what it could not place is repaired.
  const counts = [15, 10];

  // Until everything is past its hold and grace, so that only the indexes explain it.
  const epochs = [await collections(first), await collections(second)];
  await new Promise((wake) => setTimeout(wake, SESSION_MS + 1500));
  for (const [at, tenant] of [first, second].entries()) {
    const target = Math.max(await collections(tenant), epochs[at] as number) + 3;
    await eventually(
      'collections',
      () => collections(tenant),
      (epoch) => epoch >= target,
    );
  }
  await eventually(
    'every shard, and no other',
    () => [countShards(network, first), countShards(network, second)],
    (found) => found.join() === counts.join(),
  );
  for (const [at, cid] of firstCids.entries()) expect(await retrieve(first, cid)).toEqual(firstFiles[at]);
  for (const [at, cid] of secondCids.entries()) expect(await retrieve(second, cid)).toEqual(secondFiles[at]);
  const stopped = [...logOf(network, 'tenant'), ...logOf(network, 'tenant-2-tenant')].filter(
    (line) => line.event === 'collection-stopped',
  );
  expect(stopped).toEqual([]);

  // The same bytes of two owners are two files: deleting the one leaves the other.
  expect((await request(first, `files/${firstCids[0]}`, { method: 'DELETE' })).status).toBe(202);
  await eventually(
    'the drop',
    () => countShards(network, first),
    (count) => count === (counts[0] as number) - 5,
  );
  expect(await retrieve(second, secondCids[0] as string)).toEqual(same);
  expect(countShards(network, second)).toBe(counts[1]);
});
