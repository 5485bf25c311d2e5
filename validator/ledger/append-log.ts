/**
 * One log of the ledger, for appending: frames (`shared/ledger/log-frames.ts`) in numbered files, flushed before an
 * append resolves. Files are rotated by size and age and removed whole when their time is over; a torn end of a
 * crash is cut off when the log is opened. One writer; appends run one after another.
 */
import { type FileHandle, mkdir, open, stat, truncate, unlink } from 'node:fs/promises';
import { encodeFrame } from '#shared/ledger/log-frames.ts';
import { framesOf, type LogName, logFile, logNumbers } from '#shared/ledger/node-log-files.ts';
import { concatBytes } from '#shared/primitives/bytes.ts';
import { flushFolder } from '#shared/primitives/node-write-durably.ts';

export interface LogSettings {
  /** A file is closed once it is this large. */
  readonly fileBytes: number;
  /** Entries are kept this long at least, and a quarter longer at most; undefined: for ever. */
  readonly keepMs: number | undefined;
}

/** So many files share the time that entries are kept: the oldest goes when all of it is over. */
const FILES_PER_KEEP = 4;

export class AppendLog {
  readonly #folder: string;
  readonly #name: LogName;
  readonly #settings: LogSettings;
  #number: number;
  #handle: FileHandle;
  #bytes: number;
  #sinceMs: number;
  #turn: Promise<unknown> = Promise.resolve();
  /** The newest entry when the log was opened. */
  readonly lastEntry: Uint8Array | undefined;

  private constructor(
    folder: string,
    name: LogName,
    settings: LogSettings,
    newest: { number: number; handle: FileHandle; bytes: number; sinceMs: number },
    lastEntry: Uint8Array | undefined,
  ) {
    this.#folder = folder;
    this.#name = name;
    this.#settings = settings;
    this.#number = newest.number;
    this.#handle = newest.handle;
    this.#bytes = newest.bytes;
    this.#sinceMs = newest.sinceMs;
    this.lastEntry = lastEntry;
  }

  static async open(folder: string, name: LogName, settings: LogSettings, nowMs: number): Promise<AppendLog> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    const numbers = await logNumbers(folder, name);
    const number = numbers.at(-1) ?? 1;
    const file = logFile(folder, name, number);
    const handle = await open(file, 'a', 0o600);
    const { last, end } = await scan(file);
    if ((await stat(file)).size > end) await truncate(file, end);
    // An empty newest file follows a whole one.
    const before = last === undefined && numbers.length > 1 ? numbers.at(-2) : undefined;
    const lastEntry = before === undefined ? last : (await scan(logFile(folder, name, before))).last;
    await flushFolder(folder);
    return new AppendLog(folder, name, settings, { number, handle, bytes: end, sinceMs: nowMs }, lastEntry);
  }

  /** All entries are on the disk when it resolves, in this order. */
  append(entries: readonly Uint8Array[], nowMs: number): Promise<void> {
    return this.#inTurn(async () => {
      if (entries.length === 0) return;
      await this.#rotateWhenDue(nowMs);
      const bytes = concatBytes(...entries.map(encodeFrame));
      const { bytesWritten } = await this.#handle.write(bytes);
      if (bytesWritten < bytes.length) {
        // What was written in part is no entry, and must not stand in the way of the next one.
        await this.#handle.truncate(this.#bytes);
        throw new Error(`the disk of ${this.#folder} is full`);
      }
      await this.#handle.datasync();
      this.#bytes += bytes.length;
    });
  }

  /** Removes files whose newest entry is older than entries are kept. */
  removeOld(nowMs: number): Promise<void> {
    const { keepMs } = this.#settings;
    return this.#inTurn(async () => {
      if (keepMs === undefined) return;
      for (const number of await logNumbers(this.#folder, this.#name)) {
        if (number === this.#number) break;
        const file = logFile(this.#folder, this.#name, number);
        if ((await stat(file)).mtimeMs > nowMs - keepMs) break;
        await unlink(file);
      }
    });
  }

  async close(): Promise<void> {
    await this.#turn;
    await this.#handle.close();
  }

  #inTurn(work: () => Promise<void>): Promise<void> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  async #rotateWhenDue(nowMs: number): Promise<void> {
    const { fileBytes, keepMs } = this.#settings;
    const old = keepMs !== undefined && nowMs - this.#sinceMs > keepMs / FILES_PER_KEEP;
    if (this.#bytes === 0 || (this.#bytes < fileBytes && !old)) return;
    const next = await open(logFile(this.#folder, this.#name, this.#number + 1), 'ax', 0o600);
    await flushFolder(this.#folder);
    await this.#handle.close();
    this.#handle = next;
    this.#number++;
    this.#bytes = 0;
    this.#sinceMs = nowMs;
  }
}

async function scan(file: string): Promise<{ readonly last: Uint8Array | undefined; readonly end: number }> {
  const frames = framesOf(file);
  let last: Uint8Array | undefined;
  for (;;) {
    const step = await frames.next();
    if (step.done) return { last: last?.slice(), end: step.value };
    last = step.value.payload;
  }
}
