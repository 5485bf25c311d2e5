/**
 * The SQL of drop orders: which were carried out, with what receipt, and how many bytes each tenant had dropped in the
 * last day (por/v1 §9 allows a tenth, at least 1 GiB). The caller opens the transaction. Used by `carry-out-order.ts`.
 */
import type { DatabaseSync } from 'node:sqlite';
import { idBytes, type OrderId } from '#shared/primitives/ids.ts';
import { blobOf, numberOf } from './shard-rows.ts';

const HOUR_MS = 3_600_000;
/** The current hour and the 23 before it: at most one day, at least 23 hours. */
const HOURS_COUNTED = 24;

const hourOf = (atMs: number): number => Math.floor(atMs / HOUR_MS);

export interface OrderRow {
  readonly orderHash: Uint8Array;
  /** Drop receipt statement ‖ signature. */
  readonly receipt: Uint8Array;
}

export class DropRows {
  readonly #find;
  readonly #add;
  readonly #forget;
  readonly #count;
  readonly #giveBack;
  readonly #sum;
  readonly #forgetHours;

  constructor(db: DatabaseSync) {
    this.#find = db.prepare('SELECT order_hash, receipt FROM orders WHERE tenant = ? AND order_id = ?');
    this.#add = db.prepare('INSERT INTO orders (tenant, order_id, order_hash, at_ms, receipt) VALUES (?, ?, ?, ?, ?)');
    this.#forget = db.prepare('DELETE FROM orders WHERE at_ms < ?');
    this.#count = db.prepare(
      `INSERT INTO drop_hours (tenant, hour, bytes) VALUES (?, ?, ?)
       ON CONFLICT DO UPDATE SET bytes = bytes + excluded.bytes`,
    );
    this.#giveBack = db.prepare('UPDATE drop_hours SET bytes = MAX(0, bytes - ?) WHERE tenant = ? AND hour = ?');
    this.#sum = db.prepare('SELECT COALESCE(SUM(bytes), 0) AS bytes FROM drop_hours WHERE tenant = ? AND hour > ?');
    this.#forgetHours = db.prepare('DELETE FROM drop_hours WHERE hour <= ?');
  }

  find(tenant: number, order: OrderId): OrderRow | undefined {
    const row = this.#find.get(tenant, idBytes(order));
    return row && { orderHash: blobOf(row.order_hash), receipt: blobOf(row.receipt) };
  }

  add(tenant: number, order: OrderId, atMs: number, row: OrderRow): void {
    this.#add.run(tenant, idBytes(order), row.orderHash, atMs, row.receipt);
  }

  /** Forgets orders too old to be accepted again anyway, and hours that no longer count. */
  forgetBefore(orderAtMs: number, nowMs: number): void {
    this.#forget.run(orderAtMs);
    this.#forgetHours.run(hourOf(nowMs) - HOURS_COUNTED);
  }

  countDropped(tenant: number, droppedAtMs: number, bytes: number): void {
    this.#count.run(tenant, hourOf(droppedAtMs), bytes);
  }

  /** Takes restored bytes out of the hour they were dropped in; an hour already forgotten has nothing to give back. */
  countRestored(tenant: number, droppedAtMs: number, bytes: number): void {
    this.#giveBack.run(bytes, tenant, hourOf(droppedAtMs));
  }

  droppedBytes(tenant: number, nowMs: number): number {
    return numberOf(this.#sum.get(tenant, hourOf(nowMs) - HOURS_COUNTED)?.bytes);
  }
}
