import { blake2b } from '@noble/hashes/blake2.js';
import type { ApiPromise } from '@polkadot/api';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  connect,
  headOf,
  keys,
  makeBlocks,
  NETUID,
  type Pair,
  send as sendTo,
  startChain,
  stopChain,
  surfaceOf,
  type TestChain,
} from './testing/test-chain.ts';

const PUBLIC_IP = 0x08_08_08_08;

describe('a client of the real chain, on the local one', () => {
  let chain: TestChain;
  let api: ApiPromise;
  let alice: Pair;
  let bob: Pair;
  let charlie: Pair;
  let dave: Pair;
  let eve: Pair;

  beforeAll(async () => {
    const { of } = await keys();
    [alice, bob, charlie, dave, eve] = [of('Alice'), of('Bob'), of('Charlie'), of('Dave'), of('Eve')];
    chain = await startChain({
      name: 'test',
      neurons: [{ hotkey: bob.address, coldkey: alice.address, stake: 5000 }],
      hyperparameters: {
        CommitRevealWeightsEnabled: false,
        WeightsSetRateLimit: 8,
        ServingRateLimit: 8,
        ImmunityPeriod: 4,
        MaxAllowedUids: 4,
        MinNonImmuneUids: 0,
      },
    });
    api = await connect(chain.url);
  });
  afterAll(async () => {
    await api?.disconnect();
    if (chain) await stopChain(chain);
  });

  const send = (call: Parameters<typeof sendTo>[1], signer: Pair) => sendTo({ chain, api }, call, signer);
  const axon = (ip: number, port = 8091) =>
    surfaceOf(api).tx('subtensorModule', 'serveAxon', NETUID, 1, ip, port, 4, 0, 0, 0);
  const weights = (uids: number[], values: number[], version = 0) =>
    surfaceOf(api).tx('subtensorModule', 'setWeights', NETUID, uids, values, version);
  const uidOf = async (who: Pair) => await surfaceOf(api).read('uids', NETUID, who.address);

  it('reads the newest metadata and the real version', () => {
    expect(api.runtimeMetadata.version).toBe(16);
    expect(api.runtimeVersion.specVersion.toNumber()).toBe(424);
    expect(api.registry.chainSS58).toBe(42);
  });

  it('registers for its price and a fee, and not twice', async () => {
    const balance = async () => BigInt((await surfaceOf(api).account(alice.address)).data.free);
    const before = await balance();
    const price = BigInt(await surfaceOf(api).read<number>('burn', NETUID));
    const call = surfaceOf(api).tx('subtensorModule', 'burnedRegister', NETUID, charlie.address);
    const { partialFee } = await call.paymentInfo(alice);
    const outcome = await send(call, alice);
    expect(outcome.error).toBeUndefined();
    expect(outcome.events).toContain('subtensorModule.NeuronRegistered');
    expect(outcome.events).toContain('transactionPayment.TransactionFeePaid');
    expect(await uidOf(charlie)).toBe(2);
    const paid = before - (await balance());
    expect(paid).toBeGreaterThan(partialFee.toBigInt());
    expect(paid).toBeLessThanOrEqual(price + partialFee.toBigInt());
    expect((await send(call, alice)).error).toBe('HotKeyAlreadyRegisteredInSubNet');
  });

  it('serves an axon, refuses what the real chain refuses, and asks for patience', async () => {
    await expect(send(axon(0x7f_00_00_01), charlie)).rejects.toThrow('Custom error: 11');
    await expect(send(axon(0x0a_00_00_01), charlie)).rejects.toThrow('Custom error: 11');
    await expect(send(axon(PUBLIC_IP, 0), charlie)).rejects.toThrow('Custom error: 13');
    await expect(send(axon(PUBLIC_IP), dave)).rejects.toThrow('Custom error: 10');
    const { error, events } = await send(axon(PUBLIC_IP), charlie);
    expect(error).toBeUndefined();
    expect(events).toContain('subtensorModule.AxonServed');
    await expect(send(axon(PUBLIC_IP, 8092), charlie)).rejects.toThrow('Custom error: 12');
    makeBlocks(chain, 8);
    expect((await send(axon(PUBLIC_IP, 8092), charlie)).error).toBeUndefined();
  });

  it('answers the metagraph alike from storage and from runtime calls', async () => {
    const { ask, read } = surfaceOf(api);
    const [neurons, graph] = await Promise.all([
      ask<{ uid: number; hotkey: string; axonInfo: { port: number } }[]>(
        'neuronInfoRuntimeApi',
        'getNeuronsLite',
        NETUID,
      ),
      ask<{ hotkeys: string[]; totalStake: number[]; validatorPermit: boolean[] }>(
        'subnetInfoRuntimeApi',
        'getMetagraph',
        NETUID,
      ),
    ]);
    const size = await read<number>('subnetworkN', NETUID);
    const byStorage = await Promise.all(
      Array.from({ length: size }, async (_, uid) => [uid, await read<string>('keys', NETUID, uid)] as const),
    );
    expect(neurons.map(({ uid, hotkey }) => [uid, hotkey])).toEqual(byStorage);
    expect(neurons[2]?.axonInfo.port).toBe(8092);
    expect(graph.hotkeys).toEqual(byStorage.map(([, hotkey]) => hotkey));
    expect(graph.totalStake[1]).toBe(5000e9);
    expect(graph.validatorPermit[1]).toBe(true);
    const chosen = await ask<object>('subnetInfoRuntimeApi', 'getSelectiveMetagraph', NETUID, [7, 52]);
    expect(
      Object.entries(chosen)
        .filter(([, value]) => value !== null)
        .map(([name]) => name),
    ).toEqual(['netuid', 'block', 'hotkeys']);
    expect(await ask('subnetInfoRuntimeApi', 'getMetagraph', 7)).toBeNull();
  });

  it('takes weights in time, not too fast, and only from whom it should', async () => {
    makeBlocks(chain, 10);
    await expect(send(weights([1], [1]), charlie)).rejects.toThrow('Custom error: 1');
    expect((await send(weights([9], [1]), bob)).error).toBe('UidVecContainInvalidOne');
    expect((await send(weights([2, 2], [1, 1]), bob)).error).toBe('DuplicateUids');
    expect((await send(weights([2], [1, 1]), bob)).error).toBe('WeightVecNotEqualSize');
    const { error, events } = await send(weights([0, 2], [100, 300]), bob);
    expect(error).toBeUndefined();
    expect(events).toContain('subtensorModule.WeightsSet');
    expect(await surfaceOf(api).read('weights', NETUID, 1)).toEqual([
      [0, 21_845],
      [2, 65_535],
    ]);
    await expect(send(weights([2], [1]), bob)).rejects.toThrow('Custom error: 6');
    makeBlocks(chain, 8);
    expect((await send(weights([0, 2], [1, 3]), bob)).error).toBeUndefined();
  });

  it('pays incentive by stake-weighted weights at the epoch', async () => {
    const epoch = BigInt(await surfaceOf(api).read<number>('subnetEpochIndex', NETUID));
    makeBlocks(chain, 13);
    expect(BigInt(await surfaceOf(api).read<number>('subnetEpochIndex', NETUID))).toBeGreaterThan(epoch);
    const incentive = (await surfaceOf(api).read('incentive', NETUID)) as number[];
    expect(incentive[1]).toBe(0);
    expect((incentive[2] ?? 0) / (incentive[0] ?? 1)).toBeCloseTo(3, 2);
    const dividends = (await surfaceOf(api).read('dividends', NETUID)) as number[];
    expect(dividends[1]).toBe(65_535);
    const emission = (await surfaceOf(api).read('emission', NETUID)) as number[];
    expect(emission[2]).toBeGreaterThan(0);
  });

  it('replaces the weakest neuron on a full subnet, never the owner', async () => {
    expect(
      (await send(surfaceOf(api).tx('subtensorModule', 'burnedRegister', NETUID, dave.address), alice)).error,
    ).toBeUndefined();
    makeBlocks(chain, 14);
    const outcome = await send(surfaceOf(api).tx('subtensorModule', 'burnedRegister', NETUID, eve.address), alice);
    expect(outcome.error).toBeUndefined();
    expect(await uidOf(eve)).toBe(3);
    expect(await uidOf(dave)).toBeNull();
    const at = await api.at(outcome.blockHash);
    const records = (await at.query.system?.events?.())?.toHuman() as unknown as { event: Record<string, unknown> }[];
    const registered = records.map(({ event }) => event).find(({ method }) => method === 'NeuronRegistered');
    expect(registered?.data).toEqual([String(NETUID), '3', eve.address]);
    const parent = await api.at((await api.rpc.chain.getHeader(outcome.blockHash)).parentHash);
    expect((await parent.query.subtensorModule?.uids?.(NETUID, dave.address))?.toJSON()).toBe(3);
  });

  it('sends back to back from one account without a stale nonce', async () => {
    const pay = () => surfaceOf(api).tx('balances', 'transferKeepAlive', eve.address, 1_000_000_000n);
    const outcomes = await Promise.all([send(pay(), bob), send(pay(), dave), send(pay(), charlie)]);
    expect(outcomes.map(({ error }) => error)).toEqual([undefined, undefined, undefined]);
    const nonce = (await api.rpc.system.accountNextIndex(bob.address)).toNumber();
    const later = await pay().signAsync(bob, { nonce: nonce + 1 });
    const sooner = await pay().signAsync(bob, { nonce });
    const statuses: string[] = [];
    const done = new Promise<void>((resolve) => {
      void api.rpc.author.submitAndWatchExtrinsic(later, (status) => {
        statuses.push(status.type);
        if (status.isFinalized) resolve();
      });
    });
    await vi.waitFor(() => expect(statuses).toEqual(['Future']));
    await api.rpc.author.submitExtrinsic(sooner);
    makeBlocks(chain, 4);
    await done;
    expect(statuses).toEqual(['Future', 'InBlock', 'Finalized']);
    await expect(api.rpc.author.submitExtrinsic(sooner)).rejects.toThrow('Transaction is outdated');
  });

  it('follows finalized heads in order, behind the head', async () => {
    const numbers: number[] = [];
    const stop = await api.rpc.chain.subscribeFinalizedHeads((header) => {
      numbers.push(header.number.toNumber());
    });
    makeBlocks(chain, 4);
    await vi.waitFor(() => expect(numbers).toHaveLength(5));
    stop();
    const [first = 0] = numbers;
    expect(numbers).toEqual([first, first + 1, first + 2, first + 3, first + 4]);
    expect(headOf(chain)).toBe(first + 6);
    const hash = await api.rpc.chain.getBlockHash(first);
    const block = await api.rpc.chain.getBlock(hash);
    expect(block.block.header.hash.toHex()).toBe(hash.toHex());
    expect(block.block.extrinsics[0]?.method.method).toBe('set');
  });
});

