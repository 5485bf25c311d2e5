/**
 * How long the miners of a segment are waited for while it is stored: when one counts as late, when the next look is
 * due, and when waiting for the rest is over once enough is in. From the others' times as soon as there are some. No
 * effects in here: `segment-store.ts` acts, this answers.
 */
import { medianOf, type Pace } from './pace.ts';
import { type Attempt, attemptsIn, type StoreSlot } from './store-slots.ts';

/** Once enough is in, miners that are late and cannot be replaced get no more than lateness took. */
const LATE_PATIENCE = 1;
/** Replacements that are themselves late, one after the other, get so many times that in all. */
const CHAIN_PATIENCE = 4;
/** While fewer than half of the receipts are in, miners are given so much more time. */
const EARLY_PATIENCE = 3;

export class StorePatience {
  readonly #pace: Pace;
  readonly #slots: readonly StoreSlot[];
  readonly #replyTimes: number[] = [];
  #enoughAtMs: number | undefined;

  constructor(pace: Pace, slots: readonly StoreSlot[]) {
    this.#pace = pace;
    this.#slots = slots;
  }

  noteReply(ms: number): void {
    this.#replyTimes.push(ms);
  }

  /** The segment counts as stored from here on. */
  noteEnough(nowMs: number): void {
    this.#enoughAtMs ??= nowMs;
  }

  /** How long a miner may take before another is asked as well. */
  get lateAfterMs(): number {
    const { hedgeMinMs, hedgeFactor, replyMs } = this.#pace;
    const median = medianOf(this.#replyTimes);
    if (median === undefined) return replyMs;
    const lateMs = Math.max(hedgeMinMs, hedgeFactor * median);
    const most = 2 * this.#replyTimes.length >= this.#slots.length;
    return Math.min(replyMs, most ? lateMs : EARLY_PATIENCE * lateMs);
  }

  #deadlineMs({ slot, handed, sent, late, dropped }: Attempt, lateAfterMs: number): number {
    if (slot.receipt || !handed || dropped) return Number.POSITIVE_INFINITY;
    const patience = late ? this.#pace.replyMs : lateAfterMs;
    return handed.atMs + (sent ? patience : Math.min(patience, this.#pace.stallMs));
  }

  overdue(nowMs: number): readonly Attempt[] {
    const { lateAfterMs } = this;
    return attemptsIn(this.#slots, 'live').filter((attempt) => this.#deadlineMs(attempt, lateAfterMs) <= nowMs);
  }

  isStalled({ handed, sent }: Attempt, nowMs: number): boolean {
    return handed !== undefined && !sent && nowMs >= handed.atMs + this.#pace.stallMs;
  }

  /** Milliseconds until the next look: never further than the least deadline of a frame handed over meanwhile. */
  nextLookMs(nowMs: number): number {
    const { lateAfterMs } = this;
    const { hedgeMinMs, stallMs } = this.#pace;
    const deadlines = attemptsIn(this.#slots, 'live').map((attempt) => this.#deadlineMs(attempt, lateAfterMs));
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
    if (this.#enoughAtMs === undefined) return false;
    const times = waiting.every(({ late }) => late) ? LATE_PATIENCE : CHAIN_PATIENCE;
    return nowMs >= this.#enoughAtMs + times * this.lateAfterMs;
  }
}
