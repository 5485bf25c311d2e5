/**
 * One shard stream: frames in, one reply a frame out, as soon as it is decided (por/v1 §9, protocol.md §3). A frame
 * that cannot be stored gets a problem and its bytes are read past; a stream that cannot be parsed gets a last problem
 * (STREAM_REF) and ends. What is receipted stays, whatever happens to the stream after.
 */
import type { Clock } from '#shared/primitives/effects.ts';
import type { Hotkey, OrderId } from '#shared/primitives/ids.ts';
import type { AnchorType } from '#shared/proof/any-anchor.ts';
import { BLIND_KEY_BYTES, ZK_ANCHOR_TYPE } from '#shared/proof/zk/zk-anchor.ts';
import { type FrameEvent, type FrameHead, FrameParser } from '#shared/wire/frames.ts';
import {
  IDLE_MS,
  MAX_OPEN_FRAMES,
  MAX_STREAM_FRAMES,
  MAX_ZK_FILE_BYTES,
  MIN_SHARD_BYTES,
  STREAM_PAUSE_MS,
} from '#shared/wire/limits.ts';
import { encodeProblem, type ProblemCode } from '#shared/wire/problem.ts';
import { encodeReply, STREAM_REF } from '#shared/wire/replies.ts';
import { latestHoldMs } from '../admission/routes.ts';
import type { IncomingShard } from '../store/incoming-shard.ts';
import type { ShardStore } from '../store/shard-store.ts';
import type { Reservation } from '../store/space.ts';

export interface ShardUpload {
  readonly tenant: Hotkey;
  readonly caller: Hotkey;
  readonly order: OrderId;
  /** Anchor type of every frame. */
  readonly type: AnchorType;
  readonly reservation: Reservation;
  /** The body's next bytes, undefined at its end; rejects when it broke or was silent for `idleMs`. */
  readonly next: (idleMs: number, dueBytes: number) => Promise<Uint8Array | undefined>;
  /** Sends a reply; waits while the client does not read. Rejects when it left. */
  readonly reply: (bytes: Uint8Array) => Promise<void> | void;
  /** True once the miner is going away: no further frame is begun, and `next` ends. */
  readonly draining: () => boolean;
}

/** Bytes of the shard itself: of anchor type 2 a blind key stands before it (por/v1 §9). */
const ownBytes = (type: AnchorType, head: FrameHead): number =>
  type === ZK_ANCHOR_TYPE ? head.shardBytes - BLIND_KEY_BYTES : head.shardBytes;

/** Why a shard of this type cannot have this length; undefined when it can. */
export function refusedLength(type: AnchorType, bytes: number): string | undefined {
  if (type !== ZK_ANCHOR_TYPE) return undefined;
  if (bytes < MIN_SHARD_BYTES) return 'a shard of type 2 comes behind its blind key of 32 bytes';
  return bytes > MAX_ZK_FILE_BYTES ? `a shard of type 2 has at most ${MAX_ZK_FILE_BYTES} bytes` : undefined;
}

interface Refusal {
  readonly code: ProblemCode;
  readonly message: string;
}

const problemReply = (ref: bigint, { code, message }: Refusal): Uint8Array =>
  encodeReply({ kind: 'problem', ref, body: encodeProblem(code, message) });

/** Rejects when the client left or its body broke. When this settles, nothing of the reservation is in use any more. */
export async function storeShards(store: ShardStore, clock: Clock, upload: ShardUpload): Promise<void> {
  const intake = new Intake(store, clock, upload);
  try {
    await intake.run();
  } finally {
    await intake.settle();
  }
  intake.rethrow();
}

class Intake {
  readonly #store: ShardStore;
  readonly #clock: Clock;
  readonly #upload: ShardUpload;
  readonly #parser = new FrameParser();
  readonly #reservedBytes: number;
  /** Frames taken and not yet answered. */
  readonly #open = new Set<Promise<void>>();
  #claimedBytes = 0;
  #frames = 0;
  #current: { readonly head: FrameHead; readonly incoming: IncomingShard | undefined } | undefined;
  #replyError: unknown;

  constructor(store: ShardStore, clock: Clock, upload: ShardUpload) {
    this.#store = store;
    this.#clock = clock;
    this.#upload = upload;
    this.#reservedBytes = upload.reservation.left;
  }

