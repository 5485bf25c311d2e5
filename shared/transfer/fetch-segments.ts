/**
 * The fetch engine (contract: `ports.ts`): yields segments in order, each checked, the next ones prefetched within the
 * budget. Called by the edge's retrieve flow, by repair and by re-coding; knows no runtime and no index. Segments are
 * planned in growing batches: the first is small, so that the first byte comes soon, later ones ask each miner for
 * many segments' shards in one request.
 */

import { type Result, succeed } from '#shared/primitives/failure.ts';
import type { MinerNumber } from '#shared/primitives/ids.ts';
import { codingKeyOf } from '#shared/proof/mask.ts';
import { fetchBytes } from './fetch-slots.ts';
import { DEFAULT_PACE } from './pace.ts';
import type { FetchFailure, FetchSegment, FetchSegments, ReleaseBytes } from './ports.ts';
import { type LaneItem, ReadLane } from './read-lane.ts';
import { type DownloadState, SegmentFetch } from './segment-fetch.ts';
import { Wake } from './wake.ts';

/** Segments of the first batch, and how much larger each next one is: a batch costs a round trip of every holder. */
const FIRST_BATCH = 2;
const BATCH_GROWTH = 4;
/** A read request names at most 64 shards (`docs/protocol.md` §2). */
const MAX_BATCH = 32;
/** Segments fetched or waiting for the consumer; the budget is the tighter bound for full segments. */
const MAX_AHEAD = 4;

type Fetched = Result<{ readonly index: number; readonly bytes: Uint8Array; release(): void }, FetchFailure>;

interface Underway {
  readonly segment: SegmentFetch;
  readonly bytes: Promise<Result<Uint8Array, FetchFailure>>;
  readonly release: ReleaseBytes;
}

/** Asks the miners chosen first, one request each for the whole batch. */
function startLanes(download: DownloadState, batch: readonly SegmentFetch[]): readonly Promise<void>[] {
  const items = new Map<MinerNumber, LaneItem[]>();
  for (const reader of batch) {
    for (const holder of reader.chooseFirst()) {
      const known = items.get(holder.slot.miner);
      if (known) known.push({ reader, holder });
      else items.set(holder.slot.miner, [{ reader, holder }]);
    }
  }
  return [...items.values()].flatMap((lane) => {
    const peer = lane[0]?.holder.peer;
    return peer ? [new ReadLane(download.ports, peer, lane, download.signal).run()] : [];
  });
}

/** Up to `count` segments; fewer at the end. */
async function take(iterator: AsyncIterator<FetchSegment> | Iterator<FetchSegment>, count: number) {
  const taken: FetchSegment[] = [];
  while (taken.length < count) {
    const next = await iterator.next();
    if (next.done) break;
    taken.push(next.value);
  }
  return taken;
}

class Download {
  readonly #state: DownloadState;
  readonly #stop: AbortController;
  readonly #source: AsyncIterator<FetchSegment> | Iterator<FetchSegment>;
  /** Started and not yet yielded, in order. */
  readonly #underway: Underway[] = [];
  readonly #releases = new Set<ReleaseBytes>();
  readonly #lanes: Promise<void>[] = [];
  readonly #changed = new Wake();
  readonly #taken = new Wake();
  #ended = false;
  #defect: { readonly error: unknown } | undefined;

  constructor(
    state: DownloadState,
    stop: AbortController,
    source: AsyncIterator<FetchSegment> | Iterator<FetchSegment>,
  ) {
    this.#state = state;
    this.#stop = stop;
    this.#source = source;
  }

  /** Plans, acquires and starts segments, ahead of the consumer. */
  async #produce(): Promise<void> {
    const { request, ports, signal } = this.#state;
    const { k } = request.coding;
    for (let size = FIRST_BATCH; !signal.aborted; size = Math.min(MAX_BATCH, BATCH_GROWTH * size)) {
      const segments = await take(this.#source, size);
      const batch = segments.map((segment) => new SegmentFetch(this.#state, segment));
      this.#lanes.push(...startLanes(this.#state, batch));
      for (const segment of batch) {
        while (this.#underway.length >= MAX_AHEAD && !signal.aborted) {
          await this.#taken.sleep(ports.clock, Number.POSITIVE_INFINITY, signal);
        }
        const release = await request.budget.acquire(fetchBytes(k, segment.segment.bytes), signal);
        this.#releases.add(release);
        const bytes = segment.run();
        // Looked at when its turn comes; until then a rejection is nobody's.
        bytes.catch(() => undefined);
        this.#underway.push({ segment, bytes, release });
        this.#changed.call();
      }
      if (segments.length < size) return;
    }
  }

  async *run(): AsyncGenerator<Fetched, void, undefined> {
    const { ports, signal, request } = this.#state;
    const producing = this.#produce()
      .catch((error: unknown) => {
        // An acquisition that the signal ended is no defect.
        if (!signal.aborted) this.#defect = { error };
      })
      .finally(() => {
        this.#ended = true;
        this.#changed.call();
      });
    try {
      for (;;) {
        const next = this.#underway[0];
        if (next) {
          const result = await next.bytes;
          if (!result.ok) {
            yield result;
            return;
          }
          this.#underway.shift();
          this.#taken.call();
          yield succeed(this.#handOver(next, result.value));
        } else if (this.#defect) throw this.#defect.error;
        else if (signal.aborted) break;
        else if (this.#ended) return;
        else await this.#changed.sleep(ports.clock, Number.POSITIVE_INFINITY, signal);
      }
      if (request.signal.aborted) {
        yield { ok: false, failure: { code: 'cancelled', fault: 'caller', message: 'the download was cancelled' } };
      }
    } finally {
      this.#stop.abort();
      await producing;
      await Promise.all([...this.#lanes, ...this.#underway.map(({ segment }) => segment.close())]);
      await Promise.allSettled(this.#underway.map(({ bytes }) => bytes));
      for (const release of this.#releases) release();
    }
  }

  /** From now on only the bytes themselves are held. */
  #handOver({ segment, release }: Underway, bytes: Uint8Array) {
    release(bytes.buffer.byteLength);
    return {
      index: segment.segment.index,
      bytes,
      release: () => {
        release();
        this.#releases.delete(release);
        this.#state.ports.letGo?.(bytes);
      },
    };
  }
}

export const fetchSegments: FetchSegments = (ports, request, segments, onComplaint) => ({
  [Symbol.asyncIterator](): AsyncIterator<Fetched> {
    const stop = new AbortController();
    const signal = AbortSignal.any([request.signal, stop.signal]);
    const codingKey = codingKeyOf(request.coding.maskSecret, request.coding.codingId);
    const pace = ports.pace ?? DEFAULT_PACE;
    const source = Symbol.asyncIterator in segments ? segments[Symbol.asyncIterator]() : segments[Symbol.iterator]();
    const download = new Download({ ports, pace, request, codingKey, onComplaint, signal }, stop, source);
    const results = download.run();
    return {
      next: () => results.next(),
      async return() {
        // A generator that waits inside `next` would end only after it: end what it waits for first.
        stop.abort();
        await results.return();
        await source.return?.();
        return { done: true, value: undefined };
      },
    };
  },
});
