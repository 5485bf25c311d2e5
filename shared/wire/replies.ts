/**
 * Replies of a miner: the answer frames of a shard stream, and the items of `POST /v1/shards/read`
 * (protocol.md §3):
 *
 *   reply   u8 kind(1 receipt, 2 problem)  u64 ref  u32 length  (store statement ‖ signature₆₄, or problem JSON)
 *   item    u8 kind(1 shard, 2 problem)             u32 length  (the shard, or problem JSON)
 *
 * The parsers belong to the client: whatever they refuse is the peer's fault. They take chunks of any size.
 */
import { ByteReader, ByteWriter, concatBytes } from '#shared/primitives/bytes.ts';
import type { Failure } from '#shared/primitives/failure.ts';
import { FixedHead } from './fixed-head.ts';
import { MAX_PROBLEM_BYTES, MAX_SHARD_BYTES } from './limits.ts';

const KIND_PROBLEM = 2;
const REPLY_HEAD_BYTES = 1 + 8 + 4;
/** Head of one item of a read answer. */
export const ITEM_HEAD_BYTES = 1 + 4;

/** Store statement (237 bytes) ‖ signature (64), por/v1 §9. */
export const RECEIPT_BYTES = 25 + 36 + 32 * 4 + 16 + 8 * 4 + 64;

/** As the ref of a problem: it concerns the stream as a whole, and nothing more of it will be read. */
export const STREAM_REF: bigint = (1n << 64n) - 1n;

export type ReplyFailure = Failure & { readonly code: 'bad-reply' | 'truncated' };

const bad = (message: string): ReplyFailure => ({ code: 'bad-reply', fault: 'peer', message });
const cut = (message: string): ReplyFailure => ({ code: 'truncated', fault: 'peer', message });

export interface Reply {
  readonly kind: 'receipt' | 'problem';
  readonly ref: bigint;
  /** store statement ‖ signature, or problem JSON. */
  readonly body: Uint8Array;
}

/** What one push brought; after a `failure` nothing more will come. */
export interface Parsed<T> {
  readonly items: readonly T[];
  readonly failure?: ReplyFailure;
}

export function encodeReply(reply: Reply): Uint8Array {
  const head = new ByteWriter(REPLY_HEAD_BYTES)
    .u8(reply.kind === 'receipt' ? 1 : KIND_PROBLEM)
    .u64(reply.ref)
    .u32(reply.body.length)
    .finish();
  return concatBytes(head, reply.body);
}

/** The head of one item of a read answer; `length` bytes follow. */
export const encodeItemHead = (kind: 'shard' | 'problem', length: number): Uint8Array =>
  new ByteWriter(ITEM_HEAD_BYTES)
    .u8(kind === 'shard' ? 1 : KIND_PROBLEM)
    .u32(length)
    .finish();

