/** The job that sets weights against real processes of the local chain: plain, and committed first and revealed later. */
import { afterEach, expect, it } from 'vitest';
import type { Chain, CommitStore } from '#shared/chain/ports.ts';
import { silentLog, systemClock } from '#shared/primitives/effects.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';
import type { ChainWorld } from '#shared/testing/chain-suite.ts';
import { newSetWeightsState, setWeights } from '#validator/flows/set-weights.ts';
import { openMemoryDatabase } from '#validator/state/database.ts';
import { createStandings } from '#validator/state/standings.ts';
import { STANDINGS_SCHEMA } from '#validator/state/standings-schema.ts';
import { createWeightHistory, WEIGHTS_SCHEMA } from '#validator/state/weight-history.ts';
import { startLocalWorld } from './local-chain-world.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});

async function startWorld(options: Parameters<typeof startLocalWorld>[0]): Promise<ChainWorld> {
  const world = await startLocalWorld(options);
  closing.push(() => world.stop());
  return world;
}

/** A validator's state and chain; `run` is one run of the job at the newest finalized block. */
async function openValidator(world: ChainWorld, commits?: CommitStore) {
  const chain = await world.connect(commits);
  closing.push(() => chain.close());
  const db = openMemoryDatabase([STANDINGS_SCHEMA, WEIGHTS_SCHEMA]);
  const standings = createStandings(db);
  const weights = createWeightHistory(db);
  let newest = await finalized(chain);
  const blocks = {
    newest: () => newest,
    hash: () => Promise.reject(new Error('not asked')),
    above: () => Promise.reject(new Error('not asked')),
  };
  const network = { genesis: chain.genesisHash, netuid: world.netuid };
  const ports = { chain, blocks, network, signer: world.validator, clock: systemClock, log: silentLog };
  const all = { ...ports, standings, weights };
  const state = newSetWeightsState();
  return {
    chain,
    standings,
    weights,
    state,
    async run(restarted = false) {
      newest = await finalized(chain);
      await setWeights(all, restarted ? newSetWeightsState() : state, new AbortController().signal);
      return newest.number;
    },
    earn(...miners: readonly Hotkey[]) {
      const observations = miners.map((miner) => ({
        ...{ miner, ending: 'passed' as const, seconds: 1, bytes: 1000, reason: 'passed', evidence: 'round:1' },
      }));
      standings.record({ id: crypto.randomUUID(), task: 'challenge', atMs: 1, block: 1, observations });
    },
    steps: () => weights.list(100).map(({ step, reason }) => `${step} ${reason}`),
  };
}

async function finalized(chain: Chain) {
  const head = await chain.finalizedHead();
  if (!head.ok) throw new Error(head.failure.message);
  return head.value;
}

async function minersOf(world: ChainWorld, chain: Chain): Promise<readonly Hotkey[]> {
  const graph = await chain.metagraph(world.netuid);
  if (!graph.ok) throw new Error(graph.failure.message);
  return graph.value.neurons.map(({ hotkey }) => hotkey).filter((hotkey) => hotkey !== world.validator.hotkey);
}

/** Block of the validator's last weights, as the chain itself has it. */
async function lastUpdateOnChain(world: ChainWorld, chain: Chain): Promise<number> {
  const graph = await chain.metagraph(world.netuid, { source: 'storage' });
  if (!graph.ok) throw new Error(graph.failure.message);
  return graph.value.neurons.find(({ hotkey }) => hotkey === world.validator.hotkey)?.lastUpdate ?? -1;
}

const until = async (happened: () => boolean | Promise<boolean>) => {
  while (!(await happened())) await systemClock.sleep(30);
};

it('sets plain weights once a tempo, for registered earners alone, and says why', async () => {
  const hyperparameters = { CommitRevealWeightsEnabled: false, WeightsSetRateLimit: 4 };
  const world = await startWorld({ blockTimeMs: 60, tempo: 15, neurons: 3, hyperparameters });
  const validator = await openValidator(world);
  const [, one, two, idle] = await minersOf(world, validator.chain);
  if (!one || !two || !idle) throw new Error('three miners');

  await validator.run();
  await validator.run();
  expect(validator.steps()).toEqual(['not-set nobody-earned']);

  validator.earn(one);
  validator.earn(one, two, world.newSigner().hotkey);
  await until(async () => {
    await validator.run();
    return validator.steps()[0] !== 'not-set nobody-earned';
  });
  expect(validator.steps()[0]).toBe('set first');
  const [entry] = validator.weights.list(1);
  expect(entry?.weights.map(({ hotkey }) => hotkey).toSorted()).toEqual([one, two].toSorted());
  expect(Math.max(...(entry?.weights.map(({ value }) => value) ?? []))).toBe(65_535);
  for (const { hotkey, reward } of entry?.weights ?? []) expect(reward).toBe(validator.standings.find(hotkey)?.reward);
  await until(async () => (await lastUpdateOnChain(world, validator.chain)) === entry?.block);

  // A restart, also with an empty folder, sets nothing before the tempo is over.
  const heir = await openValidator(world);
  heir.earn(one);
  await heir.run(true);
  expect(heir.steps()).toEqual([]);
  await until(async () => {
    await validator.run();
    return validator.steps().length > 2;
  });
  expect(validator.steps().slice(0, 2)).toEqual(['set tempo', 'set first']);
  const [second, first] = validator.weights.list(2);
  expect((second?.block ?? 0) - (first?.block ?? 0)).toBeGreaterThanOrEqual(15);
}, 30_000);

it('commits where the subnet demands it, and reveals after a restart', async () => {
  const hyperparameters = { WeightsSetRateLimit: 2, RevealPeriodEpochs: 1 };
  const world = await startWorld({ blockTimeMs: 60, tempo: 12, neurons: 2, hyperparameters });
  const validator = await openValidator(world);
  const [, one] = await minersOf(world, validator.chain);
  if (!one) throw new Error('a miner');
  validator.earn(one);
  await until(async () => {
    await validator.run();
    return validator.steps()[0] === 'committed first';
  });
  const commit = validator.weights.list(1)[0]?.commit;
  const heir = await openValidator(world, world.commits);
  await until(async () => {
    await heir.run();
    return heir.steps().includes('revealed due');
  });
  expect(heir.weights.list(10).find(({ step }) => step === 'revealed')?.commit).toBe(commit);
}, 30_000);

it('sends nothing that the chain would refuse, and asks again', async () => {
  const world = await startWorld({ blockTimeMs: 60, tempo: 30, neurons: 1, hyperparameters: { MinAllowedWeights: 3 } });
  const validator = await openValidator(world);
  const [, one] = await minersOf(world, validator.chain);
  if (!one) throw new Error('a miner');
  validator.earn(one);
  const block = await validator.run();
  expect(validator.steps()).toEqual(['not-set too-few-earned']);
  expect(validator.state.notBeforeBlock).toBeGreaterThan(block);
  const stranger = { ...world, validator: world.newSigner() };
  const outsider = await openValidator(stranger);
  outsider.earn(one);
  await outsider.run();
  expect(outsider.steps()).toEqual(['not-set not-registered']);
}, 30_000);
