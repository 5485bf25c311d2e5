/**
 * Miners in memory behind the real `MinerClient` port, with faults that a test sets and changes while it runs. For
 * tests and benchmarks of everything that talks to miners (engines, edge flows, repair). They keep what real ones keep,
 * recompute anchors, answer receipts for an order, and can be asked afterwards what they really hold. Receipts are
 * opaque to engines, so these carry no signature.
 */
import type { Kernel } from '#shared/codec/kernel.ts';
import { ByteWriter } from '#shared/primitives/bytes.ts';
import { type Clock, systemClock } from '#shared/primitives/effects.ts';
import { fail, type Result, succeed } from '#shared/primitives/failure.ts';
import { type AnchorId, hotkeyOf, idBytes, type MinerNumber, type OrderId } from '#shared/primitives/ids.ts';
import { anchorIdOf, anchorOf } from '#shared/proof/anchor.ts';
import { zkAnchorIdOf, zkAnchorOf } from '#shared/proof/zk/zk-anchor.ts';
import type { ZkKernel } from '#shared/proof/zk/zk-kernel.ts';
import type { Peer } from '#shared/transfer/ports.ts';
import type {
  MinerClient,
  MinerFailure,
  MinerFailureCode,
  MinerPeer,
  ShardFrame,
  ShardStream,
  StoreReceipt,
} from '#shared/wire/ports.ts';

export type MinerFault =
  | 'none'
  | 'dead' /** no connection */
  | 'silent' /** takes the connection and never says a word */
  | 'hangs' /** early headers, then it neither takes a byte nor sends one */
  | 'no-receipt' /** takes frames, stores nothing, never replies */
  | 'loses-answers' /** stores, but its replies are lost with the connection; a receipt can be asked for */
  | 'swallows' /** stores, and nothing that it says about it ever arrives, receipts asked for included */
  | 'breaks-streams' /** every stream breaks at its second frame; single requests work */
  | 'redirects' /** answers against the protocol, always */
  | 'full' /** 507 */
  | 'corrupt-receipts' /** stores, and its receipts do not verify */
  | 'wrong-bytes' /** stores rightly, serves flipped bits */
  | 'forgets'; /** signs receipts and keeps nothing */

interface HeldShard {
  readonly frame: ShardFrame;
  readonly order: OrderId;
  readonly receipt: StoreReceipt;
}

export interface FakeMinersOptions {
  readonly count: number;
  readonly kernel: Kernel;
  /** For shards of anchor type 2; without it there are none. */
  readonly zkKernel?: () => ZkKernel;
  readonly clock?: Clock;
  /** Recompute anchors as a real miner does (default), or leave that cost out of a benchmark. */
  readonly checksAnchors?: boolean;
}

/** One miner of the fake network; all but `held` may be changed at any time. */
export class FakeMiner {
  readonly peer: Peer;
  readonly held = new Map<AnchorId, HeldShard>();
  fault: MinerFault = 'none';
  /** A round trip. */
  latencyMs = 0;
  /** Of its line, one transfer after the other; 0 is unlimited. */
  bytesPerMs = 0;
  /** Requests it got, by name, for tests that count them. */
  readonly requests = new Map<string, number>();
  readonly #kernel: Kernel;
  readonly #zkKernel: FakeMinersOptions['zkKernel'];
  readonly #clock: Clock;
  readonly #checksAnchors: boolean;
  #line: Promise<void> = Promise.resolve();
  #seq = 0;

  constructor(index: number, options: FakeMinersOptions) {
    const hotkey = hotkeyOf(new Uint8Array(32).fill(1 + (index % 255)).fill(index >> 8, 0, 1));
    this.peer = {
      number: (index + 1) as MinerNumber,
      hotkey,
      url: `http://miner-${index}.invalid`,
      groups: [`coldkey:${hotkey}`, `endpoint:127.0.0.1:${9000 + index}`],
      freeBytes: 2 ** 40,
      accepting: true,
    };
    this.#kernel = options.kernel;
    this.#zkKernel = options.zkKernel;
    this.#clock = options.clock ?? systemClock;
    this.#checksAnchors = options.checksAnchors ?? true;
  }

  failure(code: MinerFailureCode): Result<never, MinerFailure> {
    const fault = code === 'cancelled' ? 'us' : 'peer';
    return fail({ code, fault, message: `fake miner ${this.peer.number}: ${code}`, miner: this.peer.hotkey });
  }

  /** The way of a request to the miner and back: undefined when it may go on, else why not. */
  async reach(request: string, signal: AbortSignal): Promise<Result<never, MinerFailure> | undefined> {
    this.requests.set(request, (this.requests.get(request) ?? 0) + 1);
    if (signal.aborted) return this.failure('cancelled');
    if (this.fault === 'dead') return this.failure('unreachable');
    if (this.fault === 'silent') return this.never(signal);
    if (this.latencyMs > 0 && !(await this.pause(this.latencyMs, signal))) return this.failure('cancelled');
    if (this.fault === 'redirects') return this.failure('broken');
    return undefined;
  }

  never(signal: AbortSignal): Promise<Result<never, MinerFailure>> {
    return new Promise((resolve) => {
      const stop = () => resolve(this.failure('cancelled'));
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
    });
  }

