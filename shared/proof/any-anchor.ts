/**
 * What is the same for both kinds of anchor: por/v1's, type 1, and zk/v1's, type 2. Whoever handles shards of either
 * kind (the engines, the planner of rounds, the validator's inventory) asks here. A type is fixed when the file is
 * stored, and the tags of the two ids differ: no shard can pass for one of the other kind.
 */
import type { AnchorId } from '#shared/primitives/ids.ts';
import { type Anchor, anchorIdOf } from './anchor.ts';
import { bodyBytesOf } from './multiproof.ts';
import { ZK_ANCHOR_TYPE, type ZkAnchor, zkAnchorIdOf } from './zk/zk-anchor.ts';
import { zkBodyBytesOf } from './zk/zk-body.ts';

export const POR_ANCHOR_TYPE = 1 as const;
export type AnchorType = typeof POR_ANCHOR_TYPE | typeof ZK_ANCHOR_TYPE;
export type AnyAnchor = Anchor | ZkAnchor;

export const isZkAnchor = (anchor: AnyAnchor): anchor is ZkAnchor => 'type' in anchor;

/** The anchor that a record's root stands for. */
export const anchorOfType = (type: AnchorType, root: Uint8Array, bytes: number): AnyAnchor =>
  type === ZK_ANCHOR_TYPE ? { type, root, bytes } : { root, bytes };

/** The name of a shard whose root a record keeps; of type 1 when the record says no type. */
export const shardIdOf = (type: AnchorType | undefined, root: Uint8Array, bytes: number): AnchorId =>
  idOfAnchor(anchorOfType(type ?? POR_ANCHOR_TYPE, root, bytes));

export const idOfAnchor = (anchor: AnyAnchor): AnchorId =>
  isZkAnchor(anchor) ? zkAnchorIdOf(anchor) : anchorIdOf(anchor);

/** The one length that a body for these leaves has. */
export const bodyBytesOfAnchor = (anchor: AnyAnchor, indices: readonly number[]): number =>
  isZkAnchor(anchor) ? zkBodyBytesOf(anchor.bytes, indices) : bodyBytesOf(anchor.bytes, indices);
