/**
 * The anchor of a shard: root of its hash tree and its length, fixed at store time by whoever had the bytes, and the
 * only thing a proof is ever judged against (por/v1 §2). The shape is RFC 6962's for trees that are not empty:
 * leaf = H(0x00 ‖ bytes), node = H(0x01 ‖ left ‖ right), a lone node moves up unchanged; an empty shard is one empty
 * leaf. The engines anchor whole shards with `anchorOf`, the miner streams through `AnchorHasher` as it writes to disk.
 */
import type { Kernel } from '#shared/codec/kernel.ts';
import { ByteWriter, concatBytes } from '#shared/primitives/bytes.ts';
import { invariant } from '#shared/primitives/failure.ts';
import { type AnchorId, hexId } from '#shared/primitives/ids.ts';
import { sha256 } from '#shared/primitives/sha256.ts';

/** L, the leaf size of v1. It stands in the anchor id, so that another size is another name. */
export const LEAF_BYTES = 1024;
export const HASH_BYTES = 32;
/** Leaves below one node of the prover's cache (por/v1 §10); 2⁴, so the cache begins at tree level 4. */
export const GROUP_LEAVES = 16;
const GROUP_LEVEL = 4;

export interface Anchor {
  readonly root: Uint8Array;
  /** Length of the shard; the last leaf may be short. */
  readonly bytes: number;
}

/** n = max(1, ⌈bytes / 1024⌉). */
export const leafCount = (bytes: number): number => Math.max(1, Math.ceil(bytes / LEAF_BYTES));

/** H("filetao/por/v1/anchor\0" ‖ u32 L ‖ u64 bytes ‖ root). A bare root would accept proofs that lie about the length. */
export function anchorIdOf(anchor: Anchor): AnchorId {
  const preimage = new ByteWriter(80).tag('filetao/por/v1/anchor').u32(LEAF_BYTES).u64(anchor.bytes);
  return hexId<AnchorId>(sha256(preimage.fixed(anchor.root, HASH_BYTES).finish()), 32);
}

/** All levels above and including `nodes`, bottom first; each is its 32-byte nodes in a row, the last holds the root. */
export function levelsOf(kernel: Pick<Kernel, 'hashNodes'>, nodes: Uint8Array): Uint8Array[] {
  invariant(nodes.length >= HASH_BYTES && nodes.length % HASH_BYTES === 0, 'a level has at least one whole node');
  const levels = [nodes];
  for (let level = nodes; level.length > HASH_BYTES; ) {
    level = kernel.hashNodes(level);
    levels.push(level);
  }
  return levels;
}

export function rootOf(kernel: Kernel, nodes: Uint8Array): Uint8Array {
  return levelsOf(kernel, nodes).at(-1) as Uint8Array;
}

export function anchorOf(kernel: Kernel, shard: Uint8Array): Anchor {
  return { root: rootOf(kernel, kernel.hashLeaves(shard)), bytes: shard.length };
}

const NONE: Uint8Array = new Uint8Array(0);

/**
 * The anchor of a shard that arrives in chunks of any size. Holds less than one leaf, one node per tree level, and the
 * nodes above each 16 leaves (0.2 % of the shard: 128 KiB for 64 MiB), which the prover's cache begins with.
 */
export class AnchorHasher {
  readonly #kernel: Kernel;
  /** Bytes of a leaf that is not yet full. */
  readonly #rest = new Uint8Array(LEAF_BYTES);
  #restBytes = 0;
  #bytes = 0;
  /** Per level at most one node, which waits for its right sibling. */
  readonly #waiting: Uint8Array[] = [];
  readonly #groups: Uint8Array[] = [];

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  update(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    let at = 0;
    if (this.#restBytes > 0) {
      at = Math.min(LEAF_BYTES - this.#restBytes, chunk.length);
      this.#rest.set(chunk.subarray(0, at), this.#restBytes);
      this.#restBytes += at;
      if (this.#restBytes < LEAF_BYTES) return;
      this.#push(0, this.#kernel.hashLeaves(this.#rest));
      this.#restBytes = 0;
    }
    const whole = chunk.length - ((chunk.length - at) % LEAF_BYTES);
    if (whole > at) this.#push(0, this.#kernel.hashLeaves(chunk.subarray(at, whole)));
    this.#rest.set(chunk.subarray(whole));
    this.#restBytes = chunk.length - whole;
  }

  /** Appends finished nodes to a level and carries every pair upwards. */
  #push(level: number, nodes: Uint8Array): void {
    for (let at = level, rising = nodes; rising.length > 0; at++) {
      if (at === GROUP_LEVEL) this.#groups.push(rising.slice());
      const waiting = this.#waiting[at] ?? NONE;
      const row = waiting.length > 0 ? concatBytes(waiting, rising) : rising;
      const paired = row.length - (row.length % (2 * HASH_BYTES));
      this.#waiting[at] = row.slice(paired);
      rising = paired > 0 ? this.#kernel.hashNodes(row.subarray(0, paired)) : NONE;
    }
  }

  /** The anchor of everything so far, and the level of 16-leaf groups. Ends the hasher: call it once. */
  finish(): Anchor & { readonly groups: Uint8Array } {
    if (this.#restBytes > 0 || this.#bytes === 0) {
      this.#push(0, this.#kernel.hashLeaves(this.#rest.subarray(0, this.#restBytes)));
    }
    // What still waits has no right sibling: it moves up until it meets a node that waits to its left.
    let carried = NONE;
    for (let level = 0; level < this.#waiting.length; level++) {
      if (level === GROUP_LEVEL && carried.length > 0) this.#groups.push(carried);
      const row = concatBytes(this.#waiting[level] ?? NONE, carried);
      carried = row.length > HASH_BYTES ? this.#kernel.hashNodes(row) : row;
    }
    if (this.#waiting.length <= GROUP_LEVEL) this.#groups.push(carried);
    return { root: carried, bytes: this.#bytes, groups: concatBytes(...this.#groups) };
  }
}
