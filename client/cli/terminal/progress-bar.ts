/**
 * A line that tells how far a transfer is: percent, bytes, rate over the last seconds, time left. Drawn at most ten
 * times a second, on a terminal only; the text itself is pure.
 */
import { formatBytes, formatDuration, formatRate } from './units.ts';

interface Sample {
  readonly atMs: number;
  readonly bytes: number;
}

export interface Progress {
  /** @param bytes done so far; @param total when it becomes known */
  update(bytes: number, total?: number): void;
  /** Takes the line away. */
  done(): void;
}

const BAR_COLUMNS = 24;
const DRAW_EVERY_MS = 100;
/** The rate is that of this long: short enough to follow, long enough to be calm. */
const RATE_WINDOW_MS = 3000;

export interface ProgressState {
  readonly label: string;
  readonly bytes: number;
  readonly total: number | undefined;
  /** Bytes a second; undefined while there is too little to tell. */
  readonly rate: number | undefined;
}

/** At most `columns` wide; the bar goes first when there is no room, the label is cut last. */
export function progressLine({ label, bytes, total, rate }: ProgressState, columns: number): string {
  const share = total === undefined ? undefined : total === 0 ? 1 : Math.min(1, bytes / total);
  const left =
    rate === undefined || rate <= 0 || total === undefined
      ? ''
      : `${formatDuration(((total - bytes) / rate) * 1000)} left`;
  const amount = total === undefined ? formatBytes(bytes) : `${formatBytes(bytes)} of ${formatBytes(total)}`;
  const percent = share === undefined ? '' : `${Math.floor(share * 100)}%`.padStart(4);
  const words = [percent, amount, rate === undefined ? '' : formatRate(rate), left].filter((word) => word !== '');
  const filled = Math.round((share ?? 0) * BAR_COLUMNS);
  const bar = share === undefined ? '' : `[${'#'.repeat(filled)}${'·'.repeat(BAR_COLUMNS - filled)}]`;
  const whole = [label, bar, ...words].filter((word) => word !== '').join('  ');
  if (whole.length <= columns) return whole;
  const bare = [label, ...words].join('  ');
  if (bare.length <= columns) return bare;
  const rest = words.join('  ');
  const room = Math.max(0, columns - rest.length - 3);
  return `${label.slice(0, room)}…  ${rest}`.slice(0, columns);
}

/** Bytes a second between the oldest and the newest sample of the window. */
export function rateOf(samples: readonly Sample[]): number | undefined {
  const [first] = samples;
  const last = samples.at(-1);
  if (!first || !last || last.atMs - first.atMs < 250) return undefined;
  return ((last.bytes - first.bytes) * 1000) / (last.atMs - first.atMs);
}

/** @param nowMs monotonic */
export function startProgress(
  terminal: { write(text: string): unknown; readonly columns?: number | undefined },
  nowMs: () => number,
  label: string,
  total: number | undefined,
): Progress {
  let samples: Sample[] = [];
  let known = total;
  let drawnMs = Number.NEGATIVE_INFINITY;
  let drawn = false;
  return {
    update(bytes, newTotal) {
      known = newTotal ?? known;
      const atMs = nowMs();
      if (atMs - drawnMs < DRAW_EVERY_MS) return;
      drawnMs = atMs;
      samples = [...samples.filter((sample) => atMs - sample.atMs <= RATE_WINDOW_MS), { atMs, bytes }];
      const line = progressLine({ label, bytes, total: known, rate: rateOf(samples) }, (terminal.columns ?? 80) - 1);
      terminal.write(`\r\u001b[K${line}`);
      drawn = true;
    },
    done() {
      if (drawn) terminal.write('\r\u001b[K');
      drawn = false;
    },
  };
}

export const noProgress: Progress = { update() {}, done() {} };
