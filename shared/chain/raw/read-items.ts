/**
 * Storage items of a subnet at one finalized block, by raw JSON-RPC and without metadata. Lengths are checked, so that
 * a runtime that moved or changed an item is noticed and never misread.
 */
import { toHex } from '#shared/primitives/bytes.ts';
import { plainFailure, runtimeChanged } from '../chain-failure.ts';
import { bytesOfHex, parseHeader } from '../header.ts';
import type { BlockRef } from '../ports.ts';
import { refuse } from '../rpc-error.ts';
import { ScaleReader } from '../scale.ts';
import type { RawRpc } from './raw-rpc.ts';

export const PALLET = 'SubtensorModule';

export const changed = (item: string): never =>
  refuse(runtimeChanged('read without metadata', [`storage ${PALLET}.${item}`]));

export async function finalizedBlock(rpc: RawRpc): Promise<BlockRef> {
  const hash = await rpc.call('chain_getFinalizedHead', []);
  const header = parseHeader(await rpc.call('chain_getHeader', [hash]));
  const bytes = bytesOfHex(hash, 32);
  if (!header || !bytes)
    return refuse(plainFailure('node-refused', 'the node sent a block header that cannot be read'));
  return { number: header.number, hash: bytes };
}

/** @param added the value of `NetworksAdded` */
export function requireSubnet(added: Uint8Array | undefined, netuid: number): void {
  if (added?.[0] !== 1) refuse(plainFailure('subnet-unknown', `the chain has no subnet ${netuid} (--netuid)`));
}

export function decode<T>(value: Uint8Array, item: string, read: (scale: ScaleReader) => T): T {
  const scale = new ScaleReader(value);
  const decoded = read(scale);
  return scale.finished ? decoded : changed(item);
}

/** Values in the order of the keys; undefined where nothing is stored. One request a call. */
export const itemsReader =
  (rpc: RawRpc, block: BlockRef) =>
  async (keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> => {
    if (keys.length === 0) return [];
    const answer = await rpc.call('state_queryStorageAt', [keys, `0x${toHex(block.hash)}`]);
    const changes = (answer as [{ changes?: unknown }] | null)?.[0]?.changes;
    if (!Array.isArray(changes))
      return refuse(plainFailure('node-refused', 'the node sent storage that cannot be read'));
    const values = new Map(changes as [string, unknown][]);
    return keys.map((key) => bytesOfHex(values.get(key)));
  };
