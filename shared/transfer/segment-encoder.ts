/**
 * One segment's way from bytes to frames: coded, masked for one miner, anchored, labelled. Shards come in row groups,
 * so that parity (one and a half times the segment) never needs its memory all at once; a single shard can be made
 * again at any time, for another miner or the same one. Used by the store engine and by repair (por/v1 §2, §3, §9).
 */
import { encodeRows, shardBytesOf, splitSegment } from '#shared/codec/reed-solomon.ts';
import type { Random } from '#shared/primitives/effects.ts';
import { type Hotkey, refOf } from '#shared/primitives/ids.ts';
import { idOfAnchor } from '#shared/proof/any-anchor.ts';
import { type LabelKey, labelKeyOf, sealLabel } from '#shared/proof/label.ts';
import { codingKeyOf, maskKeyOf, maskShard } from '#shared/proof/mask.ts';
import type { ShardFrame } from '#shared/wire/ports.ts';
import { type AnchorPorts, anchorShard } from './anchor-shard.ts';
import type { FileCoding, TransferPorts } from './ports.ts';

/** Parity made in one go: 2 MiB is the largest parity shard there is (k = 2), and 8 rows at (16, 40). */
export const ROW_GROUP_BYTES = 2 * 2 ** 20;

/** What is derived from the mask secret once a file. */
export interface FileKeys {
  readonly codingKey: Uint8Array;
  readonly labelKey: LabelKey;
}

export async function fileKeysOf(coding: FileCoding): Promise<FileKeys> {
  return {
    codingKey: codingKeyOf(coding.maskSecret, coding.codingId),
    labelKey: await labelKeyOf(coding.maskSecret, coding.maskEpoch),
  };
}

/** What making a shard's frame takes. */
export type SealPorts = AnchorPorts & { readonly random: Random; readonly letGo?: TransferPorts['letGo'] };

export interface EncodedShard {
  readonly root: Uint8Array;
  readonly frame: ShardFrame;
}

/** What frames carry beside the shard. */
export interface FrameTerms {
  readonly holdUntilMs: number;
  /** Bytes of the whole file, when known: part of the label. */
  readonly fileBytes?: number;
}

export class SegmentEncoder {
  readonly shardBytes: number;
  readonly #ports: SealPorts;
  readonly #coding: FileCoding;
  readonly #keys: FileKeys;
  readonly #terms: FrameTerms;
  readonly #segment: number;
  readonly #segmentBytes: number;
  readonly #dataShards: readonly Uint8Array[];

  constructor(
    ports: SealPorts,
    coding: FileCoding,
    keys: FileKeys,
    terms: FrameTerms,
    segment: number,
    bytes: Uint8Array,
  ) {
    this.#ports = ports;
    this.#coding = coding;
    this.#keys = keys;
    this.#terms = terms;
    this.#segment = segment;
    this.#segmentBytes = bytes.length;
    this.#dataShards = splitSegment(bytes, coding.k);
    this.shardBytes = shardBytesOf(bytes.length, coding.k);
  }

  /** All shard indices: the data shards, then parity in groups of at most `ROW_GROUP_BYTES`. Copies need no coding. */
  rowGroups(): readonly (readonly number[])[] {
    const { k, n } = this.#coding;
    if (k === 1) return [Array.from({ length: n }, (_, index) => index)];
    const rows = Math.max(1, Math.floor(ROW_GROUP_BYTES / this.shardBytes));
    const groups = [Array.from({ length: k }, (_, index) => index)];
    for (let from = k; from < n; from += rows) {
      groups.push(Array.from({ length: Math.min(rows, n - from) }, (_, i) => from + i));
    }
    return groups;
  }

  /** Coded shards before their mask: data as views of the segment, parity in new buffers. */
  code(indices: readonly number[]): readonly Uint8Array[] {
    const [whole] = this.#dataShards;
    if (this.#coding.k === 1 && whole) return indices.map(() => whole);
    return encodeRows(this.#ports.kernel, this.#dataShards, this.#coding.k, indices);
  }

  /** Frees what `code` has made, once it is masked: parity, but not the views of the segment. */
  letGoCoded(coded: readonly Uint8Array[]): void {
    const { letGo } = this.#ports;
    if (!letGo) return;
    for (const shard of coded) if (!this.#dataShards.includes(shard)) letGo(shard);
  }

  /** Masks a coded shard for one placing of it, anchors and labels it. The frame's shard is a buffer of its own. */
  encode(shardIndex: number, coded: Uint8Array, placement: number, miner: Hotkey): Promise<EncodedShard> {
    const place = { segment: this.#segment, segmentBytes: this.#segmentBytes, shardIndex, placement, miner };
    return sealShard(this.#ports, this.#coding, this.#keys, this.#terms, place, coded);
  }
}

/** Where a coded shard goes, and the segment it is of. */
export interface SealedPlace {
  readonly segment: number;
  readonly segmentBytes: number;
  readonly shardIndex: number;
  readonly placement: number;
  readonly miner: Hotkey;
}

/** The frame of one coded shard for one placing: masked, anchored, labelled. */
export async function sealShard(
  ports: SealPorts,
  { fileId, codingId, number, k, n, anchorType }: FileCoding,
  keys: FileKeys,
  { holdUntilMs, fileBytes }: FrameTerms,
  { segment, segmentBytes, shardIndex, placement, miner }: SealedPlace,
  coded: Uint8Array,
): Promise<EncodedShard> {
  const { codingKey } = keys;
  const place = { segment, shardIndex, placement, miner };
  const shard = await maskShard(maskKeyOf(codingKey, place), coded);
  const { anchor, blindKey } = anchorShard(ports, { codingKey, anchorType }, place, shard);
  const anchorId = idOfAnchor(anchor);
  const described = { fileId, codingId, segment, shardIndex, placement, k, n, segmentBytes };
  const label = await sealLabel(
    keys.labelKey,
    { anchorId, miner },
    fileBytes === undefined ? described : { ...described, fileBytes },
    ports.random,
  );
  const frame = { anchorId, ref: refOf(number, segment), holdUntilMs, label, shard, ...(blindKey && { blindKey }) };
  return { root: anchor.root, frame };
}
