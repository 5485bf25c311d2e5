/**
 * A shard as proofs are made from it: its file, and the upper levels of its tree (por/v1 §10). The levels come from the
 * row that was written when the shard was stored; when that is missing or does not lead to the shard's own name, they
 * are made anew from the whole file. Opened by `shard-store.ts` for `answer-challenge.ts`.
 */
import type { FileHandle } from 'node:fs/promises';
import type { Kernel } from '#shared/codec/kernel.ts';
import type { Result } from '#shared/primitives/failure.ts';
import type { AnchorId } from '#shared/primitives/ids.ts';
import { AnchorHasher, anchorIdOf, GROUP_LEAVES, HASH_BYTES, LEAF_BYTES, leafCount } from '#shared/proof/anchor.ts';
import { type ProverCache, proveFromCache, proverCacheOf, type RotFailure } from '#shared/proof/prover-cache.ts';

export interface ProvableShard {
  readonly bytes: number;
  /** The body for these leaves; `bit-rot` when a sampled group is not what was stored. Rejects when the disk does. */
  prove(indices: readonly number[]): Promise<Result<Uint8Array, RotFailure>>;
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
  prove: (indices) =>
    proveFromCache(kernel, cache, indices, async (at, count) => {
      const bytes = new Uint8Array(count);
      const { bytesRead } = await handle.read(bytes, 0, count, at);
      return bytes.subarray(0, bytesRead);
    }),
  close: () => handle.close(),
});
