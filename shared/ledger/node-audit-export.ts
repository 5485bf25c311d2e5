/**
 * Writes an audit export (`export-lines.ts`) from a validator's folder: the steps of its inventories out of its database,
 * records, answers and receipts out of its ledger files. Read only, and alongside a running validator: the files are
 * read first and the database after, so that every inventory that a record names is there. Used by `filetao audit
 * export`.
 */
import { join } from 'node:path';
import { DatabaseSync, type SQLOutputValue } from 'node:sqlite';
import { toHex } from '#shared/primitives/bytes.ts';
import { type Failure, fail, type Result, succeed } from '#shared/primitives/failure.ts';
import { type Hotkey, hotkeyOf } from '#shared/primitives/ids.ts';
import { shardIdOf } from '#shared/proof/any-anchor.ts';
import { type AuditRecord, parseRecord } from '#shared/proof/audit-record.ts';
import { chainInventory, EMPTY_INVENTORY } from '#shared/proof/inventory.ts';
import { type Network, SIGNATURE_BYTES } from '#shared/proof/statement.ts';
import { parseStore } from '#shared/proof/store-receipt.ts';
import { answerIn, receiptIn, recordIn } from './entries.ts';
import { type ExportedChange, type ExportHead, encodeLine } from './export-lines.ts';
import { entryAt, LEDGER_FOLDER, type LogEntry, type LogName, logEntries } from './node-log-files.ts';

export interface ExportWanted {
  /** Only these miners; absent: all. */
  readonly miners?: readonly Hotkey[];
  /** Records of this round and later ones; absent: all. What is left out is reported as trimmed. */
  readonly fromRound?: number;
  /** False leaves the answers out: a twentieth of the size, and verdicts on bytes rest on the validator's word. */
  readonly answers?: boolean;
}

export interface ExportFailure extends Failure {
  readonly code: 'no-validator-folder' | 'damaged-folder';
}

/** Where an entry stands, without its bytes. */
interface Position {
  readonly file: number;
  readonly at: number;
  readonly bytes: number;
}

interface MinerFiles {
  readonly records: { readonly position: Position; readonly inventory: Uint8Array; readonly transcript: string }[];
  readonly receipts: Position[];
}

const DATABASE_FILE = 'validator.db';
const ADD = 1;

/** The export line by line, without line breaks. @param folder the validator's `dataDir` */
export async function auditExport(
  folder: string,
  wanted: ExportWanted = {},
): Promise<Result<AsyncIterable<string>, ExportFailure>> {
  let head: ExportHead;
  try {
    head = withDatabase(folder, readHead);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    const message = `${folder} is no folder of a validator that has asked anything yet: ${reason}`;
    return fail({ code: 'no-validator-folder', fault: 'caller', message });
  }
  const ledger = join(folder, LEDGER_FOLDER);
  const network = { genesis: head.genesis, netuid: head.netuid };
  const miners = await findRecords(ledger, network, wanted);
  await findReceipts(ledger, network, miners);
  const answers = wanted.answers === false ? new Map<string, Position>() : await findAnswers(ledger);
  return succeed(write(folder, head, miners, answers));
}

async function* write(
  folder: string,
  head: ExportHead,
  miners: ReadonlyMap<Hotkey, MinerFiles>,
  answers: ReadonlyMap<string, Position>,
): AsyncGenerator<string, void, undefined> {
  const ledger = join(folder, LEDGER_FOLDER);
  yield encodeLine({ kind: 'head', head });
  let records = 0;
  const db = new DatabaseSync(join(folder, DATABASE_FILE), { readOnly: true });
  try {
    for (const [miner, files] of miners) {
      yield encodeLine({ kind: 'miner', miner });
      for (const position of files.receipts) {
        const entry = await read(ledger, 'receipts', position);
        if (entry) yield encodeLine({ kind: 'receipt', signed: receiptIn(entry) });
      }
      const steps = stepsOf(db, miner);
      let hash = EMPTY_INVENTORY;
      for (const { position, inventory, transcript } of files.records) {
        // Up to the state that this round drew from; the start of a chain names none.
        while (toHex(hash) !== toHex(inventory) && inventory.some((byte) => byte !== 0)) {
          const step = steps.next();
          if (step.done) throw new Error(`the database of ${folder} lacks steps of ${miner}'s inventory`);
          hash = chainInventory(hash, step.value.step);
          yield encodeLine({ kind: 'change', change: step.value.change });
        }
        const entry = await read(ledger, 'records', position);
        if (!entry) throw new Error(`a file of records of ${ledger} went while it was read`);
        const answerAt = answers.get(transcript);
        const kept = answerAt && (await read(ledger, 'answers', answerAt));
        yield encodeLine({ kind: 'record', signed: recordIn(entry), answer: kept && answerIn(kept).answer });
        records++;
      }
    }
  } finally {
    db.close();
  }
  yield encodeLine({ kind: 'end', miners: miners.size, records });
}

