/**
 * One miner's part of an export, replayed: its inventory step by step, the receipts it signed, and its chain of records,
 * each judged where it stands. Called line by line by `verify-export.ts`.
 */
import { equalBytes } from '#shared/primitives/bytes.ts';
import type { AnchorId, Hotkey } from '#shared/primitives/ids.ts';
import { type AnyAnchor, anchorOfType, idOfAnchor } from '#shared/proof/any-anchor.ts';
import { type AuditRecord, parseRecord } from '#shared/proof/audit-record.ts';
import { Inventory } from '#shared/proof/inventory.ts';
import { commitOf } from '#shared/proof/seed.ts';
import { type Network, openSigned } from '#shared/proof/statement.ts';
import { parseStore } from '#shared/proof/store-receipt.ts';
import { VERDICTS, type Verdict } from '#shared/proof/transcript.ts';
import type { MinerReport, WordAlone } from './audit-report.ts';
import type { ExportedChange, ExportHead } from './export-lines.ts';
import type { Refusal, VerifyPorts } from './verify-export.ts';
import { judgeRecord } from './verify-record.ts';

interface Taken {
  readonly wordAlone: readonly WordAlone[];
  readonly block: { readonly number: number; readonly hash: Uint8Array } | undefined;
}

const ZEROS = new Uint8Array(32);

export class MinerHistory {
  readonly #ports: VerifyPorts;
  readonly #head: ExportHead;
  readonly #network: Network;
  readonly #miner: Hotkey;
  readonly #inventory = new Inventory();
  /** Of everything that is, or was lately, in the inventory. */
  readonly #anchors = new Map<AnchorId, AnyAnchor>();
  readonly #receipted = new Set<AnchorId>();
  #added = 0;
  #addedWithReceipt = 0;
  #last: AuditRecord | undefined;
  #trimmedBefore: number | undefined;
  readonly #verdicts = Object.fromEntries(VERDICTS.map((verdict) => [verdict, 0])) as Record<Verdict, number>;
  #rounds = { ordinary: 0, sweeps: 0, passed: 0, attempts: 0 };
  #firstRound: number | undefined;
  #lastRound: number | undefined;

  constructor(ports: VerifyPorts, head: ExportHead, miner: Hotkey) {
    this.#ports = ports;
    this.#head = head;
    this.#network = { genesis: head.genesis, netuid: head.netuid };
    this.#miner = miner;
  }

