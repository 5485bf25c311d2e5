/**
 * How long the holders of a segment's shards are waited for while it is fetched: from the others' times as soon as there
 * are some, before that from what is known of each. No effects in here: `segment-fetch.ts` acts, this answers.
 */
import type { Holder } from './fetch-slots.ts';
import type { Pace } from './pace.ts';
import type { Latencies } from './ports.ts';
import { TypicalTimes } from './typical-times.ts';

/** Before anybody has answered, a miner is late after so many times what is expected of it. */
const EXPECTED_FACTOR = 6;
/** And after so many times what a distant one may take: nobody knows yet that they are not all distant. */
const UNHEARD_FACTOR = 2;
/** A request that has to queue for a slot is given so many times that: of 16, six leave at a time. */
const QUEUED_FACTOR = 3;
/** A later shard of a request is given so many times what the first one took. */
const PAUSED_FACTOR = 2;

export class FetchPatience {
  readonly times: TypicalTimes;
  readonly #pace: Pace;
  readonly #holders: readonly Holder[];
  readonly #expectedMs: (holder: Holder) => number;
  readonly #seenMs: (holder: Holder) => number | undefined;

  constructor(pace: Pace, latencies: Latencies, holders: readonly Holder[], k: number, shardBytes: number) {
    this.times = new TypicalTimes(pace, k);
    this.#pace = pace;
    this.#holders = holders;
    this.#expectedMs = ({ slot }) => latencies.expectedMs(slot.miner, 'fetch', shardBytes);
    this.#seenMs = ({ slot }) => latencies.seenMs(slot.miner, 'fetch', shardBytes);
  }

  #deadlineMs(holder: Holder): number {
    const { distantMs, replyMs } = this.#pace;
    if (holder.late) return holder.askedAtMs + replyMs;
    const comparedMs = this.times.lateAfterFor(this.#seenMs(holder));
    let lateMs =
      comparedMs === undefined
        ? Math.max(UNHEARD_FACTOR * distantMs, EXPECTED_FACTOR * this.#expectedMs(holder))
        : // The first answers alone say little, but asking once more is cheap.
          Math.min(comparedMs, this.times.distantMs);
    // We pause a request while its next segment has no memory; then its bytes have the whole way to come again.
    if (holder.wayMs !== undefined) lateMs = Math.max(lateMs, PAUSED_FACTOR * holder.wayMs);
    return holder.askedAtMs + Math.min(replyMs, holder.queued ? QUEUED_FACTOR * lateMs : lateMs);
  }

  overdue(nowMs: number): readonly Holder[] {
    return this.#holders.filter((holder) => holder.state === 'asked' && this.#deadlineMs(holder) <= nowMs);
  }

  /** Milliseconds until the next look: never further than the least deadline of a question asked meanwhile. */
  nextLookMs(nowMs: number): number {
    const deadlines = this.#holders.filter(({ state }) => state === 'asked').map((holder) => this.#deadlineMs(holder));
    return Math.max(0, Math.min(nowMs + this.#pace.hedgeMinMs, ...deadlines) - nowMs);
  }
}
