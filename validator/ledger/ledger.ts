/**
 * The audit history on the validator's disk (`ledger/` in its folder): every round's signed record, answers as they came
 * for as long as the settings say, and store receipts. A record belongs to its verdict's transaction, so it is written
 * into the database's outbox first and moves to the files after; each carries a number that never repeats, so that a
 * crash in between neither loses nor doubles one.
 *
 *   records    u64 number   record statement ‖ signature₆₄
 *   answers    u64 atMs     transcript₃₂ of its record   answer
 *   receipts   u64 atMs     store statement ‖ signature₆₄
 */
import { join } from 'node:path';
import { ANSWER_ENTRY_HEAD_BYTES, RECEIPT_ENTRY_HEAD_BYTES, recordEntryNumber } from '#shared/ledger/entries.ts';
import { LEDGER_FOLDER } from '#shared/ledger/node-log-files.ts';
import { ByteWriter } from '#shared/primitives/bytes.ts';
import type { Clock } from '#shared/primitives/effects.ts';
import { blobIn, numberIn } from '../state/columns.ts';
import type { Database, SchemaPart } from '../state/database.ts';
import { AppendLog } from './append-log.ts';

export const LEDGER_SCHEMA: SchemaPart = {
  name: 'ledger',
  steps: ['CREATE TABLE ledger_outbox (number INTEGER PRIMARY KEY AUTOINCREMENT, record BLOB NOT NULL)'],
};

export interface LedgerSettings {
  /** How long answers are kept; without them a record still proves what was signed, not that the bytes were right. */
  readonly answersMs: number;
}

/** An answer as it came. */
export interface KeptAnswer {
  readonly transcript: Uint8Array;
  readonly answer: Uint8Array;
}

/** A file of records of a day or so at 250 miners; of receipts, 180,000. */
const FILE_BYTES = 64 * 1024 * 1024;
const FLUSH_AT_ONCE = 1024;

export class Ledger {
  readonly #db: Database;
  readonly #clock: Clock;
  readonly #records: AppendLog;
  readonly #answers: AppendLog;
  readonly #receipts: AppendLog;
  #lastNumber: number;
  #flushing: Promise<void> = Promise.resolve();

  private constructor(db: Database, clock: Clock, logs: readonly [AppendLog, AppendLog, AppendLog]) {
    this.#db = db;
    this.#clock = clock;
    [this.#records, this.#answers, this.#receipts] = logs;
    const last = this.#records.lastEntry;
    this.#lastNumber = last === undefined ? 0 : recordEntryNumber(last);
  }

  /** Opens the files and moves what the last run left in the outbox. */
  static async open(folder: string, db: Database, clock: Clock, settings: LedgerSettings): Promise<Ledger> {
    const path = join(folder, LEDGER_FOLDER);
    const nowMs = clock.nowMs();
    const forEver = { fileBytes: FILE_BYTES, keepMs: undefined };
    const ledger = new Ledger(db, clock, [
      await AppendLog.open(path, 'records', forEver, nowMs),
      await AppendLog.open(path, 'answers', { fileBytes: FILE_BYTES, keepMs: settings.answersMs }, nowMs),
      await AppendLog.open(path, 'receipts', forEver, nowMs),
    ]);
    await ledger.flush();
    ledger.#countOn();
    return ledger;
  }

  /** A database put back from a copy must not give out numbers that stand in the files already. */
  #countOn(): void {
    const { changes } = this.#db
      .sql(`UPDATE sqlite_sequence SET seq = MAX(seq, ?) WHERE name = 'ledger_outbox'`)
      .run(this.#lastNumber);
    if (changes === 0) {
      this.#db.sql(`INSERT INTO sqlite_sequence (name, seq) VALUES ('ledger_outbox', ?)`).run(this.#lastNumber);
    }
  }

  /** Puts a signed record into the outbox: call it in the transaction of its verdict, and `flush` after. */
  put(record: Uint8Array): void {
    this.#db.sql('INSERT INTO ledger_outbox (record) VALUES (?)').run(record);
  }

  /** Moves everything in the outbox to the files. */
  flush(): Promise<void> {
    const done = this.#flushing.then(() => this.#flush());
    this.#flushing = done.catch(() => undefined);
    return done;
  }

  async #flush(): Promise<void> {
    for (;;) {
      const rows = this.#db.sql('SELECT number, record FROM ledger_outbox ORDER BY number LIMIT ?').all(FLUSH_AT_ONCE);
      const last = rows.at(-1);
      if (last === undefined) return;
      const lastNumber = numberIn(last, 'number');
      const fresh = rows.filter((row) => numberIn(row, 'number') > this.#lastNumber);
      await this.#records.append(
        fresh.map((row) => {
          const record = blobIn(row, 'record');
          return new ByteWriter(8 + record.length).u64(numberIn(row, 'number')).bytes(record).finish();
        }),
        this.#clock.nowMs(),
      );
      this.#lastNumber = Math.max(this.#lastNumber, lastNumber);
      this.#db.sql('DELETE FROM ledger_outbox WHERE number <= ?').run(lastNumber);
    }
  }

  /** Durable when it resolves. Written before the verdicts: an answer without its record is harmless. */
  async keepAnswers(answers: readonly KeptAnswer[]): Promise<void> {
    const nowMs = this.#clock.nowMs();
    const entries = answers.map(({ transcript, answer }) =>
      new ByteWriter(ANSWER_ENTRY_HEAD_BYTES + answer.length).u64(nowMs).fixed(transcript, 32).bytes(answer).finish(),
    );
    await this.#answers.append(entries, nowMs);
    await this.#answers.removeOld(nowMs);
  }

  /** Durable when it resolves. @param receipts statement ‖ signature each, verified */
  async keepReceipts(receipts: readonly Uint8Array[]): Promise<void> {
    const nowMs = this.#clock.nowMs();
    await this.#receipts.append(
      receipts.map((signed) =>
        new ByteWriter(RECEIPT_ENTRY_HEAD_BYTES + signed.length).u64(nowMs).bytes(signed).finish(),
      ),
      nowMs,
    );
  }

  async close(): Promise<void> {
    await this.#flushing;
    await Promise.all([this.#records.close(), this.#answers.close(), this.#receipts.close()]);
  }
}
