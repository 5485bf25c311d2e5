/**
 * Drop and restore orders, in one transaction each (por/v1 §9): a dropped shard is unserved at once, restorable until
 * its hold is over, then erased (`eraser.ts`). The same order again gets the receipt it got. A tenant may have a tenth
 * of its bytes dropped a day, at least 1 GiB: a stolen or mistaken key does not empty the network in one night.
 * The caller has checked signature, tenant, miner and age.
 */
import type { DatabaseSync } from 'node:sqlite';
import { equalBytes } from '#shared/primitives/bytes.ts';
import { type Failure, fail, type Result, succeed } from '#shared/primitives/failure.ts';
import type { AnchorId } from '#shared/primitives/ids.ts';
import type { DropOrder } from '#shared/proof/drop-order.ts';
import type { DropReceipt, DropState } from '#shared/proof/drop-receipt.ts';
import { inTransaction } from './database.ts';
import type { DropRows } from './drop-rows.ts';
import type { ShardRows } from './shard-rows.ts';

/** por/v1 §9: at most 10 % of a tenant's bytes per day, at least 1 GiB. */
const DAILY_SHARE = 0.1;
const DAILY_MIN_BYTES = 2 ** 30;

export type OrderFailure = Failure & { readonly code: 'drain-limit' | 'conflict' };

export interface OrderPorts {
  readonly db: DatabaseSync;
  readonly rows: ShardRows;
  readonly drops: DropRows;
  readonly nowMs: () => number;
  /** From a drop order to the erase. */
  readonly holdMs: number;
  /** How old an accepted order can be: older ones need no remembering. */
  readonly orderAgeMs: number;
  /** statement ‖ signature₆₄ of a drop receipt. */
  readonly sign: (receipt: Omit<DropReceipt, 'miner'>) => Uint8Array;
}

/** @param heldBytes what the tenant has on this miner's disk, dropped and not yet erased shards included */
export function carryOutOrder(
  ports: OrderPorts,
  tenantId: number,
  heldBytes: number,
  order: DropOrder,
  orderHash: Uint8Array,
): Result<Uint8Array, OrderFailure> {
  const { db, rows, drops } = ports;
  const nowMs = ports.nowMs();
  const before = drops.find(tenantId, order.order);
  if (before) {
    return equalBytes(before.orderHash, orderHash)
      ? succeed(before.receipt)
      : fail({ code: 'conflict', fault: 'caller', message: 'this order id was used for another order' });
  }
  if (order.action === 'drop') {
    const limit = Math.max(DAILY_MIN_BYTES, Math.floor(heldBytes * DAILY_SHARE));
    const dropped = drops.droppedBytes(tenantId, nowMs);
    const asked = order.anchorIds.reduce((sum, anchorId) => {
      const row = rows.find(tenantId, anchorId);
      return row && !row.dropped && !row.lost ? sum + row.bytes : sum;
    }, 0);
    if (asked > 0 && dropped + asked > limit) {
      return fail({ code: 'drain-limit', fault: 'caller', message: `${dropped} of ${limit} bytes of a day are used` });
    }
  }
  return inTransaction(db, () => {
    let eraseAtMs = 0;
    const items = order.anchorIds.map((anchorId) => {
      const state =
        order.action === 'drop' ? drop(ports, tenantId, anchorId, nowMs) : restore(ports, tenantId, anchorId);
      const erase = rows.find(tenantId, anchorId)?.dropped?.eraseAtMs ?? 0;
      eraseAtMs = Math.max(eraseAtMs, erase);
      return { anchorId, state };
    });
    const receipt = ports.sign({ orderHash, seq: rows.nextSeq(), atMs: nowMs, eraseAtMs, items });
    drops.add(tenantId, order.order, nowMs, { orderHash, receipt });
    drops.forgetBefore(nowMs - 2 * ports.orderAgeMs, nowMs);
    return succeed(receipt);
  });
}

function drop({ rows, drops, holdMs }: OrderPorts, tenantId: number, anchorId: AnchorId, nowMs: number): DropState {
  const row = rows.find(tenantId, anchorId);
  if (!row) return rows.buried(tenantId, anchorId) ? 'erased' : 'absent';
  if (row.dropped) return 'held';
  if (row.lost) {
    // Nothing is left to hold, but the anchor was dropped: it is never taken again.
    rows.bury(tenantId, anchorId, nowMs);
    return 'absent';
  }
  rows.setDropped(tenantId, anchorId, { atMs: nowMs, eraseAtMs: nowMs + holdMs });
  drops.countDropped(tenantId, nowMs, row.bytes);
  return 'held';
}

function restore({ rows, drops }: OrderPorts, tenantId: number, anchorId: AnchorId): DropState {
  const row = rows.find(tenantId, anchorId);
  if (!row) return rows.buried(tenantId, anchorId) ? 'erased' : 'absent';
  if (row.lost) return 'absent';
  if (row.dropped) {
    rows.setDropped(tenantId, anchorId, undefined);
    drops.countRestored(tenantId, row.dropped.atMs, row.bytes);
  }
  return 'restored';
}
