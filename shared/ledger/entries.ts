/**
 * The entries of the ledger's three logs (drawn in `validator/ledger/ledger.ts`), for those who read them: the writer
 * itself when it opens them, and exports.
 */
import { ByteReader } from '#shared/primitives/bytes.ts';

export const RECORD_ENTRY_HEAD_BYTES = 8;
export const ANSWER_ENTRY_HEAD_BYTES = 40;
export const RECEIPT_ENTRY_HEAD_BYTES = 8;

export const recordEntryNumber = (entry: Uint8Array): number => new ByteReader(entry).u64();

/** record statement ‖ signature₆₄. */
export const recordIn = (entry: Uint8Array): Uint8Array => entry.subarray(RECORD_ENTRY_HEAD_BYTES);

export const answerIn = (entry: Uint8Array): { readonly transcript: Uint8Array; readonly answer: Uint8Array } => ({
  transcript: entry.subarray(8, ANSWER_ENTRY_HEAD_BYTES),
  answer: entry.subarray(ANSWER_ENTRY_HEAD_BYTES),
});

/** store statement ‖ signature₆₄. */
export const receiptIn = (entry: Uint8Array): Uint8Array => entry.subarray(RECEIPT_ENTRY_HEAD_BYTES);
