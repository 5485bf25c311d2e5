/**
 * One segment on its way to n miners. Every shard is a slot; every placing of it an attempt with its own mask, anchor
 * and miner. The first verified receipt wins the slot. A failed attempt is placed anew, a late one is hedged; what was
 * handed to a miner and won nothing is a stray. Driven by `store-segments.ts`, which owns what the segments of an
 * upload share. When a segment counts as stored: `placement/segment-health.ts`.
 */
import { repairThreshold } from '#shared/codec/redundancy.ts';
import { groupLimitOf, placeShards } from '#shared/placement/place-shards.ts';
import { countsAsStored, healthOf } from '#shared/placement/segment-health.ts';
import { fail, invariant, type Result, succeed } from '#shared/primitives/failure.ts';
import type { MinerNumber } from '#shared/primitives/ids.ts';
import { ZK_ANCHOR_TYPE } from '#shared/proof/zk/zk-anchor.ts';
import type { MinerFailure, StoreReceipt } from '#shared/wire/ports.ts';
import type { MinerStreams } from './miner-streams.ts';
import type { Pace } from './pace.ts';
import type { Budget, Peer, StoreFailure, StoreRequest, TransferPorts } from './ports.ts';
import type { SegmentEncoder } from './segment-encoder.ts';
import { StorePatience } from './store-patience.ts';
import { type Attempt, addAttempt, attemptsIn, holdersOf, isOpen, newSlots, type StoreSlot } from './store-slots.ts';
import { untilAborted, Wake } from './wake.ts';

/** Shared by the segments of one upload. */
export interface UploadState {
  readonly ports: TransferPorts;
  readonly pace: Pace;
  readonly request: StoreRequest;
  readonly streams: MinerStreams;
  /** The shard index a miner had before, kept from segment to segment: a reader finds the file's data on k miners. */
  readonly lastIndex: Map<MinerNumber, number>;
  /** Ends with the request's signal, and with the upload's own failure. */
  readonly signal: AbortSignal;
}

/** The miner's own word that a shard was not stored. */
const REFUSALS: ReadonlySet<MinerFailure['code']> = new Set(['full', 'refused', 'busy', 'dropped']);
/** The connection broke: the shard may be there or not. */
const BREAKS: ReadonlySet<MinerFailure['code']> = new Set(['unreachable', 'broken']);
export class SegmentStore {
  readonly slots: readonly StoreSlot[];
  readonly #upload: UploadState;
  readonly #segment: number;
  readonly #encoder: SegmentEncoder;
  /** Masked buffers that wait for the transport, within what this segment has acquired. */
  readonly #window: Budget;
  readonly #wake = new Wake();
  readonly #tried = new Set<MinerNumber>();
  readonly #failures: MinerFailure[] = [];
  readonly #patience: StorePatience;
  readonly #ended = new AbortController();
  readonly #signal: AbortSignal;
  readonly #tasks = new Set<Promise<void>>();
  #defect: { readonly error: unknown } | undefined;

