/**
 * A shard as proofs are made from it: its file, and the upper levels of its tree (por/v1 §10). The levels come from the
 * row that was written when the shard was stored; when that is missing or does not lead to the shard's own name, they
 * are made anew from the whole file. Of anchor type 2 the row is the only way: without it the shard is lost (zk/v1).
 * Opened by `shard-store.ts` for `answer-challenge.ts`.
 */
import type { FileHandle } from 'node:fs/promises';
import type { Kernel } from '#shared/codec/kernel.ts';
import { fail, type Result } from '#shared/primitives/failure.ts';
import type { AnchorId } from '#shared/primitives/ids.ts';
import { AnchorHasher, anchorIdOf, GROUP_LEAVES, HASH_BYTES, LEAF_BYTES, leafCount } from '#shared/proof/anchor.ts';
import { leafBytesAt } from '#shared/proof/multiproof.ts';
import { type ProverCache, proveFromCache, proverCacheOf, type RotFailure } from '#shared/proof/prover-cache.ts';
import { type NonceSource, provePossession, type ZkRotFailure } from '#shared/proof/zk/prove-possession.ts';
import {
  BLIND_KEY_BYTES,
  ZK_ANCHOR_TYPE,
  type ZkAnchor,
  zkAnchorIdOf,
  zkLevelsOf,
} from '#shared/proof/zk/zk-anchor.ts';
import { POINT_BYTES } from '#shared/proof/zk/zk-kernel.ts';
import type { HashPorts } from './arriving-bytes.ts';

export interface ZkProofPorts extends HashPorts {
  /** One for the whole process. */
  readonly nonces: NonceSource;
}

export interface ProvableShard {
  readonly bytes: number;
  /**
   * The body for these leaves under the round's seed; a failure when what the disk gives is not what was stored.
   * Rejects when the disk does.
   */
  prove(seed: Uint8Array, indices: readonly number[]): Promise<Result<Uint8Array, RotFailure | ZkRotFailure>>;
  close(): Promise<void>;
}

/** One read while a tree is made anew. */
const READ_BYTES = 256 * 1024;

/** The cache when these groups are the shard's own. */
export function cacheFrom(
  kernel: Kernel,
  anchorId: AnchorId,
  bytes: number,
  groups: Uint8Array,
): ProverCache | undefined {
  if (groups.length !== HASH_BYTES * Math.ceil(leafCount(bytes) / GROUP_LEAVES)) return undefined;
  const cache = proverCacheOf(kernel, bytes, groups);
  const root = cache.levels.at(-1);
  return root && anchorIdOf({ root, bytes }) === anchorId ? cache : undefined;
}

/** The groups of a file, read whole; undefined when these are not the bytes that were stored. */
export async function groupsOfFile(
  kernel: Kernel,
  anchorId: AnchorId,
  bytes: number,
  handle: FileHandle,
): Promise<Uint8Array | undefined> {
  const hasher = new AnchorHasher(kernel);
  const piece = new Uint8Array(Math.min(READ_BYTES, Math.max(bytes, LEAF_BYTES)));
  for (let at = 0; at < bytes; ) {
    const { bytesRead } = await handle.read(piece, 0, Math.min(piece.length, bytes - at), at);
    if (bytesRead === 0) return undefined;
    hasher.update(piece.subarray(0, bytesRead));
    at += bytesRead;
  }
  const anchor = hasher.finish();
  return anchorIdOf(anchor) === anchorId ? anchor.groups : undefined;
}

export const provable = (kernel: Kernel, cache: ProverCache, handle: FileHandle): ProvableShard => ({
  bytes: cache.bytes,
  prove: (_seed, indices) => proveFromCache(kernel, cache, indices, (at, count) => readAt(handle, at, count)),
  close: () => handle.close(),
});

/** A shard of anchor type 2; undefined when what was kept of it does not lead to its name. */
export function zkProvable(
  ports: ZkProofPorts,
  anchorId: AnchorId,
  bytes: number,
  material: Uint8Array,
  handle: FileHandle,
): ProvableShard | undefined {
  const blindKey = material.subarray(0, BLIND_KEY_BYTES);
  const commitments = material.subarray(BLIND_KEY_BYTES);
  if (commitments.length !== POINT_BYTES * leafCount(bytes)) return undefined;
  const levels = zkLevelsOf(ports.kernel, commitments);
  const anchor: ZkAnchor = { type: ZK_ANCHOR_TYPE, root: levels.at(-1) as Uint8Array, bytes };
  if (zkAnchorIdOf(anchor) !== anchorId) return undefined;
  return {
    bytes,
    async prove(seed, indices) {
      const leaves = new Map<number, Uint8Array>();
      for (const index of indices) {
        const leaf = await readAt(handle, index * LEAF_BYTES, leafBytesAt(bytes, index));
        if (leaf.length !== leafBytesAt(bytes, index)) {
          return fail({ code: 'zk-bit-rot', fault: 'us', message: `leaf ${index} is not whole` });
        }
        leaves.set(index, leaf);
      }
      const leafAt = (index: number): Uint8Array => leaves.get(index) as Uint8Array;
      const tools = { zk: ports.zkKernel(), nonces: ports.nonces };
      return provePossession(tools, { anchor, blindKey, commitments, levels, leafAt }, seed, indices);
    },
    close: () => handle.close(),
  };
}

async function readAt(handle: FileHandle, at: number, count: number): Promise<Uint8Array> {
  const bytes = new Uint8Array(count);
  const { bytesRead } = await handle.read(bytes, 0, count, at);
  return bytes.subarray(0, bytesRead);
}
