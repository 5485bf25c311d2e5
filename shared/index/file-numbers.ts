/**
 * New file numbers, taken from the index a block at a time, so that most uploads begin with one command; unused ones
 * are never given out. One of these per open index; an isolate's indexes share their block.
 */
import type { Clock } from '#shared/primitives/effects.ts';
import type { FileNumber } from '#shared/primitives/ids.ts';
import { keys } from './keys.ts';
import { IndexUnavailable } from './ports.ts';
import type { RedisConnection } from './redis-connection.ts';
import { expirySlotOf } from './redis-context.ts';

/** 2⁴⁰ numbers are enough for 10⁹ isolates. */
const NUMBER_BLOCK = 1024;
const MAX_FILE_NUMBER = 2 ** 40 - 1;

/** Numbers that are taken and not yet given out: plain data, which an isolate's requests may share. */
export interface NumberBlock {
  next: number;
  left: number;
}

export class FileNumbers {
  readonly #connection: RedisConnection;
  readonly #clock: Clock;
  readonly #block: NumberBlock;
  /** Of this connection alone: a Worker's request may not wait for another's. */
  #taking: Promise<void> | undefined;

  constructor(connection: RedisConnection, clock: Clock, block: NumberBlock = { next: 0, left: 0 }) {
    this.#connection = connection;
    this.#clock = clock;
    this.#block = block;
  }

  async #takeBlock(): Promise<void> {
    const replies = await this.#connection.write((c) => {
      c.incrby(keys.nextNumber, NUMBER_BLOCK);
      // Nothing expires before the first upload: from here on collection looks for expired files.
      c.set(keys.expiryCursor, expirySlotOf(this.#clock.nowMs()), { nx: true });
    });
    const last = replies.integer();
    if (last < NUMBER_BLOCK || last > MAX_FILE_NUMBER) throw new IndexUnavailable('the index is out of file numbers');
    this.#block.next = last - NUMBER_BLOCK + 1;
    this.#block.left = NUMBER_BLOCK;
  }

  async take(): Promise<FileNumber> {
    while (this.#block.left === 0) {
      this.#taking ??= this.#takeBlock().finally(() => {
        this.#taking = undefined;
      });
      await this.#taking;
    }
    this.#block.left--;
    return this.#block.next++ as FileNumber;
  }
}
