/**
 * Garbage collection (design, "Collect"): pages through what each miner holds for this tenant and has dropped what
 * nothing explains (`judge-shard.ts`). It runs only on the index that the tenant knows (`collect-gate.ts`), looks at
 * everything of a run before it drops anything, and stops for an operator when too much would go.
 */
import { type FileRecord, IndexUnavailable } from '#shared/index/ports.ts';
import { type AnchorId, type FileNumber, type MinerNumber, splitRef } from '#shared/primitives/ids.ts';
import type { MinerPeer, ShardListing } from '#shared/wire/ports.ts';
import { type GarbageLimit, type GateRefusal, judgeGarbage, judgeIndex } from '#validator/domain/collect-gate.ts';
import { judgeShard, type SegmentFacts } from '#validator/domain/judge-shard.ts';
import { namedShards } from '#validator/domain/slot-anchors.ts';
import type { TenantPorts } from '#validator/ports.ts';
import { readKnownMiners } from './known-miners.ts';
import { orderDrops } from './order-drops.ts';

/** Items of one page: what a miner lists at most. */
const PAGE = 1000;
/** Pages of one miner in one run; the next run goes on where this one stopped. */
const PAGES_PER_RUN = 16;

export interface CollectSettings {
  readonly graceMs: number;
  readonly limit: GarbageLimit;
}

/** Where each miner's listing goes on; made once, kept by the caller. */
export type CollectCursors = Map<MinerNumber, string>;

export interface CollectReport {
  readonly listed: number;
  readonly garbage: number;
  readonly dropped: number;
  readonly refused?: GateRefusal;
}

export async function collect(
  ports: TenantPorts,
  cursors: CollectCursors,
  settings: CollectSettings,
  signal: AbortSignal,
): Promise<CollectReport> {
  const refused = await passGate(ports);
  if (refused) return refuse(ports, refused, { listed: 0, garbage: 0, dropped: 0 });

  const known = await readKnownMiners(ports);
  const garbage = new Map<MinerNumber, AnchorId[]>();
  let listed = 0;
  for (const [miner, peer] of known) {
    if (!peer) continue;
    const found: AnchorId[] = [];
    listed += await surveyMiner(ports, cursors, miner, peer, settings.graceMs, found, signal);
    if (found.length > 0) garbage.set(miner, found);
  }
  const count = [...garbage.values()].reduce((sum, anchors) => sum + anchors.length, 0);
  const tooMuch = judgeGarbage(listed, count, settings.limit);
  if (tooMuch) return refuse(ports, tooMuch, { listed, garbage: count, dropped: 0 });
  const receipted = await orderDrops(ports, known, garbage, 'orphan', signal);
  const dropped = [...receipted.values()].reduce((sum, anchors) => sum + anchors.size, 0);
  if (count > 0) ports.log.info('garbage-collected', { listed, garbage: count, dropped });
  return { listed, garbage: count, dropped };
}

function refuse(ports: TenantPorts, refused: GateRefusal, report: CollectReport): CollectReport {
  ports.log.error('collection-stopped', {
    refused,
    ...report,
    remedy: 'see docs/run-a-validator.md, "Collection stopped"',
  });
  return { ...report, refused };
}

/** Checks the index against the tenant's own mark and moves both forward, so that any older state is recognised. */
async function passGate({ files, indexMarks }: TenantPorts): Promise<GateRefusal | undefined> {
  const [identity, mark] = await Promise.all([files.identity(), indexMarks.read()]);
  const refused = judgeIndex(identity, mark);
  if (refused) return refused;
  // First our own note, then the index: a crash in between leaves an epoch that the note allows.
  const { id, epoch } = identity;
  await indexMarks.write({ id, epoch, nextEpoch: epoch + 1 });
  const nextEpoch = await files.advanceEpoch();
  await indexMarks.write({ id, epoch: nextEpoch, nextEpoch });
  return undefined;
}

