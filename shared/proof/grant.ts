/**
 * Grant: a tenant's permission for an edge to write or read the tenant's shards. Edges send it with every request to
 * a miner (`Filetao-Grant`); miners check it (por/v1 §9).
 *
 *   "filetao/grant/v1\0"  genesis₃₂ u32 netuid  validator₃₂  edge₃₂  u8 rights(bits: 1 put, 2 get)  u64 fromMs  u64 untilMs
 */
import type { Hotkey } from '#shared/primitives/ids.ts';
import { type Network, type Parsed, StatementReader, StatementWriter } from './statement.ts';

export interface Grant {
  /** The tenant, who signs. */
  readonly validator: Hotkey;
  readonly edge: Hotkey;
  readonly put: boolean;
  readonly get: boolean;
  readonly fromMs: number;
  readonly untilMs: number;
}

/** A lost edge key is worthless after a day (por/v1 §9). */
export const MAX_GRANT_MS = 24 * 60 * 60 * 1000;

const TAG = 'filetao/grant/v1';
const PUT = 1;
const GET = 2;

export function encodeGrant(network: Network, grant: Grant): Uint8Array {
  const rights = (grant.put ? PUT : 0) | (grant.get ? GET : 0);
  return new StatementWriter(TAG, network)
    .hotkey(grant.validator)
    .hotkey(grant.edge)
    .u8(rights)
    .u64(grant.fromMs)
    .u64(grant.untilMs)
    .finish();
}

/** Refuses no rights, unknown rights, an empty period and one longer than a day. */
export function parseGrant(network: Network, bytes: Uint8Array): Parsed<Grant> {
  const reader = new StatementReader('grant', bytes, TAG, network);
  const validator = reader.hotkey();
  const edge = reader.hotkey();
  const rights = reader.u8();
  const fromMs = reader.u64();
  const untilMs = reader.u64();
  reader.require(rights >= 1 && rights <= (PUT | GET), 'range');
  reader.require(untilMs > fromMs && untilMs - fromMs <= MAX_GRANT_MS, 'range');
  return reader.close({ validator, edge, put: (rights & PUT) !== 0, get: (rights & GET) !== 0, fromMs, untilMs });
}
