/**
 * New file numbers, taken from the index a block at a time, so that most uploads begin with one command; unused ones
 * are never given out. One of these per open index.
 */
import type { Clock } from '#shared/primitives/effects.ts';
import type { FileNumber } from '#shared/primitives/ids.ts';
import { keys } from './keys.ts';
import { IndexUnavailable } from './ports.ts';
import type { RedisConnection } from './redis-connection.ts';
import { expirySlotOf } from './redis-context.ts';

const NUMBER_BLOCK = 16;
const MAX_FILE_NUMBER = 2 ** 40 - 1;

export class FileNumbers {
  readonly #connection: RedisConnection;
  readonly #clock: Clock;
  #next = 0;
  #left = 0;
  #taking: Promise<void> | undefined;

  constructor(connection: RedisConnection, clock: Clock) {
    this.#connection = connection;
    this.#clock = clock;
  }

  async #takeBlock(): Promise<void> {
    const replies = await this.#connection.write((c) => {
      c.incrby(keys.nextNumber, NUMBER_BLOCK);
      // Nothing expires before the first upload: from here on collection looks for expired files.
      c.set(keys.expiryCursor, expirySlotOf(this.#clock.nowMs()), { nx: true });
    });
    const last = replies.integer();
    if (last < NUMBER_BLOCK || last > MAX_FILE_NUMBER) throw new IndexUnavailable('the index is out of file numbers');
    this.#next = last - NUMBER_BLOCK + 1;
    this.#left = NUMBER_BLOCK;
  }

  async take(): Promise<FileNumber> {
    while (this.#left === 0) {
      this.#taking ??= this.#takeBlock().finally(() => {
        this.#taking = undefined;
      });
      await this.#taking;
    }
    this.#left--;
    return this.#next++ as FileNumber;
  }
}