  constructor(upload: UploadState, segment: number, encoder: SegmentEncoder, window: Budget) {
    this.#upload = upload;
    this.#segment = segment;
    this.#encoder = encoder;
    this.#window = window;
    this.#signal = AbortSignal.any([upload.signal, this.#ended.signal]);
    this.slots = newSlots(upload.request.coding.n, upload.request.part?.firstPlacement);
    const { latencies } = upload.ports;
    this.#patience = new StorePatience(upload.pace, this.slots, ({ peer }) =>
      latencies.seenMs(peer.number, 'store', encoder.shardBytes),
    );
  }

  /** Sends all shards; resolves when the segment is stored, with as many receipts as could be had in time. */
  async run(): Promise<Result<readonly StoreReceipt[], StoreFailure>> {
    const { coding } = this.#upload.request;
    const peers = this.#choose(coding.n, []);
    if (!countsAsStored(coding, healthOf(coding.k, peers))) return fail(this.#tooFew(peers.length));
    this.#spawn(this.#sendAll(this.#assign(peers)));
    while (!this.#finished() && !this.#upload.signal.aborted) {
      const { clock } = this.#upload.ports;
      const lateMs = await this.#wake.sleep(clock, this.#patience.nextLookMs(clock.nowMs()), this.#upload.signal);
      this.#patience.times.noteLag(lateMs);
      if (this.#defect) throw this.#defect.error;
      if (this.#patience.overdue(clock.nowMs()).length > 0) {
        // A busy program sees its timers first: let answers in that have come already.
        await clock.sleep(0);
        for (const attempt of this.#patience.overdue(clock.nowMs())) this.#hedge(attempt);
      }
    }
    this.#ended.abort();
    for (const { sole, peer } of attemptsIn(this.slots, 'live')) {
      if (sole) this.#upload.ports.latencies.note(peer.number, 'store', undefined, this.#encoder.shardBytes);
    }
    const receipts = this.slots.flatMap((slot) => slot.receipt ?? []);
    return this.#isStored() && !this.#upload.signal.aborted ? succeed(receipts) : fail(this.#failure(receipts.length));
  }

  /**
   * Until no buffer of this segment is in use any more. A late miner that never took its frame is not waited for; any
   * other transport that does not let go is aborted in the end.
   */
  async drain(): Promise<void> {
    this.#ended.abort();
    this.#dropUnsent((attempt) => attempt.late);
    const { clock } = this.#upload.ports;
    const untilMs = clock.nowMs() + this.#upload.pace.stallMs;
    while (this.#window.used > 0 && clock.nowMs() < untilMs && !this.#upload.signal.aborted) {
      await this.#wake.sleep(clock, untilMs - clock.nowMs(), this.#upload.signal);
    }
    this.#dropUnsent(() => true);
    await Promise.all(this.#tasks);
  }

  #dropUnsent(which: (attempt: Attempt) => boolean): void {
    for (const attempt of this.slots.flatMap((slot) => slot.attempts)) {
      if (attempt.handed && !attempt.sent && which(attempt)) this.#upload.streams.drop(attempt.peer);
    }
  }

  /** Shards of type 2 travel in requests of their own. */
  get #alone(): boolean {
    return this.#upload.request.coding.anchorType === ZK_ANCHOR_TYPE;
  }

  // ---- choosing miners

  #choose(count: number, holders: readonly Peer[]): readonly Peer[] {
    const { ports, request, streams } = this.#upload;
    const { k, n } = request.coding;
    const { shardBytes } = this.#encoder;
    return placeShards({
      ...{ candidates: request.peers, count, shardBytes, groupLimit: groupLimitOf(k, n), holders },
      excluded: new Set([...this.#tried, ...streams.closed]),
      preferred: streams.open,
      expectedMs: (peer) => ports.latencies.expectedMs(peer.number, 'store', shardBytes),
      random: ports.random,
    }).miners;
  }

  /** Every miner keeps the shard index it had in the segment before, where that can be. */
  #assign(peers: readonly Peer[]): ReadonlyMap<number, Peer> {
    const { lastIndex } = this.#upload;
    const assigned = new Map<number, Peer>();
    const others: Peer[] = [];
    for (const peer of peers) {
      const index = lastIndex.get(peer.number);
      if (index === undefined || assigned.has(index)) others.push(peer);
      else assigned.set(index, peer);
    }
    for (const { index } of this.slots) {
      const peer = assigned.has(index) ? undefined : others.shift();
      if (peer) assigned.set(index, peer);
    }
    for (const [index, peer] of assigned) lastIndex.set(peer.number, index);
    return assigned;
  }

  // ---- attempts

  #spawn(task: Promise<void>): void {
    const watched: Promise<void> = task
      .catch((error: unknown) => {
        // What is still under way when the segment ends stops by rejecting.
        if (!this.#signal.aborted) this.#defect ??= { error };
        this.#wake.call();
      })
      .finally(() => this.#tasks.delete(watched));
    this.#tasks.add(watched);
  }

  #begin(slot: StoreSlot, peer: Peer): Attempt {
    this.#tried.add(peer.number);
    return addAttempt(slot, peer);
  }

  /** All slots for the first time, group by group: one group's parity is gone before the next is made. */
  async #sendAll(assigned: ReadonlyMap<number, Peer>): Promise<void> {
    const first = new Map<number, Attempt>();
    for (const slot of this.slots) {
      const peer = assigned.get(slot.index);
      if (!peer) continue;
      first.set(slot.index, this.#begin(slot, peer));
      if (!this.#alone) this.#upload.streams.prepare(peer, this.#encoder.shardBytes);
    }
    for (const group of this.#encoder.rowGroups()) {
      const attempts = group.flatMap((index) => first.get(index) ?? []);
      const coded = this.#encoder.code(attempts.map(({ slot }) => slot.index));
      await Promise.all(attempts.map((attempt, i) => this.#send(attempt, coded[i])));
      this.#encoder.letGoCoded(coded);
    }
  }

  /** Makes the frame of an attempt and hands it to its miner. */
  async #send(attempt: Attempt, coded?: Uint8Array): Promise<void> {
    const { ports, streams } = this.#upload;
    const { slot, peer, placement } = attempt;
    const give = await this.#window.acquire(this.#encoder.shardBytes, this.#signal);
    const release = () => {
      give();
      // `drain` waits for the last buffer, however it came back.
      if (this.#ended.signal.aborted) this.#wake.call();
    };
    if (streams.closed.has(peer.number)) {
      release();
      this.#fail(attempt, undefined);
      return;
    }
    try {
      const alone = coded ? [] : this.#encoder.code([slot.index]);
      const shard = coded ?? alone[0];
      invariant(shard, 'one index gives one shard');
      const { root, frame } = await this.#encoder.encode(slot.index, shard, placement, peer.hotkey);
      this.#encoder.letGoCoded(alone);
      this.#signal.throwIfAborted();
      attempt.handed = { atMs: ports.clock.nowMs(), root, anchorId: frame.anchorId };
      attempt.sent = false;
      const first = placement === slot.firstPlacement;
      // A blind key goes with its shard alone, in a request of its own.
      const delivery = first && !frame.blindKey ? streams.send(peer, frame) : streams.sendAlone(peer, frame);
      void delivery.sent.then(() => {
        attempt.sent = true;
        // After an abort the transport may come to its end later than it says.
        if (!this.#upload.signal.aborted && !attempt.dropped) ports.letGo?.(frame.shard);
        release();
      });
      this.#spawn(this.#settle(attempt, delivery.receipt));
    } catch (error) {
      release();
      throw error;
    }
  }

  async #settle(attempt: Attempt, receipt: Promise<Result<StoreReceipt, MinerFailure>>): Promise<void> {
    const { streams } = this.#upload;
    const result = await untilAborted(receipt, this.#signal, () => undefined);
    if (!result || !attempt.handed) return;
    if (result.ok) return this.#win(attempt, result.value);
    if (BREAKS.has(result.failure.code) && streams.mayHold(attempt.peer)) {
      const { anchorId } = attempt.handed;
      const lost = await streams.recover(attempt.peer, anchorId, this.#encoder.shardBytes);
      if (this.#signal.aborted) return;
      if (lost.ok) return this.#win(attempt, lost.value);
      if (streams.fellBack(attempt.peer) && !attempt.repeated) {
        attempt.repeated = true;
        return this.#send(attempt);
      }
    }
    this.#fail(attempt, result.failure);
  }

  #win(attempt: Attempt, receipt: StoreReceipt): void {
    this.#wake.call();
    const { slot, handed, peer } = attempt;
    if (!handed || this.#signal.aborted || receipt.anchorId !== handed.anchorId) {
      attempt.state = 'failed';
      return;
    }
    // Also of one that came too late to win: otherwise a distant miner would never be known as more than late.
    const ms = this.#upload.ports.clock.nowMs() - handed.atMs;
    this.#upload.ports.latencies.note(peer.number, 'store', ms, this.#encoder.shardBytes);
    if (slot.receipt) {
      attempt.state = 'failed';
      return;
    }
    attempt.state = 'won';
    slot.receipt = receipt;
    this.#patience.times.note(ms);
  }

  #fail(attempt: Attempt, failure: MinerFailure | undefined): void {
    this.#wake.call();
    const { ports, streams } = this.#upload;
    attempt.state = 'failed';
    attempt.notStored = !streams.mayHold(attempt.peer) || (failure !== undefined && REFUSALS.has(failure.code));
    if (failure && !attempt.late) {
      this.#failures.push(failure);
      ports.latencies.note(attempt.peer.number, 'store', undefined, this.#encoder.shardBytes);
    }
    if (isOpen(attempt.slot)) this.#replace(attempt.slot);
  }

  /**
   * Another miner for a slot, if there is one that was not tried yet; once enough is in, only once, and only one that is
   * not expected to be late itself: what is missing then is repair's work, and not worth another round trip.
   */
  #replace(slot: StoreSlot): boolean {
    const [peer] = this.#choose(1, holdersOf(this.slots));
    if (!peer) return false;
    const expectedMs = this.#upload.ports.latencies.expectedMs(peer.number, 'store', this.#encoder.shardBytes);
    const again = slot.attempts.length > 1;
    if (this.#isStored() && (again || expectedMs > this.#patience.times.distantMs)) return false;
    this.#spawn(this.#send(this.#begin(slot, peer)));
    return true;
  }

  // ---- time

  #hedge(attempt: Attempt): void {
    const { ports, streams } = this.#upload;
    if (attempt.late || this.#patience.isStalled(attempt, ports.clock.nowMs())) {
      attempt.dropped = true;
      streams.drop(attempt.peer);
      return;
    }
    attempt.late = true;
    const { latencies } = ports;
    const { shardBytes } = this.#encoder;
    const fine = latencies.expectedMs(attempt.peer.number, 'store', shardBytes) <= this.#patience.times.distantMs;
    streams.retire(attempt.peer, (attempt.handed?.atMs ?? 0) + this.#patience.times.distantMs);
    ports.log.debug('miner is late', { miner: attempt.peer.hotkey, segment: this.#segment });
    const alone = isOpen(attempt.slot) && !this.#replace(attempt.slot);
    attempt.sole = alone && fine && attempt.slot.attempts.every((other) => other === attempt || !other.late);
    // Of a sole one its time will tell, or the segment's end.
    if (!attempt.sole) latencies.note(attempt.peer.number, 'store', undefined, shardBytes);
  }

  // ---- the end

  #isStored(): boolean {
    const { coding } = this.#upload.request;
    return countsAsStored(
      coding,
      healthOf(
        coding.k,
        attemptsIn(this.slots, 'won').map(({ peer }) => peer),
      ),
    );
  }

  /** All that can come is in; or enough is, and the rest had its time. */
  #finished(): boolean {
    const waiting = attemptsIn(this.slots, 'live').filter(({ slot }) => !slot.receipt);
    if (waiting.length === 0) return this.slots.some((slot) => slot.attempts.length > 0);
    if (!this.#isStored()) return false;
    const nowMs = this.#upload.ports.clock.nowMs();
    this.#patience.noteEnough(nowMs);
    return this.#patience.isOver(waiting, nowMs);
  }

  #tooFew(available: number): StoreFailure {
    const needed = repairThreshold(this.#upload.request.coding);
    const message =
      available < needed
        ? `a segment takes ${needed} miners with room, and there are ${available}`
        : `${available} miners have room, but too many belong to one owner or network`;
    return { code: 'too-few-miners', fault: 'us', message, needed, available };
  }

  #failure(receipts: number): StoreFailure {
    if (this.#upload.signal.aborted) return { code: 'cancelled', fault: 'caller', message: 'the upload was cancelled' };
    const needed = repairThreshold(this.#upload.request.coding);
    const message = `segment ${this.#segment} has ${receipts} receipts of the ${needed} that it takes`;
    const failures = { receipts, needed, miners: this.#failures };
    return { code: 'not-stored', fault: 'peer', message, segment: this.#segment, ...failures };
  }
}
