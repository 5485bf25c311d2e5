/** What rounds and sweeps take, and what the schedule of rounds is made of (por/v1 §4). */
import type { Random } from '#shared/primitives/effects.ts';
import type { VerifySr25519 } from '#shared/primitives/signer.ts';
import type { Judging } from '#shared/proof/verify-answer.ts';
import type { ZkKernel } from '#shared/proof/zk/zk-kernel.ts';
import type { Ledger } from '#validator/ledger/ledger.ts';
import type { FinalizedBlocks, TenantPorts } from '#validator/ports.ts';
import type { AuditBook } from '#validator/state/audit-book.ts';
import type { Database } from '#validator/state/database.ts';
import type { FrozenInventories } from '#validator/state/inventories.ts';
import type { Standings } from '#validator/state/ports.ts';
import type { Losses } from '#validator/state/repairs.ts';

export interface AuditPorts
  extends Pick<TenantPorts, 'registrations' | 'miners' | 'minerUrl' | 'signer' | 'network' | 'clock' | 'log'> {
  readonly blocks: Pick<FinalizedBlocks, 'newest' | 'hash'>;
  readonly database: Database;
  readonly inventories: FrozenInventories;
  readonly book: AuditBook;
  readonly ledger: Pick<Ledger, 'keepAnswers' | 'put' | 'flush'>;
  readonly standings: Standings;
  readonly losses: Losses;
  readonly verify: VerifySr25519;
  readonly random: Random;
  /** Judging 250 miners must not take a block's time. */
  readonly fast: Judging['fast'] & object;
  /** Made when the first shard of anchor type 2 is judged. */
  readonly zkKernel: () => ZkKernel;
}

export interface RoundSchedule {
  /** Round r uses block `roundBlocks`·r: `ROUND_BLOCKS` in production, fewer locally. */
  readonly roundBlocks: number;
}

/** Five minutes of blocks of twelve seconds (por/v1 §4). */
export const ROUND_BLOCKS = 25;

/** A round is asked within so many blocks of its block's finality, else it is void (por/v1 §4). */
export const ASK_WITHIN_BLOCKS = 10;

/** Requests under way at a time: their answers (45 KB each) fit in memory, and judging one takes about a millisecond. */
export const REQUESTS_AT_ONCE = 32;
