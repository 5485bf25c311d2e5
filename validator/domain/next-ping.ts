/**
 * What one ping makes of a miner's standing with the monitor. More than five failures in a row are a strike, and so are
 * as many again while it stays silent. Pure. Source: the original's monitor (five failed pings, −0.005 a strike).
 */
import type { Hotkey } from '#shared/primitives/ids.ts';

/** up: answers, or not long silent · down: struck, what it holds is being repaired · leaving: it announced that it goes */
export type PingState = 'up' | 'down' | 'leaving';

export interface PingStanding {
  readonly hotkey: Hotkey;
  readonly state: PingState;
  /** Failed pings in a row. */
  readonly failures: number;
  /** Strikes since it last answered. */
  readonly strikes: number;
  readonly sinceMs: number;
  readonly lastAnswerMs: number;
}

export type PingAnswer = 'up' | 'leaving' | 'silent';
/** What others have to know: struck (again), back, or about to leave. */
export type PingChange = 'struck' | 'back' | 'leaving';

/** More than so many in a row are a strike. */
export const FAILED_PINGS = 5;

export function nextPing(
  hotkey: Hotkey,
  before: PingStanding | undefined,
  answer: PingAnswer,
  nowMs: number,
): { readonly standing: PingStanding; readonly change: PingChange | undefined } {
  const was = before ?? { hotkey, state: 'up', failures: 0, strikes: 0, sinceMs: nowMs, lastAnswerMs: nowMs };
  if (answer !== 'silent') {
    const sinceMs = was.state === answer ? was.sinceMs : nowMs;
    const standing: PingStanding = { hotkey, state: answer, failures: 0, strikes: 0, sinceMs, lastAnswerMs: nowMs };
    const change = was.state === answer ? undefined : answer === 'leaving' ? 'leaving' : 'back';
    return { standing, change };
  }
  const failures = was.failures + 1;
  const struck = failures % (FAILED_PINGS + 1) === 0;
  if (!struck) return { standing: { ...was, failures }, change: undefined };
  const sinceMs = was.state === 'down' ? was.sinceMs : nowMs;
  return { standing: { ...was, state: 'down', failures, strikes: was.strikes + 1, sinceMs }, change: 'struck' };
}
