/**
 * The slow look at everything: pages through all live files, by number, and puts every segment that needs something
 * into repair's queue. Finds what no report names: shards that were never stored, miners that left while nobody looked,
 * a queue that was lost. O(page) a run; where it stopped lies in the validator's database.
 */
import { type FileRecord, IndexUnavailable } from '#shared/index/ports.ts';
import { isOwnIndex } from './index-gate.ts';
import { type NetworkView, viewNetwork } from './network-view.ts';
import type { RepairPorts, RepairSettings } from './repair-ports.ts';
import { needsOf, waitMsOf } from './repair-segment.ts';

/** Files of one page. */
const PAGE = 64;
/** Segments read at once: at (16, 40) about 130 KB. */
const SEGMENTS_AT_ONCE = 64;
const CURSOR = 'survey';

export interface SurveyReport {
  files: number;
  segments: number;
  queued: number;
}

/** @param pages of one run */
export async function survey(
  ports: RepairPorts,
  settings: Pick<RepairSettings, 'delayMs'>,
  pages: number,
  signal: AbortSignal,
): Promise<SurveyReport> {
  const report: SurveyReport = { files: 0, segments: 0, queued: 0 };
  if (!(await isOwnIndex(ports, 'survey'))) return report;
  const view = await viewNetwork(ports);
  let cursor = ports.repairs.cursor(CURSOR);
  for (let page = 0; page < pages; page++) {
    signal.throwIfAborted();
    const { items, next } = await ports.files.liveFiles(cursor, PAGE);
    for (const file of items) await lookAtFile(ports, settings, view, file, report);
    cursor = next;
    ports.repairs.setCursor(CURSOR, cursor);
    if (cursor === undefined) break;
  }
  return report;
}

async function lookAtFile(
  ports: RepairPorts,
  { delayMs }: Pick<RepairSettings, 'delayMs'>,
  view: NetworkView,
  file: FileRecord,
  report: SurveyReport,
): Promise<void> {
  report.files++;
  for (let from = 0; from < file.segments; from += SEGMENTS_AT_ONCE) {
    const count = Math.min(SEGMENTS_AT_ONCE, file.segments - from);
    const records = await ports.files.readSegments(file, from, count);
    // Deleted meanwhile, or damaged: the next look tells.
    if (records.length !== count) throw new IndexUnavailable(`file ${file.number} lacks segments`);
    report.segments += count;
    for (const [i, record] of records.entries()) {
      const needs = needsOf(ports.repairs, view, file, from + i, record);
      if (needs.missing.length + needs.moving.length === 0) continue;
      report.queued++;
      ports.repairs.enqueue(
        { file: file.number, segment: from + i },
        needs.spare,
        waitMsOf(needs, delayMs),
        'reported',
      );
    }
  }
}
