/**
 * The client's end of `POST /v1/shards` (protocol.md §3): frames go out while replies come back, in any order.
 * A problem fails its frame; a reply that is none, a wrong receipt, silence or a cut fails the whole stream, because
 * nothing more can be believed of it. Each send settles exactly once and nothing ever rejects.
 */
import type { Clock } from '#shared/primitives/effects.ts';
import { fail, type Result, succeed } from '#shared/primitives/failure.ts';
import { anchorOfReceipt } from './check-receipt.ts';
import { encodeFrameHead, FRAMES_TYPE, STREAM_END } from './frames.ts';
import { RECEIPT_WAIT_MS, SEND_PIECE_BYTES, STREAM_TOTAL_MS } from './limits.ts';
import { connectionFailure, minerFailure, problemFailure } from './miner-failure.ts';
import type { Answer, MinerTransport } from './miner-transport.ts';
import { OutgoingStream } from './outgoing-stream.ts';
import type { MinerFailure, MinerPeer, ShardFrame, ShardStream, StoreReceipt } from './ports.ts';
import { parseProblem } from './problem.ts';
import { eachChunk } from './read-body.ts';
import { type Reply, ReplyParser, STREAM_REF } from './replies.ts';

/** What a receipt is checked against. The shard itself is not kept: it is its owner's again once it was taken. */
export type SentShard = Pick<ShardFrame, 'anchorId' | 'holdUntilMs'> & { readonly bytes: number };

/** A frame that has no reply yet. */
interface OpenFrame {
  readonly sent: SentShard;
  /** When its last byte was taken by the transport. */
  takenAtMs: number | undefined;
  readonly settle: (outcome: Result<StoreReceipt, MinerFailure>) => void;
}

export interface StreamSetup {
  readonly transport: MinerTransport;
  readonly clock: Clock;
  readonly miner: MinerPeer;
  readonly target: string;
  readonly check: (signed: Uint8Array, sent: SentShard) => Result<StoreReceipt, MinerFailure>;
  readonly signal: AbortSignal;
}

export async function openShardStream(setup: StreamSetup): Promise<Result<ShardStream, MinerFailure>> {
  const outgoing = new OutgoingStream();
  const request = {
    method: 'POST',
    target: setup.target,
    wantedStatus: 202,
    stream: outgoing.readable,
    contentType: FRAMES_TYPE,
    answerBytes: 0,
    totalMs: STREAM_TOTAL_MS,
  } as const;
  const opened = await setup.transport.open(setup.miner, request, setup.signal);
  if (!opened.ok) {
    outgoing.break();
    return opened;
  }
  return succeed(new OpenShardStream(setup, outgoing, opened.value));
}

class OpenShardStream implements ShardStream {
  readonly #setup: StreamSetup;
  readonly #outgoing: OutgoingStream;
  readonly #answer: Answer;
  /** By ref, oldest first; a miner normally has one shard of a segment, but a second try may be on its way. */
  readonly #open = new Map<bigint, OpenFrame[]>();
  readonly #over: Promise<void>;
  #finishing = false;
  #failure: MinerFailure | undefined;

  constructor(setup: StreamSetup, outgoing: OutgoingStream, answer: Answer) {
    this.#setup = setup;
    this.#outgoing = outgoing;
    this.#answer = answer;
    const { exchange } = answer;
    outgoing.onProgress = () => {
      exchange.heard();
      this.#pace();
    };
    exchange.onEnd = (end) => {
      if (end !== 'closed') this.#break(connectionFailure(setup.miner.hotkey, end));
    };
    if (exchange.ended) this.#break(connectionFailure(setup.miner.hotkey, exchange.ended));
    this.#over = this.#readReplies();
  }

