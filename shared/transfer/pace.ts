/**
 * The engines' patience: how long is waited for a miner before another one is asked as well, or instead. Times follow
 * the others' where there are others to compare with, so that a distant network is not taken for a slow one.
 */
export interface Pace {
  /** Least time before a miner counts as late, however quick the others were: disks flush, collectors run. */
  readonly hedgeMinMs: number;
  /** A miner is late after this many times the median of the others. */
  readonly hedgeFactor: number;
  /** Without others to compare with: a request unanswered for this long has failed, and so has its miner. */
  readonly replyMs: number;
  /** A transport that takes nothing of a frame for this long has failed: its buffer is wanted back. */
  readonly stallMs: number;
  /** For asking whether a shard whose answer was lost had arrived. */
  readonly receiptMs: number;
  /** For ending streams after the last receipt. */
  readonly finishMs: number;
}

/**
 * A round trip around the earth takes 300 ms, and so may an fsync on a busy disk; the wire's own idle limit
 * (`shared/wire/limits.ts`) is 10 s.
 */
export const DEFAULT_PACE: Pace = {
  hedgeMinMs: 400,
  hedgeFactor: 3,
  replyMs: 10_000,
  stallMs: 4000,
  receiptMs: 1500,
  finishMs: 1500,
};

/** The middle value; undefined for none. */
export function medianOf(values: readonly number[]): number | undefined {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}
