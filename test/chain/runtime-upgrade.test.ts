/**
 * Runtime upgrades, played by a relay before a real node that rewrites what it says of itself: the spec version, and
 * names in its metadata (of equal length, so that everything else stays as it is).
 */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { WebSocket as NodeSocket, WebSocketServer } from 'ws';
import { UNLIMITED_PACE } from '#shared/chain/rpc-pace.ts';
import { connectSubstrateChain, type SubstrateChain } from '#shared/chain/substrate-chain.ts';
import { toHex, utf8 } from '#shared/primitives/bytes.ts';
import { type Log, silentLog, systemClock, systemRandom } from '#shared/primitives/effects.ts';
import type { ChainWorld } from '#shared/testing/chain-suite.ts';
import { startLocalWorld } from './local-chain-world.ts';

let world: ChainWorld;
let relay: WebSocketServer;
let rewrite: (text: string) => string = (text) => text;
const open: SubstrateChain[] = [];

beforeAll(async () => {
  world = await startLocalWorld({ blockTimeMs: 100, tempo: 20 });
  relay = new WebSocketServer({ host: '127.0.0.1', port: 0 });
  relay.on('connection', (client) => {
    const node = new NodeSocket(world.endpoint);
    const early: string[] = [];
    node.on('open', () => {
      for (const text of early) node.send(text);
    });
    client.on('message', (data) =>
      node.readyState === node.OPEN ? node.send(String(data)) : early.push(String(data)),
    );
    node.on('message', (data) => client.send(rewrite(String(data))));
    client.on('close', () => node.close());
    node.on('close', () => client.close());
    node.on('error', () => client.close());
  });
  await once(relay, 'listening');
}, 30_000);
afterAll(async () => {
  for (const chain of open) await chain.close();
  for (const client of relay.clients) client.terminate();
  await new Promise((resolve) => relay.close(resolve));
  await world.stop();
});

const connect = (log: Log = silentLog) =>
  connectSubstrateChain({
    endpoint: `ws://127.0.0.1:${(relay.address() as AddressInfo).port}`,
    clock: systemClock,
    random: systemRandom,
    log,
    commits: world.commits,
    pace: UNLIMITED_PACE,
  });

const hexOf = (text: string) => toHex(utf8(text));
const renamed = (from: string, to: string) => (text: string) => text.replaceAll(hexOf(from), hexOf(to));
const newerVersion = (text: string) =>
  text.replace(/"specVersion":(\d+)/g, (_, version: string) => `"specVersion":${Number(version) + 1}`);

async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await systemClock.sleep(20);
}

it('names in one line what a runtime no longer has, and does not start', async () => {
  rewrite = renamed('SubnetworkN', 'SubnetworkM');
  const connected = await connect();
  expect(connected).toMatchObject({ ok: false, failure: { code: 'runtime-changed', fault: 'us' } });
  if (!connected.ok) {
    expect(connected.failure.message).toContain('storage SubtensorModule.SubnetworkN');
    expect(connected.failure.message).not.toContain('\n');
  }
  rewrite = renamed('version_key', 'version_kex');
  expect(await connect()).toMatchObject({
    ok: false,
    failure: {
      items: [expect.stringContaining('call SubtensorModule.set_weights'), expect.stringContaining('reveal_weights')],
    },
  });
});

it('goes on through an upgrade that does not concern it, and stops at one that does, saying so once', async () => {
  const errors: unknown[] = [];
  rewrite = (text) => text;
  const log = { ...silentLog, error: (event: string, fields?: object) => errors.push({ event, ...fields }) };
  const connected = await connect(log);
  if (!connected.ok) throw new Error(connected.failure.message);
  const chain = connected.value;
  open.push(chain);
  const before = chain.runtime();

  const unrelated = renamed('NetworkRateLimit', 'NetworkRateLimiz');
  rewrite = (text) => newerVersion(unrelated(text));
  chain.reconnect();
  await until(() => chain.runtime() !== before);
  expect(await chain.rules(world.netuid)).toMatchObject({ ok: true, value: { tempo: 20 } });
  expect(errors).toEqual([]);

  rewrite = (text) => newerVersion(newerVersion(renamed('SubnetworkN', 'SubnetworkM')(text)));
  chain.reconnect();
  await until(async () => !(await chain.rules(world.netuid)).ok);
  expect(await chain.rules(world.netuid)).toMatchObject({ ok: false, failure: { code: 'runtime-changed' } });
  expect(errors).toEqual([
    { event: 'chain-runtime-refused', reason: expect.stringContaining('storage SubtensorModule.SubnetworkN') },
  ]);

  rewrite = (text) => text;
  chain.reconnect();
  await until(async () => (await chain.rules(world.netuid)).ok);
});

it('gives up in time when no node answers', async () => {
  const startMs = performance.now();
  const options = { clock: systemClock, random: systemRandom, log: silentLog, commits: world.commits };
  const connected = await connectSubstrateChain({ ...options, endpoint: 'ws://127.0.0.1:1', connectTimeoutMs: 300 });
  expect(connected).toMatchObject({ ok: false, failure: { code: 'unreachable', fault: 'us' } });
  expect(performance.now() - startMs).toBeLessThan(5_000);
});
