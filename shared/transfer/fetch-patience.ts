/**
 * How long the holders of a segment's shards are waited for while it is fetched: from the others' times as soon as there
 * are some, before that from what is known of each. No effects in here: `segment-fetch.ts` acts, this answers.
 */
import type { Holder } from './fetch-slots.ts';
import { medianOf, type Pace } from './pace.ts';
import type { Latencies } from './ports.ts';

/** Before anybody has answered, a miner is late after so many times the least patience. */
const EARLY_PATIENCE = 3;
/** While fewer than half of the shards are there, after so many times what they took. */
const FEW_PATIENCE = 1.5;

export class FetchPatience {
  readonly #pace: Pace;
  readonly #holders: readonly Holder[];
  readonly #expectedMs: (holder: Holder) => number;
  readonly #k: number;
  readonly #answerTimes: number[] = [];

  constructor(pace: Pace, latencies: Latencies, holders: readonly Holder[], k: number, shardBytes: number) {
    this.#pace = pace;
    this.#holders = holders;
    this.#expectedMs = ({ slot }) => latencies.expectedMs(slot.miner, 'fetch', shardBytes);
    this.#k = k;
  }

  noteAnswer(ms: number): void {
    this.#answerTimes.push(ms);
  }

  /** What the others' answers make of "late"; undefined while there are none. */
  #typicalLateMs(): number | undefined {
    const { hedgeMinMs, hedgeFactor } = this.#pace;
    const median = medianOf(this.#answerTimes);
    if (median === undefined) return undefined;
    const lateMs = Math.max(hedgeMinMs, hedgeFactor * median);
    return 2 * this.#answerTimes.length >= this.#k ? lateMs : FEW_PATIENCE * lateMs;
  }

  #deadlineMs(holder: Holder, typicalLateMs: number | undefined): number {
    const { hedgeMinMs, hedgeFactor, replyMs } = this.#pace;
    if (holder.late) return holder.askedAtMs + replyMs;
    const lateMs = typicalLateMs ?? Math.max(EARLY_PATIENCE * hedgeMinMs, hedgeFactor * this.#expectedMs(holder));
    return holder.askedAtMs + Math.min(replyMs, lateMs);
  }

  overdue(nowMs: number): readonly Holder[] {
    const typicalLateMs = this.#typicalLateMs();
    return this.#holders.filter(
      (holder) => holder.state === 'asked' && this.#deadlineMs(holder, typicalLateMs) <= nowMs,
    );
  }

  /** Milliseconds until the next look: never further than the least deadline of a question asked meanwhile. */
  nextLookMs(nowMs: number): number {
    const typicalLateMs = this.#typicalLateMs();
    const deadlines = this.#holders
      .filter(({ state }) => state === 'asked')
      .map((holder) => this.#deadlineMs(holder, typicalLateMs));
    return Math.max(0, Math.min(nowMs + this.#pace.hedgeMinMs, ...deadlines) - nowMs);
  }
}
