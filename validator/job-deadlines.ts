/**
 * How long a run of each job may take before it is told to end, in one place: what asks all miners, walks the index or
 * moves bytes gets long, what only computes gets little. A job that is not listed gets the schedule's own.
 */
import type { Job } from './schedule.ts';

const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;

export const JOB_DEADLINES_MS: Readonly<Record<string, number>> = {
  publish: 2 * MINUTE_MS,
  grant: MINUTE_MS,
  'close-window': MINUTE_MS,
  'set-weights': 5 * MINUTE_MS,
  describe: 2 * MINUTE_MS,
  monitor: 5 * MINUTE_MS,
  survey: 10 * MINUTE_MS,
  // Whole pages of many miners, or of bytes: only something that hangs takes longer.
  walk: HOUR_MS,
  repair: HOUR_MS,
  'drop-deleted': HOUR_MS,
  recode: 6 * HOUR_MS,
  collect: 6 * HOUR_MS,
  sweep: 24 * HOUR_MS,
};

export const withDeadlines = (jobs: readonly Job[]): readonly Job[] =>
  jobs.map((job) => {
    const deadlineMs = job.deadlineMs ?? JOB_DEADLINES_MS[job.name];
    return deadlineMs === undefined ? job : { ...job, deadlineMs };
  });
