/**
 * The body of a proof (por/v1 §6): the sampled leaves in ascending order, then the sibling hashes that the verifier
 * cannot compute, level by level from the leaves up, left to right. Its length follows from the anchor and the
 * indices; nothing of it is an index, a root or a size. Miners build bodies (also from `prover-cache.ts`), validators
 * and auditors verify them against an anchor of their own record.
 */
import { ByteReader, concatBytes, equalBytes } from '#shared/primitives/bytes.ts';
import { type Failure, fail, invariant, type Result, succeed } from '#shared/primitives/failure.ts';
import { sha256 } from '#shared/primitives/sha256.ts';
import { type Anchor, HASH_BYTES, LEAF_BYTES, leafCount } from './anchor.ts';

const LEAF_PREFIX = Uint8Array.of(0);
const NODE_PREFIX = Uint8Array.of(1);

/** A node of the tree: level 0 are the leaves' hashes. */
export interface TreeNode {
  readonly level: number;
  readonly index: number;
}

/** Length of a leaf: 1024 but for the last, which may be short, and empty only in an empty shard. */
export const leafBytesAt = (bytes: number, index: number): number =>
  Math.min(LEAF_BYTES, Math.max(0, bytes - index * LEAF_BYTES));

function requireIndices(indices: readonly number[], leaves: number): void {
  const valid = indices.every((index, i) => Number.isSafeInteger(index) && index > (indices[i - 1] ?? -1));
  invariant(indices.length > 0 && valid && (indices.at(-1) as number) < leaves, 'indices ascend within the shard');
}

/** Every node whose hash stands in the body, in the body's order. */
export function siblingsOf(leaves: number, indices: readonly number[]): TreeNode[] {
  requireIndices(indices, leaves);
  const siblings: TreeNode[] = [];
  let known = indices;
  for (let level = 0, width = leaves; width > 1; level++, width = Math.ceil(width / 2)) {
    const parents: number[] = [];
    for (let at = 0; at < known.length; at++) {
      const index = known[at] as number;
      const sibling = index ^ 1;
      if (known[at + 1] === sibling) at++;
      else if (sibling < width) siblings.push({ level, index: sibling });
      parents.push(index >> 1);
    }
    known = parents;
  }
  return siblings;
}

/** The one length that a body for these leaves has. */
export function bodyBytesOf(bytes: number, indices: readonly number[]): number {
  const leaves = indices.reduce((sum, index) => sum + leafBytesAt(bytes, index), 0);
  return leaves + HASH_BYTES * siblingsOf(leafCount(bytes), indices).length;
}

/** Joins a body from the leaves' bytes and the tree's nodes, wherever the prover has them. */
export function buildBody(
  bytes: number,
  indices: readonly number[],
  leafAt: (index: number) => Uint8Array,
  nodeAt: (node: TreeNode) => Uint8Array,
): Uint8Array {
  const body = concatBytes(...indices.map(leafAt), ...siblingsOf(leafCount(bytes), indices).map(nodeAt));
  invariant(body.length === bodyBytesOf(bytes, indices), 'leaves and nodes of the shard itself');
  return body;
}

/** A body from a whole tree (`levelsOf` over the leaves' hashes) and a source of leaves. */
export function proveLeaves(
  bytes: number,
  levels: readonly Uint8Array[],
  indices: readonly number[],
  leafAt: (index: number) => Uint8Array,
): Uint8Array {
  return buildBody(bytes, indices, leafAt, ({ level, index }) =>
    (levels[level] as Uint8Array).subarray(index * HASH_BYTES, (index + 1) * HASH_BYTES),
  );
}

export interface BodyFailure extends Failure {
  /** `body-length`: a byte more or less than there must be. `body-root`: it does not hash up to the anchor. */
  readonly code: 'body-length' | 'body-root';
}

/**
 * The root above some leaves' hashes and the siblings that `siblingsOf` lists; both proof types climb here.
 * @param leaves of the whole tree
 * @param indices of the known leaves, ascending; `hashes` are theirs, in that order
 * @param siblings 32 bytes each; the caller has checked that there are as many as there must be
 */
export function climb(
  leaves: number,
  indices: readonly number[],
  hashes: readonly Uint8Array[],
  siblings: Uint8Array,
): Uint8Array {
  invariant(hashes.length === indices.length, 'a hash for each index');
  const reader = new ByteReader(siblings);
  let known = indices.map((index, i) => ({ index, hash: hashes[i] as Uint8Array }));
  for (let width = leaves; width > 1; width = Math.ceil(width / 2)) {
    const parents: typeof known = [];
    for (let i = 0; i < known.length; i++) {
      const { index, hash } = known[i] as (typeof known)[number];
      const sibling = index ^ 1;
      const next = known[i + 1];
      let parent = hash;
      if (next?.index === sibling) {
        parent = sha256(NODE_PREFIX, hash, next.hash);
        i++;
      } else if (sibling < width) {
        const other = reader.bytes(HASH_BYTES);
        parent = index < sibling ? sha256(NODE_PREFIX, hash, other) : sha256(NODE_PREFIX, other, hash);
      }
      parents.push({ index: index >> 1, hash: parent });
    }
    known = parents;
  }
  invariant(reader.finished, 'as many siblings as the indices need');
  return (known[0] as (typeof known)[number]).hash;
}

/**
 * Whether the body holds exactly the asked leaves of the anchored shard.
 * @param anchor of the verifier's own record, never from the prover
 * @param indices as the verifier drew them, ascending
 */
export function verifyBody(
  anchor: Anchor,
  indices: readonly number[],
  body: Uint8Array,
): Result<undefined, BodyFailure> {
  const expected = bodyBytesOf(anchor.bytes, indices);
  if (body.length !== expected) {
    const message = `the body has ${body.length} bytes, not ${expected}`;
    return fail({ code: 'body-length', fault: 'peer', message });
  }

  const reader = new ByteReader(body);
  const hashes = indices.map((index) => sha256(LEAF_PREFIX, reader.bytes(leafBytesAt(anchor.bytes, index))));
  const root = climb(leafCount(anchor.bytes), indices, hashes, reader.bytes(reader.remaining));
  if (!equalBytes(root, anchor.root)) {
    return fail({ code: 'body-root', fault: 'peer', message: 'the body does not belong to the anchored shard' });
  }
  return succeed(undefined);
}
