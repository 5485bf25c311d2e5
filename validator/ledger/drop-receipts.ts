/**
 * Every drop and restore order that a miner receipted, with its receipt, in append-only files of the ledger's folder:
 * the proof that a miner had to let go of a shard, and the list that an operator restores from.
 *
 *   drops   u64 atMs   u32 length   order statement ‖ signature₆₄   receipt statement ‖ signature₆₄
 */
import { join } from 'node:path';
import { framesOf, LEDGER_FOLDER, logFile, logNumbers } from '#shared/ledger/node-log-files.ts';
import { ByteReader, ByteWriter } from '#shared/primitives/bytes.ts';
import type { Clock } from '#shared/primitives/effects.ts';
import type { AnchorId, Hotkey } from '#shared/primitives/ids.ts';
import { parseOrder } from '#shared/proof/drop-order.ts';
import { type Network, SIGNATURE_BYTES } from '#shared/proof/statement.ts';
import { AppendLog } from './append-log.ts';

const FILE_BYTES = 64 * 1024 * 1024;
const LOG = 'drops';

export interface DropReceipts {
  /** Durable when it resolves. */
  keep(order: Uint8Array, receipt: Uint8Array): Promise<void>;
  close(): Promise<void>;
}

export async function openDropReceipts(dataDir: string, clock: Clock): Promise<DropReceipts> {
  const settings = { fileBytes: FILE_BYTES, keepMs: undefined };
  const log = await AppendLog.open(join(dataDir, LEDGER_FOLDER), LOG, settings, clock.nowMs());
  return {
    keep(order, receipt) {
      const nowMs = clock.nowMs();
      const entry = new ByteWriter(12 + order.length + receipt.length).u64(nowMs).u32(order.length);
      return log.append([entry.bytes(order).bytes(receipt).finish()], nowMs);
    },
    close: () => log.close(),
  };
}

export interface DroppedEntry {
  readonly atMs: number;
  readonly miner: Hotkey;
  readonly action: 'drop' | 'restore';
  readonly anchorIds: readonly AnchorId[];
}

/** All entries, oldest first; while the validator appends, too. */
export async function* readDropReceipts(
  dataDir: string,
  network: Network,
): AsyncGenerator<DroppedEntry, void, undefined> {
  const folder = join(dataDir, LEDGER_FOLDER);
  for (const number of await logNumbers(folder, LOG)) {
    for await (const { payload } of framesOf(logFile(folder, LOG, number))) {
      const reader = new ByteReader(payload);
      const atMs = reader.u64();
      const order = parseOrder(network, reader.bytes(reader.u32()).subarray(0, -SIGNATURE_BYTES));
      if (!reader.ok || !order.ok) continue;
      const { miner, action, anchorIds } = order.value;
      yield { atMs, miner, action, anchorIds };
    }
  }
}
