/**
 * Who validates a subnet, and the newest finalized block, by raw JSON-RPC: five requests, no metadata, a few kilobytes
 * of code. Stake is the subnet's own token alone. Lengths are checked against each other, so that a runtime that moved
 * these items is noticed and never misread.
 */
import type { Result } from '#shared/primitives/failure.ts';
import { type Hotkey, hotkeyOf } from '#shared/primitives/ids.ts';
import { type ChainFailure, plainFailure } from '../chain-failure.ts';
import { bytesOfHex } from '../header.ts';
import type { BlockRef } from '../ports.ts';
import { attempt, refuse } from '../rpc-error.ts';
import { littleEndian } from '../scale.ts';
import type { RawRpc } from './raw-rpc.ts';
import { changed, decode, finalizedBlock, itemsReader, PALLET, requireSubnet } from './read-items.ts';
import { type KeyPart, loadHashes, storageKey } from './storage-key.ts';

export interface KnownValidator {
  readonly uid: number;
  readonly hotkey: Hotkey;
  /** Billionths of the subnet's token. */
  readonly stake: bigint;
}

export interface KnownValidators {
  readonly block: BlockRef;
  readonly validators: readonly KnownValidator[];
}

export function readFinalizedBlock(rpc: RawRpc): Promise<Result<BlockRef, ChainFailure>> {
  return attempt(() => finalizedBlock(rpc));
}

/** Hash of a block by number: what a challenge of that block is checked against. */
export function readBlockHash(rpc: RawRpc, number: number): Promise<Result<Uint8Array, ChainFailure>> {
  return attempt(async () => {
    const hash = bytesOfHex(await rpc.call('chain_getBlockHash', [number]), 32);
    return hash ?? refuse(plainFailure('block-unknown', `the node has no block ${number}`));
  });
}

/** Hotkeys with a validator permit, by uid. */
export function readValidators(rpc: RawRpc, netuid: number): Promise<Result<KnownValidators, ChainFailure>> {
  return attempt(async () => {
    await loadHashes();
    const block = await finalizedBlock(rpc);
    const subnet: KeyPart = ['identity', littleEndian(netuid, 2)];
    const read = itemsReader(rpc, block);

    const [added, count, permits] = await read([
      storageKey(PALLET, 'NetworksAdded', subnet),
      storageKey(PALLET, 'SubnetworkN', subnet),
      storageKey(PALLET, 'ValidatorPermit', subnet),
    ]);
    requireSubnet(added, netuid);
    const neurons = count ? decode(count, 'SubnetworkN', (scale) => scale.u16()) : 0;
    const flags = permits
      ? decode(permits, 'ValidatorPermit', (scale) => scale.vec(1, () => scale.bool()))
      : new Array<boolean>(neurons).fill(false);
    if (flags.length !== neurons) changed('ValidatorPermit');

    const uids = flags.flatMap((permit, uid) => (permit ? [uid] : []));
    const keys = await read(uids.map((uid) => storageKey(PALLET, 'Keys', subnet, ['identity', littleEndian(uid, 2)])));
    const accounts = keys.map((value) => (value?.length === 32 ? value : changed('Keys')));
    const stakes = await read(
      accounts.map((account) => storageKey(PALLET, 'TotalHotkeyAlpha', ['blake2-128-concat', account], subnet)),
    );
    const validators = accounts.map((account, i) => {
      const value = stakes[i];
      const stake = value ? decode(value, 'TotalHotkeyAlpha', (scale) => scale.u64()) : 0n;
      return { uid: uids[i] ?? 0, hotkey: hotkeyOf(account), stake };
    });
    return { block, validators };
  });
}
