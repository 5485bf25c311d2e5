/**
 * Frames of the shard stream `POST /v1/shards`, what a miner reads and a client writes (por/v1 §9, protocol.md §3):
 *
 *   u32 shardBytes  anchorId₃₂  u64 ref  u64 holdUntilMs  u16 labelBytes  label  shard
 *   four zero bytes alone end the stream
 *
 * `FrameParser` takes chunks of any size and copies no shard: it hands out views of the chunks it was given.
 */
import { ByteReader, ByteWriter, toHex } from '#shared/primitives/bytes.ts';
import type { Failure } from '#shared/primitives/failure.ts';
import { type AnchorId, idBytes } from '#shared/primitives/ids.ts';
import { FixedHead } from './fixed-head.ts';
import { MAX_LABEL_BYTES, MAX_SHARD_BYTES, MIN_SHARD_BYTES } from './limits.ts';
import type { ShardFrame } from './ports.ts';

/** Width of a frame's head without its label. */
export const FRAME_HEAD_BYTES = 4 + 32 + 8 + 8 + 2;
/** Ends a stream. */
export const STREAM_END: Uint8Array = new Uint8Array(4);
export const FRAMES_TYPE = 'application/vnd.filetao.frames';

/** What stands before the shard. */
export interface FrameHead {
  readonly anchorId: AnchorId;
  readonly shardBytes: number;
  readonly ref: bigint;
  readonly holdUntilMs: number;
  readonly label: Uint8Array;
}

export type FrameFailure = Failure & { readonly code: 'bad-frame' | 'too-large' | 'truncated' };

export type FrameEvent =
  | { readonly kind: 'frame'; readonly head: FrameHead }
  /** Bytes of the last head's shard, in order; `last` when the shard is complete. Never empty. */
  | { readonly kind: 'piece'; readonly bytes: Uint8Array; readonly last: boolean }
  | { readonly kind: 'end' }
  /** Always the last event: whatever comes after it is ignored. */
  | { readonly kind: 'refused'; readonly failure: FrameFailure };

/** The head and label of a frame; the shard follows as it is. Lengths out of range are our own mistake and throw. */
export function encodeFrameHead(frame: ShardFrame): Uint8Array {
  const { length } = frame.shard;
  if (length < MIN_SHARD_BYTES || length > MAX_SHARD_BYTES) throw new RangeError(`a shard of ${length} bytes`);
  if (frame.label.length > MAX_LABEL_BYTES) throw new RangeError(`a label of ${frame.label.length} bytes`);
  return new ByteWriter(FRAME_HEAD_BYTES + frame.label.length)
    .u32(length)
    .fixed(idBytes(frame.anchorId), 32)
    .u64(frame.ref)
    .u64(frame.holdUntilMs)
    .u16(frame.label.length)
    .bytes(frame.label)
    .finish();
}

const refusal = (code: FrameFailure['code'], message: string): FrameEvent => ({
  kind: 'refused',
  failure: { code, fault: 'caller', message },
});

type State = 'size' | 'head' | 'label' | 'shard' | 'ended' | 'refused';

export class FrameParser {
  readonly #head = new FixedHead(FRAME_HEAD_BYTES + MAX_LABEL_BYTES);
  readonly #maxShardBytes: number;
  #state: State = 'size';
  #shardLeft = 0;

  constructor(maxShardBytes: number = MAX_SHARD_BYTES) {
    this.#maxShardBytes = maxShardBytes;
    this.#head.expect(4);
  }

  /** The stream is between two frames, or over. */
  get idle(): boolean {
    return this.#state === 'ended' || (this.#state === 'size' && this.#head.empty);
  }

  /** So many bytes will come at least, if the stream is not cut: the rest of the shard under way. */
  get dueBytes(): number {
    return Math.max(1, this.#shardLeft);
  }

  /** What this chunk brings, in order. */
  push(chunk: Uint8Array): readonly FrameEvent[] {
    const events: FrameEvent[] = [];
    let at = 0;
    while (at < chunk.length && this.#state !== 'refused') {
      if (this.#state === 'shard') {
        const bytes = chunk.subarray(at, at + this.#shardLeft);
        at += bytes.length;
        this.#shardLeft -= bytes.length;
        events.push({ kind: 'piece', bytes, last: this.#shardLeft === 0 });
        if (this.#shardLeft === 0) this.#next('size', 4);
        continue;
      }
      if (this.#state === 'ended') {
        events.push(this.#refuse('bad-frame', 'bytes after the end of the stream'));
        break;
      }
      at = this.#head.take(chunk, at);
      if (!this.#head.full) continue;
      const event = this.#headStep();
      if (event) events.push(event);
    }
    return events;
  }

  /** The body is over: undefined when it ended where a stream may end, behind its four zero bytes. */
  finish(): FrameFailure | undefined {
    if (this.#state === 'ended' || this.#state === 'refused') return undefined;
    return { code: 'truncated', fault: 'caller', message: 'the stream ended without its end mark' };
  }

  #next(state: State, headBytes: number, keep = 0): void {
    this.#state = state;
    this.#head.expect(headBytes, keep);
  }

  #refuse(code: FrameFailure['code'], message: string): FrameEvent {
    this.#state = 'refused';
    return refusal(code, message);
  }

  /** The head is complete as far as it was asked for: the size first, so that too much is refused at once. */
  #headStep(): FrameEvent | undefined {
    const reader = new ByteReader(this.#head.bytes);
    const shardBytes = reader.u32();
    if (this.#state === 'size') {
      if (shardBytes === 0) {
        this.#state = 'ended';
        return { kind: 'end' };
      }
      if (shardBytes > this.#maxShardBytes) {
        return this.#refuse(
          'too-large',
          `a shard of ${shardBytes} bytes is announced, ${this.#maxShardBytes} may come`,
        );
      }
      if (shardBytes < MIN_SHARD_BYTES) return this.#refuse('bad-frame', `a shard of ${shardBytes} bytes is announced`);
      this.#next('head', FRAME_HEAD_BYTES, 4);
      return undefined;
    }
    const anchorId = toHex(reader.bytes(32)) as AnchorId;
    const ref = reader.u64big();
    const holdUntilMs = reader.u64();
    if (!reader.ok) return this.#refuse('bad-frame', 'holdUntilMs is out of range');
    const labelBytes = reader.u16();
    if (labelBytes > MAX_LABEL_BYTES) return this.#refuse('bad-frame', `a label of ${labelBytes} bytes is announced`);
    if (this.#state === 'head' && labelBytes > 0) {
      this.#next('label', FRAME_HEAD_BYTES + labelBytes, FRAME_HEAD_BYTES);
      return undefined;
    }
    const label = reader.bytes(labelBytes).slice();
    this.#state = 'shard';
    this.#shardLeft = shardBytes;
    return { kind: 'frame', head: { anchorId, shardBytes, ref, holdUntilMs, label } };
  }
}
