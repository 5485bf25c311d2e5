/**
 * Store receipts on their way into the inventory (por/v1 §5): read from the index's list, verified, written to the
 * tenant's own append-only files, and only then forgotten by the index. A shard is owed once the manifest names it on
 * that miner; until its upload has ended one way or the other its receipt waits. A crash anywhere repeats work and
 * loses nothing; what the bounded list lost is found by collection (`owe-named.ts`).
 */
import type { FileRecord, ReceiptBatch } from '#shared/index/ports.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';
import type { VerifySr25519 } from '#shared/primitives/signer.ts';
import { openSigned } from '#shared/proof/statement.ts';
import { parseStore } from '#shared/proof/store-receipt.ts';
import type { Ledger } from '#validator/ledger/ledger.ts';
import type { TenantPorts } from '#validator/ports.ts';
import type { Database } from '#validator/state/database.ts';
import type { Inventories } from '#validator/state/ports.ts';
import type { WaitingReceipt, WaitingReceipts } from '#validator/state/waiting-receipts.ts';
import { confirmedBy, type MinersShard } from './owe-named.ts';

export interface ReceiptPorts
  extends Pick<TenantPorts, 'files' | 'directory' | 'signer' | 'network' | 'clock' | 'log'> {
  readonly database: Database;
  readonly inventories: Inventories;
  readonly receipts: WaitingReceipts;
  readonly ledger: Pick<Ledger, 'keepReceipts'>;
  readonly verify: VerifySr25519;
  /** Who stores in our name besides ourselves: the edges that we grant. */
  readonly edges: () => Promise<readonly Hotkey[]>;
}

/** Segments read at once; at 40 receipts each their signatures take about 0.2 s. */
const BATCHES_AT_ONCE = 16;
const READS_PER_RUN = 64;
const FILES_PER_RUN = 256;
/** An upload that is still open is looked at again after this long. */
const OPEN_UPLOAD_MS = 2000;

export interface ReceiptReport {
  readonly read: number;
  readonly refused: number;
  readonly owed: number;
  readonly waiting: number;
}

export async function takeReceipts(ports: ReceiptPorts, signal: AbortSignal): Promise<ReceiptReport> {
  let [read, refused] = [0, 0];
  const callers = new Set([ports.signer.hotkey, ...(await ports.edges())]);
  for (let reads = 0; reads < READS_PER_RUN; reads++) {
    signal.throwIfAborted();
    const { batches, entries } = await ports.files.readReceipts(BATCHES_AT_ONCE);
    if (entries === 0) break;
    const taken = batches.map((batch) => verified(ports, callers, batch));
    await ports.ledger.keepReceipts(taken.flatMap(({ signed }) => signed));
    const nowMs = ports.clock.nowMs();
    ports.database.transaction(() => {
      for (const { waiting } of taken) for (const receipt of waiting) ports.receipts.add(receipt, nowMs);
    });
    // Only now: whatever ends this run before is read again.
    await ports.files.forgetReceipts(entries);
    for (const { waiting, refusals } of taken) {
      read += waiting.length;
      refused += refusals;
    }
    if (batches.length < entries) ports.log.warn('receipts-damaged', { entries: entries - batches.length });
  }
  if (refused > 0) ports.log.warn('receipts-refused', { refused });
  const owed = await settleWaiting(ports, signal);
  return { read, refused, owed, waiting: ports.receipts.count() };
}

interface Taken {
  readonly waiting: readonly WaitingReceipt[];
  readonly signed: readonly Uint8Array[];
  readonly refusals: number;
}

function verified({ network, signer, verify }: ReceiptPorts, callers: ReadonlySet<Hotkey>, batch: ReceiptBatch): Taken {
  const waiting: WaitingReceipt[] = [];
  const signed: Uint8Array[] = [];
  for (const receipt of batch.receipts) {
    const parse = (bytes: Uint8Array) => parseStore(network, bytes);
    const opened = openSigned(verify, 'store', receipt, parse, (store) => store.miner);
    if (!opened.ok) continue;
    const { miner, tenant, caller, anchorId, bytes } = opened.value;
    if (tenant !== signer.hotkey || !callers.has(caller)) continue;
    waiting.push({ file: batch.file, segment: batch.segment, anchorId, miner, bytes });
    signed.push(receipt);
  }
  return { waiting, signed, refusals: batch.receipts.length - waiting.length };
}

/** Looks at files whose receipts wait; how many shards are owed now that were not before. */
async function settleWaiting(ports: ReceiptPorts, signal: AbortSignal): Promise<number> {
  const { receipts, files, clock } = ports;
  let owed = 0;
  for (const number of receipts.dueFiles(clock.nowMs(), FILES_PER_RUN)) {
    signal.throwIfAborted();
    // In this order: an upload that commits in between is open, or its file is found.
    if (await files.uploadOpen(number)) {
      receipts.postpone(number, clock.nowMs() + OPEN_UPLOAD_MS);
      continue;
    }
    const file = await files.readFile(number);
    const shards = file ? await shardsOwed(ports, file, receipts.of(number)) : [];
    owed += ports.database.transaction(() => {
      receipts.forget(number);
      return shards.filter(({ miner, shard }) => ports.inventories.add(miner, shard)).length;
    });
  }
  return owed;
}

/** Of these receipts the shards that the manifest names, on the miner that signed. */
async function shardsOwed(
  { files, directory }: ReceiptPorts,
  file: FileRecord,
  waiting: readonly WaitingReceipt[],
): Promise<readonly MinersShard[]> {
  const numbers = await directory.numberOf([...new Set(waiting.map(({ miner }) => miner))]);
  const claims = waiting.map(({ segment, anchorId, miner: hotkey }) => {
    return { segment, anchorId, miner: numbers.get(hotkey), hotkey };
  });
  return confirmedBy(files, file, claims);
}