  /** False when the signal ended it early. */
  async pause(ms: number, signal: AbortSignal): Promise<boolean> {
    return this.#clock.sleep(ms, signal).then(
      () => true,
      () => false,
    );
  }

  /** Bytes over the miner's line, after those before them. */
  transfer(bytes: number, signal: AbortSignal): Promise<boolean> {
    if (this.bytesPerMs === 0) return Promise.resolve(!signal.aborted);
    const moved = this.#line.then(() => this.pause(bytes / this.bytesPerMs, signal));
    this.#line = moved.then(() => undefined);
    return moved;
  }

  #anchorIdOf({ shard, blindKey }: ShardFrame): AnchorId | undefined {
    if (!blindKey) return anchorIdOf(anchorOf(this.#kernel, shard));
    const zk = this.#zkKernel?.();
    return zk && zkAnchorIdOf(zkAnchorOf({ zk, hash: this.#kernel }, blindKey, shard).anchor);
  }

  store(order: OrderId, frame: ShardFrame): Result<StoreReceipt, MinerFailure> {
    if (this.fault === 'full') return this.failure('full');
    const held = this.held.get(frame.anchorId);
    if (held) return succeed(held.receipt);
    if (this.#checksAnchors && this.#anchorIdOf(frame) !== frame.anchorId) {
      return this.failure('refused');
    }
    this.#seq++;
    const statement = new ByteWriter(64).tag('fake receipt').bytes(idBytes(order)).bytes(idBytes(frame.anchorId));
    const signed = statement.u64(frame.shard.length).u64(this.#seq).finish();
    const receipt: StoreReceipt = { anchorId: frame.anchorId, signed, seq: this.#seq };
    if (this.fault !== 'forgets') {
      const shard = this.#checksAnchors ? frame.shard.slice() : frame.shard;
      this.held.set(frame.anchorId, { frame: { ...frame, shard }, order, receipt });
    }
    return succeed(receipt);
  }

  /** What a read of this shard gives now, its way over the line aside. */
  serve(anchorId: AnchorId): Result<Uint8Array, MinerFailure> {
    const held = this.held.get(anchorId);
    if (!held) return this.failure('absent');
    const shard = this.#checksAnchors ? held.frame.shard.slice() : held.frame.shard;
    if (this.fault === 'wrong-bytes') shard[shard.length >> 1] = (shard[shard.length >> 1] ?? 0) ^ 1;
    return succeed(shard);
  }
}

const losesAnswers = ({ fault }: FakeMiner): boolean => fault === 'loses-answers' || fault === 'swallows';

class FakeStream implements ShardStream {
  readonly #miner: FakeMiner;
  readonly #order: OrderId;
  readonly #stop = new AbortController();
  readonly #signal: AbortSignal;
  #roomBytes: number;
  #frames = 0;
  #broken = false;
  readonly #open = new Set<Promise<unknown>>();

  constructor(miner: FakeMiner, order: OrderId, maxBytes: number, signal: AbortSignal) {
    this.#miner = miner;
    this.#order = order;
    this.#roomBytes = maxBytes;
    this.#signal = AbortSignal.any([signal, this.#stop.signal]);
  }

  send(frame: ShardFrame): ReturnType<ShardStream['send']> {
    const taken = this.#take(frame);
    const receipt = taken.then(() => this.#reply(frame));
    this.#open.add(receipt);
    void receipt.finally(() => this.#open.delete(receipt));
    return { sent: taken, receipt };
  }

  async #take(frame: ShardFrame): Promise<void> {
    this.#frames++;
    if (this.#miner.fault === 'breaks-streams' && this.#frames > 1) this.#broken = true;
    if (this.#miner.fault === 'hangs') await this.#miner.never(this.#signal);
    else await this.#miner.transfer(frame.shard.length, this.#signal);
  }

  async #reply(frame: ShardFrame): Promise<Result<StoreReceipt, MinerFailure>> {
    const miner = this.#miner;
    if (this.#signal.aborted) return miner.failure('cancelled');
    if (miner.fault === 'dead' || this.#broken) return miner.failure('unreachable');
    if (miner.fault === 'no-receipt' || miner.fault === 'silent') return miner.never(this.#signal);
    if (miner.fault === 'redirects') return miner.failure('broken');
    this.#roomBytes -= frame.shard.length;
    if (this.#roomBytes < 0) return miner.failure('full');
    const stored = miner.store(this.#order, frame);
    if (miner.latencyMs > 0 && !(await miner.pause(miner.latencyMs, this.#signal))) return miner.failure('cancelled');
    if (this.#signal.aborted) return miner.failure('cancelled');
    if (miner.fault === 'corrupt-receipts') return miner.failure('forged');
    return losesAnswers(miner) ? miner.failure('unreachable') : stored;
  }

  async finish(): Promise<void> {
    await Promise.all(this.#open);
  }
  abort(): void {
    this.#stop.abort();
  }
}

export interface FakeMiners {
  readonly miners: readonly FakeMiner[];
  readonly peers: readonly Peer[];
  readonly client: MinerClient;
  of(number: MinerNumber): FakeMiner;
}

export function createFakeMiners(options: FakeMinersOptions): FakeMiners {
  const miners = Array.from({ length: options.count }, (_, index) => new FakeMiner(index, options));
  const byHotkey = new Map(miners.map((miner) => [miner.peer.hotkey, miner]));
  const byNumber = new Map(miners.map((miner) => [miner.peer.number, miner]));

  const known = (miner: FakeMiner | undefined): FakeMiner => {
    if (!miner) throw new Error('no such fake miner');
    return miner;
  };
  const at = (peer: MinerPeer) => known(byHotkey.get(peer.hotkey));
  return {
    miners,
    peers: miners.map((miner) => miner.peer),
    of: (number) => known(byNumber.get(number)),
    client: fakeClient(at),
  };
}

function fakeClient(at: (peer: MinerPeer) => FakeMiner): MinerClient {
  return {
    async openStream(peer, order, maxBytes, signal) {
      const miner = at(peer);
      const refusal = await miner.reach('openStream', signal);
      if (refusal) return refusal;
      return miner.fault === 'full' ? miner.failure('full') : succeed(new FakeStream(miner, order, maxBytes, signal));
    },
    async putShard(peer, order, frame, signal) {
      const miner = at(peer);
      const refusal = await miner.reach('putShard', signal);
      if (refusal) return refusal;
      if (miner.fault === 'hangs' || miner.fault === 'no-receipt') return miner.never(signal);
      if (!(await miner.transfer(frame.shard.length, signal))) return miner.failure('cancelled');
      const stored = miner.store(order, frame);
      if (miner.fault === 'corrupt-receipts') return miner.failure('forged');
      return losesAnswers(miner) ? miner.failure('unreachable') : stored;
    },
    async readReceipt(peer, order, anchorId, _bytes, signal) {
      const miner = at(peer);
      const refusal = await miner.reach('readReceipt', signal);
      if (refusal) return refusal;
      if (miner.fault === 'hangs' || miner.fault === 'no-receipt') return miner.never(signal);
      if (miner.fault === 'swallows') return miner.failure('unreachable');
      if (miner.fault === 'corrupt-receipts') return miner.failure('forged');
      const held = miner.held.get(anchorId);
      return held?.order === order ? succeed(held.receipt) : miner.failure('absent');
    },
    async *readShards(peer, shards, signal) {
      const miner = at(peer);
      const refusal = await miner.reach('readShards', signal);
      for (const { anchorId, bytes } of shards) {
        if (refusal) yield refusal;
        else if (signal.aborted) yield miner.failure('cancelled');
        else if (miner.fault === 'dead') yield miner.failure('unreachable');
        else if (miner.fault === 'hangs' || miner.fault === 'silent') yield await miner.never(signal);
        else if (!(await miner.transfer(bytes, signal))) yield miner.failure('cancelled');
        else yield miner.serve(anchorId);
      }
    },
    async headShard(peer, anchorId, signal) {
      const miner = at(peer);
      const refusal = await miner.reach('headShard', signal);
      if (refusal) return refusal;
      const held = miner.held.get(anchorId);
      return held ? succeed({ bytes: held.frame.shard.length }) : miner.failure('absent');
    },
    async health(peer, signal) {
      const miner = at(peer);
      const refusal = await miner.reach('health', signal);
      if (refusal) return refusal;
      const { hotkey, freeBytes } = miner.peer;
      const counts = { freeBytes, capacityBytes: 2 ** 41, shards: miner.held.size, draining: false };
      return succeed({ hotkey, version: 'fake', role: 'miner' as const, ...counts });
    },
    async hello(peer, _address, signal) {
      return (await at(peer).reach('hello', signal)) ?? succeed(undefined);
    },
    async listShards(peer, cursor, limit, signal) {
      const miner = at(peer);
      const refusal = await miner.reach('listShards', signal);
      if (refusal) return refusal;
      const from = Number(cursor ?? 0);
      const page = [...miner.held.values()].slice(from, from + limit).map(({ frame }) => ({
        ...{ anchorId: frame.anchorId, bytes: frame.shard.length, ref: frame.ref, label: frame.label },
        ...{ holdUntilMs: frame.holdUntilMs, state: 'held' as const },
      }));
      return succeed(from + limit < miner.held.size ? { items: page, next: `${from + limit}` } : { items: page });
    },
    async challenge(peer, _challenge, _answerBytes, signal) {
      const miner = at(peer);
      // Proofs are for real miners: these keep bytes, but no trees.
      return (await miner.reach('challenge', signal)) ?? miner.failure('unreachable');
    },
    async drop(peer, anchors, action, _reason, signal) {
      const miner = at(peer);
      const refusal = await miner.reach('drop', signal);
      if (refusal) return refusal;
      return succeed(
        anchors.map((anchorId) => {
          const had = action === 'drop' ? miner.held.delete(anchorId) : miner.held.has(anchorId);
          if (!had) return { anchorId, state: 'absent' as const };
          return { anchorId, state: action === 'drop' ? ('erased' as const) : ('held' as const) };
        }),
      );
    },
  };
}
