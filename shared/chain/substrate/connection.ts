/** What the adapter's parts share: the socket, the heads, the runtime of now, and how storage is read in one request. */
import type { Codec } from '@polkadot/types/types';
import { toHex } from '#shared/primitives/bytes.ts';
import type { Clock, Log } from '#shared/primitives/effects.ts';
import { plainFailure } from '../chain-failure.ts';
import type { HeadWatch } from '../head-watch.ts';
import { refuse } from '../rpc-error.ts';
import type { RpcSocket } from '../rpc-socket.ts';
import type { Hex, Runtime, StorageEntry } from './runtime.ts';

export interface Connection {
  readonly socket: RpcSocket;
  readonly heads: HeadWatch;
  readonly clock: Clock;
  readonly log: Log;
  /** The runtime of now. Rejects while the chain runs one that this program does not understand. */
  runtime(): Promise<Runtime>;
}

export const hex = (bytes: Uint8Array): Hex => `0x${toHex(bytes)}`;

/** Decoded values in the order of the entries, all of one block, in one request. */
export async function readStorage(
  { socket }: Connection,
  entries: readonly StorageEntry[],
  blockHash: Uint8Array,
): Promise<readonly (Codec | undefined)[]> {
  if (entries.length === 0) return [];
  const keys = entries.map(({ key }) => key);
  const answer = await socket.send('state_queryStorageAt', [keys, hex(blockHash)]);
  const changes = (answer as [{ changes: [Hex, Hex | null][] }] | undefined)?.[0]?.changes;
  if (!Array.isArray(changes)) refuse(plainFailure('node-refused', 'the node sent storage that cannot be read'));
  const values = new Map(changes);
  return entries.map(({ key, decode }) => decode(values.get(key) ?? null));
}

/** Values that have a default, so that there is always one. */
export async function readDefaults(
  connection: Connection,
  entries: readonly StorageEntry[],
  blockHash: Uint8Array,
): Promise<(index: number) => Codec> {
  const values = await readStorage(connection, entries, blockHash);
  return (index) => {
    const value = values[index];
    if (value === undefined) throw new Error(`storage ${entries[index]?.key} has no default`);
    return value;
  };
}
