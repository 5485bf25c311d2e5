/**
 * What every chain adapter must do against a running node: the same story for whatever node it is, with nothing that
 * only one of them has. The caller starts worlds (a node, a subnet, keys that hold something) and says how to connect;
 * `test/chain/` does so with the local chain.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Chain, CommitStore } from '#shared/chain/ports.ts';
import { createRawRpc } from '#shared/chain/raw/raw-rpc.ts';
import { readNeuron } from '#shared/chain/raw/read-neuron.ts';
import { readBlockHash, readFinalizedBlock, readValidators } from '#shared/chain/raw/read-validators.ts';
import { registerAndServe } from '#shared/chain/register-and-serve.ts';
import { systemClock } from '#shared/primitives/effects.ts';
import type { Failure, Result } from '#shared/primitives/failure.ts';
import type { Signer } from '#shared/primitives/signer.ts';

/** An adapter as tests need it. */
export type TestedChain = Chain & {
  /** Drops the connection as a network would. */
  reconnect(): void;
  readonly requests: number;
};

export interface ChainWorld {
  readonly netuid: number;
  readonly endpoint: string;
  /** Holds TAO. */
  readonly coldkey: Signer;
  /** Registered, with stake and permit. */
  readonly validator: Signer;
  newSigner(): Signer;
  connect(commits?: CommitStore): Promise<TestedChain>;
  /** Pending commits that outlive a connection. */
  readonly commits: CommitStore;
  stop(): Promise<void>;
}

export interface ChainWorlds {
  /** A small subnet that takes plain weights: four uids, two taken, immunity soon over, public axons only. */
  small(): Promise<ChainWorld>;
  /** A subnet with commit and reveal, and short epochs. */
  committing(): Promise<ChainWorld>;
  /** 256 neurons, and blocks as fast as the node makes them. */
  large(): Promise<ChainWorld>;
}

const TAO = 1_000_000_000n;
const START_MS = 30_000;
const PUBLIC_IP = '8.8.8.8';
const WATCHED_BLOCKS = 1_000;
const CUT_EVERY_BLOCKS = 50;
const REFRESHES = 4;

