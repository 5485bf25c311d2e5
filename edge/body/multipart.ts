/**
 * A multipart/form-data body as a sequence of files, each a `ByteSource`, in memory that does not depend on their
 * sizes (RFC 7578 over RFC 2046 §5.1). The store route reads it part by part; the flow that stores a part reads it to
 * its end. Malformed framing throws `BodyRefused`.
 *
 *   preamble CRLF --boundary [spaces] CRLF  head lines CRLF CRLF  bytes  CRLF --boundary … CRLF --boundary-- epilogue
 */
import { utf8 } from '#shared/primitives/bytes.ts';
import { BodyRefused } from './body-refused.ts';
import type { ByteSource } from './byte-source.ts';
import { type PartHead, parsePartHead } from './multipart-head.ts';

/** What is read ahead; a delimiter (at most 74 bytes) and a part's head must fit in it. */
const WINDOW_BYTES = 256 * 1024;
const MAX_HEAD_BYTES = 8 * 1024;
/** Before the first delimiter: RFC 2046 lets text stand there, no client in use sends any. */
const MAX_PREAMBLE_BYTES = 1024;
/** Spaces and tabs that may follow a boundary. */
const MAX_PADDING_BYTES = 64;
/** Files of one form. */
const MAX_PARTS = 1000;

const CR = 13;
const LF = 10;
const DASH = 45;
const HEAD_END = utf8('\r\n\r\n');
const NO_BYTES = new Uint8Array(0);

export interface FormPart extends PartHead {
  readonly source: ByteSource;
}

/** Where `needle` begins in `bytes`, from `from` on; −1 when it does not lie there whole. */
function indexOf(bytes: Uint8Array, needle: Uint8Array, from = 0): number {
  const [first = 0] = needle;
  for (let at = bytes.indexOf(first, from); at >= 0; at = bytes.indexOf(first, at + 1)) {
    if (at + needle.length > bytes.length) return -1;
    let same = 1;
    while (same < needle.length && bytes[at + same] === needle[same]) same++;
    if (same === needle.length) return at;
  }
  return -1;
}

const broken = (what: string) => new BodyRefused('bad-request', `malformed form: ${what}`);

export class MultipartReader {
  readonly #source: ByteSource;
  /** CRLF and the dashed boundary: what ends every part. */
  readonly #delimiter: Uint8Array;
  /** Read and not yet consumed: [start, end) of the buffer. */
  #buffer: Uint8Array<ArrayBuffer> = new Uint8Array(WINDOW_BYTES);
  #start = 0;
  #end = 0;
  #sourceEnded = false;
  #state: 'preamble' | 'part' | 'between' | 'over' = 'preamble';
  #parts = 0;

  constructor(source: ByteSource, boundary: string) {
    this.#source = source;
    this.#delimiter = utf8(`\r\n--${boundary}`);
  }

