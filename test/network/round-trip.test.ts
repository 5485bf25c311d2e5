import { existsSync, readFileSync, statSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LocalNetwork } from '#infra/local-network/local-network.ts';
import type { Tenancy } from '#infra/local-network/tenancy.ts';
import {
  CALM,
  eventually,
  json,
  MINERS,
  put,
  randomBytes,
  request,
  retrieve,
  shardCounts,
  startNetwork,
  store,
} from './network-under-test.ts';

let network: LocalNetwork;
beforeAll(async () => {
  network = await startNetwork({ times: CALM });
});
afterAll(() => network?.destroy());

const SIZES = [0, 1, 65_536, 5 * 2 ** 20 + 1];
/** (4, 10): that many of the holders of a segment may be lost. */
const MAY_BE_LOST = 6;

describe('a network on one machine', () => {
  const files = new Map<string, Uint8Array>();
  let tenant: Tenancy;

  it('describes itself in network.json, for its owner alone', () => {
    const file = network.state.file('network.json');
    const description = JSON.parse(readFileSync(file, 'utf8'));
    [tenant] = network.tenancies as [Tenancy];
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(description).toMatchObject({
      edge: { url: network.edgeUrl, apiKey: network.apiKey },
      index: { url: tenant.indexUrl, token: tenant.indexToken },
      validator: { hotkey: tenant.hotkey, pid: tenant.tenant.child.pid },
    });
    expect(description.miners).toHaveLength(MINERS);
    for (const miner of description.miners) {
      expect(existsSync(miner.folder)).toBe(true);
      expect(() => process.kill(miner.pid, 0)).not.toThrow();
    }
  });

  it.each(SIZES)('gives %i bytes back as they went in', async (size) => {
    const bytes = randomBytes(size);
    const cid = await store(tenant, bytes);
    expect(await retrieve(tenant, cid)).toEqual(bytes);
    files.set(cid, bytes);
  });

  it('knows a file that is there, serves parts of it, and refuses strangers', async () => {
    const [cid, bytes] = [...files].at(-1) as [string, Uint8Array<ArrayBuffer>];
    const again = await put(tenant, bytes);
    expect([again.status, (await again.json()) as unknown]).toEqual([200, expect.objectContaining({ cid })]);
    // Answered before the body was read; the client, still sending, must hear it all the same.
    const headers = { 'filetao-cid': cid };
    const announced = await request(tenant, 'files', { method: 'PUT', headers, body: randomBytes(20 * 2 ** 20) });
    expect([announced.status, (await announced.json()) as unknown]).toEqual([200, expect.objectContaining({ cid })]);
    const head = await request(tenant, `files/${cid}`, { method: 'HEAD' });
    expect(head.headers.get('content-length')).toBe(String(bytes.length));
    const part = await request(tenant, `files/${cid}`, { headers: { range: 'bytes=4194300-4194309' } });
    expect(part.status).toBe(206);
    expect(new Uint8Array(await part.arrayBuffer())).toEqual(bytes.slice(4_194_300, 4_194_310));
    const stranger = { edgeUrl: tenant.edgeUrl, apiKey: 'ftk_no' };
    expect((await request(stranger, `files/${cid}`)).status).toBe(401);
    const health = await fetch(`${tenant.edgeUrl}/health`);
    expect(health.status).toBe(200);
  });

  it('has the files again after it was stopped and started', async () => {
    const { path: stateDir } = network.state;
    const ports = network.miners.map((miner) => miner.port);
    await network.stop();
    expect(existsSync(`${stateDir}/network.json`)).toBe(false);
    network = await startNetwork({ stateDir, times: CALM });
    [tenant] = network.tenancies as [Tenancy];
    expect(network.miners.map((miner) => miner.port)).toEqual(ports);
    for (const [cid, bytes] of files) expect(await retrieve(tenant, cid)).toEqual(bytes);
  });

  it('brings a miner back that was killed', async () => {
    const [miner] = network.miners as [LocalNetwork['miners'][number]];
    const { pid } = miner.run.child;
    process.kill(pid, 'SIGKILL');
    await eventually('the miner', () => miner.run.isUp && miner.run.child.pid !== pid, Boolean);
    const listed = () => JSON.parse(readFileSync(network.state.file('network.json'), 'utf8')).miners[0]?.pid;
    await eventually('network.json', listed, (seen) => seen === miner.run.child.pid);
  });
});

describe('with holders of a segment killed', () => {
  let cid: string;
  let bytes: Uint8Array<ArrayBuffer>;
  let tenant: Tenancy;
  let holding: LocalNetwork['miners'];

  beforeAll(async () => {
    [tenant] = network.tenancies as [Tenancy];
    bytes = randomBytes(300_000);
    const before = shardCounts(network, tenant);
    cid = await store(tenant, bytes);
    const after = shardCounts(network, tenant);
    holding = network.miners.filter((_, at) => after[at] !== before[at]);
    expect(holding).toHaveLength(10);
  });

  it('all that the code can lose, the file comes back byte for byte', async () => {
    await Promise.all(holding.slice(0, MAY_BE_LOST).map((miner) => miner.run.crash()));
    expect(await retrieve(tenant, cid)).toEqual(bytes);
    const status = await json(tenant, `files/${cid}/status`);
    expect(status).toMatchObject({ health: 'at-risk', shards: { total: 10, alive: 4 }, survives: { miners: 0 } });
  });

  it('one more, the answer is a 503 that says so', async () => {
    await holding[MAY_BE_LOST]?.run.crash();
    const response = await request(tenant, `files/${cid}`);
    expect(response.status).toBe(503);
    expect(await response.json()).toMatchObject({ code: 'unrecoverable' });
  });

  it('a new file is refused rather than half stored, while too few miners are left', async () => {
    const refused = await eventually(
      'a store',
      async () => {
        const response = await put(tenant, randomBytes(200_000));
        return { status: response.status, ...((await response.json()) as object) };
      },
      ({ status }) => status === 503 || status === 201,
    );
    // Five miners are left: enough for (2, 5), once the tenant has seen who is gone.
    if (refused.status === 503)
      expect(refused).toMatchObject({ code: expect.stringMatching(/^(too-few-miners|not-stored)$/) });
  });

  it('and one brought back, it is readable again', async () => {
    await holding[MAY_BE_LOST]?.run.up();
    const status = await eventually(
      'a fetch',
      async () => (await request(tenant, `files/${cid}`)).status,
      (s) => s === 200,
    );
    expect(status).toBe(200);
    expect(await retrieve(tenant, cid)).toEqual(bytes);
  });
});