function taken<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.failure.code}: ${result.failure.message}`);
  return result.value;
}

function failureOf<F extends Failure>(result: Result<unknown, F>): F {
  if (result.ok) throw new Error('went well');
  return result.failure;
}

async function untilBlock(chain: Chain, number: number): Promise<void> {
  while (taken(await chain.head()).number < number) await systemClock.sleep(20);
}

/** Numbers of the finalized blocks as they come, the connection cut again and again. */
async function watchBlocks(chain: TestedChain, count: number): Promise<{ start: number; seen: readonly number[] }> {
  const start = taken(await chain.finalizedHead()).number;
  const stop = new AbortController();
  const seen: number[] = [];
  for await (const { number, hash } of chain.finalizedHeads({ after: start, signal: stop.signal })) {
    seen.push(number);
    if (seen.length % CUT_EVERY_BLOCKS === 0) {
      expect(taken(await chain.blockHash(number))).toEqual(hash);
      chain.reconnect();
    }
    if (seen.length === count) stop.abort();
  }
  return { start, seen };
}

export function chainSuite(name: string, worlds: ChainWorlds): void {
  let large: ChainWorld;
  let watcher: TestedChain;
  let watched: ReturnType<typeof watchBlocks>;
  beforeAll(async () => {
    large = await worlds.large();
    watcher = await large.connect();
    // Runs beside all other tests; the last one looks at it.
    watched = watchBlocks(watcher, WATCHED_BLOCKS);
    watched.catch(() => undefined);
  }, START_MS);
  afterAll(async () => {
    await watcher?.close();
    await large?.stop();
  });

  describe(`${name}, a small subnet`, () => {
    let world: ChainWorld;
    let chain: TestedChain;
    let miner: Signer;
    beforeAll(async () => {
      world = await worlds.small();
      chain = await world.connect();
      miner = world.newSigner();
    }, START_MS);
    afterAll(async () => {
      await chain?.close();
      await world?.stop();
    });

    it('knows genesis, heads and hashes of one chain', async () => {
      const head = taken(await chain.head());
      const finalized = taken(await chain.finalizedHead());
      expect(finalized.number).toBeLessThanOrEqual(head.number);
      expect(taken(await chain.blockHash(0))).toEqual(chain.genesisHash);
      expect(taken(await chain.blockHash(finalized.number))).toEqual(finalized.hash);
    });

    it('refuses to serve a hotkey that is not registered, and says what to do', async () => {
      const claim = { ip: PUBLIC_IP, port: 8091, version: 1 };
      expect(taken(await chain.registration(world.netuid, miner.hotkey))).toBeUndefined();
      const failure = failureOf(await registerAndServe(chain, { netuid: world.netuid, hotkey: miner, claim }));
      expect(failure).toMatchObject({ code: 'not-registered', fault: 'caller' });
      expect(failure.message).toContain('filetao wallet register');
    });

    it('registers at no more than the agreed cost', async () => {
      const { netuid, coldkey } = world;
      const offer = taken(await chain.registrationOffer(netuid));
      expect(offer).toMatchObject({ open: true, freeUids: 2 });
      const tooDear = { netuid, coldkey, hotkey: miner.hotkey, burnAtMostRao: offer.burnRao / 2n };
      expect(failureOf(await chain.register(tooDear)).code).toBe('cost-changed');
      const poor = { ...tooDear, coldkey: world.newSigner(), burnAtMostRao: TAO };
      expect(failureOf(await chain.register(poor)).code).toBe('balance-too-low');

      const before = taken(await chain.balance(coldkey.hotkey));
      const { uid } = taken(await chain.register({ ...tooDear, burnAtMostRao: 2n * offer.burnRao }));
      expect(uid).toBe(2);
      expect(before - taken(await chain.balance(coldkey.hotkey))).toBeGreaterThan(0n);
      expect(taken(await chain.registration(netuid, miner.hotkey))).toMatchObject({ uid, coldkey: coldkey.hotkey });
      expect(failureOf(await chain.register({ ...tooDear, burnAtMostRao: TAO })).code).toBe('already-registered');
    });

    it('announces an axon once, and again only when it changed and the rate limit allows', async () => {
      const { netuid } = world;
      const claim = { ip: PUBLIC_IP, port: 8091, version: 7 };
      const refused = await chain.serveAxon(netuid, miner, { ...claim, ip: '127.0.0.1' });
      expect(failureOf(refused).code).toBe('axon-address-refused');
      expect(taken(await chain.serveAxon(netuid, miner, claim)).kind).toBe('served');
      expect(taken(await chain.serveAxon(netuid, miner, claim)).kind).toBe('unchanged');
      const moved = { ...claim, port: 8092 };
      const soon = failureOf(await chain.serveAxon(netuid, miner, moved));
      if (soon.code !== 'serving-too-fast' || soon.retryAtBlock === undefined) throw new Error(soon.message);
      await untilBlock(chain, soon.retryAtBlock);
      expect(taken(await chain.serveAxon(netuid, miner, moved)).kind).toBe('served');
      const axon = taken(await chain.registration(netuid, miner.hotkey))?.axon;
      expect(axon).toMatchObject({ ip: PUBLIC_IP, port: 8092, version: 7 });
    });

    it('refuses weights that come too fast, and takes them in time', async () => {
      const { netuid, validator, newSigner } = world;
      const weights = [
        { uid: 1, value: 1 },
        { uid: 2, value: 65_535 },
      ];
      const request = { netuid, signer: validator, weights, versionKey: 0n };
      const first = await chain.setWeights(request);
      if (!first.ok && first.failure.code === 'weights-too-fast') {
        await untilBlock(chain, first.failure.retryAtBlock ?? 0);
        taken(await chain.setWeights(request));
      }
      const again = failureOf(await chain.setWeights(request));
      if (again.code !== 'weights-too-fast' || again.retryAtBlock === undefined) throw new Error(again.message);
      expect(again.message).toContain(`try again at block ${again.retryAtBlock}`);
      await untilBlock(chain, again.retryAtBlock);
      expect(taken(await chain.setWeights(request)).kind).toBe('set');

      const stranger = { ...request, signer: newSigner() };
      expect(failureOf(await chain.setWeights(stranger)).code).toBe('not-registered');
      expect(failureOf(await chain.setWeights({ ...request, signer: miner })).code).toBe('no-validator-permit');
      const nobody = { ...request, weights: [{ uid: 200, value: 1 }] };
      expect(failureOf(await chain.setWeights(nobody)).code).toBe('bad-weights');
    });

    it('replaces the weakest neuron of a full subnet and says whom', async () => {
      const { netuid, coldkey } = world;
      const register = async () => {
        const hotkey = world.newSigner().hotkey;
        return { hotkey, ...taken(await chain.register({ netuid, coldkey, hotkey, burnAtMostRao: TAO })) };
      };
      const last = await register();
      expect(taken(await chain.registrationOffer(netuid)).freeUids).toBe(0);
      expect(taken(await chain.newNeurons(netuid, last.block))).toEqual([
        { uid: 3, hotkey: last.hotkey, replaced: undefined },
      ]);
      await untilBlock(chain, last.block.number + taken(await chain.rules(netuid)).immunityPeriod + 1);
      const before = taken(await chain.metagraph(netuid, { at: last.block })).neurons;
      const newcomer = await register();
      const replaced = before[newcomer.uid]?.hotkey;
      expect(replaced).toBeDefined();
      expect(taken(await chain.newNeurons(netuid, newcomer.block))).toEqual([
        { uid: newcomer.uid, hotkey: newcomer.hotkey, replaced },
      ]);
      expect(taken(await chain.metagraph(netuid, { at: newcomer.block })).neurons).toHaveLength(4);
      if (replaced) expect(taken(await chain.registration(netuid, replaced))).toBeUndefined();
    });

    it('finishes what it sent although the connection is lost meanwhile', async () => {
      const { netuid, validator } = world;
      const drops = [10, 60, 110].map((ms) => systemClock.sleep(ms).then(() => chain.reconnect()));
      const served = await chain.serveAxon(netuid, validator, { ip: PUBLIC_IP, port: 9000, version: 1 });
      await Promise.all(drops);
      // Lost before it was sent: then it says so, and sending again is safe.
      if (!served.ok) expect(served.failure.code).toBe('unreachable');
      const again = await chain.serveAxon(netuid, validator, { ip: PUBLIC_IP, port: 9000, version: 1 });
      expect(taken(again).kind).toBe(served.ok ? 'unchanged' : 'served');
    });

    it('names a subnet that is not there', async () => {
      for (const source of ['runtime', 'storage'] as const) {
        expect(failureOf(await chain.metagraph(4000, { source })).code).toBe('subnet-unknown');
      }
      expect(failureOf(await chain.rules(4000)).code).toBe('subnet-unknown');
    });
  });

  describe(`${name}, commit and reveal`, () => {
    let world: ChainWorld;
    beforeAll(async () => {
      world = await worlds.committing();
    }, START_MS);
    afterAll(() => world?.stop());

    it('reveals in the right epoch, after a restart in between, and the weights count', async () => {
      const { netuid, validator, commits } = world;
      const before = await world.connect(commits);
      const weights = [{ uid: 0, value: 65_535 }];
      const outcome = taken(await before.setWeights({ netuid, signer: validator, weights, versionKey: 0n }));
      if (outcome.kind !== 'committed') throw new Error('no commit');
      expect(taken(await before.revealWeights(netuid, validator))).toMatchObject([{ kind: 'waiting' }]);
      await before.close();

      const after = await world.connect(commits);
      try {
        for await (const _ of after.finalizedHeads()) {
          const [reveal] = taken(await after.revealWeights(netuid, validator));
          if (reveal?.kind === 'waiting') continue;
          expect(reveal).toMatchObject({ kind: 'revealed', commit: outcome.commit });
          break;
        }
        expect(await commits.list(netuid, validator.hotkey)).toEqual([]);
        expect(taken(await after.revealWeights(netuid, validator))).toEqual([]);
        for await (const block of after.finalizedHeads()) {
          const { neurons } = taken(await after.metagraph(netuid, { at: block }));
          if ((neurons[0]?.incentive ?? 0) > 0) break;
        }
      } finally {
        await after.close();
      }
    });

    it('tells that a commit was lost when its epoch passed unrevealed', async () => {
      const { netuid, validator, commits } = world;
      const chain = await world.connect(commits);
      try {
        const request = { netuid, signer: validator, weights: [{ uid: 0, value: 1 }], versionKey: 0n };
        const first = await chain.setWeights(request);
        if (!first.ok && first.failure.code === 'weights-too-fast')
          await untilBlock(chain, first.failure.retryAtBlock ?? 0);
        const outcome = taken(first.ok ? first : await chain.setWeights(request));
        if (outcome.kind !== 'committed') throw new Error('no commit');
        const { tempo } = taken(await chain.rules(netuid));
        await untilBlock(chain, outcome.revealFromBlock + tempo + 1);
        expect(taken(await chain.revealWeights(netuid, validator))).toEqual([{ kind: 'lost', commit: outcome.commit }]);
      } finally {
        await chain.close();
      }
    });
  });

  describe(`${name}, 256 neurons and fast blocks`, () => {
    let world: ChainWorld;
    let chain: TestedChain;
    beforeAll(async () => {
      world = large;
      chain = await world.connect();
    }, START_MS);
    afterAll(() => chain?.close());

    it.each(['runtime', 'storage'] as const)(
      'refreshes the metagraph by %s in a second and five requests',
      async (source) => {
        // The best of a few, each of another block: what else the machine does is not what is measured.
        let elapsedMs = Number.POSITIVE_INFINITY;
        let at = taken(await chain.finalizedHead());
        for (let attempt = 0; attempt < REFRESHES && elapsedMs >= 1_000; attempt++) {
          await untilBlock(chain, at.number + 1);
          at = taken(await chain.finalizedHead());
          const requests = chain.requests;
          const startMs = performance.now();
          const { neurons } = taken(await chain.metagraph(world.netuid, { source, at }));
          elapsedMs = performance.now() - startMs;
          expect(neurons).toHaveLength(256);
          expect(chain.requests - requests).toBeLessThanOrEqual(5);
        }
        expect(elapsedMs).toBeLessThan(1_000);
        const again = chain.requests;
        taken(await chain.metagraph(world.netuid, { source, at }));
        expect(chain.requests).toBe(again);
      },
    );

    it('reads the same rows by storage as by the runtime', async () => {
      const at = taken(await chain.finalizedHead());
      const byRuntime = taken(await chain.metagraph(world.netuid, { at, source: 'runtime' }));
      const byStorage = taken(await chain.metagraph(world.netuid, { at, source: 'storage' }));
      const withoutStake = ({ neurons }: typeof byRuntime) => neurons.map(({ stake: _, ...rest }) => rest);
      expect(withoutStake(byStorage)).toEqual(withoutStake(byRuntime));
      expect([byRuntime.stakeKind, byStorage.stakeKind]).toEqual(['total', 'alpha']);
    });

    it('learns validators and block hashes without the library', async () => {
      const rpc = createRawRpc({ endpoint: world.endpoint, fetch });
      const { block, validators } = taken(await readValidators(rpc, world.netuid));
      const { neurons } = taken(await chain.metagraph(world.netuid, { at: block }));
      const permitted = neurons.filter(({ validatorPermit }) => validatorPermit).map(({ hotkey }) => hotkey);
      expect(validators.map(({ hotkey }) => hotkey)).toEqual(permitted);
      expect(validators.map(({ hotkey }) => hotkey)).toContain(world.validator.hotkey);
      expect(taken(await readBlockHash(rpc, block.number))).toEqual(block.hash);
      expect(taken(await readFinalizedBlock(rpc)).number).toBeGreaterThanOrEqual(block.number);
      expect(failureOf(await readValidators(rpc, 4000)).code).toBe('subnet-unknown');
    });

    it('learns a hotkey’s place without the library', async () => {
      const rpc = createRawRpc({ endpoint: world.endpoint, fetch });
      const own = taken(await chain.registration(world.netuid, world.validator.hotkey));
      expect(taken(await readNeuron(rpc, world.netuid, world.validator.hotkey))).toMatchObject({
        uid: own?.uid,
        axon: own?.axon,
      });
      expect(taken(await readNeuron(rpc, world.netuid, world.newSigner().hotkey))).toBeUndefined();
      expect(failureOf(await readNeuron(rpc, 4000, world.validator.hotkey)).code).toBe('subnet-unknown');
    });

    it('sees each of 1,000 blocks once and in order, however often the connection is lost', async () => {
      const { start, seen } = await watched;
      expect(seen).toEqual(Array.from({ length: WATCHED_BLOCKS }, (_, i) => start + 1 + i));
    });
  });
}
