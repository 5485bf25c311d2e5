/**
 * What the answers so far say about when the rest of a segment's miners is late: the arithmetic of patience, which
 * `store-patience.ts` and `fetch-patience.ts` apply to their attempts and holders.
 */
import type { Pace } from './pace.ts';

/** A miner that is seen to take so long may take as many times that, up to `distantMs`. */
const SEEN_FACTOR = 1.5;
/** Up to as many times the median of the others a miner may be further away, and no worse for it. */
const DISTANT_FACTOR = 2;
/** While fewer than half have answered, as many times what their answers make likely. */
const EARLY_FACTOR = 3;

/** The middle value; undefined for none. */
export function medianOf(values: readonly number[]): number | undefined {
  return [...values].sort((a, b) => a - b)[values.length >> 1];
}

/**
 * The likely time of the last one is the slowest so far, over the share of answers that are in: exact when they come one
 * after the other (over one line, or some at a time), and no more than the slowest where all were there at once. Nothing
 * is known before the first answer.
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

  /** This program woke so much later than it wanted to (0: in time): then answers that are there are seen as late as that, too. */
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
