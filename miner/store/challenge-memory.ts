/**
 * What a miner remembers of each tenant's chain of rounds (por/v1 §§4, 7): the newest request, the tenant's signed
 * records, and what of both contradicts itself: a salt that breaks its commit, two records or requests of one round.
 * Such a pair of signed statements proves a validator's fraud to anyone. Bounded per tenant; durable before the answer.
 */
import type { DatabaseSync } from 'node:sqlite';
import { equalBytes } from '#shared/primitives/bytes.ts';
import { type AuditRecord, parseRecord } from '#shared/proof/audit-record.ts';
import { type ChallengeRequest, encodeRequest, parseRequest } from '#shared/proof/challenge-request.ts';
import { commitOf } from '#shared/proof/seed.ts';
import { type Network, type Parsed, SIGNATURE_BYTES } from '#shared/proof/statement.ts';
import { inTransaction } from './database.ts';
import { blobOf, numberOf } from './shard-rows.ts';

/** Records kept of one tenant, about 3 KB each: two weeks of rounds; the oldest go. */
const MAX_RECORDS = 4096;
/** Contradictions kept of one tenant: one is enough to prove fraud. The first stay. */
const MAX_EVIDENCE = 256;

export type Contradiction =
  | 'commit' /** the salt, inventory or leaf count is not what the request before committed to */
  | 'fork' /** two records of one round with different transcripts */
  | 'request'; /** a record of a round that was asked otherwise */

/** A signed statement and what it says. */
export interface Signed<T> {
  readonly value: T;
  /** statement ‖ signature. */
  readonly signed: Uint8Array;
}

const statementOf = (signed: Uint8Array) => signed.subarray(0, signed.length - SIGNATURE_BYTES);

export class ChallengeMemory {
  readonly #db: DatabaseSync;
  readonly #network: Network;
  readonly #nowMs: () => number;

  constructor(db: DatabaseSync, network: Network, nowMs: () => number) {
    this.#db = db;
    this.#network = network;
    this.#nowMs = nowMs;
  }

  /** Takes in a request and the record before it, both with signatures that hold; says what they contradict. */
  note(tenant: number, request: Signed<ChallengeRequest>, record: Signed<AuditRecord> | undefined): Contradiction[] {
    const found: Contradiction[] = [];
    const keep = (kind: Contradiction, first: Uint8Array, second: Uint8Array) => {
      found.push(kind);
      this.#keepEvidence(tenant, kind, first, second);
    };
    inTransaction(this.#db, () => {
      const last = this.#last(tenant);
      const follows = record && equalBytes(record.value.transcript, request.value.prevTranscript);
      if (record) {
        // A chain that starts anew (its validator lost its folder) has a second start, which forges nothing.
        const starts = record.value.request.round === 0;
        const other = starts ? undefined : this.#record(tenant, record.value.request);
        if (other && !equalBytes(this.#transcriptOf(other), record.value.transcript)) {
          keep('fork', other, record.signed);
        } else if (!other && !starts) this.#keepRecord(tenant, record);
        if (last && sameRound(last.value, record.value.request)) {
          const recorded = encodeRequest(this.#network, record.value.request);
          if (!equalBytes(statementOf(last.signed), recorded)) keep('request', last.signed, record.signed);
        }
      }
      // The record names its own request, so a miner that missed one can check the commit all the same.
      const before = follows ? { value: record.value.request, signed: record.signed } : last;
      const restarted = request.value.round === 0;
      if (before && !restarted && !equalBytes(before.value.nextCommit, commitOf(request.value))) {
        keep('commit', before.signed, request.signed);
      }
      this.#db.prepare('INSERT OR REPLACE INTO challenges (tenant, request) VALUES (?, ?)').run(tenant, request.signed);
    });
    return found;
  }

  #last(tenant: number): Signed<ChallengeRequest> | undefined {
    const row = this.#db.prepare('SELECT request FROM challenges WHERE tenant = ?').get(tenant);
    if (!row) return undefined;
    const signed = blobOf(row.request);
    const parsed = parseRequest(this.#network, statementOf(signed));
    return parsed.ok ? { value: parsed.value, signed } : undefined;
  }

  #record(tenant: number, { round, sweep }: ChallengeRequest): Uint8Array | undefined {
    const row = this.#db
      .prepare('SELECT signed FROM records WHERE tenant = ? AND round = ? AND sweep = ?')
      .get(tenant, round, sweep ? 1 : 0);
    return row && blobOf(row.signed);
  }

  #transcriptOf(signed: Uint8Array): Uint8Array {
    const parsed: Parsed<AuditRecord> = parseRecord(this.#network, statementOf(signed));
    return parsed.ok ? parsed.value.transcript : new Uint8Array(32);
  }

  #keepRecord(tenant: number, { value, signed }: Signed<AuditRecord>): void {
    this.#db
      .prepare('INSERT INTO records (tenant, round, sweep, signed) VALUES (?, ?, ?, ?)')
      .run(tenant, value.request.round, value.request.sweep ? 1 : 0, signed);
    this.#db
      .prepare(
        `DELETE FROM records WHERE tenant = ?1 AND (round, sweep) IN (
           SELECT round, sweep FROM records WHERE tenant = ?1 ORDER BY round DESC, sweep DESC LIMIT -1 OFFSET ?2)`,
      )
      .run(tenant, MAX_RECORDS);
  }

  #keepEvidence(tenant: number, kind: Contradiction, first: Uint8Array, second: Uint8Array): void {
    const row = this.#db.prepare('SELECT COUNT(*) AS kept FROM evidence WHERE tenant = ?').get(tenant);
    if (numberOf(row?.kept) >= MAX_EVIDENCE) return;
    this.#db
      .prepare('INSERT INTO evidence (tenant, at_ms, kind, first, second) VALUES (?, ?, ?, ?, ?)')
      .run(tenant, this.#nowMs(), kind, first, second);
  }

  /** What is kept against a tenant, oldest first. */
  evidence(tenant: number): readonly { kind: Contradiction; first: Uint8Array; second: Uint8Array }[] {
    return this.#db
      .prepare('SELECT kind, first, second FROM evidence WHERE tenant = ? ORDER BY id')
      .all(tenant)
      .map((row) => ({ kind: row.kind as Contradiction, first: blobOf(row.first), second: blobOf(row.second) }));
  }
}

const sameRound = (a: ChallengeRequest, b: ChallengeRequest): boolean => a.round === b.round && a.sweep === b.sweep;
