/**
 * Real processes killed at random moments of uploads and deletions, ten times over: the Worker, the index, two miners.
 * Afterwards the same invariants hold as in `test/all-or-nothing`, seen over HTTP, in the index and on the disks.
 * `FILETAO_KILL_SEED` repeats a run.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, it } from 'vitest';
import type { LocalNetwork } from '#infra/local-network/local-network.ts';
import type { Tenancy } from '#infra/local-network/tenancy.ts';
import { createIndex, type Index } from '#shared/index/redis-index.ts';
import { systemClock } from '#shared/primitives/effects.ts';
import type { AnchorId, Hotkey, MinerNumber } from '#shared/primitives/ids.ts';
import { dumpIndex, openIndexDatabase } from '../all-or-nothing/index-dump.ts';
import { type Belief, checkInvariants, cidOfBytes, type Seen } from '../all-or-nothing/invariants.ts';
import {
  eventually,
  FEW_MINERS,
  put,
  randomBytes,
  request,
  retrieve,
  startNetwork,
  store,
} from './network-under-test.ts';

const ROUNDS = 10;
/** A store or a deletion of a small file takes some 10 to 100 ms: kills fall before, into and after it. */
const LATEST_KILL_MS = 120;
/** Ten times something starts again: on a machine with much else to do, a minute is not enough. */
const LONG_MS = 120_000;
const seed = Number(process.env.FILETAO_KILL_SEED ?? Date.now() % 1e6);

let network: LocalNetwork;
let tenant: Tenancy;
let index: Index;
beforeAll(async () => {
  network = await startNetwork({ miners: FEW_MINERS, times: { sessionMs: 3000 } });
  [tenant] = network.tenancies as [Tenancy];
  index = createIndex({ url: tenant.indexUrl, token: tenant.indexToken, clock: systemClock });
});
afterAll(() => network?.destroy());

/** Uniform in [0, 1), the same for the same seed (mulberry32). */
function randomOf(state: number): () => number {
  let at = state;
  return () => {
    at = (at + 0x6d2b79f5) | 0;
    let mixed = Math.imul(at ^ (at >>> 15), 1 | at);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Kills processes as a crash would, then brings them back. */
async function killAndRevive(random: () => number): Promise<() => Promise<void>> {
  const miners = network.miners.toSorted(() => random() - 0.5).slice(0, 2);
  const victims = [[tenant.edge], [tenant.index], miners.map(({ run }) => run)][Math.floor(3 * random())] ?? [];
  await new Promise((wake) => setTimeout(wake, random() * LATEST_KILL_MS));
  await Promise.all(victims.map((victim) => victim.crash()));
  return async () => {
    await Promise.all(victims.map((victim) => victim.up()));
    await network.chain.announce(network.miners);
    await tenant.ready(network.miners.length);
  };
}

async function seen(): Promise<Seen> {
  const numbers = await index.miners.numberOf(network.miners.map(({ hotkey }) => hotkey));
  const { owner } = network.secrets.tenancies[0] ?? {};
  return {
    files: index.files,
    owner: owner as Seen['owner'],
    retrieve: (file) => retrieve(tenant, file.cid),
    held: async () =>
      network.miners.flatMap(({ folder, hotkey }) => {
        const miner = numbers.get(hotkey as Hotkey) as MinerNumber;
        const shards = join(folder, 'shards', tenant.hotkey);
        const names = readdirSync(shards, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
        return names.map(({ name }) => ({ miner, anchorId: name as AnchorId }));
      }),
    dump: () => {
      const database = openIndexDatabase(network.state.file('index', 'index.sqlite'));
      try {
        return dumpIndex(database, Date.now());
      } finally {
        database.close();
      }
    },
  };
}

it(
  `whatever is killed, files are whole or absent and nothing is left behind (seed ${seed})`,
  async () => {
    const random = randomOf(seed);
    const beliefs = new Map<Uint8Array, Belief>();
    const stored: Uint8Array<ArrayBuffer>[] = [];
    // One file from before all of it: whatever the draws make of the others, this one must be whole in the end.
    const first = randomBytes(100_000);
    await store(tenant, first);
    beliefs.set(first, { bytes: first, is: 'there' });
    for (let round = 0; round < ROUNDS; round++) {
      const bytes = randomBytes(20_000 + Math.floor(random() * 200_000));
      const victim = random() < 0.5 ? stored.shift() : undefined;
      const killing = killAndRevive(random);
      const storing = put(tenant, bytes).then(
        ({ status }) => status === 201,
        () => false,
      );
      const deleting = victim
        ? request(tenant, `files/${cidOfBytes(victim)}`, { method: 'DELETE' }).then(
            ({ status }) => status === 202,
            () => false,
          )
        : false;
      const [is, gone, revive] = await Promise.all([storing, deleting, killing]);
      beliefs.set(bytes, { bytes, is: is ? 'there' : 'unknown' });
      if (is) stored.push(bytes);
      if (victim) beliefs.set(victim, { bytes: victim, is: gone ? 'gone' : 'unknown' });
      await revive();
    }
    const all = [...beliefs.values()];
    const look = await seen();
    // The jobs take away what was left behind once its session, hold and grace are over.
    await eventually(
      'the invariants',
      () =>
        checkInvariants(look, all, true).then(
          () => '',
          (error: unknown) => `${error}`,
        ),
      (wrong) => wrong === '',
      30_000,
    );
    await store(tenant, randomBytes(1000));
  },
  LONG_MS,
);
