/**
 * The upload's connections: one streamed request per miner, opened when its first shard is there, renewed when its
 * reservation is used up, replaced by single requests when it breaks in the middle (some proxies end a request once its
 * response has begun). A miner that fails or falls behind is out for the rest of the upload. Used by `segment-store.ts`
 * only; sizes and routes: `docs/protocol.md` §3.
 */
import type { Clock, Log } from '#shared/primitives/effects.ts';
import { fail, type Result } from '#shared/primitives/failure.ts';
import type { AnchorId, MinerNumber, OrderId } from '#shared/primitives/ids.ts';
import type { MinerClient, MinerFailure, ShardFrame, ShardStream, StoreReceipt } from '#shared/wire/ports.ts';
import type { Pace } from './pace.ts';
import type { Peer } from './ports.ts';
import { untilAborted } from './wake.ts';

/** Reserved at a miner when the upload's length is not known: at (16, 40) a gigabyte of file. */
const RESERVE_BYTES = 64 * 2 ** 20;

export interface StreamPorts {
  readonly miners: MinerClient;
  readonly clock: Clock;
  readonly log: Log;
}

export interface Delivery {
  /** The transport has the frame: its buffer is no longer ours. Also resolves when it will never take it. */
  readonly sent: Promise<void>;
  readonly receipt: Promise<Result<StoreReceipt, MinerFailure>>;
}

type Mode =
  | 'stream'
  | 'single' /** its stream broke after it had opened: one request a shard */
  | 'late' /** gets no more shards unless what it has been sent is receipted soon */
  | 'retired' /** gets no more shards; what it has been sent may still be receipted */
  | 'out'; /** all its requests are aborted */

interface Lane {
  readonly peer: Peer;
  readonly stop: AbortController;
  readonly signal: AbortSignal;
  mode: Mode;
  /** Of a late one: a receipt until then puts it back to how it was served before. */
  pardon: { readonly untilMs: number; readonly mode: 'stream' | 'single' } | undefined;
  stream: Promise<Result<ShardStream, MinerFailure>> | undefined;
  /** It gave its early headers once: whatever was handed to it since may have arrived. */
  opened: boolean;
  roomBytes: number;
  readonly ended: Set<Promise<void>>;
}

/** A broken connection says nothing about the shards on it; any other failure is the miner's own word or habit. */
const isBreak = (failure: MinerFailure): boolean => failure.code === 'unreachable' || failure.code === 'broken';

export class MinerStreams {
  readonly #ports: StreamPorts;
  readonly #pace: Pace;
  readonly #order: OrderId;
  readonly #reserveBytes: number;
  readonly #signal: AbortSignal;
  readonly #lanes = new Map<MinerNumber, Lane>();

  /** @param shareBytes what one miner will get of the whole upload, when known */
  constructor(ports: StreamPorts, pace: Pace, order: OrderId, shareBytes: number | undefined, signal: AbortSignal) {
    this.#ports = ports;
    this.#pace = pace;
    this.#order = order;
    this.#reserveBytes = shareBytes ?? RESERVE_BYTES;
    this.#signal = signal;
  }

  /** Miners that may get more shards and are already spoken to. */
  get open(): ReadonlySet<MinerNumber> {
    return this.#numbers((mode) => mode === 'stream' || mode === 'single');
  }

  /** Miners that get nothing more in this upload. */
  get closed(): ReadonlySet<MinerNumber> {
    return this.#numbers((mode) => mode === 'late' || mode === 'retired' || mode === 'out');
  }

