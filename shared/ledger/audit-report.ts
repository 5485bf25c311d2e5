/** What verifying an export says: what was proven, what is taken on somebody's word, and what was refused and where. */
import type { Failure } from '#shared/primitives/failure.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';
import type { Verdict } from '#shared/proof/transcript.ts';
import type { ExportHead } from './export-lines.ts';

/** The whole of it is refused at the first thing that is wrong: what was tampered with once proves nothing. */
export interface ExportRefused extends Failure {
  readonly code:
    | 'not-an-export' /** no head, or lines in an impossible order */
    | 'cut-off' /** the last line is missing, or counts otherwise */
    | 'bad-line'
    | 'bad-record' /** no record of this network, or not signed by the validator */
    | 'other-chain' /** a record of another validator or miner */
    | 'bad-inventory' /** a step that the steps before do not allow */
    | 'bad-receipt' /** not signed by the miner, or of another tenant */
    | 'broken-link' /** does not follow the record before: transcript or order of rounds */
    | 'broken-commit' /** salt, inventory or leaf count are not what the request before committed to */
    | 'wrong-block' /** not the block of its round, or not the chain's hash of it */
    | 'wrong-inventory' /** inventory or leaf count are not what the steps lead to */
    | 'wrong-selection' /** fewer leaves than must be asked, or other shards */
    | 'wrong-verdict' /** not what the answer shows, or what an unsigned answer may be judged as */
    | 'wrong-signature' /** the miner's signature does not hold over what the record says it answered */
    | 'wrong-transcript';
  /** Line of the export, from 1. */
  readonly line: number;
}

export interface MinerReport {
  readonly miner: Hotkey;
  /** Ordinary rounds that asked something, and requests of sweeps. */
  readonly rounds: number;
  readonly sweeps: number;
  readonly firstRound: number | undefined;
  readonly lastRound: number | undefined;
  /** By item. */
  readonly verdicts: Readonly<Record<Verdict, number>>;
  /** Rounds passed, of those that count as attempts. */
  readonly passed: number;
  readonly attempts: number;
  /** Set when history before it is missing: its transcript and commit are taken on the validator's word. */
  readonly trimmedBefore: number | undefined;
  /** Steps of the inventory that add a shard, and those of them with a receipt that the miner signed. */
  readonly added: number;
  readonly receipted: number;
}

/** Verdicts that nobody but the validator vouches for. */
export interface WordAlone {
  readonly miner: Hotkey;
  readonly round: number;
  readonly sweep: boolean;
  readonly verdict: Verdict;
  readonly items: number;
  /**
   * `unsigned`: silence, malformed answers and void say nothing that the miner signed. `answer-not-kept`: the miner
   * signed these bytes, but whether they prove the shard can no longer be seen. `no-receipt`: the miner signed that it
   * lacks the shard, or sent wrong bytes, but never that it had stored it.
   */
  readonly why: 'unsigned' | 'answer-not-kept' | 'no-receipt';
}

export interface BlockAssumption {
  readonly number: number;
  /** Hex. */
  readonly hash: string;
}

export interface AuditReport {
  readonly head: ExportHead;
  readonly records: number;
  readonly miners: readonly MinerReport[];
  /** Block hashes that were not compared with a chain; empty when one was given. */
  readonly assumptions: readonly BlockAssumption[];
  readonly blocksChecked: number;
  readonly wordAlone: readonly WordAlone[];
}