/** A body of known length that arrives in pieces, in a buffer of its own. */
class Body {
  readonly bytes: Uint8Array;
  #have = 0;
  constructor(length: number) {
    this.bytes = new Uint8Array(length);
  }
  take(chunk: Uint8Array, at: number): number {
    const part = chunk.subarray(at, at + this.bytes.length - this.#have);
    this.bytes.set(part, this.#have);
    this.#have += part.length;
    return at + part.length;
  }
  get full(): boolean {
    return this.#have === this.bytes.length;
  }
}

/** Head, body, head, body, …: what replies and items have in common. */
abstract class HeadBodyParser<T> {
  readonly #head: FixedHead;
  #body: Body | undefined;
  #failure: ReplyFailure | undefined;

  constructor(headBytes: number) {
    this.#head = new FixedHead(headBytes);
    this.#head.expect(headBytes);
    this.headBytes = headBytes;
  }

  protected readonly headBytes: number;
  /** The length of the body that this head announces, or why the head is refused. */
  protected abstract begin(head: ByteReader): number | ReplyFailure;
  protected abstract complete(body: Uint8Array): T;
  /** May another head come? */
  protected abstract get more(): boolean;

  /** Between two items: nothing of the next has come. */
  get idle(): boolean {
    return !this.#body && this.#head.empty;
  }
  get failure(): ReplyFailure | undefined {
    return this.#failure;
  }

  push(chunk: Uint8Array): Parsed<T> {
    const items: T[] = [];
    let at = 0;
    while (at < chunk.length && !this.#failure) {
      if (!this.#body) {
        if (!this.more) {
          this.#failure = bad('bytes after the last item');
          break;
        }
        at = this.#head.take(chunk, at);
        if (!this.#head.full) break;
        const length = this.begin(new ByteReader(this.#head.bytes));
        if (typeof length !== 'number') {
          this.#failure = length;
          break;
        }
        this.#body = new Body(length);
      }
      at = this.#body.take(chunk, at);
      if (this.#body.full) {
        items.push(this.complete(this.#body.bytes));
        this.#body = undefined;
        this.#head.expect(this.headBytes);
      }
    }
    return this.#failure ? { items, failure: this.#failure } : { items };
  }
}

/** Replies of a shard stream. Their number is the caller's to judge. */
export class ReplyParser extends HeadBodyParser<Reply> {
  #kind: Reply['kind'] = 'problem';
  #ref = 0n;

  constructor() {
    super(REPLY_HEAD_BYTES);
  }
  protected get more(): boolean {
    return true;
  }
  protected begin(head: ByteReader): number | ReplyFailure {
    const kind = head.u8();
    this.#ref = head.u64big();
    const length = head.u32();
    if (kind === 1) {
      this.#kind = 'receipt';
      return length === RECEIPT_BYTES ? length : bad(`a receipt of ${length} bytes`);
    }
    if (kind !== KIND_PROBLEM) return bad(`a reply of kind ${kind}`);
    this.#kind = 'problem';
    return length > 0 && length <= MAX_PROBLEM_BYTES ? length : bad(`a problem of ${length} bytes`);
  }
  protected complete(body: Uint8Array): Reply {
    return { kind: this.#kind, ref: this.#ref, body };
  }
  /** The body is over: undefined when it ended between two replies. */
  finish(): ReplyFailure | undefined {
    return this.failure ?? (this.idle ? undefined : cut('the answer ended inside a reply'));
  }
}

export interface ReadItem {
  readonly kind: 'shard' | 'problem';
  readonly body: Uint8Array;
}

/** Items of a read answer: exactly one for each shard asked, in that order, each of the length that is known. */
export class ReadAnswerParser extends HeadBodyParser<ReadItem> {
  readonly #expectedBytes: readonly number[];
  #kind: ReadItem['kind'] = 'problem';
  #done = 0;

  constructor(expectedBytes: readonly number[]) {
    super(ITEM_HEAD_BYTES);
    if (expectedBytes.some((bytes) => bytes > MAX_SHARD_BYTES)) throw new RangeError('larger than any shard');
    this.#expectedBytes = expectedBytes;
  }
  protected get more(): boolean {
    return this.#done < this.#expectedBytes.length;
  }
  protected begin(head: ByteReader): number | ReplyFailure {
    const kind = head.u8();
    const length = head.u32();
    if (kind === 1) {
      this.#kind = 'shard';
      const expected = this.#expectedBytes[this.#done];
      return length === expected ? length : bad(`a shard of ${length} bytes where ${expected} were stored`);
    }
    if (kind !== KIND_PROBLEM) return bad(`an item of kind ${kind}`);
    this.#kind = 'problem';
    return length > 0 && length <= MAX_PROBLEM_BYTES ? length : bad(`a problem of ${length} bytes`);
  }
  protected complete(body: Uint8Array): ReadItem {
    this.#done++;
    return { kind: this.#kind, body };
  }
  /** The body is over: undefined when every item was there. */
  finish(): ReplyFailure | undefined {
    if (this.failure) return this.failure;
    return this.more || !this.idle ? cut('the answer ended before its last item') : undefined;
  }
}
