/**
 * The engines' patience: how long is waited for a miner before another one is asked as well, or instead. Times follow
 * what the others of the same segment take, so that a distant network, a thin line or a busy machine is not taken for a
 * slow miner, and a slow miner in a quick network is noticed soon.
 */
export interface Pace {
  /** Every miner may take so much longer than the others make likely: disks flush, collectors run. */
  readonly hedgeMinMs: number;
  /** A miner is late, besides, after this many times the median of the others. */
  readonly hedgeFactor: number;
  /**
   * A miner may take so long that is further away than the others, or has a thin line: one that was seen to, and one
   * that nothing bad is known of where nobody could be asked instead.
   */
  readonly distantMs: number;
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
 * An fsync on a busy disk takes 10 to 100 ms, a round trip around the earth 300 ms; the wire's own idle limit
 * (`shared/wire/limits.ts`) is 10 s.
 */
export const DEFAULT_PACE: Pace = {
  hedgeMinMs: 100,
  hedgeFactor: 1.5,
  distantMs: 300,
  replyMs: 10_000,
  stallMs: 4000,
  receiptMs: 1500,
  finishMs: 1500,
};
