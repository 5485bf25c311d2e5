/**
 * What a miner keeps of a shard's tree (por/v1 §10): the levels from 16-leaf groups upward, 0.39 % of the shard. To
 * answer, it reads the 16 KiB around each sampled leaf again and rebuilds the bottom, so that a flipped bit anywhere
 * in a sampled group shows before it is signed for.
 */
import type { Kernel } from '#shared/codec/kernel.ts';
import { equalBytes } from '#shared/primitives/bytes.ts';
import { type Failure, fail, invariant, type Result, succeed } from '#shared/primitives/failure.ts';
import { GROUP_LEAVES, HASH_BYTES, LEAF_BYTES, levelsOf } from './anchor.ts';
import { buildBody, leafBytesAt, type TreeNode } from './multiproof.ts';

const GROUP_BYTES = GROUP_LEAVES * LEAF_BYTES;
/** 2⁴ leaves in a group. */
const GROUP_LEVEL = 4;

export interface ProverCache {
  readonly bytes: number;
  /** Tree levels from the groups' nodes up to the root. */
  readonly levels: readonly Uint8Array[];
}

/** The disk gives back something else than was anchored; the miner declares the shard missing. */
export interface RotFailure extends Failure {
  readonly code: 'bit-rot';
  /** The 16-leaf group that is damaged. */
  readonly group: number;
}

/** @param groups nodes of the 16-leaf groups in order, as `AnchorHasher.finish` gives them */
export const proverCacheOf = (kernel: Kernel, bytes: number, groups: Uint8Array): ProverCache => ({
  bytes,
  levels: levelsOf(kernel, groups),
});

const nodeIn = (level: Uint8Array | undefined, index: number): Uint8Array =>
  (level as Uint8Array).subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES);

/**
 * The body for these leaves.
 * @param read the shard's bytes [at, at + count), from disk; one read a group
 */
export async function proveFromCache(
  kernel: Kernel,
  cache: ProverCache,
  indices: readonly number[],
  read: (at: number, count: number) => Promise<Uint8Array>,
): Promise<Result<Uint8Array, RotFailure>> {
  const groups = new Map<number, { readonly bytes: Uint8Array; readonly levels: readonly Uint8Array[] }>();
  for (const group of new Set(indices.map((index) => Math.floor(index / GROUP_LEAVES)))) {
    const at = group * GROUP_BYTES;
    const count = Math.min(GROUP_BYTES, cache.bytes - at);
    const bytes = await read(at, count);
    const levels = levelsOf(kernel, kernel.hashLeaves(bytes));
    if (bytes.length !== count || !equalBytes(levels.at(-1) as Uint8Array, nodeIn(cache.levels[0], group))) {
      return fail({
        code: 'bit-rot',
        fault: 'us',
        group,
        message: `bytes from ${at} on are not those that were stored`,
      });
    }
    groups.set(group, { bytes, levels });
  }

  const groupAt = (group: number) => {
    const found = groups.get(group);
    invariant(found, 'only groups of sampled leaves are read from');
    return found;
  };
  const leafAt = (index: number): Uint8Array => {
    const at = (index % GROUP_LEAVES) * LEAF_BYTES;
    return groupAt(Math.floor(index / GROUP_LEAVES)).bytes.subarray(at, at + leafBytesAt(cache.bytes, index));
  };
  const nodeAt = ({ level, index }: TreeNode): Uint8Array => {
    if (level >= GROUP_LEVEL) return nodeIn(cache.levels[level - GROUP_LEVEL], index);
    // A sibling below the groups lies in the group of the leaf that needs it, which was just rebuilt.
    const perGroup = GROUP_LEAVES >> level;
    return nodeIn(groupAt(Math.floor(index / perGroup)).levels[level], index % perGroup);
  };
  return succeed(buildBody(cache.bytes, indices, leafAt, nodeAt));
}
