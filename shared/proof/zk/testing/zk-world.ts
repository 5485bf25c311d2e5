/** A shard of anchor type 2 with all that its miner keeps, for tests, adversaries and benchmarks. */
import type { Kernel } from '#shared/codec/kernel.ts';
import { concatBytes } from '#shared/primitives/bytes.ts';
import type { Random } from '#shared/primitives/effects.ts';
import { sha256 } from '#shared/primitives/sha256.ts';
import { LEAF_BYTES } from '../../anchor.ts';
import type { ZkHolding } from '../prove-possession.ts';
import { zkAnchorOf, zkLevelsOf } from '../zk-anchor.ts';
import type { ZkKernel } from '../zk-kernel.ts';

/** Random bytes that are the same in every run; each draw continues where the last one ended. */
export function seededRandom(seed: number): Random {
  let counter = 0;
  return (bytes) => {
    const blocks = Array.from({ length: Math.ceil(bytes / 32) }, () =>
      sha256(Uint8Array.from([seed, seed >> 8, counter, counter >> 8, counter++ >> 16])),
    );
    return concatBytes(...blocks).slice(0, bytes);
  };
}

/** What an honest miner keeps after storing `shard`. */
export function holdingOf(zk: ZkKernel, hash: Kernel, blindKey: Uint8Array, shard: Uint8Array): ZkHolding {
  const { anchor, commitments } = zkAnchorOf({ zk, hash }, blindKey, shard);
  return {
    anchor,
    blindKey,
    commitments,
    levels: zkLevelsOf(hash, commitments),
    leafAt: (index) => shard.subarray(index * LEAF_BYTES, (index + 1) * LEAF_BYTES),
  };
}
