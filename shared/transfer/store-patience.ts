/**
 * How long the miners of a segment are waited for while it is stored: when one counts as late, when the next look is
 * due, and when waiting for the rest is over once enough is in. From the others' times as soon as there are some. No
 * effects in here: `segment-store.ts` acts, this answers.
 *
 * What bad miners cost an upload, where T is what a shard takes the good ones (when streams have to be opened first: two
 * times the way there and back): noticing takes half of T and the grace of 100 ms, all of them at once, and storing
 * elsewhere the way there and back. Where the one that was asked instead is bad as well, it is waited for no longer than
 * T and the grace, and repair makes the shard: T / 2 + 100 ms + T + 100 ms in all. Where nobody is left to be asked, a
 * miner that nothing bad is known of gets twice T or 300 ms in all: it may be further away, and repair costs more than a
 * wait. That is when enough good miners answer; where too few do, the upload takes as long as the slow ones it needs.
 */
import type { Pace } from './pace.ts';
import { type Attempt, attemptsIn, type StoreSlot } from './store-slots.ts';
import { TypicalTimes } from './typical-times.ts';

/** Once enough is in, miners that are late and cannot be replaced get no more than lateness took. */
const LATE_PATIENCE = 1;
/** Replacements that are themselves late, one after the other, get so many times that in all. */
const CHAIN_PATIENCE = 4;

export class StorePatience {
  readonly times: TypicalTimes;
  readonly #pace: Pace;
  readonly #slots: readonly StoreSlot[];
  readonly #seenMs: (attempt: Attempt) => number | undefined;
  #enoughAtMs: number | undefined;

  /** @param seenMs what the attempt's miner took lately for a shard of this size, if that is known */
  constructor(pace: Pace, slots: readonly StoreSlot[], seenMs: (attempt: Attempt) => number | undefined) {
    this.times = new TypicalTimes(pace, slots.length);
    this.#pace = pace;
    this.#slots = slots;
    this.#seenMs = seenMs;
  }

  /** The segment counts as stored from here on. */
  noteEnough(nowMs: number): void {
    this.#enoughAtMs ??= nowMs;
  }

  /** How long a miner may take that nothing is known of. */
  get lateAfterMs(): number {
    return Math.min(this.#pace.replyMs, this.times.lateAfterMs ?? this.#pace.replyMs);
  }

  /** How long this one may take before another is asked as well. */
  #patienceFor(attempt: Attempt): number {
    const { replyMs } = this.#pace;
    if (attempt.late) return replyMs;
    const { times } = this;
    const seenMs = this.#seenMs(attempt);
    // Instead of another, once enough is in: it has the time that the others took, and not half as much again.
    const instead = this.#enoughAtMs !== undefined && attempt.slot.attempts.length > 1 && seenMs === undefined;
    return Math.min(replyMs, (instead ? times.lateAloneMs : times.lateAfterFor(seenMs)) ?? replyMs);
  }

  #deadlineMs(attempt: Attempt): number {
    const { slot, handed, sent, dropped } = attempt;
    if (slot.receipt || !handed || dropped) return Number.POSITIVE_INFINITY;
    const patience = this.#patienceFor(attempt);
    return handed.atMs + (sent ? patience : Math.min(patience, this.#pace.stallMs));
  }

  overdue(nowMs: number): readonly Attempt[] {
    return attemptsIn(this.#slots, 'live').filter((attempt) => this.#deadlineMs(attempt) <= nowMs);
  }

  isStalled({ handed, sent }: Attempt, nowMs: number): boolean {
    return handed !== undefined && !sent && nowMs >= handed.atMs + this.#pace.stallMs;
  }

  /** Until when a late miner is waited for that nobody could be asked instead of. */
  #soleEndMs({ sole, handed }: Attempt): number {
    return sole && handed ? handed.atMs + this.times.distantMs : Number.NEGATIVE_INFINITY;
  }

  /** Milliseconds until the next look: never further than the least deadline of a frame handed over meanwhile. */
  nextLookMs(nowMs: number): number {
    const { lateAfterMs } = this;
    const { hedgeMinMs, stallMs } = this.#pace;
    const deadlines = attemptsIn(this.#slots, 'live').map((attempt) => this.#deadlineMs(attempt));
    const soleEnds = attemptsIn(this.#slots, 'live').map((attempt) => this.#soleEndMs(attempt));
    deadlines.push(...soleEnds.filter((endMs) => endMs > nowMs));
    for (const times of this.#enoughAtMs === undefined ? [] : [LATE_PATIENCE, CHAIN_PATIENCE]) {
      const endMs = (this.#enoughAtMs ?? 0) + times * lateAfterMs;
      if (endMs > nowMs) deadlines.push(endMs);
    }
    return Math.max(0, Math.min(nowMs + Math.min(hedgeMinMs, stallMs), ...deadlines) - nowMs);
  }

  /**
   * Enough is in, and every miner that was asked for the rest had its time, replacements included: counting from when
   * enough was in alone would give up on one that was asked a moment ago.
   */
  isOver(waiting: readonly Attempt[], nowMs: number): boolean {
    if (this.#enoughAtMs === undefined || waiting.some((attempt) => this.#soleEndMs(attempt) > nowMs)) return false;
    const times = waiting.every(({ late }) => late) ? LATE_PATIENCE : CHAIN_PATIENCE;
    return nowMs >= this.#enoughAtMs + times * this.lateAfterMs;
  }
}
