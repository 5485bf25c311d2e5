/**
 * The blocks of the recent past by number and by hash, and the genesis for good. Older ones are forgotten together with
 * their state: what a client may still ask for is one bound.
 */
import { toHex } from '#shared/primitives/bytes.ts';
import { invariant } from '#shared/primitives/failure.ts';
import type { Block } from './block.ts';

export class BlockStore {
  readonly #byNumber = new Map<number, Block>();
  readonly #numberOf = new Map<string, number>();
  readonly #history: number;
  #head: Block | undefined;

  constructor(history: number) {
    this.#history = history;
  }
  get head(): Block {
    invariant(this.#head, 'a chain has a genesis');
    return this.#head;
  }
  append(block: Block): void {
    this.#head = block;
    const { number } = block.header;
    this.#byNumber.set(number, block);
    this.#numberOf.set(toHex(block.hash), number);
    const old = this.#byNumber.get(number - this.#history - 1);
    if (!old || old.header.number === 0) return;
    this.#byNumber.delete(old.header.number);
    this.#numberOf.delete(toHex(old.hash));
  }
  at(number: number): Block | undefined {
    return this.#byNumber.get(number);
  }
  /** @param hash lowercase hexadecimal, no prefix */
  byHash(hash: string): Block | undefined {
    const number = this.#numberOf.get(hash);
    return number === undefined ? undefined : this.#byNumber.get(number);
  }
}