  #numbers(wanted: (mode: Mode) => boolean): ReadonlySet<MinerNumber> {
    return new Set([...this.#lanes].filter(([, lane]) => wanted(lane.mode)).map(([number]) => number));
  }

  #laneOf(peer: Peer): Lane {
    const known = this.#lanes.get(peer.number);
    if (known) return known;
    const stop = new AbortController();
    const signal = AbortSignal.any([this.#signal, stop.signal]);
    const lane: Lane = {
      peer,
      stop,
      signal,
      mode: 'stream',
      pardon: undefined,
      stream: undefined,
      opened: false,
      roomBytes: 0,
      ended: new Set(),
    };
    this.#lanes.set(peer.number, lane);
    return lane;
  }

  /** Begins the round trip that a first shard would wait for. */
  prepare(peer: Peer, frameBytes: number): void {
    const lane = this.#laneOf(peer);
    if (lane.mode === 'stream') void this.#streamFor(lane, frameBytes);
  }

  /** True when the miner's stream broke and the same shard is worth one plain request. */
  fellBack(peer: Peer): boolean {
    return this.#lanes.get(peer.number)?.mode === 'single';
  }

  /** False when nothing handed to the miner can have arrived. */
  mayHold(peer: Peer): boolean {
    return this.#lanes.get(peer.number)?.opened ?? false;
  }

  /** For a late miner: no more shards, unless a receipt comes by then. One that was late only just is needed again. */
  retire(peer: Peer, pardonUntilMs: number): void {
    const lane = this.#laneOf(peer);
    if (lane.mode !== 'stream' && lane.mode !== 'single') return;
    lane.pardon = { untilMs: pardonUntilMs, mode: lane.mode };
    lane.mode = 'late';
  }

  #pardon(lane: Lane): void {
    if (lane.mode !== 'late' || !lane.pardon || this.#ports.clock.nowMs() > lane.pardon.untilMs) return;
    lane.mode = lane.pardon.mode;
  }

  /** Aborts whatever the miner was asked; open receipts resolve as `cancelled`. */
  drop(peer: Peer): void {
    const lane = this.#laneOf(peer);
    lane.mode = 'out';
    lane.stop.abort();
  }

  /** Never rejects; after the upload's or the miner's end everything resolves as `cancelled`. */
  send(peer: Peer, frame: ShardFrame): Delivery {
    const lane = this.#laneOf(peer);
    return lane.mode === 'stream' ? this.#stream(lane, frame) : this.#put(lane, frame);
  }

  /**
   * A shard that has to go elsewhere: to a miner that was not spoken to yet in a request of its own, which takes one
   * round trip where a stream takes two. Later shards open its stream.
   */
  sendAlone(peer: Peer, frame: ShardFrame): Delivery {
    const lane = this.#laneOf(peer);
    if (lane.mode !== 'stream' || lane.stream) return this.send(peer, frame);
    // From here on it may hold the shard.
    lane.opened = true;
    return this.#put(lane, frame);
  }

  /** The receipt of a shard whose answer was lost, if the miner has it. */
  async recover(peer: Peer, anchorId: AnchorId, bytes: number): Promise<Result<StoreReceipt, MinerFailure>> {
    const lane = this.#laneOf(peer);
    const over = new AbortController();
    const late = this.#ports.clock.sleep(this.#pace.receiptMs, over.signal).then(
      () => over.abort(),
      () => undefined,
    );
    const signal = AbortSignal.any([lane.signal, over.signal]);
    const asked = this.#ports.miners.readReceipt(peer, this.#order, anchorId, bytes, signal);
    const answer = await untilAborted(asked, signal, () => this.#cancelled(lane));
    over.abort();
    await late;
    return answer;
  }

  #cancelled(lane: Lane): Result<never, MinerFailure> {
    return fail({ code: 'cancelled', fault: 'us', message: 'the transfer no longer waits', miner: lane.peer.hotkey });
  }

  #streamFor(lane: Lane, frameBytes: number): Promise<Result<ShardStream, MinerFailure>> {
    if (lane.stream && lane.roomBytes >= frameBytes) return lane.stream;
    if (lane.stream) this.#end(lane, lane.stream);
    const reserve = Math.max(frameBytes, Math.min(this.#reserveBytes, lane.peer.freeBytes));
    lane.roomBytes = reserve;
    const opening = this.#ports.miners.openStream(lane.peer, this.#order, reserve, lane.signal);
    const stream = untilAborted(
      opening.then((opened) => {
        if (opened.ok) lane.opened = true;
        return opened;
      }),
      lane.signal,
      () => this.#cancelled(lane),
    );
    lane.stream = stream;
    return stream;
  }

  /** Ends a stream after the frames sent so far. */
  #end(lane: Lane, stream: Promise<Result<ShardStream, MinerFailure>>): void {
    const ended = stream
      .then((opened) => (opened.ok ? opened.value.finish() : undefined))
      .catch((error: unknown) => {
        this.#ports.log.debug('stream not ended', { miner: lane.peer.hotkey, error: String(error) });
      });
    lane.ended.add(ended);
  }

  #stream(lane: Lane, frame: ShardFrame): Delivery {
    const stream = this.#streamFor(lane, frame.shard.length);
    lane.roomBytes -= frame.shard.length;
    // Nothing after `handed` holds the frame: its buffer can go as soon as the transport has it.
    const handed = stream.then((opened) => (opened.ok ? opened.value.send(frame) : opened));
    const sent = handed.then((delivery) => ('sent' in delivery ? delivery.sent : undefined));
    const answer = handed.then((delivery) => ('sent' in delivery ? delivery.receipt : this.#unopened(lane, delivery)));
    const receipt = answer.then((result) => {
      if (result.ok) this.#pardon(lane);
      else this.#judge(lane, stream, result.failure);
      return result;
    });
    return this.#bounded(lane, sent, receipt);
  }

  #unopened(lane: Lane, failed: { readonly ok: false; readonly failure: MinerFailure }): typeof failed {
    if (lane.mode !== 'out') lane.mode = 'out';
    return failed;
  }

  #judge(lane: Lane, stream: Lane['stream'], failure: MinerFailure): void {
    // What a late one's connection does no longer matters, but it is not pardoned any more.
    if (lane.mode === 'late') lane.mode = 'retired';
    if (lane.mode !== 'stream') return;
    if (!isBreak(failure)) {
      lane.mode = 'retired';
      return;
    }
    this.#ports.log.debug('stream broke, going on with single requests', { miner: lane.peer.hotkey });
    lane.mode = 'single';
    if (lane.stream === stream) lane.stream = undefined;
  }

