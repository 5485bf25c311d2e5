/** What `bench/zk.ts` measures on: one shard of 1 MiB with both kinds of anchor, and 30 shards for a round's batch. */
import { randomBytes } from 'node:crypto';
import { loadNodeKernel } from '#shared/codec/node-kernel.ts';
import { AnchorHasher, anchorOf, LEAF_BYTES, leafCount, levelsOf } from '#shared/proof/anchor.ts';
import { proverCacheOf } from '#shared/proof/prover-cache.ts';
import { sampleLeaves } from '#shared/proof/sample.ts';
import { NonceSource, provePossession, type ZkHolding } from '#shared/proof/zk/prove-possession.ts';
import { holdingOf } from '#shared/proof/zk/testing/zk-world.ts';
import type { ZkItem } from '#shared/proof/zk/verify-possession.ts';
import type { ZkKernel } from '#shared/proof/zk/zk-kernel.ts';

export const SHARD_BYTES = 1024 * LEAF_BYTES;
export const ASKED = 30;
export const hash = loadNodeKernel();
export const random = (bytes: number): Uint8Array => new Uint8Array(randomBytes(bytes));
export const nonces = new NonceSource(random);
export const seed = random(32);
export const blindKey = random(32);
export const shard = random(SHARD_BYTES);

const hasher = new AnchorHasher(hash);
hasher.update(shard);

export const por = {
  cache: proverCacheOf(hash, SHARD_BYTES, hasher.finish().groups),
  read: async (at: number, count: number) => shard.subarray(at, at + count),
  anchor: anchorOf(hash, shard),
  levels: levelsOf(hash, hash.hashLeaves(shard)),
  indices: sampleLeaves(seed, leafCount(SHARD_BYTES), ASKED),
  leafAt: (index: number) => shard.subarray(index * LEAF_BYTES, (index + 1) * LEAF_BYTES),
};

export function prove(zk: ZkKernel, holding: ZkHolding, indices: readonly number[]): Uint8Array {
  const proof = provePossession({ zk, nonces }, holding, seed, indices);
  if (!proof.ok) throw new Error(proof.failure.message);
  return proof.value;
}

/** As a round mostly asks: 30 leaves of 30 shards. */
export function roundOf(zk: ZkKernel): readonly ZkItem[] {
  return Array.from({ length: ASKED }, () => {
    const holding = holdingOf(zk, hash, blindKey, random(4 * LEAF_BYTES));
    return { anchor: holding.anchor, seed, indices: [2], body: prove(zk, holding, [2]) };
  });
}
