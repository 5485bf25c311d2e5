/**
 * Collects the few bytes of a fixed-width head that may arrive in pieces of any size. Parsers of frames, replies and
 * read answers ask it for the next head; bodies never pass through it.
 */
export class FixedHead {
  readonly #bytes: Uint8Array;
  #needed = 0;
  #have = 0;

  /** `capacity`: the widest head that will ever be asked for. */
  constructor(capacity: number) {
    this.#bytes = new Uint8Array(capacity);
  }

  /** Starts over with `bytes` to collect; `keep` of those collected before count already. */
  expect(bytes: number, keep = 0): void {
    if (bytes > this.#bytes.length || keep > this.#have) throw new RangeError('head wider than its buffer');
    this.#needed = bytes;
    this.#have = keep;
  }

  /** Takes what it needs of chunk[at…) and returns the position behind it. */
  take(chunk: Uint8Array, at: number): number {
    const end = Math.min(chunk.length, at + this.#needed - this.#have);
    // Byte by byte: heads are short, and a subarray for `set` costs more than the loop.
    for (let i = at; i < end; i++) this.#bytes[this.#have++] = chunk[i] as number;
    return end;
  }

  get full(): boolean {
    return this.#have === this.#needed;
  }
  get empty(): boolean {
    return this.#have === 0;
  }
  /** A view of the collected bytes, good until the next `expect`. */
  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#have);
  }
}
