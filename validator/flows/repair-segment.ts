/**
 * One segment of the queue: looked at anew, then as many of its missing and moving shards as miners can hold are brought
 * to others by the rebuild engine. Each is recorded by replacing the slot that it is for, only while that still says
 * what was read; then inventories follow. Whatever is sent was noted before, so that a crash leaves nothing unknown.
 */
import { shardBytesOf } from '#shared/codec/reed-solomon.ts';
import { segmentLength } from '#shared/codec/segment.ts';
import { type FileRecord, IndexUnavailable, type SegmentRecord, type ShardSlot } from '#shared/index/ports.ts';
import { newOrderId } from '#shared/primitives/ids.ts';
import { POR_ANCHOR_TYPE } from '#shared/proof/any-anchor.ts';
import type { WantedShard } from '#shared/transfer/rebuild-ports.ts';
import { rebuildShards } from '#shared/transfer/rebuild-shards.ts';
import { classifySegment, type SegmentNeeds } from '#validator/domain/classify-segment.ts';
import { crowdedShards } from '#validator/domain/crowded-shards.ts';
import type { SegmentName, WaitingSegment, WaitReason } from '#validator/state/repairs.ts';
import type { NetworkView } from './network-view.ts';
import { PlacedRecorder } from './record-placed.ts';
import type { RepairPorts, RepairSettings } from './repair-ports.ts';

export interface SegmentReport {
  readonly outcome: 'done' | 'waits';
  readonly reason?: WaitReason;
  readonly spare: number;
  readonly shards: number;
  readonly shardBytes: number;
  readonly readBytes: number;
  readonly sentBytes: number;
}

const NOTHING_MOVED = { shards: 0, shardBytes: 0, readBytes: 0, sentBytes: 0 };
const waits = (reason: WaitReason, spare: number, moved = NOTHING_MOVED): SegmentReport => ({
  ...{ outcome: 'waits', reason, spare },
  ...moved,
});

export interface LookedAt {
  readonly file: FileRecord;
  readonly record: SegmentRecord;
  readonly needs: SegmentNeeds;
}

/** The segment as it is now; undefined when there is nothing to repair: its file is gone. */
export async function lookAtSegment(
  { files, repairs }: Pick<RepairPorts, 'files' | 'repairs'>,
  view: NetworkView,
  { file: number, segment }: SegmentName,
): Promise<LookedAt | undefined> {
  const file = await files.readFile(number);
  if (!file || segment >= file.segments) return undefined;
  const [record] = await files.readSegments(file, segment, 1);
  if (!record) throw new IndexUnavailable(`file ${number} lacks segment ${segment}`);
  return { file, record, needs: needsOf(repairs, view, file, segment, record) };
}

export function needsOf(
  repairs: Pick<RepairPorts['repairs'], 'lossesOf'>,
  view: NetworkView,
  file: FileRecord,
  segment: number,
  record: SegmentRecord,
): SegmentNeeds {
  const losses = repairs.lossesOf({ file: file.number, segment });
  const isLost = (index: number, slot: ShardSlot) => losses.get(index) === slot.placement;
  return classifySegment(file, record, view.conditionOf, isLost, crowdedShards(file, record, view));
}

/** How long a segment with these needs may wait. */
export const waitMsOf = (needs: SegmentNeeds, delayMs: number): number => (needs.urgent ? 0 : delayMs);

export async function repairSegment(
  ports: RepairPorts,
  settings: RepairSettings,
  view: NetworkView,
  waiting: WaitingSegment,
  signal: AbortSignal,
): Promise<SegmentReport> {
  const { repairs, clock } = ports;
  const seen = await lookAtSegment(ports, view, waiting);
  const nothing = seen === undefined || seen.needs.missing.length + seen.needs.moving.length === 0;
  if (nothing) {
    repairs.forget(waiting);
    return { outcome: 'done', spare: seen?.needs.spare ?? 0, ...NOTHING_MOVED };
  }
  const { file, record, needs } = seen;
  const waitMs = waitMsOf(needs, settings.delayMs);
  if (waiting.sinceMs + waitMs > clock.nowMs()) {
    repairs.enqueue(waiting, needs.spare, waitMs, 'not-yet-due');
    return waits('not-yet-due', needs.spare);
  }
  const name = { file: file.number, segment: waiting.segment };
  const report = await rebuild(ports, settings, view, name, file, record, needs, signal);
  if (report.outcome === 'done') repairs.forget(waiting);
  return report;
}

