import { afterAll, beforeAll, expect, it } from 'vitest';
import type { LocalNetwork } from '#infra/local-network/local-network.ts';
import type { Tenancy } from '#infra/local-network/tenancy.ts';
import {
  CALM,
  eventually,
  FEW_MINERS,
  put,
  randomBytes,
  request,
  retrieve,
  startNetwork,
  store,
} from './network-under-test.ts';

let network: LocalNetwork;
let tenant: Tenancy;
beforeAll(async () => {
  network = await startNetwork({ miners: FEW_MINERS, times: CALM });
  [tenant] = network.tenancies as [Tenancy];
});
afterAll(() => network?.destroy());

it('without its index the edge says so, and goes on when it is back', async () => {
  const bytes = randomBytes(70_000);
  const cid = await store(tenant, bytes);
  await tenant.index.crash();
  const read = await request(tenant, `files/${cid}`);
  expect([read.status, await read.json()]).toEqual([503, expect.objectContaining({ code: 'index-unavailable' })]);
  const write = await put(tenant, randomBytes(10));
  expect([write.status, await write.json()]).toEqual([503, expect.objectContaining({ code: 'index-unavailable' })]);
  await tenant.index.up();
  await eventually(
    'a fetch',
    async () => (await request(tenant, `files/${cid}`)).status,
    (status) => status === 200,
  );
  expect(await retrieve(tenant, cid)).toEqual(bytes);
  await store(tenant, randomBytes(1000));
});

it('the tenant can be away: what is stored is read, and what comes in is kept', async () => {
  await tenant.tenant.down();
  const bytes = randomBytes(100_000);
  const cid = await store(tenant, bytes);
  await tenant.tenant.up();
  await tenant.ready(network.miners.length);
  expect(await retrieve(tenant, cid)).toEqual(bytes);
});

it('an edge that was killed is back with everything it knew', async () => {
  const bytes = randomBytes(100_000);
  const cid = await store(tenant, bytes);
  const { pid } = tenant.edge.child;
  process.kill(-pid, 'SIGKILL');
  await eventually('the edge', () => tenant.edge.isUp && tenant.edge.child.pid !== pid, Boolean);
  expect(await retrieve(tenant, cid)).toEqual(bytes);
});
