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
   * A miner that was seen to be slower than the others, and did not fail, may take so long: it is further away, or has a
   * thin line. Also how long anybody may take who has no others to be compared with, where asking once more is cheap.
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
  distantMs: 400,
  replyMs: 10_000,
  stallMs: 4000,
  receiptMs: 1500,
  finishMs: 1500,
};

/** A miner that is seen to take so long may take as many times that, up to `distantMs`. */
const SEEN_FACTOR = 1.5;
/** The median of the others as often still is no lateness for a miner that is known to be further away. */
const DISTANT_FACTOR = 3;
/** While fewer than half have answered, as many times what their answers make likely. */
const EARLY_FACTOR = 3;

/** The middle value; undefined for none. */
export function medianOf(values: readonly number[]): number | undefined {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

/**
 * What the answers so far say about when the rest is late. The likely time of the last one is the slowest so far, over
 * the share of answers that are in: exact when they come one after the other (over one line, or some at a time), and no
 * more than the slowest where all were there at once. Nothing is known before the first answer.
 */
export class TypicalTimes {
  readonly #pace: Pace;
  readonly #expected: number;
  readonly #times: number[] = [];
  #lagMs = 0;

  /** @param expected answers in all */
  constructor(pace: Pace, expected: number) {
    this.#pace = pace;
    this.#expected = expected;
  }

  note(ms: number): void {
    this.#times.push(ms);
  }

  /** This program woke so much later than it wanted to: then answers that are there are seen as late as that, too. */
  noteLag(ms: number): void {
    this.#lagMs = Math.max(this.#lagMs, ms);
  }

  get #graceMs(): number {
    return this.#pace.hedgeMinMs + this.#lagMs;
  }

  /** A miner nothing is known of is late after this; undefined before the first answer. */
  get lateAfterMs(): number | undefined {
    const median = medianOf(this.#times);
    if (median === undefined) return undefined;
    const share = Math.min(1, this.#times.length / this.#expected);
    const likelyMs = Math.max(this.#pace.hedgeFactor * median, Math.max(...this.#times) / share);
    const lateMs = likelyMs + this.#graceMs;
    return 2 * share >= 1 ? lateMs : EARLY_FACTOR * lateMs;
  }

  /** One shard alone is late after this: nothing is sent beside it that would slow it down. */
  get lateAloneMs(): number | undefined {
    return this.#times.length === 0 ? undefined : Math.max(...this.#times) + this.#graceMs;
  }

  /** Nobody is slow who answers within this. */
  get distantMs(): number {
    return Math.max(this.#pace.distantMs + this.#lagMs, DISTANT_FACTOR * (medianOf(this.#times) ?? 0));
  }

  /** @param seenMs what the miner took lately for as much, if that is known */
  lateAfterFor(seenMs: number | undefined): number | undefined {
    const lateMs = this.lateAfterMs;
    if (lateMs === undefined || seenMs === undefined) return lateMs;
    return Math.max(lateMs, Math.min(SEEN_FACTOR * seenMs, this.distantMs));
  }
}