  change({ op, slot, bytes, type, root }: ExportedChange): Refusal | undefined {
    const wrong = (message: string): Refusal => ({ code: 'bad-inventory', message });
    const anchor = anchorOfType(type, root, bytes);
    const anchorId = idOfAnchor(anchor);
    if (op === 'add') {
      if (this.#inventory.has(anchorId)) return wrong(`${anchorId} is added twice`);
      const change = this.#inventory.add({ anchorId, bytes });
      if (change.slot !== slot) return wrong(`${anchorId} was added at another slot`);
      this.#anchors.set(anchorId, anchor);
      this.#added++;
      if (this.#receipted.has(anchorId)) this.#addedWithReceipt++;
      return undefined;
    }
    const change = this.#inventory.remove(anchorId);
    if (!change) return wrong(`${anchorId} is removed and was not there`);
    if (change.slot !== slot) return wrong(`${anchorId} was removed from another slot`);
    this.#anchors.delete(anchorId);
    return undefined;
  }

  receipt(signed: Uint8Array): Refusal | undefined {
    const parse = (bytes: Uint8Array) => parseStore(this.#network, bytes);
    const opened = openSigned(this.#ports.verify, 'store', signed, parse, () => this.#miner);
    if (!opened.ok) return { code: 'bad-receipt', message: opened.failure.message };
    const { miner, tenant, anchorId } = opened.value;
    if (miner !== this.#miner || tenant !== this.#head.validator) {
      return { code: 'bad-receipt', message: 'a receipt of another miner or tenant' };
    }
    this.#receipted.add(anchorId);
    return undefined;
  }

  async record(signed: Uint8Array, answer: Uint8Array | undefined): Promise<Taken | Refusal> {
    const parse = (bytes: Uint8Array) => parseRecord(this.#network, bytes);
    const opened = openSigned(this.#ports.verify, 'record', signed, parse, () => this.#head.validator);
    if (!opened.ok) return { code: 'bad-record', message: opened.failure.message };
    const record = opened.value;
    const { request } = record;
    if (request.validator !== this.#head.validator || request.miner !== this.#miner) {
      return { code: 'other-chain', message: 'a record of another validator or miner' };
    }
    const starts = isStart(record);
    const link = starts ? undefined : this.#checkLink(record);
    if (link) return link;
    const judged = await judgeRecord(
      { ports: this.#ports, network: this.#network, roundBlocks: this.#head.roundBlocks },
      { record, answer, starts, inventory: this.#inventory, anchors: this.#anchors },
    );
    if ('code' in judged) return judged;
    this.#count(record, judged.passed);
    this.#last = record;
    const wordAlone = judged.wordAlone.concat(this.#withoutReceipt(record));
    const { block: number, blockHash: hash } = request;
    return {
      wordAlone: wordAlone.map((word) => ({
        ...word,
        miner: this.#miner,
        round: request.round,
        sweep: request.sweep,
      })),
      block: starts ? undefined : { number, hash },
    };
  }

  /** How a record follows the one before; the first of a trimmed history follows nothing that is here. */
  #checkLink({ request }: AuditRecord): Refusal | undefined {
    const last = this.#last;
    if (!last) {
      this.#trimmedBefore = request.round;
      return undefined;
    }
    if (!equalBytes(request.prevTranscript, last.transcript)) {
      return { code: 'broken-link', message: `round ${request.round} does not follow round ${last.request.round}` };
    }
    const { round, sweep } = last.request;
    const later = request.round > round || (request.round === round && request.sweep && !sweep);
    if (!later) return { code: 'broken-link', message: `round ${request.round} comes after round ${round}` };
    if (!equalBytes(commitOf(request), last.request.nextCommit)) {
      return { code: 'broken-commit', message: `round ${request.round} was not committed to like this` };
    }
    return undefined;
  }

  #count({ request: { round, sweep }, items }: AuditRecord, passed: boolean): void {
    for (const { verdict } of items) this.#verdicts[verdict]++;
    if (items.length === 0) return;
    this.#firstRound ??= round;
    this.#lastRound = round;
    if (sweep) this.#rounds.sweeps++;
    else {
      this.#rounds.ordinary++;
      if (items.some(({ verdict }) => verdict !== 'void')) this.#rounds.attempts++;
      if (passed) this.#rounds.passed++;
    }
  }

  /** A miner's signed "missing" weighs only as much as its word that it had the shard. */
  #withoutReceipt({ request, items }: AuditRecord): { verdict: Verdict; items: number; why: 'no-receipt' }[] {
    return (['wrong', 'missing'] as const).flatMap((verdict) => {
      const count = items.filter(
        (item, i) => item.verdict === verdict && !this.#receipted.has(request.items[i]?.anchorId as AnchorId),
      ).length;
      return count > 0 ? [{ verdict, items: count, why: 'no-receipt' as const }] : [];
    });
  }

  report(): MinerReport {
    const { ordinary, sweeps, passed, attempts } = this.#rounds;
    return {
      miner: this.#miner,
      rounds: ordinary,
      sweeps,
      firstRound: this.#firstRound,
      lastRound: this.#lastRound,
      verdicts: { ...this.#verdicts },
      passed,
      attempts,
      trimmedBefore: this.#trimmedBefore,
      added: this.#added,
      receipted: this.#addedWithReceipt,
    };
  }
}

const isStart = ({ request }: AuditRecord): boolean =>
  request.round === 0 && equalBytes(request.prevTranscript, ZEROS) && request.items.length === 0;
