/**
 * What the validator thinks of one miner, and the steps by which it came to think so. Every change of a score, a tier
 * or a reward is one `StandingEvent` with its reason and where the evidence lies: `explain-standing.ts` and the
 * snapshots for the index read them, `standings.ts` alone writes them.
 */
import type { Hotkey } from '#shared/primitives/ids.ts';
import type { Ending, Task } from '#shared/tier/reward.ts';

/** Tasks whose answers make up the score; a failed ping costs reward alone. */
export const SCORED_TASKS = ['store', 'challenge', 'retrieve'] as const;
export type ScoredTask = (typeof SCORED_TASKS)[number];

export interface TaskCounts {
  readonly attempts: number;
  readonly successes: number;
}

export interface Standing {
  readonly hotkey: Hotkey;
  /** Of the window that is open. */
  readonly counts: Readonly<Record<ScoredTask, TaskCounts>>;
  /** Of its lifetime under this hotkey. */
  readonly totalSuccesses: number;
  /** Of the window that is open: 0.5 while nothing was asked in it. */
  readonly score: number;
  /** A row of the tier table by name; set when a window closes. */
  readonly tier: string;
  /** Moving average of rewards: what weights are made of. */
  readonly reward: number;
  /** Strikes of the window that is open. */
  readonly strikes: number;
  readonly totalStrikes: number;
  /** The last window in which it was asked anything, as its tier was set by it. */
  readonly lastWindow: (TaskCounts & { readonly window: number; readonly score: number }) | undefined;
  readonly sinceMs: number;
  readonly changedAtMs: number;
}

export interface Change<T> {
  readonly before: T;
  readonly after: T;
}

export interface StandingEvent {
  readonly hotkey: Hotkey;
  /** Counts a hotkey's events from 1; never reused. */
  readonly n: number;
  readonly atMs: number;
  readonly block: number | undefined;
  /** An answer's task, the end of a window, or the end of the record itself. */
  readonly cause: Task | 'window' | 'forgotten';
  /** Of an answer. */
  readonly ending: Ending | undefined;
  /** A stable code: `passed`, `timeout`, `wrong-leaf`, `tier-raised`, … */
  readonly reason: string;
  /** `round:412`, `probe:…`, `ping:…`, `window:31`, … */
  readonly evidence: string;
  /** What the answer earned, before it went into the average; 0 where nothing is earned. */
  readonly earned: number;
  readonly score: Change<number>;
  readonly tier: Change<string>;
  readonly reward: Change<number>;
}