  async run(): Promise<void> {
    const { next, draining } = this.#upload;
    for (;;) {
      // Between two frames the uploader's own client may be slow; inside one, bytes are due.
      const idleMs = this.#parser.idle && this.#open.size === 0 ? STREAM_PAUSE_MS : IDLE_MS;
      const chunk = await next(idleMs, this.#parser.dueBytes);
      if (!chunk) break;
      for (const event of this.#parser.push(chunk)) {
        if (!(await this.#take(event))) return;
        this.rethrow();
      }
    }
    const cut = this.#parser.finish();
    // A miner that goes away ends the stream between two frames: that is not the sender's doing.
    if (cut && !draining()) this.#answer(Promise.resolve(problemReply(STREAM_REF, cut)));
  }

  /** False when this was the last event that is looked at. */
  async #take(event: FrameEvent): Promise<boolean> {
    if (event.kind === 'frame') return this.#begin(event.head);
    if (event.kind === 'refused') {
      this.#answer(Promise.resolve(problemReply(STREAM_REF, event.failure)));
      return false;
    }
    if (event.kind === 'piece') {
      await this.#current?.incoming?.write(event.bytes);
      if (event.last) await this.#end();
    }
    return true;
  }

  async #begin(head: FrameHead): Promise<boolean> {
    this.#frames++;
    const last = this.#upload.draining() || this.#frames > MAX_STREAM_FRAMES;
    const refusal = this.#refusalOf(head);
    if (refusal) {
      this.#current = { head, incoming: undefined };
      this.#answer(Promise.resolve(problemReply(head.ref, refusal)));
      return !last;
    }
    this.#claimedBytes += head.shardBytes;
    const { type } = this.#upload;
    const incoming = await this.#store.beginShard({ anchorId: head.anchorId, bytes: ownBytes(type, head), type });
    this.#current = { head, incoming };
    return true;
  }

  #refusalOf(head: FrameHead): Refusal | undefined {
    if (this.#upload.draining()) return { code: 'draining', message: 'this miner is shutting down' };
    if (this.#frames > MAX_STREAM_FRAMES) {
      return { code: 'bad-frame', message: `a stream has at most ${MAX_STREAM_FRAMES} frames` };
    }
    if (head.holdUntilMs > latestHoldMs(this.#clock.nowMs())) {
      return { code: 'bad-request', message: 'holdUntilMs lies too far in the future' };
    }
    const refused = refusedLength(this.#upload.type, ownBytes(this.#upload.type, head));
    if (refused) return { code: 'bad-frame', message: refused };
    // Repeats and refused frames count too: what one stream may make the disk write is what it reserved.
    if (this.#claimedBytes + head.shardBytes > this.#reservedBytes) {
      return { code: 'too-large', message: 'more shard bytes than were reserved with max' };
    }
    if (this.#store.isDropped(this.#upload.tenant, head.anchorId)) {
      return { code: 'dropped', message: 'this anchor was dropped by its tenant' };
    }
    return undefined;
  }

  /** The frame's last byte is here: flush and commit go on while the next frame comes in. */
  async #end(): Promise<void> {
    const current = this.#current;
    this.#current = undefined;
    if (!current?.incoming) return;
    this.#answer(this.#storeOne(current.head, current.incoming));
    while (this.#open.size >= MAX_OPEN_FRAMES) await Promise.race(this.#open);
  }

  async #storeOne(head: FrameHead, incoming: IncomingShard): Promise<Uint8Array> {
    const arrived = await incoming.finish();
    if (!arrived.ok) return problemReply(head.ref, arrived.failure);
    const { tenant, caller, order, reservation, type } = this.#upload;
    const { anchorId, ref, holdUntilMs, label } = head;
    const bytes = ownBytes(type, head);
    const offer = { tenant, caller, order, anchorId, bytes, ref, holdUntilMs, label };
    const committed = await this.#store.commit(offer, arrived.value, reservation);
    if (!committed.ok) return problemReply(ref, committed.failure);
    return encodeReply({ kind: 'receipt', ref, body: committed.value });
  }

  #answer(reply: Promise<Uint8Array>): void {
    const task: Promise<void> = reply
      .then(this.#upload.reply)
      .catch((error) => {
        this.#replyError ??= error;
      })
      .finally(() => this.#open.delete(task));
    this.#open.add(task);
  }

  /** Frames whose bytes are all here are decided even when the sender is gone; one under way leaves nothing. */
  async settle(): Promise<void> {
    await this.#current?.incoming?.discard();
    await Promise.all(this.#open);
  }

  rethrow(): void {
    if (this.#replyError) throw this.#replyError;
  }
}
