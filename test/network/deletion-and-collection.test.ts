import { afterAll, beforeAll, expect, it } from 'vitest';
import type { LocalNetwork } from '#infra/local-network/local-network.ts';
import type { Tenancy } from '#infra/local-network/tenancy.ts';
import {
  bytesOnDisks,
  countShards,
  eventually,
  FEW_MINERS,
  json,
  randomBytes,
  request,
  retrieve,
  startNetwork,
  store,
} from './network-under-test.ts';

let network: LocalNetwork;
let tenant: Tenancy;
beforeAll(async () => {
  network = await startNetwork({ miners: FEW_MINERS, times: { sessionMs: 4000 } });
  [tenant] = network.tenancies as [Tenancy];
});
afterAll(() => network?.destroy());

it('a deleted file is gone at once, and soon its bytes are off the disks', async () => {
  const kept = randomBytes(100_000);
  const keptCid = await store(tenant, kept);
  const before = bytesOnDisks(network);
  const cid = await store(tenant, randomBytes(3_000_000));
  expect(bytesOnDisks(network)).toBeGreaterThan(before + 2 * 3_000_000);
  expect((await request(tenant, `files/${cid}`, { method: 'DELETE' })).status).toBe(202);
  expect((await request(tenant, `files/${cid}`)).status).toBe(404);
  await eventually(
    'the disks',
    () => bytesOnDisks(network),
    (bytes) => bytes === before,
  );
  const progress = await eventually(
    'the deletion',
    () => json(tenant, `files/${cid}/deletion`),
    ({ shards, dropped }) => shards === dropped,
  );
  expect(progress.shards).toBe(5);
  expect(await retrieve(tenant, keptCid)).toEqual(kept);
});

it('a file whose time is over goes the same way', async () => {
  const before = bytesOnDisks(network);
  const cid = await store(tenant, randomBytes(500_000), '?ttl=1');
  await eventually(
    'the file',
    async () => (await request(tenant, `files/${cid}`)).status,
    (status) => status === 404,
  );
  await eventually(
    'the disks',
    () => bytesOnDisks(network),
    (bytes) => bytes === before,
  );
});

it('what an upload leaves behind whose edge dies in the middle is collected', async () => {
  const before = bytesOnDisks(network);
  const shards = countShards(network, tenant);
  let sent = 0;
  // An upload that never ends: segments are stored one by one, the file never is.
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (sent++ < 40) controller.enqueue(randomBytes(262_144));
      else await new Promise(() => {});
    },
  });
  const upload = request(tenant, 'files', { method: 'PUT', body, duplex: 'half' } as RequestInit).catch(
    () => undefined,
  );
  await eventually(
    'the upload',
    () => countShards(network, tenant),
    (count) => count >= shards + 5,
  );
  await tenant.edge.crash();
  await upload;
  expect(bytesOnDisks(network)).toBeGreaterThan(before);
  await eventually(
    'the disks',
    () => bytesOnDisks(network),
    (bytes) => bytes === before,
  );
  await tenant.edge.up();
});

it('what an upload leaves behind whose client goes away is collected', async () => {
  const before = bytesOnDisks(network);
  const shards = countShards(network, tenant);
  const leave = new AbortController();
  let sent = 0;
  const body = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (sent++ < 40) controller.enqueue(randomBytes(262_144));
      else await new Promise(() => {});
    },
  });
  const init = { method: 'PUT', body, duplex: 'half', signal: leave.signal } as RequestInit;
  const upload = request(tenant, 'files', init).catch(() => undefined);
  await eventually(
    'the upload',
    () => countShards(network, tenant),
    (count) => count >= shards + 5,
  );
  leave.abort();
  await upload;
  await eventually(
    'the disks',
    () => bytesOnDisks(network),
    (bytes) => bytes === before,
  );
  expect((await json(tenant, 'files')).files).toHaveLength(1);
});
