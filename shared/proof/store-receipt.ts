/**
 * Store receipt: a miner's word that a shard lies on its disk, fsynced and committed, for one upload of one tenant
 * (por/v1 §9). `seq` grows per miner; two statements with one `seq` prove fraud.
 *
 *   "filetao/receipt/v1/store\0"  genesis₃₂ u32 netuid  miner₃₂  tenant₃₂  caller₃₂  order₁₆  anchorId₃₂
 *   u64 bytes  u64 seq  u64 storedAtMs  u64 holdUntilMs
 */
import type { AnchorId, Hotkey, OrderId } from '#shared/primitives/ids.ts';
import { type Network, type Parsed, StatementReader, StatementWriter } from './statement.ts';

export interface StoreStatement {
  /** Who stored, and signs. */
  readonly miner: Hotkey;
  readonly tenant: Hotkey;
  /** Who sent the shard: an edge, or the tenant itself. */
  readonly caller: Hotkey;
  readonly order: OrderId;
  readonly anchorId: AnchorId;
  readonly bytes: number;
  readonly seq: number;
  readonly storedAtMs: number;
  readonly holdUntilMs: number;
}

const TAG = 'filetao/receipt/v1/store';

export function encodeStore(network: Network, store: StoreStatement): Uint8Array {
  return new StatementWriter(TAG, network)
    .hotkey(store.miner)
    .hotkey(store.tenant)
    .hotkey(store.caller)
    .order(store.order)
    .id(store.anchorId)
    .u64(store.bytes)
    .u64(store.seq)
    .u64(store.storedAtMs)
    .u64(store.holdUntilMs)
    .finish();
}

export function parseStore(network: Network, bytes: Uint8Array): Parsed<StoreStatement> {
  const reader = new StatementReader('store', bytes, TAG, network);
  return reader.close({
    miner: reader.hotkey(),
    tenant: reader.hotkey(),
    caller: reader.hotkey(),
    order: reader.orderId(),
    anchorId: reader.anchorId(),
    bytes: reader.u64(),
    seq: reader.u64(),
    storedAtMs: reader.u64(),
    holdUntilMs: reader.u64(),
  });
}
