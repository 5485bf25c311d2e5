/**
 * The state of a segment's shards while they are fetched, and the order in which holders are asked. No effects in here:
 * `segment-fetch.ts` acts, this answers.
 */
import { shardBytesOf } from '#shared/codec/reed-solomon.ts';
import type { ShardSlot } from '#shared/index/ports.ts';
import type { AnchorId } from '#shared/primitives/ids.ts';
import { shardIdOf } from '#shared/proof/any-anchor.ts';
import type { FetchRequest, FetchSegment, Latencies, Peer } from './ports.ts';

export interface Holder {
  readonly shardIndex: number;
  readonly slot: ShardSlot;
  readonly peer: Peer;
  readonly anchorId: AnchorId;
  /**
   * idle: may be asked · asked: its answer is awaited · right: its shard is here · broken: its connection failed after
   * it had worked, one more question is worth it · gone: nothing more can be had
   */
  state: 'idle' | 'asked' | 'right' | 'broken' | 'gone';
  /** When its request left; or was queued, while it is. */
  askedAtMs: number;
  queued: boolean;
  /** What its request took for an earlier shard, the way there and back included; undefined for its first one. */
  wayMs: number | undefined;
  late: boolean;
}

/**
 * A parity shard must be expected so much sooner than a data shard to be preferred: decoding costs, joining does not.
 */
const PARITY_FACTOR = 1.25;
const PARITY_MS = 15;

/** Holders of a segment that can be asked, the one to ask first in front. */
export function rankedHolders(request: FetchRequest, latencies: Latencies, segment: FetchSegment): readonly Holder[] {
  const { k, anchorType } = request.coding;
  const bytes = shardBytesOf(segment.bytes, k);
  const ranked: { holder: Holder; ms: number }[] = [];
  for (const [shardIndex, slot] of segment.record.slots.entries()) {
    const peer = slot.state === 'stored' ? request.peers.get(slot.miner) : undefined;
    if (!peer) continue;
    const anchorId = shardIdOf(anchorType, slot.root, bytes);
    const expectedMs = latencies.expectedMs(slot.miner, 'fetch', bytes);
    const ms = shardIndex < k ? expectedMs : PARITY_MS + PARITY_FACTOR * expectedMs;
    ranked.push({
      holder: {
        shardIndex,
        slot,
        peer,
        anchorId,
        state: 'idle',
        askedAtMs: 0,
        queued: false,
        wayMs: undefined,
        late: false,
      },
      ms,
    });
  }
  return ranked.sort((a, b) => a.ms - b.ms).map(({ holder }) => holder);
}

export const countOf = (holders: readonly Holder[], ...states: readonly Holder['state'][]): number =>
  holders.filter((holder) => states.includes(holder.state)).length;

/** Questions open at a time, late ones included: bounds the buffers that answers need. */
export const maxAsked = (k: number): number => (k <= 2 ? k + 1 : k + 2);

/** Unmasked shards in the making: one at k ≤ 4, several small ones. */
const UNMASKED_BYTES = 2 ** 20;

/** What unmasking may hold at a time. */
export const unmaskBytes = (k: number, segmentBytes: number): number =>
  Math.max(shardBytesOf(segmentBytes, k), Math.min(UNMASKED_BYTES, k * shardBytesOf(segmentBytes, k)));

/** All that a segment needs at once: itself (padded), the answers on their way, and what is being unmasked. */
export function fetchBytes(k: number, segmentBytes: number): number {
  const shardBytes = shardBytesOf(segmentBytes, k);
  const joined = k === 1 ? 0 : k * shardBytes;
  return joined + maxAsked(k) * shardBytes + unmaskBytes(k, segmentBytes);
}
