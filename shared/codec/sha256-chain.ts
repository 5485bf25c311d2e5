/**
 * SHA-256 of a file that arrives in parts, in any order, at several machines: the hash's state between two blocks is 32
 * bytes, so a part turns the state before it into the state after it, and parts whose states meet make the file's
 * digest. Whoever claims a state before a part need not be believed: it is compared with what the part before it gave.
 * Used by upload sessions on the edge, and by clients that tell it those states.
 */
import { invariant } from '#shared/primitives/failure.ts';
import type { Kernel } from './kernel.ts';

const BLOCK_BYTES = 64;
const STATE_BYTES = 32;
/** FIPS 180-4 §5.3.3. */
const START: readonly number[] = [
  ...[0x6a, 0x09, 0xe6, 0x67, 0xbb, 0x67, 0xae, 0x85, 0x3c, 0x6e, 0xf3, 0x72, 0xa5, 0x4f, 0xf5, 0x3a],
  ...[0x51, 0x0e, 0x52, 0x7f, 0x9b, 0x05, 0x68, 0x8c, 0x1f, 0x83, 0xd9, 0xab, 0x5b, 0xe0, 0xcd, 0x19],
];

/** The state before the first byte. */
export const sha256Start = (): Uint8Array => Uint8Array.from(START);

export class Sha256Chain {
  readonly #kernel: Kernel;
  readonly #state: Uint8Array;
  readonly #rest = new Uint8Array(BLOCK_BYTES);
  /** Bytes of the whole message so far. */
  #bytes: number;

  /**
   * @param before the state after the first `bytesBefore` bytes, which are whole blocks
   */
  constructor(kernel: Kernel, before: Uint8Array = sha256Start(), bytesBefore = 0) {
    invariant(before.length === STATE_BYTES, `a state has ${STATE_BYTES} bytes`);
    invariant(Number.isSafeInteger(bytesBefore / BLOCK_BYTES), `${bytesBefore} bytes are no blocks`);
    this.#kernel = kernel;
    this.#state = before.slice();
    this.#bytes = bytesBefore;
  }

  update(piece: Uint8Array): void {
    const held = this.#bytes % BLOCK_BYTES;
    this.#bytes += piece.length;
    let from = 0;
    if (held > 0) {
      from = Math.min(BLOCK_BYTES - held, piece.length);
      this.#rest.set(piece.subarray(0, from), held);
      if (held + from < BLOCK_BYTES) return;
      this.#kernel.hashBlocks(this.#state, this.#rest);
    }
    const to = piece.length - ((piece.length - from) % BLOCK_BYTES);
    if (to > from) this.#kernel.hashBlocks(this.#state, piece.subarray(from, to));
    this.#rest.set(piece.subarray(to));
  }

  /** The state between two blocks; undefined in the middle of one. */
  state(): Uint8Array | undefined {
    return this.#bytes % BLOCK_BYTES === 0 ? this.#state.slice() : undefined;
  }

  /** The digest, if the message ends here; more can be added all the same. */
  digest(): Uint8Array {
    const held = this.#bytes % BLOCK_BYTES;
    const tail = new Uint8Array(held + 9 > BLOCK_BYTES ? 2 * BLOCK_BYTES : BLOCK_BYTES);
    tail.set(this.#rest.subarray(0, held));
    tail[held] = 0x80;
    new DataView(tail.buffer).setBigUint64(tail.length - 8, BigInt(this.#bytes) * 8n);
    const state = this.#state.slice();
    this.#kernel.hashBlocks(state, tail);
    return state;
  }
}
