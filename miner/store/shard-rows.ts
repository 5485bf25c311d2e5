/**
 * Every SQL statement about shards, receipts and tombstones: rows in, rows out, no decisions. The caller opens the
 * transaction (`inTransaction`). Schema: `database.ts`. Used by the committer, the store, the eraser and recovery.
 */
import type { DatabaseSync, SQLOutputValue } from 'node:sqlite';
import { invariant } from '#shared/primitives/failure.ts';
import { type AnchorId, type Hotkey, hexId, idBytes, type OrderId, publicKeyOf } from '#shared/primitives/ids.ts';
import { POR_ANCHOR_TYPE } from '#shared/proof/any-anchor.ts';
import { ZK_ANCHOR_TYPE } from '#shared/proof/zk/zk-anchor.ts';
import type { ProofMaterial } from './arriving-bytes.ts';

/** A shard that this miner has, or should have, on disk. */
export interface ShardRow {
  readonly anchorId: AnchorId;
  readonly bytes: number;
  readonly ref: bigint;
  readonly label: Uint8Array;
  readonly holdUntilMs: number;
  readonly storedAtMs: number;
  /** The file is gone although nobody dropped it. */
  readonly lost: boolean;
  /** Set from a drop order until the erase: not served, restorable. */
  readonly dropped?: { readonly atMs: number; readonly eraseAtMs: number };
}

export interface ReceiptRow {
  readonly seq: number;
  readonly holdUntilMs: number;
  /** statement ‖ signature. */
  readonly signed: Uint8Array;
}

/** Uploads of one shard whose receipts are kept; the oldest goes. One is normal, a few come of retries. */
const RECEIPTS_PER_SHARD = 8;

type Row = Record<string, SQLOutputValue>;

export const numberOf = (value: SQLOutputValue | undefined): number => {
  invariant(typeof value === 'number', 'the column holds an integer');
  return value;
};
export const blobOf = (value: SQLOutputValue | undefined): Uint8Array => {
  invariant(value instanceof Uint8Array, 'the column holds a blob');
  return value;
};
const anchorOf = (value: SQLOutputValue | undefined): AnchorId => hexId<AnchorId>(blobOf(value), 32);

/** An unsigned 64-bit value as the eight bytes a column holds: SQLite's own integers are signed. */
const u64Bytes = (value: bigint): Uint8Array => {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, value);
  return bytes;
};
const u64Of = (bytes: Uint8Array): bigint => new DataView(bytes.buffer, bytes.byteOffset, 8).getBigUint64(0);

const shardOf = (row: Row): ShardRow => ({
  anchorId: anchorOf(row.anchor),
  bytes: numberOf(row.bytes),
  ref: u64Of(blobOf(row.ref)),
  label: blobOf(row.label),
  holdUntilMs: numberOf(row.hold_until_ms),
  storedAtMs: numberOf(row.stored_at_ms),
  lost: row.lost === 1,
  ...(row.dropped_at_ms === null
    ? {}
    : { dropped: { atMs: numberOf(row.dropped_at_ms), eraseAtMs: numberOf(row.erase_at_ms) } }),
});

export class ShardRows {
  readonly #db: DatabaseSync;

  constructor(db: DatabaseSync) {
    this.#db = db;
  }

