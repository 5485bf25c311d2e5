/**
 * The bounded list of store receipts on their way from edges to the validator (`keys.receipts`): one entry a segment,
 * appended by edges, read from the front by the tenant, who lets go of an entry only when its own copy is durable.
 */
import { keys } from './keys.ts';
import type { FileIndex, ReceiptBatch } from './ports.ts';
import { packReceipts, parseReceipts } from './records.ts';
import type { RedisConnection } from './redis-connection.ts';

/** Batches of receipts kept when nobody takes them: one a segment, 16 KB each at (16, 40), so 64 MB; the oldest go. */
export const MAX_RECEIPT_BATCHES = 4_000;
/** Signed store receipts of one batch stay far below the gateway's 1 MB. */
const RECEIPTS_PER_BATCH = 512;

type ReceiptList = Pick<FileIndex, 'addReceipts' | 'readReceipts' | 'forgetReceipts'>;

export const createReceiptList = (connection: RedisConnection): ReceiptList => ({
  async addReceipts({ file, segment, receipts }) {
    for (let from = 0; from < receipts.length; from += RECEIPTS_PER_BATCH) {
      const entry = packReceipts({ file, segment, receipts: receipts.slice(from, from + RECEIPTS_PER_BATCH) });
      const length = (await connection.write((c) => c.rpush(keys.receipts, entry))).integer();
      if (length > MAX_RECEIPT_BATCHES) {
        await connection.write((c) => c.ltrim(keys.receipts, -MAX_RECEIPT_BATCHES, -1));
      }
    }
  },
  async readReceipts(limit) {
    if (limit <= 0) return { batches: [], entries: 0 };
    const texts = (await connection.read((c) => c.lrange(keys.receipts, 0, limit - 1))).texts();
    const batches = texts.map(parseReceipts).filter((batch): batch is ReceiptBatch => batch !== undefined);
    return { batches, entries: texts.length };
  },
  async forgetReceipts(entries) {
    if (entries > 0) (await connection.write((c) => c.ltrim(keys.receipts, entries, -1))).skip();
  },
});
