/**
 * What a retrieval found wrong with shards, counted per miner and written to the log once, at its end. A complaint
 * never scores a miner: it is what makes a validator look (design, "Trust and secrets").
 */
import type { FileRecord } from '#shared/index/ports.ts';
import type { Log } from '#shared/primitives/effects.ts';
import type { MinerNumber } from '#shared/primitives/ids.ts';
import type { SlotComplaint } from '#shared/transfer/ports.ts';

type Counts = Record<SlotComplaint['what'], number>;

export class ComplaintTally {
  readonly #file: Pick<FileRecord, 'number'>;
  readonly #byMiner = new Map<MinerNumber, Counts>();

  constructor(file: Pick<FileRecord, 'number'>) {
    this.#file = file;
  }

  add({ slot, what }: SlotComplaint): void {
    const counts = this.#byMiner.get(slot.miner) ?? { unreachable: 0, absent: 0, wrong: 0 };
    counts[what]++;
    this.#byMiner.set(slot.miner, counts);
  }

  report(log: Log): void {
    if (this.#byMiner.size === 0) return;
    const miners = [...this.#byMiner].map(([miner, counts]) => ({ miner, ...counts }));
    log.warn('shard-complaints', { file: this.#file.number, miners });
    this.#byMiner.clear();
  }
}
