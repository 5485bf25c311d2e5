/**
 * Carries deletions to the miners: each tombstone's shards are ordered dropped, in bounded portions over all miners,
 * and every shard whose drop was receipted is marked so in its slot (what `GET …/deletion` counts). A tombstone is
 * settled when no shard of it is left but those of miners that are gone. What is not receipted is ordered again in
 * the next run; a crash anywhere only repeats orders, which miners answer alike. The old shards of a re-coded file wait
 * for a grace: downloads that read the old record are served from them to their end.
 */
import type { FileRecord, Tombstone } from '#shared/index/ports.ts';
import type { AnchorId, FileNumber, MinerNumber } from '#shared/primitives/ids.ts';
import { type NamedShard, namedShards } from '#validator/domain/slot-anchors.ts';
import type { TenantPorts } from '#validator/ports.ts';
import { isOwnIndex } from './index-gate.ts';
import { type KnownMiners, readKnownMiners } from './known-miners.ts';
import { orderDrops } from './order-drops.ts';

/** Tombstones of one page. */
const PAGE = 64;
/** How long the old shards of a re-coded file are served still; longer than downloads take. */
export const RECODED_GRACE_MS = 3_600_000;
/** Segments read at once: at 40 shards of 60 bytes in base64 about 200 KiB. */
const SEGMENTS_AT_ONCE = 64;

type Ports = Pick<
  TenantPorts,
  'files' | 'directory' | 'miners' | 'registrations' | 'minerUrl' | 'indexMarks' | 'clock' | 'log'
>;

export interface DropReport {
  readonly tombstones: number;
  readonly settled: number;
  readonly dropped: number;
}

export async function dropDeleted(
  ports: Ports,
  signal: AbortSignal,
  recodedGraceMs = RECODED_GRACE_MS,
): Promise<DropReport> {
  const report = { tombstones: 0, settled: 0, dropped: 0 };
  if (!(await isOwnIndex(ports, 'drop-deleted'))) return report;
  let known: KnownMiners | undefined;
  let cursor: string | undefined;
  do {
    const page = await ports.files.tombstones(cursor, PAGE);
    if (page.items.length > 0) known ??= await readKnownMiners(ports);
    for (const tombstone of page.items) {
      signal.throwIfAborted();
      const { reason, deletedAtMs } = tombstone;
      if (reason === 'recoded' && ports.clock.nowMs() < deletedAtMs + recodedGraceMs) continue;
      report.tombstones++;
      const { dropped, left } = await dropOne(ports, known as KnownMiners, tombstone, signal);
      report.dropped += dropped;
      if (left > 0) continue;
      await ports.files.settleTombstone(tombstone.number);
      report.settled++;
    }
    cursor = page.next;
  } while (cursor !== undefined);
  if (report.dropped > 0 || report.settled > 0) ports.log.info('deletions', report);
  return report;
}

async function dropOne(
  ports: Ports,
  known: KnownMiners,
  { number, reason }: Tombstone,
  signal: AbortSignal,
): Promise<{ readonly dropped: number; readonly left: number }> {
  const total = { dropped: 0, left: 0 };
  const file = await ports.files.readAnyFile(number);
  if (!file) return total;
  for (let from = 0; from < file.segments; from += SEGMENTS_AT_ONCE) {
    const shards = await readShards(ports, file, from);
    const open = shards.filter(({ slot }) => slot.state === 'stored' && known.has(slot.miner));
    const receipted = await orderDrops(ports, known, anchorsByMiner(open), reason, signal);
    const done = open.filter(({ slot, anchorId }) => receipted.get(slot.miner)?.has(anchorId));
    const marked = await Promise.all(done.map((shard) => markDropped(ports, number, shard)));
    const count = marked.filter((yes) => yes).length;
    total.dropped += count;
    total.left += open.length - count;
  }
  return total;
}

async function readShards(ports: Ports, file: FileRecord, from: number): Promise<readonly NamedShard[]> {
  const count = Math.min(SEGMENTS_AT_ONCE, file.segments - from);
  const records = await ports.files.readSegments(file, from, count);
  return records.flatMap((record, index) => namedShards(file, from + index, record));
}

function anchorsByMiner(shards: readonly NamedShard[]): ReadonlyMap<MinerNumber, readonly AnchorId[]> {
  const byMiner = new Map<MinerNumber, AnchorId[]>();
  for (const { slot, anchorId } of shards) {
    const anchors = byMiner.get(slot.miner);
    if (anchors) anchors.push(anchorId);
    else byMiner.set(slot.miner, [anchorId]);
  }
  return byMiner;
}

const markDropped = (ports: Ports, file: FileNumber, { segment, shardIndex, slot }: NamedShard): Promise<boolean> =>
  ports.files.replaceSlot(file, segment, shardIndex, slot, { ...slot, state: 'dropped' });
