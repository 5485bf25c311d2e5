/**
 * A miner's inventory as its tenant's validator keeps it (por/v1 §5): shards in classes by size, each class a dense
 * array, and one hash chain over every change, which rounds commit to before their block exists. Here the chain's
 * step, what selection reads, and the inventory in memory; one that lies in an index follows the same steps.
 */
import { ByteWriter } from '#shared/primitives/bytes.ts';
import { invariant } from '#shared/primitives/failure.ts';
import { type AnchorId, idBytes } from '#shared/primitives/ids.ts';
import { sha256 } from '#shared/primitives/sha256.ts';
import { leafCount } from './anchor.ts';

export interface InventoryShard {
  readonly anchorId: AnchorId;
  readonly bytes: number;
}

/** What selecting shards needs to read. */
export interface InventoryView {
  /** Of all shards together. */
  readonly leaves: number;
  /** By class s; a class that was never used may be all zeros. */
  readonly classes: readonly { readonly leaves: number; readonly shards: number }[];
  shardAt(s: number, slot: number): InventoryShard | Promise<InventoryShard>;
}

/** s = ⌊log₂ leaves⌋. */
export function classOf(bytes: number): number {
  const leaves = leafCount(bytes);
  invariant(leaves < 2 ** 32, 'a shard has fewer than 2³² leaves');
  return 31 - Math.clz32(leaves);
}

export interface InventoryChange extends InventoryShard {
  readonly op: 'add' | 'remove';
  /** Add: where the shard went. Remove: the gap that it left, into which the last of its class moves. */
  readonly slot: number;
}

export const EMPTY_INVENTORY: Uint8Array = new Uint8Array(32);

const ADD = 1;
const REMOVE = 2;

/** H("filetao/por/v1/inventory\0" ‖ inv₃₂ ‖ u8 op(1 add, 2 remove) ‖ u8 s ‖ u32 slot ‖ anchorId₃₂ ‖ u64 bytes). */
export function chainInventory(inventory: Uint8Array, change: InventoryChange): Uint8Array {
  const preimage = new ByteWriter(128)
    .tag('filetao/por/v1/inventory')
    .fixed(inventory, 32)
    .u8(change.op === 'add' ? ADD : REMOVE)
    .u8(classOf(change.bytes))
    .u32(change.slot)
    .fixed(idBytes(change.anchorId), 32)
    .u64(change.bytes);
  return sha256(preimage.finish());
}

/** The inventory in memory: an auditor replays one, tests and small tenants keep one. */
export class Inventory implements InventoryView {
  readonly #classes: InventoryShard[][] = [];
  readonly #slots = new Map<AnchorId, { readonly s: number; slot: number }>();
  readonly #classLeaves: number[] = [];
  hash: Uint8Array = EMPTY_INVENTORY;
  leaves = 0;

  get classes(): { leaves: number; shards: number }[] {
    return this.#classLeaves.map((leaves, s) => ({ leaves, shards: this.#row(s).length }));
  }

  #row(s: number): InventoryShard[] {
    for (let length = this.#classes.length; length <= s; length++) {
      this.#classes.push([]);
      this.#classLeaves.push(0);
    }
    return this.#classes[s] as InventoryShard[];
  }

  #count(s: number, leaves: number): void {
    this.leaves += leaves;
    this.#classLeaves[s] = (this.#classLeaves[s] ?? 0) + leaves;
  }

  shardAt(s: number, slot: number): InventoryShard {
    const shard = this.#row(s)[slot];
    invariant(shard, `no shard in class ${s}, slot ${slot}`);
    return shard;
  }

  has(anchorId: AnchorId): boolean {
    return this.#slots.has(anchorId);
  }

  placeOf(anchorId: AnchorId): { readonly s: number; readonly slot: number } | undefined {
    return this.#slots.get(anchorId);
  }

  /** Appends to the shard's class; an anchor id never comes twice, for no two shards share one. */
  add(shard: InventoryShard): InventoryChange {
    invariant(!this.#slots.has(shard.anchorId), 'an anchor id stands once in an inventory');
    const s = classOf(shard.bytes);
    const row = this.#row(s);
    const slot = row.push(shard) - 1;
    this.#slots.set(shard.anchorId, { s, slot });
    this.#count(s, leafCount(shard.bytes));
    const change: InventoryChange = { op: 'add', slot, anchorId: shard.anchorId, bytes: shard.bytes };
    this.hash = chainInventory(this.hash, change);
    return change;
  }

  /** Takes a shard out; the last of its class moves into the gap. Undefined when it is not there. */
  remove(anchorId: AnchorId): InventoryChange | undefined {
    const place = this.#slots.get(anchorId);
    if (!place) return undefined;
    const { s, slot } = place;
    const row = this.#row(s);
    const { bytes } = this.shardAt(s, slot);
    const last = row.pop() as InventoryShard;
    if (last.anchorId !== anchorId) {
      row[slot] = last;
      this.#slots.set(last.anchorId, { s, slot });
    }
    this.#slots.delete(anchorId);
    this.#count(s, -leafCount(bytes));
    const change: InventoryChange = { op: 'remove', slot, anchorId, bytes };
    this.hash = chainInventory(this.hash, change);
    return change;
  }
}
