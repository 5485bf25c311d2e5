import { afterAll, beforeAll, expect, it } from 'vitest';
import type { LocalNetwork } from '#infra/local-network/local-network.ts';
import type { Tenancy } from '#infra/local-network/tenancy.ts';
import {
  eventually,
  json,
  logOf,
  randomBytes,
  retrieve,
  shardCounts,
  startNetwork,
  store,
} from './network-under-test.ts';

interface Status {
  readonly health: string;
  readonly shards: { readonly total: number; readonly alive: number };
  readonly worst: readonly { readonly alive: number }[];
}

let network: LocalNetwork;
let tenant: Tenancy;
beforeAll(async () => {
  network = await startNetwork();
  [tenant] = network.tenancies as [Tenancy];
});
afterAll(() => network?.destroy());

const statusOf = (cid: string) => json(tenant, `files/${cid}/status`) as unknown as Promise<Status>;

it('a miner that announces that it leaves is drained, keeps its score, and may stay after all', async () => {
  const bytes = randomBytes(700_000);
  const cid = await store(tenant, bytes);
  const counts = () => shardCounts(network, tenant);
  const at = counts().findIndex((count) => count > 0);
  const leaver = network.miners[at];
  const pid = leaver?.run.child.pid;
  if (!leaver || !pid) throw new Error('no miner holds a shard');
  process.kill(pid, 'SIGUSR2');
  await eventually(
    'the leaver',
    () => counts()[at],
    (count) => count === 0,
  );
  expect(await retrieve(tenant, cid)).toEqual(bytes);
  expect(await statusOf(cid)).toMatchObject({ health: 'full' });
  const struck = logOf(network, 'tenant').filter(({ event }) => event === 'miner-struck');
  expect(struck).toEqual([]);
  process.kill(pid, 'SIGUSR2');
  await eventually(
    'the stayer',
    () => logOf(network, 'tenant').filter(({ event, miner }) => event === 'miner-back' && miner === leaver.hotkey),
    (lines) => lines.length > 0,
  );
});

it('miners killed under load: all shards come back elsewhere, and every file is readable throughout', async () => {
  const files = new Map<string, Uint8Array>();
  for (const bytes of [9_000_000, 1_500_000, 300_000, 5_000]) {
    const file = randomBytes(bytes);
    files.set(await store(tenant, file), file);
  }

  // 1. readers and writers that never stop
  let loading = true;
  let reads = 0;
  const failures: string[] = [];
  const reader = (async () => {
    while (loading) {
      for (const [cid, bytes] of files) {
        const got = await retrieve(tenant, cid).catch((error: unknown) => void failures.push(String(error)));
        reads++;
        if (got && Buffer.compare(got, bytes) !== 0) failures.push(`${cid}: other bytes`);
        await new Promise((wake) => setTimeout(wake, 50));
      }
    }
  })();
  const everywhere = async (alive: (status: Status) => boolean) => {
    const statuses = await Promise.all([...files.keys()].map(statusOf));
    return statuses.every(alive) ? [] : statuses.map(({ health, worst }) => `${health} ${worst[0]?.alive}`);
  };

  // 2. two of twelve, for good
  const [a, b, c, d, e] = network.miners;
  await Promise.all([a, b].map((miner) => miner?.run.crash()));
  await eventually(
    'two gone',
    () => everywhere(({ health }) => health === 'full'),
    (left) => left.length === 0,
  );

  // 3. three more: seven are left
  const held = (status: Status) => status.worst.every(({ alive }) => alive >= Math.min(7, status.shards.total));
  await Promise.all([c, d, e].map((miner) => miner?.run.crash()));
  const full = (status: Status) => (status.shards.total === 5 ? status.health === 'full' : held(status));
  await eventually(
    'five gone',
    () => everywhere(full),
    (left) => left.length === 0,
  );
  loading = false;
  await reader;
  expect(failures).toEqual([]);
  expect(reads).toBeGreaterThan(20);

  // 4. what it cost: near k shards read for each segment, however many of its shards were made
  const repairs = logOf(network, 'tenant').filter(({ event }) => event === 'segment-repaired');
  const sum = (of: (line: Record<string, unknown>) => number) => repairs.reduce((total, line) => total + of(line), 0);
  // Shards of 5000 bytes are copies of the smallest file: k is 1.
  const least = sum(({ shardBytes }) => (shardBytes === 5000 ? 1 : 4) * Number(shardBytes));
  const [read, sent] = [sum(({ readBytes }) => Number(readBytes)), sum(({ sentBytes }) => Number(sentBytes))];
  const made = sum(({ shards, shardBytes }) => Number(shards) * Number(shardBytes));
  const ratio = (bytes: number, of: number) => (bytes / of).toFixed(2);
  process.stdout.write(
    `repair: ${repairs.length} segments, ${made} bytes made; read ${read} (${ratio(read, least)} × k shards a segment), ` +
      `sent ${sent}: ${ratio(read + sent, made)} bytes moved per byte repaired\n`,
  );
  expect(made).toBeGreaterThan(0);
  expect(read).toBeLessThan(2 * least);
  expect(sent).toBeLessThan(2 * made);
}, 90_000);
