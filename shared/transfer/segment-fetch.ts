/**
 * One segment on its way back: k right shards of n holders, each checked against its anchor, unmasked, joined or
 * decoded, and the whole checked against the segment hash. The lanes of `fetch-segments.ts` bring the shards of the
 * holders chosen first; whatever is wrong, absent, broken or late is asked of another holder in a request of its own.
 */
import { rebuild, shardBytesOf } from '#shared/codec/reed-solomon.ts';
import { equalBytes } from '#shared/primitives/bytes.ts';
import { fail, type Result, succeed } from '#shared/primitives/failure.ts';
import { maskKeyOf, maskShard, type ShardPlace } from '#shared/proof/mask.ts';
import { ZK_ANCHOR_TYPE } from '#shared/proof/zk/zk-anchor.ts';
import type { MinerFailure } from '#shared/wire/ports.ts';
import { isAnchored } from './anchor-shard.ts';
import { createBudget } from './budget.ts';
import { FetchPatience } from './fetch-patience.ts';
import { countOf, type Holder, maxAsked, rankedHolders, unmaskBytes } from './fetch-slots.ts';
import type { Pace } from './pace.ts';
import type { FetchFailure, FetchRequest, FetchSegment, SlotComplaint, TransferPorts } from './ports.ts';
import { type LaneReader, ReadLane } from './read-lane.ts';
import { Wake } from './wake.ts';

/** Shared by the segments of one download. */
export interface DownloadState {
  readonly ports: TransferPorts;
  readonly pace: Pace;
  readonly request: FetchRequest;
  readonly codingKey: Uint8Array;
  readonly onComplaint: (complaint: SlotComplaint) => void;
  readonly signal: AbortSignal;
}

export class SegmentFetch implements LaneReader {
  readonly segment: FetchSegment;
  readonly shardBytes: number;
  readonly opened: Promise<void>;
  /** Every holder that can be asked, best first. */
  readonly holders: readonly Holder[];
  readonly #download: DownloadState;
  readonly #wake = new Wake();
  readonly #ended = new AbortController();
  readonly #signal: AbortSignal;
  readonly #lanes = new Map<Holder, ReadLane>();
  readonly #shards = new Map<number, Uint8Array>();
  readonly #patience: FetchPatience;
  readonly #tasks = new Set<Promise<void>>();
  readonly #unmasking: ReturnType<typeof createBudget>;
  /** k shards side by side: data shards are unmasked into their places. */
  #joined: Uint8Array = new Uint8Array(0);
  #open: () => void = () => undefined;
  #defect: { readonly error: unknown } | undefined;

  constructor(download: DownloadState, segment: FetchSegment) {
    const { k } = download.request.coding;
    this.#download = download;
    this.segment = segment;
    this.shardBytes = shardBytesOf(segment.bytes, k);
    this.holders = rankedHolders(download.request, download.ports.latencies, segment);
    const { ports, pace } = download;
    this.#patience = new FetchPatience(pace, ports.latencies, this.holders, k, this.shardBytes);
    this.#unmasking = createBudget(unmaskBytes(k, segment.bytes));
    this.#signal = AbortSignal.any([download.signal, this.#ended.signal]);
    this.opened = new Promise((resolve) => {
      this.#open = resolve;
    });
  }

