/**
 * What is asked of one miner next, drawn from the inventory that its chain is committed to (por/v1 §5): the leaves of a
 * round by the sampler, or the next shards of a sweep. Costs the same whatever the inventory's size. Nothing is written
 * here; `ask-miners.ts` opens, sends and judges.
 */
import type { AnchorId, Hotkey } from '#shared/primitives/ids.ts';
import { leafCount } from '#shared/proof/anchor.ts';
import {
  type ChallengeRequest,
  MAX_REQUEST_ITEMS,
  MAX_SWEEP_LEAVES,
  type RequestItem,
} from '#shared/proof/challenge-request.ts';
import { selectShards } from '#shared/proof/sample.ts';
import { contextOf, roundLeaves } from '#shared/proof/seed.ts';
import type { MinerPeer } from '#shared/wire/ports.ts';
import type { MinerChain } from '#validator/state/audit-book.ts';
import type { FrozenInventory } from '#validator/state/inventories.ts';
import type { OwedShard } from '#validator/state/ports.ts';

export interface MinerToAsk {
  readonly hotkey: Hotkey;
  /** Undefined when its registered address leads nowhere. */
  readonly peer: MinerPeer | undefined;
}

/** The block that a round draws from. */
export interface RoundBlock {
  readonly round: number;
  readonly number: number;
  readonly hash: Uint8Array;
}

/** A request but for `nextCommit`, which is made when it is opened. */
export interface Draft {
  readonly miner: MinerToAsk;
  readonly request: Omit<ChallengeRequest, 'nextCommit'>;
  /** The shards that are asked, as they were when the inventory was frozen. */
  readonly owed: ReadonlyMap<AnchorId, OwedShard>;
  readonly sweepCursor: string | undefined;
  /** The record before, signed. */
  readonly record: Uint8Array | undefined;
}

const ZEROS = new Uint8Array(32);

/** The first request of a chain: it only carries what the next one is committed to. */
export function draftStart(validator: Hotkey, miner: MinerToAsk, block: RoundBlock): Draft {
  const request = {
    validator,
    miner: miner.hotkey,
    round: 0,
    block: 0,
    blockHash: block.hash,
    prevTranscript: ZEROS,
    inventory: ZEROS,
    inventoryLeaves: 0,
    salt: ZEROS,
    leaves: 0,
    sweep: false,
    items: [],
  };
  return { miner, request, owed: new Map(), sweepCursor: undefined, record: undefined };
}

export async function draftRound(
  validator: Hotkey,
  miner: MinerToAsk,
  block: RoundBlock,
  chain: MinerChain,
  frozen: FrozenInventory,
): Promise<Draft> {
  const owed = new Map<AnchorId, OwedShard>();
  const shardAt = (s: number, slot: number) => {
    const shard = frozen.shardAt(s, slot);
    owed.set(shard.anchorId, shard);
    return shard;
  };
  const leaves = roundLeaves(frozen.leaves);
  const head = { ...headOf(validator, miner, block, chain, frozen), leaves, sweep: false };
  const items = await selectShards(contextOf(head), { ...frozen, shardAt }, leaves);
  return { miner, request: { ...head, items }, owed, sweepCursor: undefined, record: chain.record };
}

export function draftSweep(
  validator: Hotkey,
  miner: MinerToAsk,
  block: RoundBlock,
  chain: MinerChain,
  frozen: FrozenInventory,
): Draft {
  const { shards, next } = shardsFrom(frozen, chain.sweepCursor, MAX_REQUEST_ITEMS);
  const items = shards
    .map(({ anchorId, bytes }): RequestItem => ({ anchorId, leaves: Math.min(MAX_SWEEP_LEAVES, leafCount(bytes)) }))
    .sort((a, b) => (a.anchorId < b.anchorId ? -1 : 1));
  const leaves = items.reduce((sum, item) => sum + item.leaves, 0);
  const head = { ...headOf(validator, miner, block, chain, frozen), leaves, sweep: true };
  const owed = new Map(shards.map((shard) => [shard.anchorId, shard]));
  return { miner, request: { ...head, items }, owed, sweepCursor: next, record: chain.record };
}

const headOf = (
  validator: Hotkey,
  miner: MinerToAsk,
  block: RoundBlock,
  chain: MinerChain,
  frozen: FrozenInventory,
) => ({
  validator,
  miner: miner.hotkey,
  round: block.round,
  block: block.number,
  blockHash: block.hash,
  prevTranscript: chain.transcript,
  inventory: frozen.inventory,
  inventoryLeaves: frozen.leaves,
  salt: chain.nextSalt,
});

const CURSOR = /^([0-9]{1,2})\.([0-9]{1,10})$/;

/** Up to `limit` shards in class and slot order; `next` is undefined at the end of the inventory. */
function shardsFrom(
  frozen: FrozenInventory,
  cursor: string | undefined,
  limit: number,
): { readonly shards: readonly OwedShard[]; readonly next: string | undefined } {
  const [, fromClass = '0', fromSlot = '0'] = CURSOR.exec(cursor ?? '0.0') ?? [];
  const shards: OwedShard[] = [];
  for (let s = Number(fromClass); s < frozen.classes.length; s++) {
    const size = frozen.classes[s]?.shards ?? 0;
    for (let slot = s === Number(fromClass) ? Number(fromSlot) : 0; slot < size; slot++) {
      if (shards.length === limit) return { shards, next: `${s}.${slot}` };
      shards.push(frozen.shardAt(s, slot));
    }
  }
  return { shards, next: undefined };
}