  get #window(): Uint8Array {
    return this.#buffer.subarray(this.#start, this.#end);
  }

  /** Reads more into the window; false at the end of the body. */
  async #more(): Promise<boolean> {
    if (this.#sourceEnded) return false;
    if (this.#start > 0) {
      this.#buffer.copyWithin(0, this.#start, this.#end);
      this.#end -= this.#start;
      this.#start = 0;
    }
    if (this.#end === this.#buffer.length) throw new Error('invariant broken: the window is full');
    const { buffer, filled } = await this.#source.read(this.#buffer, this.#end);
    this.#buffer = buffer;
    this.#end += filled;
    this.#sourceEnded = filled === 0;
    return filled > 0;
  }

  /** Makes sure that `count` bytes are in the window, if the body has them. */
  async #ensure(count: number): Promise<boolean> {
    while (this.#end - this.#start < count) if (!(await this.#more())) return false;
    return true;
  }

  /** The bytes up to `needle`, which is consumed with them; a view until the next read. */
  async #until(needle: Uint8Array, limit: number, tooLong: string): Promise<Uint8Array> {
    for (;;) {
      const at = indexOf(this.#window, needle);
      if (at > limit || (at < 0 && this.#window.length > limit + needle.length)) throw broken(tooLong);
      if (at >= 0) {
        const found = this.#window.subarray(0, at);
        this.#start += at + needle.length;
        return found;
      }
      if (!(await this.#more())) throw new BodyRefused('truncated', 'the form ends within a part');
    }
  }

  /** The next file; undefined after the last. The part before it must have been read to its end. */
  async nextPart(): Promise<FormPart | undefined> {
    if (this.#state === 'part') await this.#skipPart();
    if (this.#state === 'preamble') await this.#enter();
    if (this.#state === 'over' || !(await this.#afterDelimiter())) return undefined;
    if (++this.#parts > MAX_PARTS) throw broken(`more than ${MAX_PARTS} files`);
    const head = parsePartHead(await this.#head());
    if (!head.ok) throw broken(head.message);
    this.#state = 'part';
    const part = this.#parts;
    const read: ByteSource['read'] = (buffer, from) =>
      part === this.#parts ? this.#readPart(buffer, from) : Promise.resolve({ buffer, filled: 0 });
    return { ...head.head, source: { read } };
  }

  /** A body begins with the delimiter, whose CRLF is left out when there is no preamble. */
  async #enter(): Promise<void> {
    const opening = this.#delimiter.subarray(2);
    if ((await this.#ensure(opening.length)) && indexOf(this.#window.subarray(0, opening.length), opening) === 0) {
      this.#start += opening.length;
    } else {
      await this.#until(this.#delimiter, MAX_PREAMBLE_BYTES, 'it does not begin with its boundary');
    }
    this.#state = 'between';
  }

  /** Behind a boundary: `--` ends the form, a line end begins a part. */
  async #afterDelimiter(): Promise<boolean> {
    if (!(await this.#ensure(2))) throw new BodyRefused('truncated', 'the form lacks its closing boundary');
    if (this.#window[0] === DASH && this.#window[1] === DASH) {
      this.#state = 'over';
      return false;
    }
    const padding = await this.#until(Uint8Array.of(CR, LF), MAX_PADDING_BYTES, 'something follows a boundary');
    if (padding.some((byte) => byte !== 32 && byte !== 9)) throw broken('something follows a boundary');
    return true;
  }

  async #head(): Promise<Uint8Array> {
    if ((await this.#ensure(2)) && this.#window[0] === CR && this.#window[1] === LF) {
      this.#start += 2;
      return NO_BYTES;
    }
    return await this.#until(HEAD_END, MAX_HEAD_BYTES, `a part has more than ${MAX_HEAD_BYTES} bytes of headers`);
  }

  /** Copies bytes of the part; 0 when its delimiter was reached, which is consumed. */
  async #readPart(buffer: Uint8Array<ArrayBuffer>, from: number): ReturnType<ByteSource['read']> {
    while (this.#state === 'part') {
      const window = this.#window;
      const at = indexOf(window, this.#delimiter);
      // Without a delimiter in sight the last bytes may be the beginning of one.
      const certain = at >= 0 ? at : Math.max(0, window.length - this.#delimiter.length + 1);
      const count = Math.min(certain, buffer.length - from);
      if (count > 0) {
        buffer.set(window.subarray(0, count), from);
        this.#start += count;
        return { buffer, filled: count };
      }
      if (at === 0) {
        this.#start += this.#delimiter.length;
        this.#state = 'between';
      } else if (!(await this.#more())) {
        throw new BodyRefused('truncated', 'the form ends within a part');
      }
    }
    return { buffer, filled: 0 };
  }

  async #skipPart(): Promise<void> {
    let buffer = new Uint8Array(WINDOW_BYTES);
    for (let filled = 1; filled > 0; ) ({ buffer, filled } = await this.#readPart(buffer, 0));
  }
}
