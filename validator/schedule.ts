/**
 * The validator's jobs, each on its own timer: a slow or failing one never holds up another, none overlaps itself, and
 * each can be paused, resumed and triggered (by tests, later by an operator). A job that fails is logged and comes
 * again at its next time.
 */
import type { Clock, Log } from '#shared/primitives/effects.ts';

export interface Job {
  readonly name: string;
  /** From the end of one run to the start of the next. */
  readonly everyMs: number;
  run(signal: AbortSignal): Promise<unknown>;
}

export interface Schedule {
  /** Runs the job as soon as it is free, paused or not; resolves when that run has ended, failed or not. */
  trigger(name: string): Promise<void>;
  pause(name: string): void;
  resume(name: string): void;
  /** Ends every run at its next wait; resolves when none is left. */
  stop(): Promise<void>;
}

export function startSchedule(jobs: readonly Job[], clock: Clock, log: Log): Schedule {
  const stopped = new AbortController();
  const loops = new Map(jobs.map((job) => [job.name, new JobLoop(job, clock, log, stopped.signal)]));
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
  readonly #stopped: AbortSignal;
  #paused = false;
  /** The last of the runs asked for; each begins when the one before it has ended. */
  #last: Promise<void> = Promise.resolve();

  constructor(job: Job, clock: Clock, log: Log, stopped: AbortSignal) {
    this.#job = job;
    this.#clock = clock;
    this.#log = log;
    this.#stopped = stopped;
  }

  pause(): void {
    this.#paused = true;
  }
  resume(): void {
    this.#paused = false;
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
    try {
      await this.#job.run(this.#stopped);
    } catch (error) {
      if (this.#stopped.aborted) return;
      const reason = error instanceof Error ? `${error.name}: ${error.message}` : String(error);
      this.#log.warn('job-failed', { job: this.#job.name, reason });
    }
  }
}
