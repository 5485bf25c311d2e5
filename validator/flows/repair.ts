/**
 * The repair job: takes due segments from the queue, worst first, a few at a time, until none is due. A segment that
 * cannot be repaired now waits, longer each time, with the reason; none holds up another. What an earlier run left
 * unsettled (a crash, an index that did not answer) is cleared up first.
 */
import { IndexUnavailable } from '#shared/index/ports.ts';
import { idBytes, refOf } from '#shared/primitives/ids.ts';
import { POR_ANCHOR_TYPE } from '#shared/proof/any-anchor.ts';
import { namedShards } from '#validator/domain/slot-anchors.ts';
import type { OwedShard } from '#validator/state/ports.ts';
import type { BegunPlacing, SegmentName, WaitingSegment, WaitReason } from '#validator/state/repairs.ts';
import { isOwnIndex } from './index-gate.ts';
import { type NetworkView, viewNetwork } from './network-view.ts';
import type { RepairPorts, RepairSettings } from './repair-ports.ts';
import { repairSegment, type SegmentReport } from './repair-segment.ts';

/** Segments asked of the queue at once; the view of the network is renewed in between. */
const BATCH = 64;
/** A pause doubles so many times at most: from a minute to about an hour. */
const MAX_PAUSES = 6;
/** A run takes no new segments after this long: the next one goes on, and its deadline is never met in the middle. */
const RUN_MS = 2 * 60_000;
/** Unsettled placings cleared up in one run. */
const OPEN_PLACINGS = 256;

export interface RepairReport {
  segments: number;
  shards: number;
  /** Bytes of the shards that were made, and what was read and sent for them. */
  repairedBytes: number;
  readBytes: number;
  sentBytes: number;
  waiting: number;
}

export async function repair(ports: RepairPorts, settings: RepairSettings, signal: AbortSignal): Promise<RepairReport> {
  const total: RepairReport = { segments: 0, shards: 0, repairedBytes: 0, readBytes: 0, sentBytes: 0, waiting: 0 };
  const { repairs, clock, log } = ports;
  if (repairs.counts().segments === 0 && repairs.open(1).length === 0) return total;
  if (!(await isOwnIndex(ports, 'repair'))) return total;
  await settleOpen(ports);
  const untilMs = clock.nowMs() + RUN_MS;
  while (clock.nowMs() < untilMs) {
    signal.throwIfAborted();
    const due = repairs.due(clock.nowMs(), BATCH);
    if (due.length === 0) break;
    const view = await viewNetwork(ports);
    const queue = [...due];
    const worker = async () => {
      for (let next = queue.shift(); next && !signal.aborted; next = queue.shift()) {
        const report = await repairOne(ports, settings, view, next, signal);
        count(total, report);
      }
    };
    await Promise.all(Array.from({ length: settings.atOnce }, worker));
  }
  total.waiting = repairs.counts().segments;
  if (total.segments > 0) log.info('repaired', { ...total });
  return total;
}

function count(total: RepairReport, { shards, shardBytes, readBytes, sentBytes }: SegmentReport): void {
  total.segments += shards > 0 ? 1 : 0;
  total.shards += shards;
  total.repairedBytes += shards * shardBytes;
  total.readBytes += readBytes;
  total.sentBytes += sentBytes;
}

async function repairOne(
  ports: RepairPorts,
  settings: RepairSettings,
  view: NetworkView,
  waiting: WaitingSegment,
  signal: AbortSignal,
): Promise<SegmentReport> {
  const report = await repairSegment(ports, settings, view, waiting, signal).catch((error: unknown): SegmentReport => {
    if (!signal.aborted) ports.log.warn('repair-failed', { ...nameOf(waiting), reason: String(error) });
    const nothing = { shards: 0, shardBytes: 0, readBytes: 0, sentBytes: 0 };
    return { outcome: 'waits', reason: 'failed', spare: waiting.spare, ...nothing };
  });
  const { outcome, reason, spare } = report;
  if (outcome === 'done' || reason === undefined || reason === 'not-yet-due' || signal.aborted) return report;
  // What made progress goes on soon; what made none waits longer each time.
  const attempts = report.shards > 0 ? 0 : waiting.attempts;
  const dueMs = ports.clock.nowMs() + settings.retryMs * 2 ** Math.min(attempts, MAX_PAUSES);
  ports.repairs.postpone(waiting, spare, dueMs, reason);
  if (attempts === 0 || reason !== waiting.reason) tellWaiting(ports, waiting, reason, spare);
  return report;
}

function tellWaiting({ log }: RepairPorts, waiting: WaitingSegment, reason: WaitReason, spare: number): void {
  const event = spare < 0 ? 'segment-beyond-repair' : 'segment-waits';
  log[spare < 0 ? 'error' : 'info'](event, { ...nameOf(waiting), reason, spare });
}

const nameOf = ({ file, segment }: SegmentName) => ({ file, segment });

/** Placings that nobody knows the end of: in the record, or strays from now on. */
async function settleOpen(ports: RepairPorts): Promise<void> {
  for (const placing of ports.repairs.open(OPEN_PLACINGS)) {
    const named = await findNamed(ports, placing);
    if (named) {
      const { root, bytes, anchorType } = named;
      const { file, segment, shardIndex, placement } = placing;
      const place = { file, segment, shardIndex, placement };
      ports.transaction(() => {
        ports.inventories.add(placing.hotkey, { anchorId: placing.anchorId, anchorType, root, bytes, place });
        ports.repairs.settle(placing);
      });
      continue;
    }
    const ref = refOf(placing.file, placing.segment);
    await ports.files.addStrays([{ miner: placing.miner, anchorId: idBytes(placing.anchorId), ref }]);
    ports.repairs.settle(placing);
  }
}

async function findNamed(
  { files }: RepairPorts,
  { file: number, segment, shardIndex, anchorId, miner }: BegunPlacing,
): Promise<Pick<OwedShard, 'root' | 'bytes' | 'anchorType'> | undefined> {
  const file = await files.readAnyFile(number);
  if (!file || segment >= file.segments) return undefined;
  const [record] = await files.readSegments(file, segment, 1);
  if (!record) throw new IndexUnavailable(`file ${number} lacks segment ${segment}`);
  const named = namedShards(file, segment, record)[shardIndex];
  if (!named || named.anchorId !== anchorId || named.slot.miner !== miner) return undefined;
  return { root: named.slot.root, bytes: named.bytes, anchorType: file.anchorType ?? POR_ANCHOR_TYPE };
}