  // Statements are prepared once and kept: preparing costs more than running one.
  readonly #statements = new Map<string, ReturnType<DatabaseSync['prepare']>>();
  #sql(text: string) {
    let statement = this.#statements.get(text);
    if (!statement) {
      statement = this.#db.prepare(text);
      this.#statements.set(text, statement);
    }
    return statement;
  }

  /** The number that stands for a tenant in every row. */
  tenantId(hotkey: Hotkey): number {
    this.#sql('INSERT INTO tenants (hotkey) VALUES (?) ON CONFLICT DO NOTHING').run(hotkey);
    return numberOf(this.#sql('SELECT id FROM tenants WHERE hotkey = ?').get(hotkey)?.id);
  }

  /** Every tenant that ever stored here, with the bytes it has on disk. */
  tenants(): { readonly id: number; readonly hotkey: Hotkey; readonly bytes: number; readonly shards: number }[] {
    const rows = this.#sql(
      `SELECT id, hotkey, COALESCE(SUM(s.bytes), 0) AS bytes, COUNT(s.anchor) AS shards
       FROM tenants LEFT JOIN shards s ON s.tenant = id AND s.lost = 0 GROUP BY id`,
    ).all();
    return rows.map((row) => ({
      id: numberOf(row.id),
      hotkey: row.hotkey as Hotkey,
      bytes: numberOf(row.bytes),
      shards: numberOf(row.shards),
    }));
  }

  /** Shards of all tenants that are on disk and not dropped. */
  countHeld(): number {
    const row = this.#sql('SELECT COUNT(*) AS held FROM shards WHERE lost = 0 AND dropped_at_ms IS NULL').get();
    return numberOf(row?.held);
  }

  find(tenant: number, anchorId: AnchorId): ShardRow | undefined {
    const row = this.#sql('SELECT * FROM shards WHERE tenant = ? AND anchor = ?').get(tenant, idBytes(anchorId));
    return row && shardOf(row);
  }

  insert(tenant: number, row: Omit<ShardRow, 'lost' | 'dropped'>): void {
    this.#sql(
      `INSERT INTO shards (tenant, anchor, bytes, ref, label, hold_until_ms, stored_at_ms) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET bytes = excluded.bytes, ref = excluded.ref, label = excluded.label,
         hold_until_ms = excluded.hold_until_ms, stored_at_ms = excluded.stored_at_ms, lost = 0`,
    ).run(tenant, idBytes(row.anchorId), row.bytes, u64Bytes(row.ref), row.label, row.holdUntilMs, row.storedAtMs);
  }

  /** What proofs of the shard are made from; undefined when it was never kept. */
  material(tenant: number, anchorId: AnchorId): ProofMaterial | undefined {
    const row = this.#sql('SELECT type, groups FROM trees WHERE tenant = ? AND anchor = ?').get(
      tenant,
      idBytes(anchorId),
    );
    return row && { type: row.type === ZK_ANCHOR_TYPE ? ZK_ANCHOR_TYPE : POR_ANCHOR_TYPE, bytes: blobOf(row.groups) };
  }

  putMaterial(tenant: number, anchorId: AnchorId, { type, bytes }: ProofMaterial): void {
    this.#sql('INSERT OR REPLACE INTO trees (tenant, anchor, groups, type) VALUES (?, ?, ?, ?)').run(
      tenant,
      idBytes(anchorId),
      bytes,
      type,
    );
  }

  extendHold(tenant: number, anchorId: AnchorId, holdUntilMs: number): void {
    this.#sql('UPDATE shards SET hold_until_ms = MAX(hold_until_ms, ?) WHERE tenant = ? AND anchor = ?').run(
      holdUntilMs,
      tenant,
      idBytes(anchorId),
    );
  }

  setLost(tenant: number, anchorId: AnchorId, lost: boolean): void {
    this.#sql('UPDATE shards SET lost = ? WHERE tenant = ? AND anchor = ?').run(
      lost ? 1 : 0,
      tenant,
      idBytes(anchorId),
    );
  }

  setDropped(tenant: number, anchorId: AnchorId, dropped: ShardRow['dropped']): void {
    this.#sql('UPDATE shards SET dropped_at_ms = ?, erase_at_ms = ? WHERE tenant = ? AND anchor = ?').run(
      dropped?.atMs ?? null,
      dropped?.eraseAtMs ?? null,
      tenant,
      idBytes(anchorId),
    );
  }

  /** The row goes, a tombstone stays. */
  bury(tenant: number, anchorId: AnchorId, atMs: number): void {
    const anchor = idBytes(anchorId);
    this.#sql('DELETE FROM shards WHERE tenant = ? AND anchor = ?').run(tenant, anchor);
    this.#sql('DELETE FROM receipts WHERE tenant = ? AND anchor = ?').run(tenant, anchor);
    this.#sql('DELETE FROM trees WHERE tenant = ? AND anchor = ?').run(tenant, anchor);
    this.#sql('INSERT INTO tombstones (tenant, anchor, erased_at_ms) VALUES (?, ?, ?) ON CONFLICT DO NOTHING').run(
      tenant,
      anchor,
      atMs,
    );
  }

  /** Of the anchors that begin with this byte, forgets tombstones that are older; they may be stored again. */
  forgetTombstones(firstByte: number, beforeMs: number): void {
    const from = Uint8Array.of(firstByte);
    // A longer blob of the greatest byte ends the last slice.
    const to = firstByte === 0xff ? new Uint8Array(33).fill(0xff) : Uint8Array.of(firstByte + 1);
    const forget = this.#sql(
      'DELETE FROM tombstones WHERE tenant = ? AND anchor >= ? AND anchor < ? AND erased_at_ms < ?',
    );
    for (const { id } of this.#sql('SELECT id FROM tenants').all()) forget.run(Number(id), from, to, beforeMs);
  }

  buried(tenant: number, anchorId: AnchorId): boolean {
    return (
      this.#sql('SELECT 1 FROM tombstones WHERE tenant = ? AND anchor = ?').get(tenant, idBytes(anchorId)) !== undefined
    );
  }

  /** Dropped shards whose hold is over, oldest first. */
  toErase(nowMs: number, limit: number): { readonly tenant: number; readonly shard: ShardRow }[] {
    return this.#sql('SELECT * FROM shards WHERE erase_at_ms <= ? ORDER BY erase_at_ms LIMIT ?')
      .all(nowMs, limit)
      .map((row) => ({ tenant: numberOf(row.tenant), shard: shardOf(row) }));
  }

  nextEraseAtMs(): number | undefined {
    const row = this.#sql('SELECT MIN(erase_at_ms) AS at FROM shards WHERE erase_at_ms IS NOT NULL').get();
    return typeof row?.at === 'number' ? row.at : undefined;
  }

  /** Up to `limit` shards after an anchor, in anchor order; lost ones are left out: they are not here any more. */
  page(tenant: number, after: AnchorId | undefined, limit: number): ShardRow[] {
    return this.#sql('SELECT * FROM shards WHERE tenant = ? AND anchor > ? AND lost = 0 ORDER BY anchor LIMIT ?')
      .all(tenant, after ? idBytes(after) : new Uint8Array(0), limit)
      .map(shardOf);
  }

  /** All rows whose anchor starts with this byte: what one folder on disk should hold. */
  withPrefix(tenant: number, prefix: number): ShardRow[] {
    const upper = prefix === 255 ? new Uint8Array(33).fill(255) : Uint8Array.of(prefix + 1);
    return this.#sql('SELECT * FROM shards WHERE tenant = ? AND anchor >= ? AND anchor < ?')
      .all(tenant, Uint8Array.of(prefix), upper)
      .map(shardOf);
  }

  /** The receipt of a caller's order. */
  receipt(tenant: number, anchorId: AnchorId, order: OrderId, caller: Hotkey): ReceiptRow | undefined {
    const row = this.#sql(
      `SELECT seq, hold_until_ms, signed FROM receipts WHERE tenant = ? AND anchor = ? AND order_id = ? AND caller = ?`,
    ).get(tenant, idBytes(anchorId), idBytes(order), publicKeyOf(caller));
    if (!row) return undefined;
    return { seq: numberOf(row.seq), holdUntilMs: numberOf(row.hold_until_ms), signed: blobOf(row.signed) };
  }

  addReceipt(tenant: number, anchorId: AnchorId, order: OrderId, caller: Hotkey, receipt: ReceiptRow): void {
    const anchor = idBytes(anchorId);
    this.#sql(
      `INSERT INTO receipts (tenant, anchor, order_id, caller, seq, hold_until_ms, signed) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT DO UPDATE SET seq = excluded.seq, hold_until_ms = excluded.hold_until_ms, signed = excluded.signed`,
    ).run(tenant, anchor, idBytes(order), publicKeyOf(caller), receipt.seq, receipt.holdUntilMs, receipt.signed);
    this.#sql(
      `DELETE FROM receipts WHERE tenant = ?1 AND anchor = ?2 AND seq IN (
         SELECT seq FROM receipts WHERE tenant = ?1 AND anchor = ?2 ORDER BY seq DESC LIMIT -1 OFFSET ${RECEIPTS_PER_SHARD})`,
    ).run(tenant, anchor);
  }

  /** Whose folder this is; undefined when it is new. */
  owner(): Hotkey | undefined {
    return this.#sql('SELECT hotkey FROM miner').get()?.hotkey as Hotkey | undefined;
  }

  /**
   * Starts counting. `floor` (microseconds since 1970) keeps numbers growing even when an older copy of the database
   * was put back: two statements with one `seq` are proof of fraud (por/v1 §9).
   */
  beginSeq(owner: Hotkey, floor: number): void {
    this.#sql(
      'INSERT INTO miner (one, hotkey, seq) VALUES (1, ?, ?) ON CONFLICT DO UPDATE SET seq = MAX(seq, excluded.seq)',
    ).run(owner, floor);
  }

  /** The next `seq`; durable with the transaction it is taken in. */
  nextSeq(): number {
    return numberOf(this.#sql('UPDATE miner SET seq = seq + 1 RETURNING seq').get()?.seq);
  }
}
