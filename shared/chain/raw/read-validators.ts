/**
 * Who validates a subnet, and the newest finalized block, by raw JSON-RPC: five requests, no metadata, a few kilobytes
 * of code. Stake is the subnet's own token alone. Lengths are checked against each other, so that a runtime that moved
 * these items is noticed and never misread.
 */
import type { Result } from '#shared/primitives/failure.ts';
import { type Hotkey, hotkeyOf } from '#shared/primitives/ids.ts';
import { type ChainFailure, plainFailure, runtimeChanged } from '../chain-failure.ts';
import { bytesOfHex, parseHeader } from '../header.ts';
import type { BlockRef } from '../ports.ts';
import { attempt, refuse } from '../rpc-error.ts';
import { littleEndian, ScaleReader } from '../scale.ts';
import type { RawRpc } from './raw-rpc.ts';
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

const PALLET = 'SubtensorModule';
const changed = (item: string): never => refuse(runtimeChanged('read without metadata', [`storage ${PALLET}.${item}`]));

export function readFinalizedBlock(rpc: RawRpc): Promise<Result<BlockRef, ChainFailure>> {
  return attempt(() => finalizedBlock(rpc));
}

async function finalizedBlock(rpc: RawRpc): Promise<BlockRef> {
  const hash = await rpc.call('chain_getFinalizedHead', []);
  const header = parseHeader(await rpc.call('chain_getHeader', [hash]));
  const bytes = bytesOfHex(hash, 32);
  if (!header || !bytes)
    return refuse(plainFailure('node-refused', 'the node sent a block header that cannot be read'));
  return { number: header.number, hash: bytes };
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
    const at = `0x${Array.from(block.hash, (byte) => byte.toString(16).padStart(2, '0')).join('')}`;
    const subnet: KeyPart = ['identity', littleEndian(netuid, 2)];
    const read = reader(rpc, at);

    const [added, count, permits] = await read([
      storageKey(PALLET, 'NetworksAdded', subnet),
      storageKey(PALLET, 'SubnetworkN', subnet),
      storageKey(PALLET, 'ValidatorPermit', subnet),
    ]);
    if (added?.[0] !== 1) refuse(plainFailure('subnet-unknown', `the chain has no subnet ${netuid} (--netuid)`));
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

function decode<T>(value: Uint8Array, item: string, read: (scale: ScaleReader) => T): T {
  const scale = new ScaleReader(value);
  const decoded = read(scale);
  return scale.finished ? decoded : changed(item);
}

/** Values in the order of the keys; undefined where nothing is stored. */
const reader =
  (rpc: RawRpc, at: string) =>
  async (keys: readonly string[]): Promise<readonly (Uint8Array | undefined)[]> => {
    if (keys.length === 0) return [];
    const answer = await rpc.call('state_queryStorageAt', [keys, at]);
    const changes = (answer as [{ changes?: unknown }] | null)?.[0]?.changes;
    if (!Array.isArray(changes))
      return refuse(plainFailure('node-refused', 'the node sent storage that cannot be read'));
    const values = new Map(changes as [string, unknown][]);
    return keys.map((key) => bytesOfHex(values.get(key)));
  };
