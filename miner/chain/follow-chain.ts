/**
 * Keeps a miner's view of its chain: which validators are its tenants, whether it still has its place. Asks by raw
 * JSON-RPC (`@polkadot/api` would cost 323 MB), eight small requests every few minutes. A chain that is away changes
 * nothing: the miner goes on with what it knows, and a line says so.
 */
import type { ChainFailure } from '#shared/chain/chain-failure.ts';
import type { ServedAxon } from '#shared/chain/ports.ts';
import type { RawRpc } from '#shared/chain/raw/raw-rpc.ts';
import { readNeuron } from '#shared/chain/raw/read-neuron.ts';
import { readBlockHash, readValidators } from '#shared/chain/raw/read-validators.ts';
import { toHex } from '#shared/primitives/bytes.ts';
import type { Clock, Log } from '#shared/primitives/effects.ts';
import { fail, type Result, succeed } from '#shared/primitives/failure.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';
import { type ChainView, nextView } from './chain-view.ts';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;

/** Something that an operator has to mend; its message is all that is shown. */
export class ChainRefused extends Error {
  override readonly name = 'ChainRefused';
}

export interface FollowedSubnet {
  readonly netuid: number;
  readonly own: Hotkey;
  readonly minStakeRao: bigint;
  /** Between two looks. */
  readonly everyMs: number;
}

export interface FollowPorts {
  readonly rpc: RawRpc;
  readonly clock: Clock;
  readonly log: Log;
  readonly save: (view: ChainView) => void;
}

interface Seen {
  readonly view: ChainView;
  /** What the chain says that we serve. */
  readonly axon: ServedAxon | undefined;
}

async function look(
  ports: FollowPorts,
  before: ChainView,
  subnet: FollowedSubnet,
): Promise<Result<Seen, ChainFailure>> {
  const { netuid, own, minStakeRao } = subnet;
  const validators = await readValidators(ports.rpc, netuid);
  if (!validators.ok) return validators;
  // After the validators: a block that is not older than theirs.
  const neuron = await readNeuron(ports.rpc, netuid, own);
  if (!neuron.ok) return neuron;
  const { block } = validators.value;
  const seen = { block: block.number, validators: validators.value.validators, uid: neuron.value?.uid };
  const view = nextView(before, { ...seen, nowMs: ports.clock.nowMs() }, minStakeRao);
  return succeed({ view, axon: neuron.value?.axon });
}

/**
 * The first look. With a view from before it does not wait for a chain that is away; without one it does, for as long as
 * it takes. Rejects when the chain is another one than `genesisHash` says or the view was taken from.
 */
export async function firstLook(
  ports: FollowPorts,
  subnet: FollowedSubnet,
  known: ChainView | undefined,
  genesisHash: string | undefined,
  signal: AbortSignal,
): Promise<Seen> {
  for (let pauseMs = FIRST_PAUSE_MS; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
    const hash = await readBlockHash(ports.rpc, 0);
    const expected = genesisHash ?? known?.genesisHash;
    if (hash.ok && expected !== undefined && toHex(hash.value) !== expected) {
      throw new ChainRefused(`this node's chain is 0x${toHex(hash.value)}, not 0x${expected}`);
    }
    const before = known ?? (hash.ok ? newView(toHex(hash.value), subnet.netuid) : undefined);
    const seen = hash.ok && before ? await look(ports, before, subnet) : fail(failureOf(hash));
    if (seen.ok) {
      ports.save(seen.value.view);
      return seen.value;
    }
    ports.log.warn('chain-away', { ...seen.failure, known: known !== undefined });
    if (known) return { view: known, axon: undefined };
    if (seen.failure.code === 'subnet-unknown' || seen.failure.code === 'runtime-changed') {
      throw new ChainRefused(seen.failure.message);
    }
    await ports.clock.sleep(pauseMs, signal);
  }
}

const failureOf = (result: Result<unknown, ChainFailure>): ChainFailure =>
  result.ok ? { code: 'unreachable', fault: 'us', message: 'no answer' } : result.failure;

const newView = (genesisHash: string, netuid: number): ChainView => ({
  genesisHash,
  netuid,
  block: 0,
  tenants: [],
  uid: undefined,
  leftMs: undefined,
});

/** Looks until the signal ends it; told of every view that differs in what a miner acts on. */
export async function followChain(
  ports: FollowPorts,
  subnet: FollowedSubnet,
  first: ChainView,
  onChange: (view: ChainView) => void,
  signal: AbortSignal,
): Promise<void> {
  let view = first;
  let away = false;
  while (!signal.aborted) {
    await ports.clock.sleep(subnet.everyMs, signal).catch(() => undefined);
    if (signal.aborted) return;
    const seen = await look(ports, view, subnet);
    if (!seen.ok) {
      if (!away) ports.log.warn('chain-away', { ...seen.failure });
      away = true;
      continue;
    }
    if (away) ports.log.info('chain-back', { block: seen.value.view.block });
    away = false;
    const changed = acted(view) !== acted(seen.value.view);
    view = seen.value.view;
    ports.save(view);
    if (changed) onChange(view);
  }
}

const acted = ({ tenants, uid, leftMs }: ChainView): string =>
  JSON.stringify([tenants.map(({ hotkey, current }) => [hotkey, current]), uid, leftMs]);
