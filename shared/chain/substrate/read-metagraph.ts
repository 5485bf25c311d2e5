/**
 * The metagraph in one request by the runtime's own answer, or in three by storage where a runtime has none. Both give
 * the same rows, the stake aside: storage knows the subnet's own token alone.
 */
import type { Codec } from '@polkadot/types/types';
import { addressOfChain } from '#shared/wire/address.ts';
import { plainFailure } from '../chain-failure.ts';
import type { BlockRef, Metagraph, Neuron, ServedAxon } from '../ports.ts';
import { refuse } from '../rpc-error.ts';
import { accountOf, bigOf, boolOf, fieldsOf, listOf, numberOf } from './codec-values.ts';
import { type Connection, hex, readDefaults, readStorage } from './connection.ts';
import type { Hex, StorageEntry } from './runtime.ts';

/** Undefined for one that was never served, or whose address is none. */
export function axonOf(value: Codec | undefined): ServedAxon | undefined {
  if (!value) return undefined;
  const field = fieldsOf(value);
  const address = addressOfChain(bigOf(field('ip')), numberOf(field('ip_type')));
  const port = numberOf(field('port'));
  if (!address || address.value === 0n || port === 0) return undefined;
  return { ip: address.text, port, version: numberOf(field('version')), block: numberOf(field('block')) };
}

/** `source` absent: as the runtime answers, or from storage where it has no such answer. */
export async function readMetagraph(
  connection: Connection,
  netuid: number,
  block: BlockRef,
  source: 'runtime' | 'storage' | undefined,
): Promise<Metagraph> {
  if (source === 'storage') return fromStorage(connection, netuid, block);
  const api = (await connection.runtime()).runtimeApi('SubnetInfoRuntimeApi', 'get_metagraph');
  if (api) return fromRuntime(connection, api, netuid, block);
  if (source === undefined) return fromStorage(connection, netuid, block);
  return refuse(plainFailure('refused', 'this runtime has no get_metagraph'));
}

const noSubnet = (netuid: number): never =>
  refuse(plainFailure('subnet-unknown', `the chain has no subnet ${netuid} (--netuid)`));

async function fromRuntime(
  connection: Connection,
  api: { readonly encode: (...args: unknown[]) => Hex; decode(result: Hex): Codec },
  netuid: number,
  block: BlockRef,
): Promise<Metagraph> {
  const params = ['SubnetInfoRuntimeApi_get_metagraph', api.encode(netuid), hex(block.hash)];
  const answer = api.decode((await connection.socket.send('state_call', params)) as Hex);
  const { value, isSome } = answer as unknown as { value: Codec; isSome: boolean };
  if (!isSome) return noSubnet(netuid);
  const field = fieldsOf(value);
  const column = (name: string) => listOf(field(name));
  const columns = {
    hotkeys: column('hotkeys'),
    coldkeys: column('coldkeys'),
    axons: column('axons'),
    permits: column('validator_permit'),
    updates: column('last_update'),
    emissions: column('emission'),
    incentives: column('incentives'),
    registered: column('block_at_registration'),
    stakes: column('total_stake'),
  };
  return { netuid, block, neurons: rowsOf(columns), stakeKind: 'total' };
}

async function fromStorage(connection: Connection, netuid: number, block: BlockRef): Promise<Metagraph> {
  const runtime = await connection.runtime();
  const entry = (item: string, ...keys: readonly unknown[]) => runtime.storage('SubtensorModule', item, ...keys);
  const items = ['SubnetworkN', 'NetworksAdded', 'ValidatorPermit', 'LastUpdate', 'Emission', 'Incentive'];
  const whole = await readDefaults(
    connection,
    items.map((item) => entry(item, netuid)),
    block.hash,
  );
  const count = numberOf(whole(0));
  if (count === 0 && !boolOf(whole(1))) return noSubnet(netuid);
  const each = <T>(make: (uid: number) => T): T[] => Array.from({ length: count }, (_, uid) => make(uid));
  const read = async (entries: readonly StorageEntry[]) => readStorage(connection, entries, block.hash);
  const byUid = await read([
    ...each((uid) => entry('Keys', netuid, uid)),
    ...each((uid) => entry('BlockAtRegistration', netuid, uid)),
  ]);
  const hotkeys = byUid.slice(0, count) as Codec[];
  const byHotkey = await read([
    ...hotkeys.map((hotkey) => entry('Owner', hotkey)),
    ...hotkeys.map((hotkey) => entry('TotalHotkeyAlpha', hotkey, netuid)),
    ...hotkeys.map((hotkey) => entry('Axons', netuid, hotkey)),
  ]);
  const columns = {
    hotkeys,
    coldkeys: byHotkey.slice(0, count),
    axons: byHotkey.slice(2 * count),
    permits: listOf(whole(2)),
    updates: listOf(whole(3)),
    emissions: listOf(whole(4)),
    incentives: listOf(whole(5)),
    registered: byUid.slice(count),
    stakes: byHotkey.slice(count, 2 * count),
  };
  return { netuid, block, neurons: rowsOf(columns), stakeKind: 'alpha' };
}

type Column = readonly (Codec | undefined)[];

interface Columns {
  readonly hotkeys: Column;
  readonly coldkeys: Column;
  readonly axons: Column;
  readonly permits: Column;
  readonly updates: Column;
  readonly emissions: Column;
  readonly incentives: Column;
  readonly registered: Column;
  readonly stakes: Column;
}

/** Shorter columns end in zeros: the chain fills some of them only at the next epoch. */
function rowsOf(columns: Columns): readonly Neuron[] {
  const numberAt = (column: Column, uid: number) => (column[uid] ? numberOf(column[uid]) : 0);
  const bigAt = (column: Column, uid: number) => (column[uid] ? bigOf(column[uid]) : 0n);
  return columns.hotkeys.map((hotkey, uid) => {
    const coldkey = columns.coldkeys[uid];
    const permit = columns.permits[uid];
    if (!hotkey || !coldkey) throw new Error(`uid ${uid} without keys`);
    return {
      uid,
      hotkey: accountOf(hotkey),
      coldkey: accountOf(coldkey),
      axon: axonOf(columns.axons[uid]),
      stake: bigAt(columns.stakes, uid),
      validatorPermit: permit ? boolOf(permit) : false,
      lastUpdate: numberAt(columns.updates, uid),
      incentive: numberAt(columns.incentives, uid),
      emission: bigAt(columns.emissions, uid),
      registeredAt: numberAt(columns.registered, uid),
    };
  });
}
