/**
 * The anchors that a manifest names: a slot keeps a shard's root alone, because its length follows from the file. Used
 * by everything that has to speak about a stored shard to its miner: drops, collection, later audits and repair.
 */
import { shardBytesOf } from '#shared/codec/reed-solomon.ts';
import { segmentLength } from '#shared/codec/segment.ts';
import type { FileRecord, SegmentRecord, ShardSlot } from '#shared/index/ports.ts';
import type { AnchorId } from '#shared/primitives/ids.ts';
import { shardIdOf } from '#shared/proof/any-anchor.ts';

export interface NamedShard {
  readonly segment: number;
  readonly shardIndex: number;
  readonly slot: ShardSlot;
  readonly anchorId: AnchorId;
  readonly bytes: number;
}

export type CodedFile = Pick<FileRecord, 'bytes' | 'segmentBytes' | 'k' | 'anchorType'>;

/** The shards of one segment; slots that were never filled ('lost') are named too, as nobody may hold them. */
export function namedShards(file: CodedFile, segment: number, record: SegmentRecord): readonly NamedShard[] {
  const bytes = shardBytesOf(segmentLength(file.bytes, file.segmentBytes, segment), file.k);
  return record.slots.map((slot, shardIndex) => ({
    segment,
    shardIndex,
    slot,
    anchorId: shardIdOf(file.anchorType, slot.root, bytes),
    bytes,
  }));
}
