/**
 * How a file stands, as seen from this edge now: every miner that holds a part of it is asked once, for one of its
 * shards; a miner that does not answer, or has left the directory, takes all of its shards out of the count. Exact for
 * files of one segment, an estimate for longer ones (only audits look at every shard).
 */
import type { EdgeResult } from '#edge/http/problem.ts';
import type { EdgePorts } from '#edge/ports.ts';
import { proofOf } from '#shared/api/proof-of.ts';
import { MAX_WORST, type StatusAnswer } from '#shared/api/schemas.ts';
import { repairThreshold } from '#shared/codec/redundancy.ts';
import { shardBytesOf } from '#shared/codec/reed-solomon.ts';
import { segmentLength } from '#shared/codec/segment.ts';
import type { FileRecord, SegmentRecord, ShardSlot } from '#shared/index/ports.ts';
import { groupLimitOf } from '#shared/placement/place-shards.ts';
import { segmentHealth } from '#shared/placement/segment-health.ts';
import { succeed } from '#shared/primitives/failure.ts';
import type { AnchorId, MinerNumber } from '#shared/primitives/ids.ts';
import { shardIdOf } from '#shared/proof/any-anchor.ts';
import type { Peer } from '#shared/transfer/ports.ts';
import { reachMiners } from './reach-miners.ts';

/** Requests that wait for an answer at once: the platform's limit per request (Workers: six). */
const PROBES_AT_ONCE = 6;
const PROBE_TIMEOUT_MS = 3_000;
/** Miners asked for one status; those beyond count as alive when the directory lists them. */
const MAX_PROBES = 256;
/** Records of one question to the index. */
const RECORDS_PER_PAGE = 64;

type Groups = ReadonlyMap<MinerNumber, readonly string[]>;

export async function fileStatus(
  ports: EdgePorts,
  file: FileRecord,
  signal: AbortSignal,
): Promise<EdgeResult<StatusAnswer>> {
  const reached = await reachMiners(ports);
  if (!reached.ok) return reached;
  const records = await readRecords(ports, file);
  const peers = new Map(reached.value.map((peer) => [peer.number, peer]));
  const alive = await probeHolders(ports, file, records, peers, signal);
  return succeed(summarize(file, records, alive));
}

async function readRecords(ports: EdgePorts, file: FileRecord): Promise<SegmentRecord[]> {
  const records: SegmentRecord[] = [];
  while (records.length < file.segments) {
    const count = Math.min(RECORDS_PER_PAGE, file.segments - records.length);
    const page = await ports.files.readSegments(file, records.length, count);
    if (page.length !== count) throw new Error('the manifest lacks segments: deleted while it was read');
    records.push(...page);
  }
  return records;
}

/** One shard of every miner that holds any. */
function samples(file: FileRecord, records: readonly SegmentRecord[]): Map<MinerNumber, AnchorId> {
  const found = new Map<MinerNumber, AnchorId>();
  for (const [segment, record] of records.entries()) {
    const bytes = shardBytesOf(segmentLength(file.bytes, file.segmentBytes, segment), file.k);
    for (const slot of record.slots) {
      if (slot.state === 'stored' && !found.has(slot.miner))
        found.set(slot.miner, shardIdOf(file.anchorType, slot.root, bytes));
    }
  }
  return found;
}

/** Groups of each holder that answers for its shard. */
async function probeHolders(
  ports: EdgePorts,
  file: FileRecord,
  records: readonly SegmentRecord[],
  peers: ReadonlyMap<MinerNumber, Peer>,
  signal: AbortSignal,
): Promise<Groups> {
  const alive = new Map<MinerNumber, readonly string[]>();
  const waiting = [...samples(file, records)];
  let probes = 0;
  const worker = async () => {
    for (let next = waiting.pop(); next; next = waiting.pop()) {
      const [miner, anchorId] = next;
      const peer = peers.get(miner);
      if (!peer) continue;
      const asked = probes++ < MAX_PROBES;
      const timeout = AbortSignal.any([signal, AbortSignal.timeout(PROBE_TIMEOUT_MS)]);
      const held = !asked || (await ports.transfer.miners.headShard(peer, anchorId, timeout)).ok;
      if (held) alive.set(miner, peer.groups);
    }
  };
  await Promise.all(Array.from({ length: PROBES_AT_ONCE }, worker));
  return alive;
}

const isAlive = (slot: ShardSlot, alive: Groups): boolean => slot.state === 'stored' && alive.has(slot.miner);

function summarize(file: FileRecord, records: readonly SegmentRecord[], alive: Groups): StatusAnswer {
  const { k, n } = file;
  const holders = new Set<MinerNumber>();
  const groups = new Set<string>();
  const segments = records.map((record, segment) => {
    for (const slot of record.slots) {
      if (slot.state !== 'dropped') holders.add(slot.miner);
      if (isAlive(slot, alive)) groups.add(alive.get(slot.miner)?.[0] ?? '');
    }
    return { segment, ...segmentHealth(k, record, (miner) => alive.get(miner)) };
  });
  const worst = segments
    .toSorted((a, b) => a.survivesMiners - b.survivesMiners || a.survivesGroups - b.survivesGroups)
    .slice(0, MAX_WORST);
  const survives = {
    miners: Math.max(-1, worst[0]?.survivesMiners ?? -1),
    groups: Math.min(
      ...segments.map(({ survivesMiners, survivesGroups }) => (survivesMiners < 0 ? -1 : survivesGroups)),
    ),
  };
  const least = k + (worst[0]?.survivesMiners ?? -1);
  return {
    cid: file.cid,
    bytes: file.bytes,
    segments: file.segments,
    redundancy: { k, n },
    proof: proofOf(file),
    health: least < k ? 'lost' : least < repairThreshold({ k, n }) ? 'at-risk' : least < n ? 'reduced' : 'full',
    shards: { total: n * records.length, alive: segments.reduce((sum, { healthy }) => sum + healthy, 0) },
    miners: { total: holders.size, alive: [...holders].filter((miner) => alive.has(miner)).length },
    groups: groups.size,
    survives,
    concentrated: segments.some(({ largestGroup }) => largestGroup > groupLimitOf(k, n)),
    worst: worst.map(({ segment, healthy, survivesMiners, survivesGroups }) => ({
      segment,
      alive: healthy,
      survivesMiners,
      survivesGroups,
    })),
  };
}
