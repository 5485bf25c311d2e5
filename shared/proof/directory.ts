/**
 * Directory: the miners of the network as a tenant publishes them, signed, so that an index that was tampered with
 * cannot send an edge's shards to machines of its choosing (`docs/protocol.md` §7). The statement holds a hash of the
 * miners, not the miners: the index keeps them in pages of its own making, and whoever checks makes the statement anew.
 *
 *   "filetao/directory/v1\0"  genesis₃₂ u32 netuid  tenant₃₂  u64 takenAtMs  u32 miners  digest₃₂
 *   digest = SHA-256 over, per miner in order: u24 number ‖ hotkey₃₂ ‖ u8 n ‖ coldkey text ‖ u8 n ‖ ip text ‖ u16 port
 *            ‖ u64 freeBytes ‖ u64 capacityBytes ‖ u8 accepting
 */
import { ByteWriter, utf8 } from '#shared/primitives/bytes.ts';
import { type Hotkey, type MinerNumber, publicKeyOf } from '#shared/primitives/ids.ts';
import { sha256 } from '#shared/primitives/sha256.ts';
import { type Network, StatementWriter } from './statement.ts';

export interface DirectoryStatement {
  /** Who signs. */
  readonly tenant: Hotkey;
  readonly takenAtMs: number;
  readonly miners: number;
  /** `directoryDigest` of them. */
  readonly digest: Uint8Array;
}

/** What the statement says of one miner. */
export interface DirectoryMiner {
  readonly number: MinerNumber;
  readonly hotkey: Hotkey;
  readonly coldkey: string;
  readonly address: { readonly ip: string; readonly port: number };
  readonly freeBytes: number;
  readonly capacityBytes: number;
  readonly accepting: boolean;
}

const TAG = 'filetao/directory/v1';

export function directoryDigest(miners: readonly DirectoryMiner[]): Uint8Array {
  const writer = new ByteWriter(128 * miners.length);
  const text = (value: string) => {
    const bytes = utf8(value);
    writer.u8(bytes.length).bytes(bytes);
  };
  for (const { number, hotkey, coldkey, address, freeBytes, capacityBytes, accepting } of miners) {
    writer.uint(number, 3).bytes(publicKeyOf(hotkey));
    text(coldkey);
    text(address.ip);
    writer.u16(address.port).u64(freeBytes).u64(capacityBytes);
    writer.u8(accepting ? 1 : 0);
  }
  return sha256(writer.finish());
}

export const encodeDirectory = (network: Network, statement: DirectoryStatement): Uint8Array =>
  new StatementWriter(TAG, network)
    .hotkey(statement.tenant)
    .u64(statement.takenAtMs)
    .u32(statement.miners)
    .fixed(statement.digest, 32)
    .finish();
