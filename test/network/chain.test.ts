/** A network that is found through its chain: registration, a chain that is away, a miner that loses its place. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { LocalNetwork } from '#infra/local-network/local-network.ts';
import type { LocalMiner } from '#infra/local-network/miner-fleet.ts';
import { createRawRpc } from '#shared/chain/raw/raw-rpc.ts';
import { readNeuron } from '#shared/chain/raw/read-neuron.ts';
import { createIndex } from '#shared/index/redis-index.ts';
import { systemClock } from '#shared/primitives/effects.ts';
import {
  eventually,
  FEW_MINERS,
  logOf,
  randomBytes,
  request,
  retrieve,
  startNetwork,
  store,
} from './network-under-test.ts';

let network: LocalNetwork;
beforeAll(async () => {
  // No place is free and nobody is safe: whoever registers takes the place of the oldest miner.
  const hyperparameters = { MaxAllowedUids: FEW_MINERS + 1, ImmunityPeriod: 1, MinNonImmuneUids: 0 };
  network = await startNetwork({ miners: FEW_MINERS, hyperparameters });
});
afterAll(() => network?.destroy());

const tenancy = () => network.tenancies[0] as LocalNetwork['tenancies'][number];
const neuronOf = async (miner: LocalMiner) => {
  const rpc = createRawRpc({ endpoint: network.chain.url, fetch });
  const read = await readNeuron(rpc, network.secrets.netuid, miner.hotkey);
  if (!read.ok) throw new Error(read.failure.message);
  return read.value;
};
const directory = async () => {
  const index = createIndex({ url: tenancy().indexUrl, token: tenancy().indexToken, clock: systemClock });
  return (await index.miners.read()).miners;
};
const eventsOf = (part: string, event: string) => logOf(network, part).filter((line) => line.event === event);
const bytes = randomBytes(300_000);

it('registers and announces every miner, and describes the chain in network.json', async () => {
  for (const miner of network.miners) {
    expect((await neuronOf(miner))?.axon).toMatchObject({ ip: '127.0.0.1', port: miner.port });
  }
  const { netuid, genesisHash } = network.secrets;
  const described = JSON.parse(readFileSync(network.state.file('network.json'), 'utf8'));
  expect(described.chain).toEqual({ url: network.chain.url, netuid, genesisHash });
});

it('stores, reads and deletes while the chain is away', async () => {
  await network.chain.run.crash();
  const cid = await store(tenancy(), bytes);
  expect(await retrieve(tenancy(), cid)).toEqual(bytes);
  expect((await request(tenancy(), `files/${cid}`, { method: 'DELETE' })).status).toBeLessThan(300);
  // What comes next is seen on the chain that is back.
  await network.chain.run.up();
});

describe('a miner whose place was taken', () => {
  const name = 'miner-01';

  it('is known to have left, offers nothing more, and serves what it has', async () => {
    const miner = network.miners[0] as LocalMiner;
    const cid = await store(tenancy(), bytes);
    await network.chain.announce([{ ...network.purse, port: 9 }]);
    expect(await neuronOf(miner)).toBeUndefined();
    await eventually(
      'its line',
      () => eventsOf(name, 'lost-place').length,
      (lines) => lines === 1,
    );
    await eventually(
      'the validator',
      () => eventsOf('tenant', 'neuron-left').map((line) => line.hotkey),
      (left) => left.includes(miner.hotkey),
    );
    await eventually(
      'the directory',
      async () => (await directory()).find(({ hotkey }) => hotkey === miner.hotkey)?.accepting,
      (accepting) => accepting !== true,
    );
    expect(await retrieve(tenancy(), cid)).toEqual(bytes);
    // Whoever took the place proved nothing: it is no miner to anybody.
    expect((await directory()).map(({ hotkey }) => hotkey)).not.toContain(network.purse.hotkey);
    await request(tenancy(), `files/${cid}`, { method: 'DELETE' });
  });

  it('ends by itself once nothing of its tenants is left with it, and is not started again', async () => {
    await eventually(
      'its end',
      () => eventsOf(name, 'left-subnet'),
      (lines) => lines.length === 1 && lines[0]?.why === 'drained',
    );
    const miner = network.miners[0] as LocalMiner;
    await eventually(
      'the process',
      () => miner.run.isUp,
      (up) => !up,
    );
  });
});
