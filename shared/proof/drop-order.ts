/**
 * Drop order: a tenant tells a miner to stop serving shards and erase them after the hold, or to restore them before
 * that (por/v1 §9). Only the tenant's validator signs one; its hash is what the miner's drop receipt answers.
 *
 *   "filetao/order/v1/drop\0"  genesis₃₂ u32 netuid  tenant₃₂  miner₃₂  order₁₆  u64 issuedAtMs
 *   u8 action(1 drop, 2 restore)  u8 reason  u32 count  count × anchorId₃₂
 */
import type { AnchorId, Hotkey, OrderId } from '#shared/primitives/ids.ts';
import { type Network, type Parsed, StatementReader, StatementWriter } from './statement.ts';

export interface DropOrder {
  /** Who orders, and signs. */
  readonly tenant: Hotkey;
  readonly miner: Hotkey;
  readonly order: OrderId;
  readonly issuedAtMs: number;
  readonly action: 'drop' | 'restore';
  /** 0 to 255, the tenant's own; miners keep it and act on none. */
  readonly reason: number;
  /** In any order, each once. */
  readonly anchorIds: readonly AnchorId[];
}

const TAG = 'filetao/order/v1/drop';
const DROP = 1;
const RESTORE = 2;

export function encodeOrder(network: Network, order: DropOrder): Uint8Array {
  const writer = new StatementWriter(TAG, network)
    .hotkey(order.tenant)
    .hotkey(order.miner)
    .order(order.order)
    .u64(order.issuedAtMs)
    .u8(order.action === 'drop' ? DROP : RESTORE)
    .u8(order.reason)
    .u32(order.anchorIds.length);
  for (const anchorId of order.anchorIds) writer.id(anchorId);
  return writer.finish();
}

/** Refuses an anchor named twice: its state in the receipt would be ambiguous. */
export function parseOrder(network: Network, bytes: Uint8Array): Parsed<DropOrder> {
  const reader = new StatementReader('order', bytes, TAG, network);
  const tenant = reader.hotkey();
  const miner = reader.hotkey();
  const order = reader.orderId();
  const issuedAtMs = reader.u64();
  const action = reader.u8();
  reader.require(action === DROP || action === RESTORE, 'range');
  const reason = reader.u8();
  const anchorIds = reader.items(reader.u32(), 32, 0, () => reader.anchorId());
  reader.require(new Set(anchorIds).size === anchorIds.length, 'items');
  return reader.close({
    tenant,
    miner,
    order,
    issuedAtMs,
    action: action === DROP ? 'drop' : 'restore',
    reason,
    anchorIds,
  });
}