const read = (ledger: string, name: LogName, position: Position) => entryAt(ledger, name, position);

function withDatabase<T>(folder: string, work: (db: DatabaseSync) => T): T {
  const db = new DatabaseSync(join(folder, DATABASE_FILE), { readOnly: true });
  try {
    return work(db);
  } finally {
    db.close();
  }
}

const blob = (value: SQLOutputValue | undefined): Uint8Array => {
  if (!(value instanceof Uint8Array)) throw new Error('a column is no blob');
  return value;
};

function readHead(db: DatabaseSync): ExportHead {
  const row = db.prepare('SELECT genesis, netuid, validator, round_blocks FROM audit_about').get();
  if (!row) throw new Error('it does not say whose it is');
  return {
    genesis: blob(row.genesis),
    netuid: Number(row.netuid),
    validator: hotkeyOf(blob(row.validator)),
    roundBlocks: Number(row.round_blocks),
  };
}

/** The miner's inventory, step by step from its beginning. */
function* stepsOf(db: DatabaseSync, miner: Hotkey) {
  const rows = db
    .prepare(
      `SELECT op, slot, bytes, type, root FROM owed_changes
       WHERE miner = (SELECT id FROM owed_miners WHERE hotkey = ?) ORDER BY number`,
    )
    .iterate(miner);
  for (const row of rows) {
    const change: ExportedChange = {
      op: row.op === ADD ? 'add' : 'remove',
      slot: Number(row.slot),
      bytes: Number(row.bytes),
      type: row.type === 2 ? 2 : 1,
      root: blob(row.root),
    };
    const { op, slot, bytes, type, root } = change;
    yield { change, step: { op, slot, bytes, anchorId: shardIdOf(type, root, bytes) } };
  }
}

const positionOf = ({ file, at, payload }: LogEntry): Position => ({ file, at, bytes: payload.length });
const statementIn = (signed: Uint8Array) => signed.subarray(0, signed.length - SIGNATURE_BYTES);

async function findRecords(
  ledger: string,
  network: Network,
  { miners, fromRound = 0 }: ExportWanted,
): Promise<ReadonlyMap<Hotkey, MinerFiles>> {
  const only = miners && new Set(miners);
  const found = new Map<Hotkey, MinerFiles>();
  for await (const entry of logEntries(ledger, 'records')) {
    const parsed = parseRecord(network, statementIn(recordIn(entry.payload)));
    if (!parsed.ok) throw new Error(`${ledger} has a record that is none: ${parsed.failure.message}`);
    const { request, transcript }: AuditRecord = parsed.value;
    if (request.round < fromRound || (only && !only.has(request.miner))) continue;
    const files = found.get(request.miner) ?? { records: [], receipts: [] };
    found.set(request.miner, files);
    const { inventory } = request;
    files.records.push({ position: positionOf(entry), inventory, transcript: toHex(transcript) });
  }
  return found;
}

async function findReceipts(ledger: string, network: Network, miners: ReadonlyMap<Hotkey, MinerFiles>): Promise<void> {
  for await (const entry of logEntries(ledger, 'receipts')) {
    const parsed = parseStore(network, statementIn(receiptIn(entry.payload)));
    if (parsed.ok) miners.get(parsed.value.miner)?.receipts.push(positionOf(entry));
  }
}

async function findAnswers(ledger: string): Promise<ReadonlyMap<string, Position>> {
  const found = new Map<string, Position>();
  for await (const entry of logEntries(ledger, 'answers')) {
    found.set(toHex(answerIn(entry.payload).transcript), positionOf(entry));
  }
  return found;
}
