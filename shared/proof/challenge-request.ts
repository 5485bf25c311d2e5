/**
 * Challenge request: what a validator asks of a miner in one round (por/v1 §§4, 5, 9). A chain of rounds starts with
 * a request whose round, block, inventory, salt, K and items are zero and which only carries `nextCommit`. A sweep
 * (§8) sets the top bit of K.
 *
 *   "filetao/por/v1/request\0"  genesis₃₂ u32 netuid  validator₃₂  miner₃₂  u64 round  u64 block  blockHash₃₂
 *   prevTranscript₃₂  inv₃₂  u64 inventoryLeaves  salt₃₂  nextCommit₃₂  u16 K  u16 items
 *   items × (anchorId₃₂  u16 kᵢ)      ascending by anchorId, unique, at most 256
 */
import type { AnchorId, Hotkey } from '#shared/primitives/ids.ts';
import { type Network, type Parsed, StatementReader, StatementWriter } from './statement.ts';

export interface RequestItem {
  readonly anchorId: AnchorId;
  /** kᵢ: leaves of this shard that are asked; at least 1. */
  readonly leaves: number;
}

export interface ChallengeRequest {
  /** Who asks, and signs. */
  readonly validator: Hotkey;
  readonly miner: Hotkey;
  readonly round: number;
  readonly block: number;
  readonly blockHash: Uint8Array;
  readonly prevTranscript: Uint8Array;
  /** Hash chain of the miner's inventory, frozen before the block. */
  readonly inventory: Uint8Array;
  readonly inventoryLeaves: number;
  readonly salt: Uint8Array;
  readonly nextCommit: Uint8Array;
  /** K without its top bit: the sum of all kᵢ. */
  readonly leaves: number;
  readonly sweep: boolean;
  readonly items: readonly RequestItem[];
}

/** por/v1 §9. */
export const MAX_REQUEST_ITEMS = 256;
/** K = min(30, inventory leaves), por/v1 §5: a miner without 10 % of its leaves passes 4.2 % of rounds. */
export const MAX_ROUND_LEAVES = 30;
/** kᵢ = min(2, leaves) in a sweep, por/v1 §8. */
export const MAX_SWEEP_LEAVES = 2;

const TAG = 'filetao/por/v1/request';
const SWEEP_BIT = 0x8000;
const ITEM_BYTES = 34;

/** K as it stands in the request and in the round's context. */
export const requestK = (request: Pick<ChallengeRequest, 'leaves' | 'sweep'>): number =>
  request.leaves + (request.sweep ? SWEEP_BIT : 0);

export function encodeRequest(network: Network, request: ChallengeRequest): Uint8Array {
  const writer = new StatementWriter(TAG, network)
    .hotkey(request.validator)
    .hotkey(request.miner)
    .u64(request.round)
    .u64(request.block)
    .fixed(request.blockHash, 32)
    .fixed(request.prevTranscript, 32)
    .fixed(request.inventory, 32)
    .u64(request.inventoryLeaves)
    .fixed(request.salt, 32)
    .fixed(request.nextCommit, 32)
    .u16(requestK(request))
    .u16(request.items.length);
  for (const item of request.items) writer.id(item.anchorId).u16(item.leaves);
  return writer.finish();
}

const ascending = (items: readonly RequestItem[]): boolean =>
  items.every((item, i) => i === 0 || (items[i - 1] as RequestItem).anchorId < item.anchorId);

/** Refuses items that are unsorted, repeated, too many, or whose leaves do not add up to K. */
export function parseRequest(network: Network, bytes: Uint8Array): Parsed<ChallengeRequest> {
  const reader = new StatementReader('request', bytes, TAG, network);
  const head = {
    validator: reader.hotkey(),
    miner: reader.hotkey(),
    round: reader.u64(),
    block: reader.u64(),
    blockHash: reader.copy(32),
    prevTranscript: reader.copy(32),
    inventory: reader.copy(32),
    inventoryLeaves: reader.u64(),
    salt: reader.copy(32),
    nextCommit: reader.copy(32),
  };
  const k = reader.u16();
  const leaves = k & ~SWEEP_BIT;
  const sweep = (k & SWEEP_BIT) !== 0;
  const items = reader.items(reader.u16(), ITEM_BYTES, 0, () => ({
    anchorId: reader.anchorId(),
    leaves: reader.u16(),
  }));
  reader.require(items.length <= MAX_REQUEST_ITEMS && ascending(items), 'items');
  const most = sweep ? MAX_SWEEP_LEAVES : MAX_ROUND_LEAVES;
  reader.require(
    items.every((item) => item.leaves >= 1 && item.leaves <= most),
    'range',
  );
  reader.require(leaves === items.reduce((sum, item) => sum + item.leaves, 0), 'range');
  reader.require(sweep || leaves <= MAX_ROUND_LEAVES, 'range');
  return reader.close({ ...head, leaves, sweep, items });
}
