/**
 * The sampler (por/v1 §5): a stream of uniform numbers from a tag and a seed, and what is drawn with it: leaves of a
 * shard, shards of an inventory, miners of a block. Whoever has the seed draws the same; nothing else goes in.
 */
import { ByteWriter } from '#shared/primitives/bytes.ts';
import { invariant } from '#shared/primitives/failure.ts';
import type { AnchorId } from '#shared/primitives/ids.ts';
import { sha256 } from '#shared/primitives/sha256.ts';
import { leafCount } from './anchor.ts';
import type { RequestItem } from './challenge-request.ts';
import type { InventoryView } from './inventory.ts';

const VALUE_BYTES = 6;
const VALUES_PER_HASH = 5;
const VALUE_RANGE = 2 ** 48;

/**
 * For c = 0, 1, …: H(tag ‖ seed ‖ u32 c) gives five 48-bit values from its first 30 bytes. One stream per tag and
 * seed: every draw takes its next value, also for a range of 1.
 */
export class Sampler {
  readonly #tag: string;
  readonly #seed: Uint8Array;
  #counter = 0;
  #values: number[] = [];

  constructor(tag: string, seed: Uint8Array) {
    this.#tag = tag;
    this.#seed = seed;
  }

  #next(): number {
    if (this.#values.length === 0) {
      const preimage = new ByteWriter(80)
        .tag(this.#tag)
        .fixed(this.#seed, 32)
        .u32(this.#counter++)
        .finish();
      const hash = sha256(preimage);
      const view = new DataView(hash.buffer, hash.byteOffset, hash.length);
      this.#values = Array.from({ length: VALUES_PER_HASH }, (_, i) => {
        const at = i * VALUE_BYTES;
        return view.getUint16(at) * 2 ** 32 + view.getUint32(at + 2);
      });
    }
    return this.#values.shift() as number;
  }

  /** Uniform in [0, range): values that would favour small numbers, v ≥ ⌊2⁴⁸/range⌋·range, are dropped. */
  draw(range: number): number {
    invariant(Number.isSafeInteger(range) && range >= 1 && range <= VALUE_RANGE, `a range of ${range}`);
    const limit = Math.floor(VALUE_RANGE / range) * range;
    for (;;) {
      const value = this.#next();
      if (value < limit) return value % range;
    }
  }

  /** `count` different numbers of [0, range), in the order drawn; repeats are skipped. */
  distinct(range: number, count: number): number[] {
    invariant(count <= range, `${count} different numbers below ${range}`);
    const drawn = new Set<number>();
    while (drawn.size < count) drawn.add(this.draw(range));
    return [...drawn];
  }
}

/** The leaves asked of a shard, ascending: `count` of them, or every leaf when there are no more. */
export function sampleLeaves(seed: Uint8Array, leaves: number, count: number): number[] {
  if (count >= leaves) return Array.from({ length: leaves }, (_, i) => i);
  return new Sampler('filetao/por/v1/index', seed).distinct(leaves, count).sort((a, b) => a - b);
}

/** Positions in the list of eligible miners, in the order drawn; all of them when fewer are eligible. */
export function pickMiners(blockHash: Uint8Array, eligible: number, count: number): number[] {
  return new Sampler('filetao/pick/v1', blockHash).distinct(eligible, Math.min(count, eligible));
}

/**
 * An inconsistent inventory ends here. The worst honest one has 30 leaves and misses its last with at most 59/60 a
 * draw: 50,000 draws in vain have a probability under 10⁻³⁶⁰.
 */
const MAX_DRAWS = 50_000;

/**
 * Which shards are asked, and how many leaves of each (kᵢ), ascending by anchor id as the request lists them. Bytes are
 * sampled, not shards: x picks a class by its leaves, rejection picks a shard of that class by its leaves. Reads O(K)
 * slots whatever the inventory's size.
 */
export async function selectShards(context: Uint8Array, inventory: InventoryView, k: number): Promise<RequestItem[]> {
  invariant(k <= inventory.leaves, `${k} leaves of ${inventory.leaves}`);
  const sampler = new Sampler('filetao/por/v1/select', context);
  const taken = new Map<AnchorId, number>();
  let draws = 0;

  for (let hits = 0; hits < k; ) {
    let x = sampler.draw(inventory.leaves);
    const s = inventory.classes.findIndex(({ leaves }) => {
      if (x < leaves) return true;
      x -= leaves;
      return false;
    });
    const shards = inventory.classes[s]?.shards ?? 0;
    for (;;) {
      invariant(++draws <= MAX_DRAWS && shards > 0, 'the inventory contradicts its own leaf counts');
      const slot = sampler.draw(shards);
      const u = sampler.draw(2 ** (s + 1));
      const shard = await inventory.shardAt(s, slot);
      const leaves = leafCount(shard.bytes);
      if (u >= leaves) continue;
      const before = taken.get(shard.anchorId) ?? 0;
      if (before < leaves) {
        taken.set(shard.anchorId, before + 1);
        hits++;
      }
      break;
    }
  }
  return [...taken]
    .map(([anchorId, leaves]) => ({ anchorId, leaves }))
    .sort((a, b) => (a.anchorId < b.anchorId ? -1 : 1));
}