  send(frame: ShardFrame): ReturnType<ShardStream['send']> {
    const failure = this.#failure ?? (this.#finishing ? this.#fault('cancelled', 'the stream is finished') : undefined);
    if (failure) return { sent: Promise.resolve(), receipt: Promise.resolve(fail(failure)) };
    const head = encodeFrameHead(frame);
    const { shard, anchorId, holdUntilMs } = frame;
    const sentShard = { anchorId, holdUntilMs, bytes: shard.length };
    const receipt = new Promise<Result<StoreReceipt, MinerFailure>>((settle) => {
      const sameRef = this.#open.get(frame.ref) ?? [];
      sameRef.push({ sent: sentShard, takenAtMs: undefined, settle });
      this.#open.set(frame.ref, sameRef);
    });
    const open = this.#open.get(frame.ref)?.at(-1);
    this.#outgoing.push(head);
    let at = 0;
    for (; at + SEND_PIECE_BYTES < shard.length; at += SEND_PIECE_BYTES) {
      this.#outgoing.push(shard.subarray(at, at + SEND_PIECE_BYTES));
    }
    const sent = new Promise<void>((resolve) => {
      this.#outgoing.push(shard.subarray(at), () => {
        if (open) open.takenAtMs = this.#setup.clock.nowMs();
        resolve();
      });
    });
    this.#pace();
    return { sent, receipt };
  }

  finish(): Promise<void> {
    if (!this.#finishing && !this.#failure) {
      this.#finishing = true;
      this.#outgoing.push(STREAM_END);
      this.#outgoing.end();
      this.#pace();
    }
    return this.#over;
  }

  abort(): void {
    this.#answer.exchange.end('cancelled');
  }

  /** The peer is waited for while anything is on its way or unanswered. */
  #pace(): void {
    const { exchange } = this.#answer;
    if (this.#open.size === 0 && this.#outgoing.idle && !this.#finishing) {
      exchange.rest();
      return;
    }
    exchange.wait();
    // Progress elsewhere is no excuse for the oldest frame.
    const [oldest] = this.#open.values();
    const takenAtMs = oldest?.[0]?.takenAtMs;
    if (takenAtMs !== undefined && this.#setup.clock.nowMs() - takenAtMs > RECEIPT_WAIT_MS) {
      this.#break(this.#fault('unreachable', 'the miner left a shard unanswered'));
    }
  }

  #fault(code: MinerFailure['code'], message: string): MinerFailure {
    return minerFailure(this.#setup.miner.hotkey, code, message);
  }

  /** Ends everything; the first reason counts. */
  #break(failure: MinerFailure): void {
    if (this.#failure) return;
    this.#failure = failure;
    const open = [...this.#open.values()].flat();
    this.#open.clear();
    for (const frame of open) frame.settle(fail(failure));
    this.#outgoing.break();
    this.#answer.exchange.end('closed');
  }

  async #readReplies(): Promise<void> {
    const { response, exchange } = this.#answer;
    const replies = new ReplyParser();
    // Every reply answers a frame, so the frames sent bound the answer.
    const end = await eachChunk(response.body, exchange, Number.POSITIVE_INFINITY, 'unclocked', (chunk) => {
      const { items, failure } = replies.push(chunk);
      for (const reply of items) this.#onReply(reply);
      if (failure) this.#break(this.#fault('broken', failure.message));
      return this.#failure ? 'stop' : 'more';
    });
    if (end !== 'complete') this.#break(connectionFailure(this.#setup.miner.hotkey, exchange.ended));
    else if (replies.finish()) this.#break(this.#fault('unreachable', 'the answer was cut inside a reply'));
    else if (!this.#finishing) this.#break(this.#fault('unreachable', 'the miner ended the stream'));
    else if (this.#open.size > 0)
      this.#break(this.#fault('broken', 'the miner ended the stream with shards unanswered'));
    else this.#break(this.#fault('cancelled', 'the stream is finished'));
  }

  #onReply(reply: Reply): void {
    if (this.#failure) return;
    const refused = reply.kind === 'problem' ? this.#onProblem(reply) : this.#onReceipt(reply);
    if (refused) this.#break(refused);
  }

  /** One shard's problem leaves the stream as it is. What is returned breaks it. */
  #onProblem(reply: Reply): MinerFailure | undefined {
    const problem = parseProblem(reply.body);
    const failure = problemFailure(this.#setup.miner.hotkey, problem);
    if (!problem || reply.ref === STREAM_REF) return failure;
    const open = this.#take(reply.ref, () => true);
    if (!open) return this.#fault('broken', 'a problem with no shard that was sent');
    this.#settle(open, fail(failure));
    return undefined;
  }

  #onReceipt(reply: Reply): MinerFailure | undefined {
    const anchorId = anchorOfReceipt(reply.body);
    const open = this.#take(reply.ref, (sent) => sent.anchorId === anchorId);
    if (!open) return this.#fault('broken', 'a receipt for no shard that was sent');
    const receipt = this.#setup.check(reply.body, open.sent);
    this.#settle(open, receipt);
    return receipt.ok ? undefined : receipt.failure;
  }

  #settle(open: OpenFrame, outcome: Result<StoreReceipt, MinerFailure>): void {
    open.settle(outcome);
    this.#answer.exchange.heard();
    this.#pace();
  }

  /** Takes the oldest open frame with this ref that fits. */
  #take(ref: bigint, fits: (sent: SentShard) => boolean): OpenFrame | undefined {
    const sameRef = this.#open.get(ref);
    const at = sameRef?.findIndex((open) => fits(open.sent)) ?? -1;
    if (!sameRef || at < 0) return undefined;
    const [open] = sameRef.splice(at, 1);
    if (sameRef.length === 0) this.#open.delete(ref);
    return open;
  }
}