  get #k(): number {
    return this.#download.request.coding.k;
  }

  /** The holders that lanes will ask; they count as asked from here on. */
  chooseFirst(): readonly Holder[] {
    const first = this.holders.slice(0, this.#k);
    for (const holder of first) {
      holder.state = 'asked';
      holder.askedAtMs = Number.POSITIVE_INFINITY;
    }
    return first;
  }

  // ---- what lanes report

  asked(holder: Holder, lane: ReadLane): void {
    if (holder.state !== 'asked') return;
    holder.askedAtMs = this.#download.ports.clock.nowMs();
    holder.queued = lane.queued;
    holder.wayMs = lane.wayMs;
    this.#lanes.set(holder, lane);
  }

  answered(holder: Holder, answer: Result<Uint8Array, MinerFailure>, worked: boolean): void {
    const lane = this.#lanes.get(holder);
    this.#lanes.delete(holder);
    if (this.#signal.aborted || holder.state !== 'asked') return;
    if (answer.ok) this.#spawn(this.#accept(holder, answer.value, lane));
    else this.#refuse(holder, answer.failure, worked);
    this.#wake.call();
  }

  // ---- the segment

  /** Needs its memory acquired. Never rejects but for a broken invariant. */
  async run(): Promise<Result<Uint8Array, FetchFailure>> {
    const { ports, signal } = this.#download;
    if (this.holders.length < this.#k) return fail(this.#unrecoverable());
    if (this.#k > 1) this.#joined = new Uint8Array(this.#k * this.shardBytes);
    this.#open();
    try {
      for (;;) {
        while (this.#shards.size < this.#k && !signal.aborted) {
          if (!this.#askOthers()) return fail(this.#unrecoverable());
          const lateMs = await this.#wake.sleep(ports.clock, this.#patience.nextLookMs(ports.clock.nowMs()), signal);
          this.#patience.times.noteLag(lateMs);
          if (this.#defect) throw this.#defect.error;
          if (this.#patience.overdue(ports.clock.nowMs()).length > 0) {
            // A busy program sees its timers first: let answers in that have come already.
            await ports.clock.sleep(0);
            for (const holder of this.#patience.overdue(ports.clock.nowMs())) this.#giveUp(holder);
          }
        }
        if (signal.aborted) return fail({ code: 'cancelled', fault: 'caller', message: 'the download was cancelled' });
        const assembled = await this.#assemble();
        if (assembled.ok || !this.#checkedLate || !(await this.#dropWrong())) return assembled;
      }
    } finally {
      await this.close();
    }
  }

  /** Ends every question that is still open. */
  async close(): Promise<void> {
    this.#open();
    this.#ended.abort();
    for (const lane of this.#lanes.values()) lane.drop();
    await Promise.all(this.#tasks);
  }

  #spawn(task: Promise<void>): void {
    const watched: Promise<void> = task
      .catch((error: unknown) => {
        // What is still under way when the segment ends stops by rejecting.
        if (!this.#signal.aborted) this.#defect ??= { error };
      })
      .finally(() => {
        this.#tasks.delete(watched);
        this.#wake.call();
      });
    this.#tasks.add(watched);
  }

  /** Asks as many more holders as are missing; false when k can no longer be had. */
  #askOthers(): boolean {
    for (;;) {
      const timely = this.holders.filter((holder) => holder.state === 'asked' && !holder.late).length;
      const missing = this.#k - countOf(this.holders, 'right') - timely;
      if (missing <= 0) return true;
      const next =
        this.holders.find((holder) => holder.state === 'idle') ??
        this.holders.find((holder) => holder.state === 'broken');
      if (!next) return countOf(this.holders, 'right', 'asked') >= this.#k;
      if (countOf(this.holders, 'asked') >= maxAsked(this.#k)) {
        const latest = this.holders.find((holder) => holder.state === 'asked' && holder.late);
        if (!latest) return true;
        this.#abandon(latest);
      }
      this.#askAlone(next);
    }
  }

  #askAlone(holder: Holder): void {
    const { ports } = this.#download;
    holder.state = 'asked';
    holder.askedAtMs = ports.clock.nowMs();
    const reader: LaneReader = {
      shardBytes: this.shardBytes,
      opened: this.opened,
      asked: (asked, lane) => this.asked(asked, lane),
      // A second failure is final.
      answered: (asked, answer) => this.answered(asked, answer, false),
    };
    this.#spawn(new ReadLane(ports, holder.peer, [{ reader, holder }], this.#signal).run());
  }

  // ---- answers

  async #accept(holder: Holder, masked: Uint8Array, lane: ReadLane | undefined): Promise<void> {
    const { ports, codingKey } = this.#download;
    const { shardIndex } = holder;
    const right = masked.length === this.shardBytes && (this.#checkedLate || this.#isAnchored(holder, masked));
    if (!right) {
      // Its other shards are better asked of others, too.
      lane?.drop();
      return this.#disqualify(holder, 'wrong');
    }
    this.#patience.times.note(ports.clock.nowMs() - holder.askedAtMs);
    holder.state = 'right';
    const release = await this.#unmasking.acquire(this.shardBytes, this.#signal);
    try {
      const shard = await maskShard(maskKeyOf(codingKey, this.#placeOf(holder)), masked);
      ports.letGo?.(masked);
      if (this.#k === 1 || shardIndex >= this.#k) {
        this.#shards.set(shardIndex, shard);
      } else {
        this.#joined.set(shard, shardIndex * this.shardBytes);
        ports.letGo?.(shard);
        this.#shards.set(shardIndex, this.#joinedAt(shardIndex));
      }
    } finally {
      release();
    }
  }

  #joinedAt(shardIndex: number): Uint8Array {
    return this.#joined.subarray(shardIndex * this.shardBytes, (shardIndex + 1) * this.shardBytes);
  }

  #placeOf({ shardIndex, slot, peer }: Holder): ShardPlace {
    return { segment: this.segment.index, shardIndex, placement: slot.placement, miner: peer.hotkey };
  }

  #isAnchored(holder: Holder, masked: Uint8Array): boolean {
    const { ports, codingKey, request } = this.#download;
    const anchoring = { ...request.coding, codingKey };
    return isAnchored(ports, anchoring, this.#placeOf(holder), masked, holder.slot.root);
  }

  /** Type 2 takes too long to check for what the segment hash says of all shards at once: only when that is wrong. */
  get #checkedLate(): boolean {
    return this.#download.request.coding.anchorType === ZK_ANCHOR_TYPE;
  }

  /** Finds the shards that made the segment wrong; false when there are none. */
  async #dropWrong(): Promise<boolean> {
    const { codingKey } = this.#download;
    let wrong = false;
    for (const holder of this.holders.filter(({ state }) => state === 'right')) {
      const shard = this.#shards.get(holder.shardIndex);
      if (!shard) continue;
      const masked = await maskShard(maskKeyOf(codingKey, this.#placeOf(holder)), shard);
      if (this.#isAnchored(holder, masked)) continue;
      wrong = true;
      this.#shards.delete(holder.shardIndex);
      this.#disqualify(holder, 'wrong');
    }
    return wrong;
  }

  #refuse(holder: Holder, failure: MinerFailure, worked: boolean): void {
    // Cancelled: its lane was dropped for another segment's sake, the shard may well be there.
    if (failure.code === 'cancelled') holder.state = 'broken';
    else if (failure.code === 'absent' || failure.code === 'dropped') this.#disqualify(holder, 'absent');
    else if (worked) holder.state = 'broken';
    else this.#disqualify(holder, 'unreachable');
  }

  #disqualify(holder: Holder, what: SlotComplaint['what']): void {
    const { ports, onComplaint } = this.#download;
    const { shardIndex, slot } = holder;
    holder.state = 'gone';
    ports.latencies.note(slot.miner, 'fetch', undefined, this.shardBytes);
    onComplaint({ segment: this.segment.index, shardIndex, slot, what });
    this.#lanes.get(holder)?.drop();
    this.#wake.call();
  }

  // ---- time

  /** First another holder is asked as well; the second time the miner has failed. */
  #giveUp(holder: Holder): void {
    if (holder.late) {
      this.#disqualify(holder, 'unreachable');
      return;
    }
    holder.late = true;
    const { ports } = this.#download;
    // While nobody has answered, all may be far away.
    if (this.#patience.times.lateAfterMs !== undefined) {
      ports.latencies.note(holder.slot.miner, 'fetch', undefined, this.shardBytes);
    }
    ports.log.debug('miner is late', { miner: holder.peer.hotkey, segment: this.segment.index });
  }

  #abandon(holder: Holder): void {
    holder.state = 'gone';
    this.#lanes.get(holder)?.drop();
  }

  // ---- the end

  async #assemble(): Promise<Result<Uint8Array, FetchFailure>> {
    const { ports, request } = this.#download;
    const { k, n } = request.coding;
    let segment: Uint8Array;
    if (k === 1) {
      segment = [...this.#shards.values()][0]?.subarray(0, this.segment.bytes) ?? new Uint8Array(0);
    } else {
      const have = [...this.#shards].map(([index, shard]) => ({ index, shard }));
      const missing = Array.from({ length: k }, (_, index) => index).filter((index) => !this.#shards.has(index));
      rebuild(ports.kernel, k, n, have, missing).forEach((shard, i) => {
        this.#joined.set(shard, (missing[i] ?? 0) * this.shardBytes);
        ports.letGo?.(shard);
      });
      segment = this.#joined.subarray(0, this.segment.bytes);
    }
    if (equalBytes(await ports.sha256(segment), this.segment.record.hash)) {
      this.#letGoParity(segment);
      return succeed(segment);
    }
    const message = `segment ${this.segment.index} does not have its recorded hash, though every shard is right`;
    return fail({ code: 'corrupt', fault: 'us', message, segment: this.segment.index });
  }

  /** The segment is whole: what it was decoded from is of no more use. */
  #letGoParity(segment: Uint8Array): void {
    const { letGo } = this.#download.ports;
    for (const shard of this.#shards.values()) if (shard.buffer !== segment.buffer) letGo?.(shard);
  }

  #unrecoverable(): FetchFailure {
    const needed = this.#k;
    const healthy = countOf(this.holders, 'right', 'asked', 'idle', 'broken');
    const message = `segment ${this.segment.index} has ${healthy} of the ${needed} shards that it takes`;
    return { code: 'unrecoverable', fault: 'peer', message, segment: this.segment.index, healthy, needed };
  }
}
