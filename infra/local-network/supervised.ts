/**
 * A child that is meant to run: when it dies unasked it is started again, after a growing pause, with a line that says
 * so. Whoever holds it may take it down, as a crash too, and bring it up again; then it stays as it was left.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { Child, type ChildSpec } from './child.ts';

const FIRST_PAUSE_MS = 500;
const LONGEST_PAUSE_MS = 30_000;
/** A child that lived this long was well: its next restart waits no longer than the first. */
const WELL_MS = 60_000;
/** For a clean end, before it is killed; all of a network ends within five seconds (README). */
const STOP_GRACE_MS = 3500;

export interface Supervision {
  /** Every process that begins or ends, so that none is ever unknown. */
  onSpawn(child: Child): void;
  onEnd(child: Child): void;
  /** It is up again after it had died. */
  onRestart(): void;
  /** One line for the person at the terminal. */
  say(line: string): void;
  /** Starts a program some other way than from this folder: from an image. */
  launch?<Ready>(spec: ChildSpec<Ready>): ChildSpec<Ready>;
}

export class Supervised<Ready> {
  readonly #makeSpec: () => Promise<ChildSpec<Ready>>;
  readonly #supervision: Supervision;
  #child: Child<Ready> | undefined;
  /** Ends the watch over the present child, and any restart that is under way. */
  #watch = new AbortController();
  #settled: Promise<void> = Promise.resolve();

  /** @param makeSpec asked before every start: a port may have been taken in the meantime */
  constructor(makeSpec: () => Promise<ChildSpec<Ready>>, supervision: Supervision) {
    this.#makeSpec = makeSpec;
    this.#supervision = supervision;
  }

  /** The running child; throws when there is none. */
  get child(): Child<Ready> {
    if (!this.#child) throw new Error('this child is down');
    return this.#child;
  }

  get isUp(): boolean {
    return this.#child !== undefined;
  }

  /** Starts it; rejects when it does not come up. */
  async up(): Promise<void> {
    this.#watch = new AbortController();
    await this.#start();
    this.#settled = this.#keepUp(this.#watch.signal);
  }

  async down(): Promise<void> {
    this.#watch.abort();
    await this.#child?.stop(STOP_GRACE_MS);
    await this.#settled;
    this.#child = undefined;
  }

  /** Ends it as a crash would, and leaves it so. */
  async crash(): Promise<void> {
    this.#watch.abort();
    await this.#child?.kill();
    await this.#settled;
    this.#child = undefined;
  }

  async #start(): Promise<Child<Ready>> {
    const made = await this.#makeSpec();
    const spec = this.#supervision.launch?.(made) ?? made;
    const { onSpawn, onEnd } = this.#supervision;
    const child = await Child.start(spec, (spawned) => {
      onSpawn(spawned);
      void spawned.ended.then(() => onEnd(spawned));
    });
    this.#child = child;
    return child;
  }

  async #keepUp(asked: AbortSignal): Promise<void> {
    let pauseMs = FIRST_PAUSE_MS;
    while (this.#child) {
      const child: Child<Ready> = this.#child;
      const { name, ended } = child;
      const sinceMs = Date.now();
      const how = await ended;
      this.#child = undefined;
      if (asked.aborted) return;
      if (child.finished) return this.#supervision.say(`${name} is done and has ended`);
      if (Date.now() - sinceMs > WELL_MS) pauseMs = FIRST_PAUSE_MS;
      this.#supervision.say(`${name} died (${how}); it is started again`);
      const again = await this.#startAgain(name, pauseMs, asked);
      if (!again) return;
      pauseMs = again.nextPauseMs;
      // Asked to end while it came up: nobody else knows this child.
      if (asked.aborted) return again.child.stop(STOP_GRACE_MS);
      this.#supervision.say(`${name} is back`);
      this.#supervision.onRestart();
    }
  }

  async #startAgain(name: string, firstPauseMs: number, asked: AbortSignal) {
    for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(2 * pauseMs, LONGEST_PAUSE_MS)) {
      await sleep(pauseMs, undefined, { signal: asked }).catch(() => undefined);
      if (asked.aborted) return undefined;
      try {
        const child = await this.#start();
        return { child, nextPauseMs: Math.min(2 * pauseMs, LONGEST_PAUSE_MS) };
      } catch (error) {
        this.#supervision.say(`${name} does not start: ${error instanceof Error ? error.message : error}`);
      }
    }
  }
}
