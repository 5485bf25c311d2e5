/**
 * A validator's audits in memory: real database, ledger files, inventories and chain of requests, miners that prove from
 * memory (`shared/testing/prover.ts`), a chain of blocks and a clock that the test moves.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadNodeKernel } from '#shared/codec/node-kernel.ts';
import { silentLog, systemRandom } from '#shared/primitives/effects.ts';
import { fail, succeed } from '#shared/primitives/failure.ts';
import type { AnchorId, FileNumber, Hotkey } from '#shared/primitives/ids.ts';
import { sha256 } from '#shared/primitives/sha256.ts';
import { nodeFastHashing } from '#shared/proof/node-fast-hashing.ts';
import type { Network } from '#shared/proof/statement.ts';
import { loadNodeZkKernel } from '#shared/proof/zk/node-zk-kernel.ts';
import { Prover } from '#shared/testing/prover.ts';
import { minerFailure } from '#shared/wire/miner-failure.ts';
import { loadSr25519 } from '#shared/wire/node-sr25519.ts';
import type { MinerClient, MinerFailureCode } from '#shared/wire/ports.ts';
import type { AuditPorts } from '../flows/audit/audit-ports.ts';
import { LEDGER_SCHEMA, Ledger } from '../ledger/ledger.ts';
import { AUDIT_SCHEMA, createAuditBook } from '../state/audit-book.ts';
import { type Database, openDatabase } from '../state/database.ts';
import { createInventories } from '../state/inventories.ts';
import { OWED_SCHEMA } from '../state/owed-rows.ts';
import type { Batch } from '../state/ports.ts';
import type { ReportedLoss } from '../state/repairs.ts';
import { createWaitingReceipts, RECEIPTS_SCHEMA } from '../state/waiting-receipts.ts';

export const sr25519 = await loadSr25519();
export const kernel = loadNodeKernel();
export const NETWORK: Network = { genesis: new Uint8Array(32).fill(7), netuid: 21 };
export const ROUND_BLOCKS = 25;

const signerOf = (name: number) => sr25519.signerFromSeed(new Uint8Array(32).fill(name));
export const VALIDATOR = signerOf(200);
const PARTS = [OWED_SCHEMA, AUDIT_SCHEMA, LEDGER_SCHEMA, RECEIPTS_SCHEMA];
const KEEP_ANSWERS_MS = 3_600_000;

/** A miner of the world: a prover, and how it fails to answer. */
export interface WorldMiner {
  readonly hotkey: Hotkey;
  readonly prover: Prover;
  fault: MinerFailureCode | 'throws' | undefined;
  /** Takes over the answer. */
  reply: ((honest: Uint8Array) => Uint8Array) | undefined;
  /** Records that came with requests, newest last. */
  readonly records: Uint8Array[];
}

export const blockHash = (number: number): Uint8Array => sha256(new TextEncoder().encode(`block ${number}`));

export class AuditWorld {
  readonly folder: string;
  readonly miners: WorldMiner[];
  readonly batches: Batch[] = [];
  readonly losses: ReportedLoss[] = [];
  database: Database;
  ports: AuditPorts & { readonly ledger: Ledger };
  nowMs = 1_700_000_000_000;
  head = 100;
  /** Milliseconds that an answer takes. */
  answerMs = 20;
  /** Called when the standings are written: a test crashes here. */
  onRecord: () => void = () => {};

  private constructor(folder: string, miners: WorldMiner[], database: Database, ledger: Ledger) {
    this.folder = folder;
    this.miners = miners;
    this.database = database;
    this.ports = this.#portsOver(database, ledger);
  }

  static async open(minerCount = 3): Promise<AuditWorld> {
    const folder = mkdtempSync(join(tmpdir(), 'filetao-audit-'));
    const miners = Array.from({ length: minerCount }, (_, i): WorldMiner => {
      const prover = new Prover(signerOf(i + 1), NETWORK, kernel);
      return { hotkey: prover.signer.hotkey, prover, fault: undefined, reply: undefined, records: [] };
    });
    const { database, ledger } = await openFolder(folder);
    return new AuditWorld(folder, miners, database, ledger);
  }

