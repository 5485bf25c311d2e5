/**
 * One hotkey's place in a subnet and the axon it announced, at the newest finalized block, by raw JSON-RPC: what a miner
 * asks to learn whether it has to announce itself, and whether it still has its place. Three requests, no metadata.
 */
import type { Result } from '#shared/primitives/failure.ts';
import { type Hotkey, publicKeyOf } from '#shared/primitives/ids.ts';
import { addressOfChain } from '#shared/wire/address.ts';
import type { ChainFailure } from '../chain-failure.ts';
import type { BlockRef, ServedAxon } from '../ports.ts';
import { attempt } from '../rpc-error.ts';
import { littleEndian } from '../scale.ts';
import type { RawRpc } from './raw-rpc.ts';
import { decode, finalizedBlock, itemsReader, PALLET, requireSubnet } from './read-items.ts';
import { type KeyPart, loadHashes, storageKey } from './storage-key.ts';

export interface ReadNeuron {
  readonly block: BlockRef;
  readonly uid: number;
  /** Absent when it never served, or serves what is no address. */
  readonly axon: ServedAxon | undefined;
}

/** Undefined when the hotkey is not registered in the subnet. */
export function readNeuron(
  rpc: RawRpc,
  netuid: number,
  hotkey: Hotkey,
): Promise<Result<ReadNeuron | undefined, ChainFailure>> {
  return attempt(async () => {
    await loadHashes();
    const block = await finalizedBlock(rpc);
    const subnet: KeyPart = ['identity', littleEndian(netuid, 2)];
    const account: KeyPart = ['blake2-128-concat', publicKeyOf(hotkey)];
    const [added, uid, axon] = await itemsReader(
      rpc,
      block,
    )([
      storageKey(PALLET, 'NetworksAdded', subnet),
      storageKey(PALLET, 'Uids', subnet, account),
      storageKey(PALLET, 'Axons', subnet, account),
    ]);
    requireSubnet(added, netuid);
    if (!uid) return undefined;
    return { block, uid: decode(uid, 'Uids', (scale) => scale.u16()), axon: axon && readAxon(axon) };
  });
}

function readAxon(value: Uint8Array): ServedAxon | undefined {
  const axon = decode(value, 'Axons', (scale) => {
    const block = Number(scale.u64());
    const version = Number(scale.big(4));
    const [low, high] = [scale.u64(), scale.u64()];
    const [port, ipType] = [scale.u16(), scale.u8()];
    // protocol, placeholder1, placeholder2
    scale.bytes(3);
    return { block, version, ip: addressOfChain((high << 64n) | low, ipType), port };
  });
  if (!axon.ip || axon.ip.value === 0n || axon.port === 0) return undefined;
  return { ...axon, ip: axon.ip.text };
}