describe('commit and reveal', () => {
  let chain: TestChain;
  let api: ApiPromise;
  let bob: Pair;

  beforeAll(async () => {
    const { of } = await keys();
    bob = of('Bob');
    const neurons = [{ hotkey: bob.address, coldkey: of('Alice').address, stake: 5000 }];
    chain = await startChain({ neurons, hyperparameters: { WeightsSetRateLimit: 1 } });
    api = await connect(chain.url);
  });
  afterAll(async () => {
    await api?.disconnect();
    if (chain) await stopChain(chain);
  });

  const send = (call: Parameters<typeof sendTo>[1], signer: Pair) => sendTo({ chain, api }, call, signer);
  const salted = (salt: number[]) => ({ uids: [0], values: [65_535], salt, version: 7 });
  type Hidden = ReturnType<typeof salted>;
  const hashOf = ({ uids, values, salt, version }: Hidden) => {
    const value = api.createType('(AccountId32, u16, Vec<u16>, Vec<u16>, Vec<u16>, u64)', [
      bob.publicKey,
      NETUID,
      uids,
      values,
      salt,
      version,
    ]);
    return blake2b(value.toU8a(), { dkLen: 32 });
  };
  const commit = (hidden: Hidden) =>
    send(surfaceOf(api).tx('subtensorModule', 'commitWeights', NETUID, hashOf(hidden)), bob);
  const reveal = ({ uids, values, salt, version }: Hidden) =>
    send(surfaceOf(api).tx('subtensorModule', 'revealWeights', NETUID, uids, values, salt, version), bob);
  const epochOf = async () => Number(await surfaceOf(api).read<number>('subnetEpochIndex', NETUID));
  const epochReached = async (epoch: number) => {
    while ((await epochOf()) < epoch) makeBlocks(chain, 1);
  };

  it('refuses plain weights while it is on', async () => {
    const plain = surfaceOf(api).tx('subtensorModule', 'setWeights', NETUID, [0], [1], 0);
    expect((await send(plain, bob)).error).toBe('CommitRevealEnabled');
  });

  it('opens a commit in its epoch, not before, not after, and not another', async () => {
    await epochReached((await epochOf()) + 1);
    const hidden = salted([1, 2, 3]);
    expect((await commit(hidden)).events).toContain('subtensorModule.WeightsCommitted');
    const [[, epoch]] = (await surfaceOf(api).read('weightCommits', NETUID, bob.address)) as [[string, number]];
    await expect(reveal(hidden)).rejects.toThrow('Custom error: 18');
    await expect(reveal(salted([9]))).rejects.toThrow('Custom error: 17');
    await epochReached(epoch + 1);
    const { error, events } = await reveal(hidden);
    expect(error).toBeUndefined();
    expect(events).toContain('subtensorModule.WeightsRevealed');
    expect(await surfaceOf(api).read('weights', NETUID, 1)).toEqual([[0, 65_535]]);
    expect(await surfaceOf(api).read('weightCommits', NETUID, bob.address)).toBeNull();
    const late = salted([4]);
    expect((await commit(late)).error).toBeUndefined();
    await epochReached((await epochOf()) + 2);
    await expect(reveal(late)).rejects.toThrow('Custom error: 18');
  });

  it('keeps at most ten unrevealed commits', async () => {
    await epochReached((await epochOf()) + 2);
    for (let salt = 0; salt < 10; salt++) expect((await commit(salted([salt]))).error).toBeUndefined();
    expect((await commit(salted([10]))).error).toBe('TooManyUnrevealedCommits');
  });

  it('keeps time-locked commits of the right version until they expire', async () => {
    const timelocked = (version: number) =>
      surfaceOf(api).tx('subtensorModule', 'commitTimelockedWeights', NETUID, '0x0102', 5, version);
    await epochReached((await epochOf()) + 1);
    const epoch = await epochOf();
    expect((await send(timelocked(4), bob)).events).toContain('subtensorModule.TimelockedWeightsCommitted');
    makeBlocks(chain, 1);
    expect((await send(timelocked(3), bob)).error).toBe('IncorrectCommitRevealVersion');
    const kept = () =>
      surfaceOf(api).read<[string, number, string, number][]>('timelockedWeightCommits', NETUID, epoch);
    expect(await kept()).toEqual([[bob.address, expect.any(Number), '0x0102', 5]]);
    await epochReached(epoch + 2);
    expect(await kept()).toEqual([]);
  });
});