async function rebuild(
  ports: RepairPorts,
  settings: RepairSettings,
  view: NetworkView,
  name: SegmentName,
  file: FileRecord,
  record: SegmentRecord,
  needs: SegmentNeeds,
  signal: AbortSignal,
): Promise<SegmentReport> {
  const { repairs, clock, log } = ports;
  const secret = await ports.maskSecrets.of(file.maskEpoch);
  if (!secret.ok) {
    log.warn('repair-without-secret', { file: file.number, message: secret.failure.message });
    return waits('mask-secret', needs.spare);
  }
  const bytes = segmentLength(file.bytes, file.segmentBytes, name.segment);
  const shardBytes = shardBytesOf(bytes, file.k);
  const wanted = wantedOf(ports, name, record, needs);
  const free = view.candidates.filter(({ number }) => !record.slots.some((slot) => slot.miner === number)).length;
  const moves = needs.missing.length === 0 ? wanted.length : file.k;
  // What cannot be placed is not read, and costs no bandwidth.
  if (free > 0) await ports.bandwidth.take((moves + Math.min(free, wanted.length)) * shardBytes, signal);

  const { number, fileId, k, n, codingId, anchorType = POR_ANCHOR_TYPE, maskEpoch } = file;
  const recording = new PlacedRecorder(ports, view, name, record, { shardBytes, anchorType });
  const outcome = await rebuildShards(
    ports.transfer,
    {
      coding: { number, fileId, k, n, codingId, anchorType, maskEpoch, maskSecret: secret.value },
      fileBytes: file.bytes,
      segment: { index: name.segment, bytes, record: withLosses(record, repairs.lossesOf(name)) },
      wanted,
      sources: view.sources,
      candidates: view.candidates,
      order: newOrderId(ports.transfer.random),
      holdUntilMs: clock.nowMs() + settings.holdMs,
      budget: ports.budget,
      signal,
    },
    {
      onPlacing: ({ shardIndex, placement, miner, anchorId }) =>
        repairs.begin({ ...name, shardIndex, placement, miner: miner.number, hotkey: miner.hotkey, anchorId }),
      onPlaced: (shard) => recording.record(shard),
      onComplaint: ({ shardIndex, slot, what }) => {
        log.info('repair-read-failed', { ...name, shardIndex, miner: view.hotkeyOf(slot.miner), what });
        // Wrong or absent is certain: the shard counts as lost from here on. Unreachable is the monitor's to judge.
        if (what !== 'unreachable') recording.lose(shardIndex, slot, what);
      },
    },
  );
  if (!outcome.ok) return waits(outcome.failure.code, needs.spare);
  const { placed, unplaced, strays, readBytes, sentBytes } = outcome.value;
  await recording.leave(strays);
  const spare = needs.spare + placed.filter(({ shardIndex }) => needs.missing.includes(shardIndex)).length;
  const moved = { shards: recording.recorded, shardBytes, readBytes, sentBytes };
  log.info('segment-repaired', { ...name, ...moved, unplaced: unplaced.length, spare });
  if (recording.recorded === wanted.length && recording.found === 0) return { outcome: 'done', spare, ...moved };
  const reason = recording.recorded < placed.length || strays.length > 0 ? 'record-changed' : 'not-all-placed';
  return waits(reason, spare, moved);
}

/** Missing ones first: when there is no room for all, what moves is served still. */
function wantedOf(
  { repairs }: Pick<RepairPorts, 'repairs'>,
  name: SegmentName,
  { slots }: SegmentRecord,
  { missing, moving }: SegmentNeeds,
): readonly WantedShard[] {
  const want = (movable: boolean) => (shardIndex: number) => {
    const used = Math.max(slots[shardIndex]?.placement ?? 0, repairs.lastPlacement(name, shardIndex));
    return { shardIndex, placement: used + 1, movable };
  };
  return [...missing.map(want(false)), ...moving.map(want(true))];
}

/** The record as the engine shall read it: nobody is asked for a shard that is known to be lost. */
const withLosses = (record: SegmentRecord, losses: ReadonlyMap<number, number>): SegmentRecord => ({
  ...record,
  slots: record.slots.map((slot, index) =>
    losses.get(index) === slot.placement && slot.state === 'stored' ? { ...slot, state: 'lost' } : slot,
  ),
});
