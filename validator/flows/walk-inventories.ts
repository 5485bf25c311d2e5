/**
 * Looks at everything that a miner owes, when it was struck, leaves or has left: a page of its inventory at a time, and
 * every segment on it that needs something goes into repair's queue with what the index says of it. O(page) in the
 * number of files; a restart goes on at the page where it stopped.
 */
import { type FileRecord, IndexUnavailable } from '#shared/index/ports.ts';
import type { AnchorId, FileNumber, Hotkey } from '#shared/primitives/ids.ts';
import { namedShards } from '#validator/domain/slot-anchors.ts';
import { isOwnIndex } from './index-gate.ts';
import { type NetworkView, viewNetwork } from './network-view.ts';
import type { RepairPorts, RepairSettings } from './repair-ports.ts';
import { needsOf, waitMsOf } from './repair-segment.ts';

/** Shards of one page of an inventory. */
const PAGE = 256;
/** Pages of one miner in one run. */
const PAGES_PER_RUN = 64;
const WALK = 'walk:';

/** The cursor of a miner's walk: there while it goes on, empty at its beginning. */
export const walkOf = (miner: Hotkey): string => `${WALK}${miner}`;

export async function walkInventories(
  ports: RepairPorts,
  settings: Pick<RepairSettings, 'delayMs'>,
  signal: AbortSignal,
): Promise<number> {
  const walking = ports.repairs.cursorsFrom(WALK).map((name) => name.slice(WALK.length) as Hotkey);
  if (walking.length === 0 || !(await isOwnIndex(ports, 'walk-inventories'))) return 0;
  const view = await viewNetwork(ports);
  let queued = 0;
  for (const miner of walking) {
    let cursor: string | undefined = ports.repairs.cursor(walkOf(miner)) || undefined;
    for (let page = 0; page < PAGES_PER_RUN; page++) {
      signal.throwIfAborted();
      const { items, next } = ports.inventories.list(miner, cursor, PAGE);
      const owed = items.flatMap(({ place, anchorId }) => (place ? [{ place, anchorId }] : []));
      queued += await lookAtPage(ports, settings, view, miner, owed);
      cursor = next;
      ports.repairs.setCursor(walkOf(miner), next);
      if (next === undefined) break;
    }
    if (cursor === undefined) ports.log.info('inventory-walked', { miner, queued });
  }
  return queued;
}

interface Owed {
  readonly place: { readonly file: FileNumber; readonly segment: number };
  readonly anchorId: AnchorId;
}

async function lookAtPage(
  ports: RepairPorts,
  { delayMs }: Pick<RepairSettings, 'delayMs'>,
  view: NetworkView,
  miner: Hotkey,
  owed: readonly Owed[],
): Promise<number> {
  const byFile = new Map<FileNumber, Owed[]>();
  for (const shard of owed) {
    const { file } = shard.place;
    const known = byFile.get(file);
    if (known) known.push(shard);
    else byFile.set(file, [shard]);
  }
  let queued = 0;
  for (const [number, shards] of byFile) {
    const file = await ports.files.readFile(number);
    const bySegment = Map.groupBy(shards, ({ place }) => place.segment);
    for (const [segment, some] of bySegment) {
      const named = file ? await lookAtSegment(ports, delayMs, view, file, segment) : undefined;
      if (named?.queued) queued++;
      // Deleted, or replaced while nobody looked: it is owed no more.
      for (const { anchorId } of some) if (!named?.anchors.has(anchorId)) ports.inventories.remove(miner, anchorId);
    }
  }
  return queued;
}

async function lookAtSegment(
  ports: RepairPorts,
  delayMs: number,
  view: NetworkView,
  file: FileRecord,
  segment: number,
): Promise<{ readonly queued: boolean; readonly anchors: ReadonlySet<AnchorId> }> {
  const [record] = await ports.files.readSegments(file, segment, 1);
  if (!record) throw new IndexUnavailable(`file ${file.number} lacks segment ${segment}`);
  const anchors = new Set(namedShards(file, segment, record).map(({ anchorId }) => anchorId));
  const needs = needsOf(ports.repairs, view, file, segment, record);
  if (needs.missing.length + needs.moving.length === 0) return { queued: false, anchors };
  ports.repairs.enqueue({ file: file.number, segment }, needs.spare, waitMsOf(needs, delayMs), 'reported');
  return { queued: true, anchors };
}
