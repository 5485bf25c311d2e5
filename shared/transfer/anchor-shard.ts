/**
 * How masked shards are anchored, and checked against the root that the manifest has. Type 1 is a hash tree over the
 * bytes. Type 2 (zk/v1) commits to every leaf under a blind key, which is derived per placing from the file's coding
 * key: new for every shard and every repair, sent to the miner alone, and whoever may unmask a shard can check it.
 */
import type { Kernel } from '#shared/codec/kernel.ts';
import { equalBytes } from '#shared/primitives/bytes.ts';
import { anchorOf } from '#shared/proof/anchor.ts';
import { type AnchorType, type AnyAnchor, POR_ANCHOR_TYPE } from '#shared/proof/any-anchor.ts';
import { blindKeyOf, type ShardPlace } from '#shared/proof/mask.ts';
import { ZK_ANCHOR_TYPE, zkAnchorOf } from '#shared/proof/zk/zk-anchor.ts';
import type { ZkKernel } from '#shared/proof/zk/zk-kernel.ts';

export interface AnchorPorts {
  readonly kernel: Kernel;
  /** Made when first asked for: its tables cost 18 MiB and 0.1 s. */
  readonly zkKernel: () => ZkKernel;
}

/** What the anchors of a file's shards are made with. */
export interface Anchoring {
  /** Absent: type 1. */
  readonly anchorType?: AnchorType | undefined;
  readonly codingKey: Uint8Array;
}

export function anchorShard(
  { kernel, zkKernel }: AnchorPorts,
  { anchorType = POR_ANCHOR_TYPE, codingKey }: Anchoring,
  place: ShardPlace,
  masked: Uint8Array,
): { readonly anchor: AnyAnchor; readonly blindKey?: Uint8Array } {
  if (anchorType !== ZK_ANCHOR_TYPE) return { anchor: anchorOf(kernel, masked) };
  const blindKey = blindKeyOf(codingKey, place);
  return { anchor: zkAnchorOf({ zk: zkKernel(), hash: kernel }, blindKey, masked).anchor, blindKey };
}

/** Whether these bytes are the shard with this root. Of type 2: 0.3 s a MiB. */
export const isAnchored = (
  ports: AnchorPorts,
  anchoring: Anchoring,
  place: ShardPlace,
  masked: Uint8Array,
  root: Uint8Array,
): boolean => equalBytes(anchorShard(ports, anchoring, place, masked).anchor.root, root);
