import { describe, expect, it } from 'vitest';
import { type Clock, silentLog } from '#shared/primitives/effects.ts';
import { type Job, startSchedule } from './schedule.ts';

/** A clock whose sleepers wake when the test says so. */
function manualClock() {
  let sleepers: { wake: () => void }[] = [];
  const clock: Clock = {
    nowMs: () => 0,
    sleep: (_ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted) return reject(signal.reason);
        sleepers.push({ wake: resolve });
        signal?.addEventListener('abort', () => reject(signal.reason), { once: true });
      }),
  };
  const settle = () => new Promise<void>((resolve) => setImmediate(resolve));
  return {
    clock,
    async tick() {
      await settle();
      const woken = sleepers;
      sleepers = [];
      for (const sleeper of woken) sleeper.wake();
      await settle();
    },
  };
}

function countingJob(name: string, run: () => Promise<void> = async () => {}): Job & { runs: number } {
  const job = {
    name,
    everyMs: 1,
    runs: 0,
    run: () => {
      job.runs++;
      return run();
    },
  };
  return job;
}

describe('the schedule', () => {
  it('runs each job at once and then again and again', async () => {
    const { clock, tick } = manualClock();
    const job = countingJob('a');
    const schedule = startSchedule([job], clock, silentLog);
    await tick();
    await tick();
    expect(job.runs).toBe(3);
    await schedule.stop();
  });

  it('keeps the others running when one job fails or never ends, and runs the failed one again', async () => {
    const { clock, tick } = manualClock();
    const warnings: unknown[] = [];
    const failing = countingJob('failing', () => Promise.reject(new Error('no')));
    const endless = countingJob('endless', () => new Promise(() => {}));
    const fine = countingJob('fine');
    startSchedule([failing, endless, fine], clock, {
      ...silentLog,
      warn: (event, fields) => warnings.push([event, fields]),
    });
    await tick();
    await tick();
    expect([failing.runs, endless.runs, fine.runs]).toEqual([3, 1, 3]);
    expect(warnings[0]).toEqual(['job-failed', { job: 'failing', reason: 'Error: no' }]);
  });

  it('runs a paused job only when it is triggered, and never two runs at once', async () => {
    const { clock, tick } = manualClock();
    let open = 0;
    let widest = 0;
    const job = countingJob('a', async () => {
      widest = Math.max(widest, ++open);
      await new Promise((resolve) => setImmediate(resolve));
      open--;
    });
    const schedule = startSchedule([job], clock, silentLog);
    await tick();
    schedule.pause('a');
    await tick();
    const before = job.runs;
    await Promise.all([schedule.trigger('a'), schedule.trigger('a')]);
    expect(job.runs).toBe(before + 2);
    expect(widest).toBe(1);
    schedule.resume('a');
    await tick();
    expect(job.runs).toBe(before + 3);
    await schedule.stop();
    await schedule.trigger('a');
    expect(job.runs).toBe(before + 3);
  });

  it('ends a run at its deadline, tells the watcher, and runs the job again', async () => {
    const { clock, tick } = manualClock();
    const seen: string[] = [];
    const heedful = {
      ...{ name: 'heedful', everyMs: 1, deadlineMs: 50 },
      run: (signal: AbortSignal) =>
        new Promise<void>((_, reject) => signal.addEventListener('abort', () => reject(signal.reason))),
    };
    const schedule = startSchedule([heedful, countingJob('fine')], clock, silentLog, (job, outcome) =>
      seen.push(`${job} ${outcome}`),
    );
    await tick();
    await tick();
    await tick();
    expect(seen.filter((line) => line === 'heedful late').length).toBeGreaterThanOrEqual(1);
    expect(seen).toContain('fine done');
    expect(seen).not.toContain('fine late');
    await schedule.stop();
  });

  it('says how long each job is overdue, whether it hangs or fails', async () => {
    let nowMs = 0;
    const { clock, tick } = manualClock();
    const timed: Clock = { ...clock, nowMs: () => nowMs };
    const jobs = [
      { ...countingJob('failing', () => Promise.reject(new Error('no'))), everyMs: 100 },
      { ...countingJob('endless', () => new Promise(() => {})), everyMs: 100 },
      { ...countingJob('fine'), everyMs: 100 },
      { ...countingJob('paused'), everyMs: 100 },
    ];
    const schedule = startSchedule(jobs, timed, silentLog);
    schedule.pause('paused');
    nowMs = 1000;
    await tick();
    expect(schedule.states().map(({ name, running, overdueMs }) => [name, running, overdueMs])).toEqual([
      ['failing', false, 900],
      ['endless', true, 900],
      ['fine', false, 0],
      ['paused', false, 0],
    ]);
  });

  it('knows no job by another name', () => {
    const { clock } = manualClock();
    expect(() => startSchedule([], clock, silentLog).trigger('x')).toThrow(RangeError);
  });
});
