/**
 * Where the chain of requests with each miner stands (por/v1 §4): transcript and record of the last one, the salt that
 * the next is committed to, the cursor of the sweep, and the requests that are open. A request is written as open,
 * durable, before it is sent; one that is found open at a start becomes void. Written by `validator/flows/audit/` alone.
 */
import { ByteReader, ByteWriter } from '#shared/primitives/bytes.ts';
import { type AnchorId, type Hotkey, publicKeyOf } from '#shared/primitives/ids.ts';
import { type AnyAnchor, anchorOfType, isZkAnchor, POR_ANCHOR_TYPE } from '#shared/proof/any-anchor.ts';
import type { Network } from '#shared/proof/statement.ts';
import { ZK_ANCHOR_TYPE } from '#shared/proof/zk/zk-anchor.ts';
import { blobIn, numberIn, type Row, textIn } from './columns.ts';
import type { Database, SchemaPart } from './database.ts';

/**
 * audit_about    which chain of whom this is, for exports; the newest round that was asked
 * audit_chains   one row a miner
 * audit_open     requests sent or about to be sent; `anchors` has u8 type ‖ root₃₂ ‖ u64 bytes for each item
 */
export const AUDIT_SCHEMA: SchemaPart = {
  name: 'audit',
  steps: [
    `CREATE TABLE audit_about (
       one INTEGER PRIMARY KEY CHECK (one = 1), genesis BLOB NOT NULL, netuid INTEGER NOT NULL,
       validator BLOB NOT NULL, round_blocks INTEGER NOT NULL, last_round INTEGER NOT NULL
     );
     CREATE TABLE audit_chains (
       miner TEXT PRIMARY KEY, round INTEGER NOT NULL, sweep_round INTEGER NOT NULL, transcript BLOB NOT NULL,
       next_salt BLOB NOT NULL, record BLOB NOT NULL, sweep_cursor TEXT
     ) WITHOUT ROWID;
     CREATE TABLE audit_open (
       miner TEXT PRIMARY KEY, request BLOB NOT NULL, next_salt BLOB NOT NULL, anchors BLOB NOT NULL,
       sweep_cursor TEXT, opened_at_ms INTEGER NOT NULL
     ) WITHOUT ROWID;`,
  ],
};

export interface MinerChain {
  /** Of the last ordinary round, and of the last sweep; 0: none yet. */
  readonly round: number;
  readonly sweepRound: number;
  readonly transcript: Uint8Array;
  readonly nextSalt: Uint8Array;
  /** The last record, signed: it goes to the miner with the next request. */
  readonly record: Uint8Array;
  /** Where the next sweep goes on; undefined: at the beginning. */
  readonly sweepCursor: string | undefined;
}

export interface OpenRequest {
  readonly miner: Hotkey;
  /** statement ‖ signature. */
  readonly request: Uint8Array;
  readonly nextSalt: Uint8Array;
  /** Of the request's items, in their order. */
  readonly anchors: readonly AnyAnchor[];
  readonly sweepCursor: string | undefined;
  readonly openedAtMs: number;
}

export interface SettledRequest {
  readonly miner: Hotkey;
  readonly round: number;
  readonly sweep: boolean;
  readonly transcript: Uint8Array;
  readonly record: Uint8Array;
}

export interface AuditBook {
  /** Tells what exports need to know; the newest round that was asked stays. */
  describe(network: Network, validator: Hotkey, roundBlocks: number): void;
  lastRound(): number;
  setLastRound(round: number): void;
  /** This folder lacks records: every chain of requests starts again. */
  beginAnew(): void;
  chain(miner: Hotkey): MinerChain | undefined;
  /** Joins the transaction. */
  open(request: OpenRequest): void;
  opened(): readonly OpenRequest[];
  /** The open request of this miner has its record: the chain moves on. Joins the transaction. */
  settle(settled: SettledRequest): void;
}

const ANCHOR_BYTES = 41;

function packAnchors(anchors: readonly AnyAnchor[]): Uint8Array {
  const writer = new ByteWriter(ANCHOR_BYTES * anchors.length);
  for (const anchor of anchors) {
    writer
      .u8(isZkAnchor(anchor) ? anchor.type : POR_ANCHOR_TYPE)
      .fixed(anchor.root, 32)
      .u64(anchor.bytes);
  }
  return writer.finish();
}