  /** As after kill -9: what is not on disk is gone. */
  async restart(): Promise<void> {
    await this.ports.ledger.close();
    this.database.close();
    const { database, ledger } = await openFolder(this.folder);
    this.database = database;
    this.ports = this.#portsOver(database, ledger);
  }

  async remove(): Promise<void> {
    await this.ports.ledger.close();
    this.database.close();
    rmSync(this.folder, { recursive: true });
  }

  /** Has a miner hold a shard and owe it. */
  owe(miner: WorldMiner, bytes: number, file = 1): AnchorId {
    const shard = systemRandom(Math.min(bytes, 65_536));
    const whole = new Uint8Array(bytes);
    for (let at = 0; at < bytes; at += shard.length)
      whole.set(shard.subarray(0, Math.min(shard.length, bytes - at)), at);
    const { anchorId, anchor } = miner.prover.store(whole);
    const place = { file: file as FileNumber, segment: 0, shardIndex: miner.prover.shards.size, placement: 0 };
    this.ports.inventories.add(miner.hotkey, { anchorId, anchorType: 1, root: anchor.root, bytes, place });
    return anchorId;
  }

  /** To the block of the next round. */
  nextRound(): number {
    this.head = (Math.floor(this.head / ROUND_BLOCKS) + 1) * ROUND_BLOCKS;
    return this.head / ROUND_BLOCKS;
  }

  #portsOver(database: Database, ledger: Ledger): AuditPorts & { readonly ledger: Ledger } {
    const book = createAuditBook(database);
    book.describe(NETWORK, VALIDATOR.hotkey, ROUND_BLOCKS);
    return {
      registrations: {
        read: async () =>
          this.miners.map(({ hotkey }, i) => ({ hotkey, coldkey: hotkey, address: { ip: '127.0.0.1', port: i + 1 } })),
      },
      miners: this.#client(),
      minerUrl: ({ ip, port }) => `http://${ip}:${port}`,
      signer: VALIDATOR,
      network: NETWORK,
      clock: { nowMs: () => this.nowMs, sleep: async () => {} },
      log: silentLog,
      blocks: {
        newest: () => ({ number: this.head, hash: blockHash(this.head) }),
        hash: async (number) => succeed(blockHash(number)),
      },
      database,
      inventories: createInventories(database),
      book,
      ledger,
      standings: {
        record: (batch) => {
          this.onRecord();
          this.batches.push(batch);
          return true;
        },
      },
      losses: { report: (loss) => void this.losses.push(loss) },
      verify: sr25519.verify,
      random: systemRandom,
      fast: nodeFastHashing(),
      zkKernel: loadNodeZkKernel,
    };
  }

  /** For `take-receipts.ts`. */
  get receipts() {
    return createWaitingReceipts(this.database);
  }

  #client(): MinerClient {
    const never = () => {
      throw new Error('audits only challenge');
    };
    return {
      ...{ openStream: never, putShard: never, readReceipt: never, readShards: never, headShard: never },
      ...{ health: never, hello: never, listShards: never, drop: never },
      challenge: async (peer, { request, record }) => {
        const miner = this.miners.find(({ hotkey }) => hotkey === peer.hotkey);
        if (!miner) throw new Error('no such miner');
        this.nowMs += this.answerMs;
        if (miner.fault === 'throws') throw new Error('a crash while asking');
        if (miner.fault) return fail(minerFailure(peer.hotkey, miner.fault, 'as the test wants it'));
        if (record) miner.records.push(record);
        const honest = miner.prover.answer(request);
        return succeed(miner.reply ? miner.reply(honest) : honest);
      },
    };
  }
}

async function openFolder(folder: string): Promise<{ readonly database: Database; readonly ledger: Ledger }> {
  const database = openDatabase(folder, PARTS);
  const clock = { nowMs: () => Date.now(), sleep: async () => {} };
  return { database, ledger: await Ledger.open(folder, database, clock, { answersMs: KEEP_ANSWERS_MS }) };
}
