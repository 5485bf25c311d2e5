/**
 * What the index knows of the segments that shards say they belong to: the only thing that may condemn a shard
 * (`judge-shard.ts`). Asked by collection for what miners list, and by the drop of strays for what edges report.
 */
import { type FileRecord, IndexUnavailable } from '#shared/index/ports.ts';
import { type FileNumber, splitRef } from '#shared/primitives/ids.ts';
import type { SegmentFacts } from '#validator/domain/judge-shard.ts';
import { namedShards } from '#validator/domain/slot-anchors.ts';
import type { TenantPorts } from '#validator/ports.ts';

type Ports = Pick<TenantPorts, 'files'>;

/** What the index knows of every `ref` among these shards; per file one record, per run of segments one read. */
export async function factsOf(
  ports: Ports,
  shards: readonly { readonly ref: bigint }[],
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
  ports: Ports,
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
