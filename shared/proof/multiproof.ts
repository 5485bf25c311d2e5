/**
 * The body of a proof (por/v1 §6): the sampled leaves in ascending order, then the sibling hashes that the verifier
 * cannot compute, level by level from the leaves up, left to right. Its length follows from the anchor and the
 * indices; nothing of it is an index, a root or a size. Miners build bodies (also from `prover-cache.ts`), validators
 * and auditors verify them against an anchor of their own record.
 */
import type { Kernel } from '#shared/codec/kernel.ts';
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

/** Hashes a row of leaves, or a row of pairs of nodes, at once: the kernel's, many times faster than one by one. */
export type RowHasher = Pick<Kernel, 'hashLeaves' | 'hashNodes'>;

/** `climb` level by level, every level in one call. @param hashes of the known leaves, in a row */
function climbRows(
  rows: RowHasher,
  leaves: number,
  indices: readonly number[],
  hashes: Uint8Array,
  siblings: Uint8Array,
): Uint8Array {
  let known = indices;
  let nodes = hashes;
  let used = 0;
  for (let width = leaves; width > 1; width = Math.ceil(width / 2)) {
    const pairs = new Uint8Array(2 * HASH_BYTES * known.length);
    const parents: number[] = [];
    let lone: Uint8Array | undefined;
    for (let i = 0; i < known.length; i++) {
      const index = known[i] as number;
      const at = 2 * HASH_BYTES * parents.length;
      const own = nodes.subarray(HASH_BYTES * i, HASH_BYTES * (i + 1));
      const sibling = index ^ 1;
      if (known[i + 1] === sibling) {
        pairs.set(nodes.subarray(HASH_BYTES * i, HASH_BYTES * (i + 2)), at);
        i++;
      } else if (sibling < width) {
        const left = index < sibling;
        pairs.set(own, at + (left ? 0 : HASH_BYTES));
        pairs.set(siblings.subarray(used, used + HASH_BYTES), at + (left ? HASH_BYTES : 0));
        used += HASH_BYTES;
      } else lone = own;
      parents.push(index >> 1);
    }
    // Only the last node of a level can be without a sibling: it moves up as it is.
    const paired = parents.length - (lone ? 1 : 0);
    const above = paired > 0 ? rows.hashNodes(pairs.subarray(0, 2 * HASH_BYTES * paired)) : pairs.subarray(0, 0);
    nodes = lone ? concatBytes(above, lone) : above;
    known = parents;
  }
  invariant(used === siblings.length, 'as many siblings as the indices need');
  return nodes;
}

/**
 * Whether the body holds exactly the asked leaves of the anchored shard.
 * @param anchor of the verifier's own record, never from the prover
 * @param indices as the verifier drew them, ascending
 * @param rows hashes faster, and says the same
 */
export function verifyBody(
  anchor: Anchor,
  indices: readonly number[],
  body: Uint8Array,
  rows?: RowHasher,
): Result<undefined, BodyFailure> {
  const expected = bodyBytesOf(anchor.bytes, indices);
  if (body.length !== expected) {
    const message = `the body has ${body.length} bytes, not ${expected}`;
    return fail({ code: 'body-length', fault: 'peer', message });
  }

  const root = rows ? rootInRows(rows, anchor, indices, body) : rootOneByOne(anchor, indices, body);
  if (!equalBytes(root, anchor.root)) {
    return fail({ code: 'body-root', fault: 'peer', message: 'the body does not belong to the anchored shard' });
  }
  return succeed(undefined);
}

function rootOneByOne(anchor: Anchor, indices: readonly number[], body: Uint8Array): Uint8Array {
  const reader = new ByteReader(body);
  const hashes = indices.map((index) => sha256(LEAF_PREFIX, reader.bytes(leafBytesAt(anchor.bytes, index))));
  return climb(leafCount(anchor.bytes), indices, hashes, reader.bytes(reader.remaining));
}

/** Leaves stand in a row, and only the last of them may be short: just what the kernel hashes. */
function rootInRows(rows: RowHasher, anchor: Anchor, indices: readonly number[], body: Uint8Array): Uint8Array {
  const end = indices.reduce((sum, index) => sum + leafBytesAt(anchor.bytes, index), 0);
  const hashes = rows.hashLeaves(body.subarray(0, end));
  return climbRows(rows, leafCount(anchor.bytes), indices, hashes, body.subarray(end));
}
