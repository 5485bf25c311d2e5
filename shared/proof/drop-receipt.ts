/**
 * Drop receipt: a miner's answer to a drop order, one state per anchor (por/v1 §9). It shares the growing `seq` with
 * store receipts.
 *
 *   "filetao/receipt/v1/drop\0"  genesis₃₂ u32 netuid  miner₃₂  H(order statement)₃₂  u64 seq  u64 atMs  u64 eraseAtMs
 *   u32 count  count × (anchorId₃₂  u8 state: 1 held, 2 erased, 3 absent, 4 restored)
 */
import type { AnchorId, Hotkey } from '#shared/primitives/ids.ts';
import { type Network, type Parsed, StatementReader, StatementWriter } from './statement.ts';

/** held: unserved, still restorable. erased: its bytes are gone. absent: never had it. restored: served again. */
export type DropState = 'held' | 'erased' | 'absent' | 'restored';

export interface DropReceipt {
  /** Who dropped, and signs. */
  readonly miner: Hotkey;
  /** SHA-256 of the order statement, without its signature. */
  readonly orderHash: Uint8Array;
  readonly seq: number;
  readonly atMs: number;
  readonly eraseAtMs: number;
  /** In the order's order, each anchor once. */
  readonly items: readonly { readonly anchorId: AnchorId; readonly state: DropState }[];
}

const TAG = 'filetao/receipt/v1/drop';
const STATES: readonly DropState[] = ['held', 'erased', 'absent', 'restored'];

export function encodeDrop(network: Network, drop: DropReceipt): Uint8Array {
  const writer = new StatementWriter(TAG, network)
    .hotkey(drop.miner)
    .fixed(drop.orderHash, 32)
    .u64(drop.seq)
    .u64(drop.atMs)
    .u64(drop.eraseAtMs)
    .u32(drop.items.length);
  for (const item of drop.items) writer.id(item.anchorId).u8(STATES.indexOf(item.state) + 1);
  return writer.finish();
}

/** Refuses unknown states and an anchor named twice. */
export function parseDrop(network: Network, bytes: Uint8Array): Parsed<DropReceipt> {
  const reader = new StatementReader('drop', bytes, TAG, network);
  const miner = reader.hotkey();
  const orderHash = reader.copy(32);
  const seq = reader.u64();
  const atMs = reader.u64();
  const eraseAtMs = reader.u64();
  const items = reader.items(reader.u32(), 33, 0, () => {
    const anchorId = reader.anchorId();
    const state = STATES[reader.u8() - 1];
    reader.require(state !== undefined, 'range');
    return { anchorId, state: state ?? 'absent' };
  });
  reader.require(new Set(items.map((item) => item.anchorId)).size === items.length, 'items');
  return reader.close({ miner, orderHash, seq, atMs, eraseAtMs, items });
}
