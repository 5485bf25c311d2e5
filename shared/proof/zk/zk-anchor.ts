/**
 * Anchor type 2: the tree of por/v1 over the leaves' commitments instead of their bytes (zk/v1). Whoever has shard and
 * blind key makes it: the client or edge that stores, the miner before it signs the receipt, as the bytes come in. It
 * keeps the commitments (3.1 % of the shard): a proof consists of them.
 */
import type { Kernel } from '#shared/codec/kernel.ts';
import { ByteWriter, concatBytes } from '#shared/primitives/bytes.ts';
import { type AnchorId, hexId } from '#shared/primitives/ids.ts';
import { sha256 } from '#shared/primitives/sha256.ts';
import { type Anchor, HASH_BYTES, LEAF_BYTES, leafCount, levelsOf } from '../anchor.ts';
import { leafRows } from './leaf-rows.ts';
import { POINT_BYTES, type ZkKernel } from './zk-kernel.ts';

/** As it stands in targets, `type=2`. por/v1's is type 1. */
export const ZK_ANCHOR_TYPE = 2 as const;
/** Random, or as good as random, for each shard; known to its miner and to whoever masked it. */
export const BLIND_KEY_BYTES = 32;

export interface ZkAnchor extends Anchor {
  readonly type: typeof ZK_ANCHOR_TYPE;
}

export interface ZkAnchored {
  readonly anchor: ZkAnchor;
  /** C_i in order, 32 bytes each. */
  readonly commitments: Uint8Array;
}

/** What making an anchor needs; `hashNodes` of the coding kernel, for the tree. */
export interface ZkAnchorPorts {
  readonly zk: Pick<ZkKernel, 'commit'>;
  readonly hash: Pick<Kernel, 'hashNodes'>;
}

/** Leaves committed to at once: enough to fill the kernel's batches, 280 KiB of rows. */
const BATCH_LEAVES = 256;
const BATCH_BYTES = BATCH_LEAVES * LEAF_BYTES;
const LEAF_PREFIX = Uint8Array.of(0);

/** H("filetao/zk/v1/anchor\0" ‖ u32 1024 ‖ u64 bytes ‖ root): a tag of its own, so that types never mix. */
export function zkAnchorIdOf(anchor: ZkAnchor): AnchorId {
  const preimage = new ByteWriter(80).tag('filetao/zk/v1/anchor').u32(LEAF_BYTES).u64(anchor.bytes);
  return hexId<AnchorId>(sha256(preimage.fixed(anchor.root, HASH_BYTES).finish()), 32);
}

/** H(0x00 ‖ C_i). */
export const commitmentHash = (commitment: Uint8Array): Uint8Array => sha256(LEAF_PREFIX, commitment);

export const commitmentAt = (commitments: Uint8Array, index: number): Uint8Array =>
  commitments.subarray(index * POINT_BYTES, (index + 1) * POINT_BYTES);

/** The tree's levels over C_0 …, bottom first, as `proveLeaves` of por/v1 has them; the last is the root. */
export function zkLevelsOf(hash: Pick<Kernel, 'hashNodes'>, commitments: Uint8Array): Uint8Array[] {
  const hashes = new Uint8Array(commitments.length);
  for (let i = 0; i * POINT_BYTES < commitments.length; i++) {
    hashes.set(commitmentHash(commitmentAt(commitments, i)), i * HASH_BYTES);
  }
  return levelsOf(hash, hashes);
}

/** C_i of a stretch of leaves, batch by batch: what a worker thread is given. */
export function commitLeaves(
  zk: Pick<ZkKernel, 'commit'>,
  blindKey: Uint8Array,
  bytes: Uint8Array,
  first: number,
): Uint8Array {
  const commitments = new Uint8Array(leafCount(bytes.length) * POINT_BYTES);
  for (let at = 0, leaf = 0; leaf === 0 || at < bytes.length; at += BATCH_BYTES, leaf += BATCH_LEAVES) {
    const rows = leafRows(bytes.subarray(at, at + BATCH_BYTES), blindKey, first + leaf);
    commitments.set(zk.commit(rows), leaf * POINT_BYTES);
  }
  return commitments;
}

/** The anchor of commitments that were made elsewhere, in worker threads for example. */
export function zkAnchorFrom(hash: Pick<Kernel, 'hashNodes'>, commitments: Uint8Array, bytes: number): ZkAnchored {
  const root = zkLevelsOf(hash, commitments).at(-1) as Uint8Array;
  return { anchor: { type: ZK_ANCHOR_TYPE, root, bytes }, commitments };
}

export function zkAnchorOf(ports: ZkAnchorPorts, blindKey: Uint8Array, shard: Uint8Array): ZkAnchored {
  return zkAnchorFrom(ports.hash, commitLeaves(ports.zk, blindKey, shard, 0), shard.length);
}

/** The anchor of a shard that arrives in chunks of any size; holds one batch of leaves and the commitments so far. */
export class ZkAnchorHasher {
  readonly #ports: ZkAnchorPorts;
  readonly #blindKey: Uint8Array;
  readonly #batch = new Uint8Array(BATCH_BYTES);
  readonly #commitments: Uint8Array[] = [];
  #batchBytes = 0;
  #leaves = 0;
  #bytes = 0;

  constructor(ports: ZkAnchorPorts, blindKey: Uint8Array) {
    this.#ports = ports;
    this.#blindKey = blindKey.slice();
  }

  update(chunk: Uint8Array): void {
    this.#bytes += chunk.length;
    for (let at = 0; at < chunk.length; ) {
      const taken = Math.min(BATCH_BYTES - this.#batchBytes, chunk.length - at);
      this.#batch.set(chunk.subarray(at, at + taken), this.#batchBytes);
      this.#batchBytes += taken;
      at += taken;
      if (this.#batchBytes === BATCH_BYTES) this.#commit();
    }
  }

  #commit(): void {
    const bytes = this.#batch.subarray(0, this.#batchBytes);
    this.#commitments.push(commitLeaves(this.#ports.zk, this.#blindKey, bytes, this.#leaves));
    this.#leaves += leafCount(bytes.length);
    this.#batchBytes = 0;
  }

  /** The anchor of everything so far. Ends the hasher: call it once. */
  finish(): ZkAnchored {
    if (this.#batchBytes > 0 || this.#bytes === 0) this.#commit();
    return zkAnchorFrom(this.#ports.hash, concatBytes(...this.#commitments), this.#bytes);
  }
}
