/**
 * What describing the network costs and what serving it costs, at 10³ and at many shards owed by 250 miners, over the
 * gateway with the embedded engine: medians of processor time of one description (all of the validator's work, a snapshot included), of
 * the edge's requests.
 * `node bench/describe-network.ts [many shards, default 10⁶]`.
 */
import { createHash, randomUUID } from 'node:crypto';
import process from 'node:process';
import { openIndex } from '#infra/gateway/testing/open-index.ts';
import type { Chain } from '#shared/chain/ports.ts';
import type { Index } from '#shared/index/redis-index.ts';
import { silentLog, systemClock } from '#shared/primitives/effects.ts';
import { succeed } from '#shared/primitives/failure.ts';
import { type AnchorId, type Hotkey, hexId, type MinerNumber } from '#shared/primitives/ids.ts';
import { minerKey } from '#shared/testing/network-rows.ts';
import { TIERS } from '#shared/tier/table.ts';
import { describeNetwork, newDescribeState } from '#validator/flows/describe-network.ts';
import { openMemoryDatabase } from '#validator/state/database.ts';
import { SCHEMA_PARTS, stateOver } from '#validator/state/open-state.ts';

const MINERS = 250;
const FEW_SHARDS = 1_000;
const RUNS = 15;
const many = Number(process.argv[2] ?? 1_000_000);
const hotkeys: readonly Hotkey[] = Array.from({ length: MINERS }, (_, number) => minerKey(number));

/** Of processor time, the index's included: other programs on the machine do not count. */
const medianMs = async (action: () => Promise<unknown>): Promise<number> => {
  const times: number[] = [];
  for (let run = 0; run < RUNS; run++) {
    const before = process.cpuUsage();
    await action();
    const { user, system } = process.cpuUsage(before);
    times.push((user + system) / 1000);
  }
  return times.toSorted((a, b) => a - b)[Math.floor(RUNS / 2)] ?? Number.NaN;
};

function openState(shards: number) {
  const state = stateOver(openMemoryDatabase(SCHEMA_PARTS), TIERS);
  const { inventories, standings, database } = state;
  database.transaction(() => {
    for (let i = 0; i < shards; i++) {
      const root = createHash('sha256').update(`${shards} ${i}`).digest();
      const shard = {
        anchorId: hexId<AnchorId>(root, 32),
        anchorType: 1,
        root,
        bytes: 262_144,
        place: undefined,
      } as const;
      inventories.add(hotkeys[i % MINERS] as Hotkey, shard);
    }
    for (let round = 0; round < 60; round++) {
      const observations = hotkeys.map((miner) => ({
        ...{ miner, ending: 'passed' as const, seconds: 1, bytes: 1000, reason: 'passed', evidence: `round:${round}` },
      }));
      standings.record({ id: randomUUID(), task: 'challenge', atMs: 1, block: round, observations });
    }
  });
  return state;
}

async function measure(shards: number): Promise<Readonly<Record<string, number>>> {
  const world = await openIndex();
  const index: Index = world.connect();
  const state = openState(shards);
  await index.miners.publish({
    takenAtMs: 1,
    miners: hotkeys.map((hotkey, number) => ({
      ...{ number: number as MinerNumber, hotkey, coldkey: hotkey, address: { ip: '9.9.9.9', port: 1 } },
      ...{ freeBytes: 1e12, capacityBytes: 1e12, accepting: true },
    })),
  });
  let block = 0;
  const chain = { metagraph: async () => succeed({ netuid: 21, neurons: [], stakeKind: 'total' }) } as unknown as Chain;
  const ports = {
    ...{ chain, directory: index.miners, history: index.history, clock: systemClock, log: silentLog },
    ...{ standings: state.standings, inventories: state.inventories, weights: state.weights },
    network: { genesis: new Uint8Array(32), netuid: 21 },
    blocks: { newest: () => ({ number: block, hash: new Uint8Array(32) }) } as never,
  };
  const { signal } = new AbortController();
  const rules = { tiers: TIERS, windowBlocks: 1, snapshotMs: 60_000 };
  const described = newDescribeState();
  // Another window at every run: every miner's reasons are written anew, which is the worst case.
  const describe = async () => {
    block++;
    described.snapshotAtMs = 0;
    await describeNetwork(ports, rules, described, signal);
  };
  await describe();
  const span = { fromMs: 0, toMs: Number.MAX_SAFE_INTEGER, offset: 0, limit: 50 };
  const figures = {
    'describe, all miners told anew': await medianMs(describe),
    '/v1/network': await medianMs(() => index.history.readNow()),
    '/v1/network/miners': await medianMs(() => index.history.minersNow()),
    '/v1/network/miners/{hotkey}': await medianMs(() => index.history.minerDetail(minerKey(7))),
    '/miner_statistics': await medianMs(() => index.history.minerRows(span)),
    '/miner/{hotkey}': await medianMs(() => index.history.minerRows(span, minerKey(7))),
    '/network_data': await medianMs(() => index.history.networkRows(span)),
  };
  state.database.close();
  await world.close();
  return figures;
}

const few = await measure(FEW_SHARDS);
const large = await measure(many);
console.log(`${MINERS} miners; medians of ${RUNS}, ms of processor time\n`);
console.log(`${''.padEnd(34)}${FEW_SHARDS.toLocaleString('en')} shards  ${many.toLocaleString('en')} shards  ratio`);
for (const [what, ms] of Object.entries(few)) {
  const then = large[what] ?? Number.NaN;
  console.log(
    `${what.padEnd(34)}${ms.toFixed(2).padStart(12)}${then.toFixed(2).padStart(18)}${(then / ms).toFixed(2).padStart(7)}`,
  );
}
