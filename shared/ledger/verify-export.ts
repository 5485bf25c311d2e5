/**
 * Judges an audit export with no access to the network: replays every inventory, re-derives every selection, seed and
 * index, verifies every signature and every answer that was kept, and recomputes every verdict, transcript and link
 * (`verify-record.ts`). Refuses at the first line that is wrong. Used by `filetao audit verify`; runs anywhere.
 */

import { toHex } from '#shared/primitives/bytes.ts';
import type { Random } from '#shared/primitives/effects.ts';
import { fail, type Result, succeed } from '#shared/primitives/failure.ts';
import type { VerifySr25519 } from '#shared/primitives/signer.ts';
import type { ZkKernel } from '#shared/proof/zk/zk-kernel.ts';
import type { AuditReport, BlockAssumption, ExportRefused, MinerReport, WordAlone } from './audit-report.ts';
import { type ExportHead, type ExportLine, parseLine } from './export-lines.ts';
import { MinerHistory } from './miner-history.ts';

export interface VerifyPorts {
  readonly verify: VerifySr25519;
  /** For shards of anchor type 2. */
  readonly zk: { readonly kernel: () => ZkKernel; readonly random: Random };
  /** The chain's hash of a block, 32 bytes; undefined when the chain does not know it. Absent: hashes are assumed. */
  readonly blockHash?: (number: number) => Promise<Uint8Array | undefined>;
}

export type Refusal = { readonly code: ExportRefused['code']; readonly message: string };

/** @param lines of the export, without line breaks; an empty last one is passed over */
export async function verifyExport(
  lines: AsyncIterable<string> | Iterable<string>,
  ports: VerifyPorts,
): Promise<Result<AuditReport, ExportRefused>> {
  const auditor = new Auditor(ports);
  let number = 0;
  for await (const text of lines) {
    if (text === '') continue;
    number++;
    const line = parseLine(text);
    const refusal = line ? await auditor.take(line) : { code: 'bad-line' as const, message: 'no line of an export' };
    if (refusal) return refuse(refusal, number);
  }
  const report = auditor.finish();
  return 'code' in report ? refuse(report, number) : succeed(report);
}

const refuse = ({ code, message }: Refusal, line: number) =>
  fail<ExportRefused>({ code, fault: 'caller', line, message: `line ${line}: ${message}` });

class Auditor {
  readonly #ports: VerifyPorts;
  #head: ExportHead | undefined;
  #history: MinerHistory | undefined;
  #ended = false;
  #records = 0;
  readonly #miners: MinerReport[] = [];
  readonly #seen = new Set<string>();
  readonly #wordAlone: WordAlone[] = [];
  readonly #blocks = new Map<number, string>();

  constructor(ports: VerifyPorts) {
    this.#ports = ports;
  }

  async take(line: ExportLine): Promise<Refusal | undefined> {
    if (this.#ended) return { code: 'not-an-export', message: 'something follows the last line' };
    if (line.kind === 'head') {
      if (this.#head) return { code: 'not-an-export', message: 'a second head' };
      this.#head = line.head;
      return undefined;
    }
    const head = this.#head;
    if (!head) return { code: 'not-an-export', message: 'the first line is no head of an export' };
    if (line.kind === 'end') return this.#end(line.miners, line.records);
    if (line.kind === 'miner') {
      this.#closeMiner();
      if (this.#seen.has(line.miner)) return { code: 'not-an-export', message: `${line.miner} comes twice` };
      this.#seen.add(line.miner);
      this.#history = new MinerHistory(this.#ports, head, line.miner);
      return undefined;
    }
    const history = this.#history;
    if (!history) return { code: 'not-an-export', message: 'a line of no miner' };
    if (line.kind === 'change') return history.change(line.change);
    if (line.kind === 'receipt') return history.receipt(line.signed);
    this.#records++;
    const taken = await history.record(line.signed, line.answer);
    if ('code' in taken) return taken;
    this.#wordAlone.push(...taken.wordAlone);
    return taken.block ? this.#checkBlock(taken.block.number, taken.block.hash) : undefined;
  }

  async #checkBlock(number: number, hash: Uint8Array): Promise<Refusal | undefined> {
    const text = toHex(hash);
    const known = this.#blocks.get(number);
    if (known !== undefined) {
      return known === text ? undefined : { code: 'wrong-block', message: `two hashes of block ${number}` };
    }
    const onChain = await this.#ports.blockHash?.(number);
    if (this.#ports.blockHash && (!onChain || toHex(onChain) !== text)) {
      return { code: 'wrong-block', message: `block ${number} of the chain has another hash` };
    }
    this.#blocks.set(number, text);
    return undefined;
  }

  #closeMiner(): void {
    if (this.#history) this.#miners.push(this.#history.report());
    this.#history = undefined;
  }

  #end(miners: number, records: number): Refusal | undefined {
    this.#closeMiner();
    this.#ended = true;
    if (miners === this.#miners.length && records === this.#records) return undefined;
    return { code: 'cut-off', message: `${records} records of ${miners} miners were written, others are here` };
  }

  finish(): AuditReport | Refusal {
    if (!this.#head) return { code: 'not-an-export', message: 'nothing is here' };
    if (!this.#ended) return { code: 'cut-off', message: 'the last line is missing' };
    const blocks = [...this.#blocks].sort(([a], [b]) => a - b);
    const assumptions = blocks.map(([number, hash]): BlockAssumption => ({ number, hash }));
    return {
      head: this.#head,
      records: this.#records,
      miners: this.#miners,
      assumptions: this.#ports.blockHash ? [] : assumptions,
      blocksChecked: this.#ports.blockHash ? blocks.length : 0,
      wordAlone: this.#wordAlone,
    };
  }
}
