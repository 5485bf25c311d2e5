/**
 * The part of levelling that codes files anew: pages through all live files, by number, and gives each whose (k, n) is
 * below what the network's size has allowed for long enough the coding that a new file would get (`recode-plan.ts`).
 * One file at a time, within repair's bandwidth; one that fails holds up no other and comes again in the next pass. Where
 * it stopped, and since when the network has its size, lie in the validator's database.
 */
import { NETWORK_SIZES } from '#shared/codec/redundancy.ts';
import type { FileRecord } from '#shared/index/ports.ts';
import { recodingOf, type SizeWatch, type SteadyRule, steadySize, watchSizes } from '#validator/domain/recode-plan.ts';
import type { Repairs } from '#validator/state/repairs.ts';
import { isOwnIndex } from './index-gate.ts';
import { viewNetwork } from './network-view.ts';
import { type RecodeFileSettings, type RecodePorts, recodeFile } from './recode-file.ts';

export interface RecodeSettings extends SteadyRule, RecodeFileSettings {
  /** Of one run. */
  readonly pages: number;
  /** Larger files stay as they are: what a run cannot finish it would begin again and again. */
  readonly maxFileBytes: number;
}

export interface RecodeReport {
  /** Files looked at. */
  files: number;
  recoded: number;
  movedBytes: number;
  waiting: number;
}

/** Files of one page. */
const PAGE = 64;
/** After so long a run begins no further file. */
const RUN_MS = 60_000;
const PAGE_CURSOR = 'recode:page';
/** The last file of the page that was seen to, so that a page is gone on with and not begun again. */
const FILE_CURSOR = 'recode:file';
const SEEN = 'recode:seen';
const sinceName = (size: number) => `recode:since:${size}`;

export async function recode(ports: RecodePorts, settings: RecodeSettings, signal: AbortSignal): Promise<RecodeReport> {
  const report: RecodeReport = { files: 0, recoded: 0, movedBytes: 0, waiting: 0 };
  if (!(await isOwnIndex(ports, 'recode'))) return report;
  const { repairs, clock } = ports;
  const { candidates } = await viewNetwork(ports);
  const watch = watchSizes(readWatch(repairs), candidates.length, clock.nowMs(), settings);
  ports.transaction(() => writeWatch(repairs, watch));
  const size = steadySize(watch, settings);
  if (size === 0) return report;
  const untilMs = clock.nowMs() + RUN_MS;
  for (let page = 0; page < settings.pages; page++) {
    const { items, next } = await ports.files.liveFiles(repairs.cursor(PAGE_CURSOR), PAGE);
    const done = Number(repairs.cursor(FILE_CURSOR) ?? 0);
    for (const file of items) {
      if (file.number <= done) continue;
      signal.throwIfAborted();
      if (clock.nowMs() >= untilMs) return tell(ports, report);
      report.files++;
      await lookAtFile(ports, settings, size, file, report, signal);
      repairs.setCursor(FILE_CURSOR, `${file.number}`);
    }
    ports.transaction(() => {
      repairs.setCursor(PAGE_CURSOR, next);
      repairs.setCursor(FILE_CURSOR, undefined);
    });
    if (next === undefined) break;
  }
  return tell(ports, report);
}

async function lookAtFile(
  ports: RecodePorts,
  settings: RecodeSettings,
  size: number,
  file: FileRecord,
  report: RecodeReport,
  signal: AbortSignal,
): Promise<void> {
  const target = recodingOf(file, size);
  if (!target || file.bytes > settings.maxFileBytes) return;
  // Before it is moved it would be gone.
  if (file.expiresAtMs !== 0 && file.expiresAtMs <= ports.clock.nowMs() + settings.steadyMs) return;
  const view = await viewNetwork(ports);
  const outcome =
    view.candidates.length < target.n
      ? ({ outcome: 'waits', reason: 'too-few-miners' } as const)
      : await recodeFile(ports, settings, view, file, target, signal).catch((error: unknown) => {
          signal.throwIfAborted();
          return { outcome: 'waits', reason: String(error) } as const;
        });
  const { number, k, n } = file;
  const event = outcome.outcome === 'recoded' ? 'file-recoded' : 'file-not-recoded';
  ports.log.info(event, { file: number, from: { k, n }, to: target, ...outcome });
  if (outcome.outcome === 'waits') report.waiting++;
  if (outcome.outcome !== 'recoded') return;
  report.recoded++;
  report.movedBytes += outcome.movedBytes;
}

function tell({ log }: RecodePorts, report: RecodeReport): RecodeReport {
  if (report.recoded + report.waiting > 0) log.info('recoded', { ...report });
  return report;
}

function readWatch(repairs: Repairs): SizeWatch | undefined {
  const seen = repairs.cursor(SEEN);
  if (seen === undefined) return undefined;
  const since = NETWORK_SIZES.flatMap((size): [number, number][] => {
    const text = repairs.cursor(sinceName(size));
    return text === undefined ? [] : [[size, Number(text)]];
  });
  return { seenMs: Number(seen), since: new Map(since) };
}

function writeWatch(repairs: Repairs, { seenMs, since }: SizeWatch): void {
  repairs.setCursor(SEEN, `${seenMs}`);
  for (const size of NETWORK_SIZES) {
    const sinceMs = since.get(size);
    repairs.setCursor(sinceName(size), sinceMs === undefined ? undefined : `${sinceMs}`);
  }
}