function unpackAnchors(packed: Uint8Array): AnyAnchor[] {
  const reader = new ByteReader(packed);
  return Array.from({ length: packed.length / ANCHOR_BYTES }, () => {
    const type = reader.u8() === ZK_ANCHOR_TYPE ? ZK_ANCHOR_TYPE : POR_ANCHOR_TYPE;
    return anchorOfType(type, reader.bytes(32).slice(), reader.u64());
  });
}

const cursorIn = (row: Row): string | undefined =>
  row.sweep_cursor === null ? undefined : textIn(row, 'sweep_cursor');

const openOf = (row: Row): OpenRequest => ({
  miner: textIn(row, 'miner') as Hotkey,
  request: blobIn(row, 'request'),
  nextSalt: blobIn(row, 'next_salt'),
  anchors: unpackAnchors(blobIn(row, 'anchors')),
  sweepCursor: cursorIn(row),
  openedAtMs: numberIn(row, 'opened_at_ms'),
});

export function createAuditBook(db: Database): AuditBook {
  const openRow = (miner: Hotkey) => db.sql('SELECT * FROM audit_open WHERE miner = ?').get(miner);
  return {
    describe({ genesis, netuid }, validator, roundBlocks) {
      db.sql(
        `INSERT INTO audit_about VALUES (1, ?, ?, ?, ?, 0) ON CONFLICT DO UPDATE SET
           genesis = excluded.genesis, netuid = excluded.netuid, validator = excluded.validator,
           round_blocks = excluded.round_blocks`,
      ).run(genesis, netuid, publicKeyOf(validator), roundBlocks);
    },
    lastRound() {
      const row = db.sql('SELECT last_round FROM audit_about').get();
      return row ? numberIn(row, 'last_round') : 0;
    },
    beginAnew: () =>
      db.transaction(() => {
        db.sql('DELETE FROM audit_open').run();
        db.sql('DELETE FROM audit_chains').run();
      }),
    setLastRound(round) {
      db.sql('UPDATE audit_about SET last_round = ?').run(round);
    },
    chain(miner) {
      const row = db.sql('SELECT * FROM audit_chains WHERE miner = ?').get(miner);
      if (!row) return undefined;
      return {
        round: numberIn(row, 'round'),
        sweepRound: numberIn(row, 'sweep_round'),
        transcript: blobIn(row, 'transcript'),
        nextSalt: blobIn(row, 'next_salt'),
        record: blobIn(row, 'record'),
        sweepCursor: cursorIn(row),
      };
    },
    open({ miner, request, nextSalt, anchors, sweepCursor, openedAtMs }) {
      db.sql('INSERT INTO audit_open VALUES (?, ?, ?, ?, ?, ?)').run(
        ...[miner, request, nextSalt, packAnchors(anchors), sweepCursor ?? null, openedAtMs],
      );
    },
    opened: () => db.sql('SELECT * FROM audit_open ORDER BY miner').all().map(openOf),
    settle({ miner, round, sweep, transcript, record }) {
      const row = openRow(miner);
      if (!row) throw new Error(`invariant broken: no open request for ${miner}`);
      const { nextSalt, sweepCursor } = openOf(row);
      const [ordinary, swept] = sweep ? [0, round] : [round, 0];
      db.sql(
        `INSERT INTO audit_chains VALUES (?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET
           round = MAX(round, excluded.round), sweep_round = MAX(sweep_round, excluded.sweep_round),
           transcript = excluded.transcript, next_salt = excluded.next_salt, record = excluded.record,
           sweep_cursor = ${sweep ? 'excluded.sweep_cursor' : 'sweep_cursor'}`,
      ).run(...[miner, ordinary, swept, transcript, nextSalt, record, sweepCursor ?? null]);
      db.sql('DELETE FROM audit_open WHERE miner = ?').run(miner);
    },
  };
}

/** By anchor id, for planning a round. */
export const anchorsById = (
  items: readonly { readonly anchorId: AnchorId }[],
  anchors: readonly AnyAnchor[],
): ReadonlyMap<AnchorId, AnyAnchor> => new Map(items.map(({ anchorId }, i) => [anchorId, anchors[i] as AnyAnchor]));