/** Walks some pages of one miner's listing; puts garbage into `found` and answers how many shards it looked at. */
async function surveyMiner(
  ports: TenantPorts,
  cursors: CollectCursors,
  miner: MinerNumber,
  peer: MinerPeer,
  graceMs: number,
  found: AnchorId[],
  signal: AbortSignal,
): Promise<number> {
  let listed = 0;
  let cursor = cursors.get(miner);
  for (let pages = 0; pages < PAGES_PER_RUN; pages++) {
    const page = await ports.miners.listShards(peer, cursor, PAGE, signal);
    signal.throwIfAborted();
    if (!page.ok) {
      ports.log.debug('listing-failed', { ...page.failure });
      break;
    }
    const held = page.value.items.filter((shard) => shard.state === 'held');
    listed += held.length;
    for (const shard of await garbageOf(ports, miner, held, graceMs)) found.push(shard.anchorId);
    cursor = page.value.next;
    if (cursor === undefined) break;
  }
  if (cursor === undefined) cursors.delete(miner);
  else cursors.set(miner, cursor);
  return listed;
}

async function garbageOf(
  ports: TenantPorts,
  miner: MinerNumber,
  held: readonly ShardListing[],
  graceMs: number,
): Promise<readonly ShardListing[]> {
  const nowMs = ports.clock.nowMs();
  // Most shards are explained by their file; those still on hold need no question at all.
  const due = held.filter((shard) => nowMs >= shard.holdUntilMs + graceMs);
  const facts = await factsOf(ports, due);
  return due.filter((shard) => {
    const known = facts.get(shard.ref);
    return known !== undefined && judgeShard(shard, miner, known, nowMs, graceMs) === 'garbage';
  });
}

/** What the index knows of every `ref` among these shards; per file one record, per run of segments one read. */
async function factsOf(
  ports: TenantPorts,
  shards: readonly ShardListing[],
): Promise<ReadonlyMap<bigint, SegmentFacts>> {
  const byFile = new Map<FileNumber, Map<number, bigint>>();
  for (const { ref } of shards) {
    const { file, segment } = splitRef(ref);
    const segments = byFile.get(file) ?? new Map<number, bigint>();
    byFile.set(file, segments.set(segment, ref));
  }
  const facts = new Map<bigint, SegmentFacts>();
  await Promise.all(
    [...byFile].map(async ([number, segments]) => {
      // This order matters (judge-shard.ts): an upload that commits now is open, or its file is found.
      const uploadOpen = await ports.files.uploadOpen(number);
      const file = await ports.files.readAnyFile(number);
      const named = file ? await namedBySegment(ports, file, [...segments.keys()]) : undefined;
      for (const [segment, ref] of segments) facts.set(ref, { uploadOpen, named: named?.get(segment) });
    }),
  );
  return facts;
}

async function namedBySegment(
  ports: TenantPorts,
  file: FileRecord,
  wanted: readonly number[],
): Promise<ReadonlyMap<number, SegmentFacts['named']>> {
  const named = new Map<number, SegmentFacts['named']>();
  for (const { from, count } of runsOf(wanted.filter((segment) => segment < file.segments))) {
    const records = await ports.files.readSegments(file, from, count);
    // A file without its segments is a damaged index, not garbage.
    if (records.length !== count) throw new IndexUnavailable(`file ${file.number} lacks segments`);
    records.forEach((record, index) => {
      const shards = namedShards(file, from + index, record);
      named.set(
        from + index,
        shards.map(({ anchorId, slot }) => ({ anchorId, miner: slot.miner })),
      );
    });
  }
  return named;
}

/** Segment records of one read; 64 of 40 slots are about 200 KiB. */
const SEGMENTS_AT_ONCE = 64;

/** Groups segment numbers into runs without gaps. */
function runsOf(segments: readonly number[]): readonly { readonly from: number; readonly count: number }[] {
  const runs: { from: number; count: number }[] = [];
  for (const segment of [...segments].sort((a, b) => a - b)) {
    const last = runs.at(-1);
    if (last && last.from + last.count === segment && last.count < SEGMENTS_AT_ONCE) last.count++;
    else runs.push({ from: segment, count: 1 });
  }
  return runs;
}
