/** A block's events: what became of one extrinsic, and which neurons were registered. */
import type { EventRecord } from '@polkadot/types/interfaces';
import type { Codec } from '@polkadot/types/types';
import { type ChainFailure, plainFailure } from '../chain-failure.ts';
import { nameRuntimeError } from '../name-chain-error.ts';
import type { BlockRef, NewNeuron } from '../ports.ts';
import { accountOf, numberOf } from './codec-values.ts';
import { type Connection, readDefaults, readStorage } from './connection.ts';
import type { Runtime } from './runtime.ts';

export async function readEvents(connection: Connection, blockHash: Uint8Array): Promise<readonly EventRecord[]> {
  const runtime = await connection.runtime();
  const value = await readDefaults(connection, [runtime.storage('System', 'Events')], blockHash);
  return value(0) as unknown as readonly EventRecord[];
}

/** Why the extrinsic at `index` failed; undefined when it did what it should. */
export function extrinsicFailure(
  { api }: Runtime,
  events: readonly EventRecord[],
  index: number,
): ChainFailure | undefined {
  const failed = events.find(
    ({ phase, event }) =>
      phase.isApplyExtrinsic &&
      phase.asApplyExtrinsic.toNumber() === index &&
      event.section === 'system' &&
      event.method === 'ExtrinsicFailed',
  );
  if (!failed) return undefined;
  const error = failed.event.data[0] as unknown as DispatchError;
  if (error.isModule) {
    const { section, name, docs } = api.registry.findMetaError(error.asModule);
    return nameRuntimeError(section, name, docs.join(' '));
  }
  if (error.isToken) return nameRuntimeError('Token', error.asToken.type);
  return plainFailure('refused', `the chain refused: ${error.type}`);
}

interface DispatchError {
  readonly type: string;
  readonly isModule: boolean;
  readonly asModule: { index: Codec; error: Codec } & Parameters<Runtime['api']['registry']['findMetaError']>[0];
  readonly isToken: boolean;
  readonly asToken: { readonly type: string };
}

/** Neurons registered in `block`, with whom each replaced, read at the block before. */
export async function readNewNeurons(
  connection: Connection,
  netuid: number,
  block: BlockRef,
  parentHash: () => Promise<Uint8Array>,
): Promise<readonly NewNeuron[]> {
  const runtime = await connection.runtime();
  const registered = (await readEvents(connection, block.hash))
    .filter(({ event }) => event.section === 'subtensorModule' && event.method === 'NeuronRegistered')
    .map(({ event }) => event.data as unknown as readonly [Codec, Codec, Codec])
    .filter(([subnet]) => numberOf(subnet) === netuid)
    .map(([, uid, hotkey]) => ({ uid: numberOf(uid), hotkey: accountOf(hotkey) }));
  if (registered.length === 0) return [];
  const entries = [
    runtime.storage('SubtensorModule', 'SubnetworkN', netuid),
    ...registered.map(({ uid }) => runtime.storage('SubtensorModule', 'Keys', netuid, uid)),
  ];
  const [count, ...before] = await readStorage(connection, entries, await parentHash());
  const held = count ? numberOf(count) : 0;
  return registered.map(({ uid, hotkey }, i) => {
    const holder = before[i];
    return { uid, hotkey, replaced: uid < held && holder ? accountOf(holder) : undefined };
  });
}
