/**
 * One read request to one miner for its shards of several segments: a round trip for all of them. Shards are pulled one
 * by one, each only when its segment has its memory, so that a request may reach far ahead without filling any. When the
 * miner fails or is dropped, every segment learns of it at once. Used by `fetch-segments.ts`.
 */
import { fail, type Result } from '#shared/primitives/failure.ts';
import type { MinerFailure } from '#shared/wire/ports.ts';
import type { Holder } from './fetch-slots.ts';
import type { Peer, TransferPorts } from './ports.ts';
import { untilAborted } from './wake.ts';

/** The segment that a shard is read for. */
export interface LaneReader {
  readonly shardBytes: number;
  /** Resolves when the segment has its memory. */
  readonly opened: Promise<void>;
  /** The shard is being waited for from now on: its request has left, or is queued. */
  asked(holder: Holder, lane: ReadLane): void;
  /** @param worked the same request has delivered before: a failure now may be due to our own pauses */
  answered(holder: Holder, answer: Result<Uint8Array, MinerFailure>, worked: boolean): void;
}

export interface LaneItem {
  readonly reader: LaneReader;
  readonly holder: Holder;
}

/** About one shard, not about the miner's connection. */
const SHARD_FAILURES: ReadonlySet<MinerFailure['code']> = new Set(['absent', 'dropped']);

export class ReadLane {
  readonly peer: Peer;
  readonly #ports: TransferPorts;
  readonly #items: readonly LaneItem[];
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  /** What is waited for. */
  #current: LaneItem | undefined;
  #queued = false;
  #leftAtMs: number | undefined;
  #wayMs: number | undefined;

  constructor(ports: TransferPorts, peer: Peer, items: readonly LaneItem[], signal: AbortSignal) {
    this.#ports = ports;
    this.peer = peer;
    this.#items = items;
    this.#signal = AbortSignal.any([signal, this.#stop.signal]);
  }

  /** Ends the request; items not yet answered are answered as `cancelled`. */
  drop(): void {
    this.#stop.abort();
  }

  /** Its request has not left yet. */
  get queued(): boolean {
    return this.#queued;
  }

  /** What the first shard took, the way there and back included; undefined before. */
  get wayMs(): number | undefined {
    return this.#wayMs;
  }

  #queue(queued: boolean): void {
    this.#queued = queued;
    if (!queued) this.#leftAtMs = this.#ports.clock.nowMs();
    this.#current?.reader.asked(this.#current.holder, this);
  }

  #cancelled(): Result<never, MinerFailure> {
    return fail({ code: 'cancelled', fault: 'us', message: 'no longer waited for', miner: this.peer.hotkey });
  }

  /** Resolves when every item is answered. Never rejects. */
  async run(): Promise<void> {
    const shards = this.#items.map(({ holder, reader }) => ({ anchorId: holder.anchorId, bytes: reader.shardBytes }));
    const turn = { waits: () => this.#queue(true), comes: () => this.#queue(false) };
    const results = this.#ports.miners.readShards(this.peer, shards, this.#signal, turn)[Symbol.asyncIterator]();
    let delivered = 0;
    let broken: Result<never, MinerFailure> | undefined;
    for (const item of this.#items) {
      const { reader, holder } = item;
      if (!broken) {
        this.#current = item;
        await untilAborted(reader.opened, this.#signal, () => undefined);
        if (!this.#signal.aborted) reader.asked(holder, this);
      }
      const answer = broken ?? (await this.#next(results, holder, reader.shardBytes, delivered === 0));
      reader.answered(holder, answer, delivered > 0);
      if (answer.ok) delivered++;
      else if (!SHARD_FAILURES.has(answer.failure.code)) broken = answer;
    }
    // Ends the connection when it is not at its end; a generator that is stuck is not waited for.
    this.#stop.abort();
    results.return?.()?.catch((error: unknown) => this.#ports.log.debug('read not ended', { error: String(error) }));
  }

  async #next(
    results: AsyncIterator<Result<Uint8Array, MinerFailure>>,
    holder: Holder,
    bytes: number,
    first: boolean,
  ): Promise<Result<Uint8Array, MinerFailure>> {
    if (this.#signal.aborted) return this.#cancelled();
    const { clock, latencies, log } = this.#ports;
    const startedMs = clock.nowMs();
    const pulled = await untilAborted(results.next(), this.#signal, () => undefined).catch((error: unknown) => {
      log.warn('miner client rejected', { error: String(error) });
      return undefined;
    });
    if (this.#signal.aborted) return this.#cancelled();
    if (!pulled || pulled.done) {
      const message = 'the read ended before its last shard';
      return fail({ code: 'broken', fault: 'peer', message, miner: this.peer.hotkey });
    }
    // Only the first shard of a request shows the whole way there and back.
    if (pulled.value.ok && first) {
      this.#wayMs = clock.nowMs() - (this.#leftAtMs ?? startedMs);
      latencies.note(holder.slot.miner, 'fetch', this.#wayMs, bytes);
    }
    return pulled.value;
  }
}