  #put(lane: Lane, frame: ShardFrame): Delivery {
    if (lane.mode === 'out') {
      return { sent: Promise.resolve(), receipt: Promise.resolve(this.#cancelled(lane)) };
    }
    const receipt = this.#ports.miners.putShard(lane.peer, this.#order, frame, lane.signal).then((result) => {
      if (result.ok) this.#pardon(lane);
      else if (lane.mode !== 'out') lane.mode = 'retired';
      return result;
    });
    return this.#bounded(
      lane,
      receipt.then(() => undefined),
      receipt,
    );
  }

  #bounded(lane: Lane, sent: Promise<void>, receipt: Delivery['receipt']): Delivery {
    return {
      sent: untilAborted(sent, lane.signal, () => undefined),
      receipt: untilAborted(receipt, lane.signal, () => this.#cancelled(lane)),
    };
  }

  /** Ends all streams in order, waiting a bounded time; what has no answer by then is aborted. */
  async finish(): Promise<void> {
    const ends: Promise<void>[] = [];
    for (const lane of this.#lanes.values()) {
      if (lane.mode === 'stream' && lane.stream) this.#end(lane, lane.stream);
      if (lane.mode === 'stream' || lane.mode === 'single') ends.push(...lane.ended);
    }
    const over = new AbortController();
    const patience = this.#ports.clock
      .sleep(this.#pace.finishMs, AbortSignal.any([over.signal, this.#signal]))
      .catch(() => undefined);
    await Promise.race([Promise.all(ends), patience]);
    over.abort();
    this.abort();
  }

  abort(): void {
    for (const lane of this.#lanes.values()) {
      lane.mode = 'out';
      lane.stop.abort();
    }
  }
}
