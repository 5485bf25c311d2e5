/**
 * The validator's jobs, each on its own timer: a slow or failing one never holds up another, none overlaps itself, and
 * each can be paused, resumed and triggered (by tests, later by an operator). A run that passes its deadline is told to
 * end; a job that fails is logged and comes again at its next time. How each fares is told to a watcher (`metrics.ts`).
 */
import type { Clock, Log } from '#shared/primitives/effects.ts';

export interface Job {
  readonly name: string;
  /** From the end of one run to the start of the next. */
  readonly everyMs: number;
  /** A run that takes longer has its signal aborted; absent: `DEADLINE_MS`. */
  readonly deadlineMs?: number;
  run(signal: AbortSignal): Promise<unknown>;
}

/** Of jobs that name none. */
const DEADLINE_MS = 10 * 60_000;

export type RunOutcome = 'done' | 'failed' | 'late';

/** How a job stands at this moment. */
export interface JobState {
  readonly name: string;
  readonly paused: boolean;
  readonly running: boolean;
  /** How long it should have run by now and has not: a job that hangs or fails only ever grows this. */
  readonly overdueMs: number;
}

export interface Schedule {
  /** Runs the job as soon as it is free, paused or not; resolves when that run has ended, failed or not. */
  trigger(name: string): Promise<void>;
  pause(name: string): void;
  resume(name: string): void;
  states(): readonly JobState[];
  /** Ends every run at its next wait; resolves when none is left. */
  stop(): Promise<void>;
}

/** Told of every run that ended. */
export type RunWatcher = (job: string, outcome: RunOutcome, ms: number) => void;

export function startSchedule(
  jobs: readonly Job[],
  clock: Clock,
  log: Log,
  watcher: RunWatcher = () => undefined,
): Schedule {
  const stopped = new AbortController();
  const loops = new Map(jobs.map((job) => [job.name, new JobLoop(job, clock, log, watcher, stopped.signal)]));
  const find = (name: string): JobLoop => {
    const loop = loops.get(name);
    if (!loop) throw new RangeError(`no job named ${name}`);
    return loop;
  };
  const ends = [...loops.values()].map((loop) => loop.loop());
  return {
    trigger: (name) => find(name).trigger(),
    pause: (name) => find(name).pause(),
    resume: (name) => find(name).resume(),
    states: () => [...loops.values()].map((loop) => loop.state()),
    stop: async () => {
      stopped.abort();
      await Promise.all(ends);
    },
  };
}

class JobLoop {
  readonly #job: Job;
  readonly #clock: Clock;
  readonly #log: Log;
  readonly #watcher: RunWatcher;
  readonly #stopped: AbortSignal;
  #paused = false;
  #running = false;
  /** When the newest run that went well had ended, or the job began to exist. */
  #wellAtMs: number;
  /** The last of the runs asked for; each begins when the one before it has ended. */
  #last: Promise<void> = Promise.resolve();

  constructor(job: Job, clock: Clock, log: Log, watcher: RunWatcher, stopped: AbortSignal) {
    this.#job = job;
    this.#clock = clock;
    this.#log = log;
    this.#watcher = watcher;
    this.#stopped = stopped;
    this.#wellAtMs = clock.nowMs();
  }

  pause(): void {
    this.#paused = true;
  }
  resume(): void {
    this.#paused = false;
  }

  state(): JobState {
    const overdueMs = this.#paused ? 0 : this.#clock.nowMs() - this.#wellAtMs - this.#job.everyMs;
    return {
      name: this.#job.name,
      paused: this.#paused,
      running: this.#running,
      overdueMs: Math.max(0, overdueMs),
    };
  }

  trigger(): Promise<void> {
    this.#last = this.#last.then(() => this.#runOnce());
    return this.#last;
  }

  async loop(): Promise<void> {
    while (!this.#stopped.aborted) {
      if (!this.#paused) await this.trigger();
      await this.#clock.sleep(this.#job.everyMs, this.#stopped).catch(() => undefined);
    }
    await this.#last;
  }

  async #runOnce(): Promise<void> {
    if (this.#stopped.aborted) return;
    const { name, deadlineMs = DEADLINE_MS } = this.#job;
    const startMs = this.#clock.nowMs();
    const ended = new AbortController();
    const late = new AbortController();
    const deadline = this.#clock.sleep(deadlineMs, AbortSignal.any([this.#stopped, ended.signal])).then(
      () => {
        this.#log.warn('job-late', { job: name, deadlineMs });
        late.abort(new DOMException(`${name} has run for ${deadlineMs} ms`, 'TimeoutError'));
      },
      () => undefined,
    );
    this.#running = true;
    const outcome = await this.#attempt(AbortSignal.any([this.#stopped, late.signal]), late.signal);
    this.#running = false;
    ended.abort();
    await deadline;
    if (this.#stopped.aborted) return;
    const nowMs = this.#clock.nowMs();
    if (outcome === 'done') this.#wellAtMs = nowMs;
    this.#watcher(name, outcome, nowMs - startMs);
  }

  async #attempt(signal: AbortSignal, late: AbortSignal): Promise<RunOutcome> {
    try {
      await this.#job.run(signal);
      return late.aborted ? 'late' : 'done';
    } catch (error) {
      if (this.#stopped.aborted) return 'failed';
      const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      this.#log.warn('job-failed', { job: this.#job.name, reason });
      return late.aborted ? 'late' : 'failed';
    }
  }
}
