/**
 * The state of a segment's shards while they are stored: slots, the attempts to fill them, and what follows from them.
 * No effects in here: `segment-store.ts` acts, this answers.
 */
import type { SegmentRecord, ShardSlot } from '#shared/index/ports.ts';
import type { AnchorId, MinerNumber } from '#shared/primitives/ids.ts';
import { HASH_BYTES } from '#shared/proof/anchor.ts';
import type { StoreReceipt } from '#shared/wire/ports.ts';
import type { Peer, Stray } from './ports.ts';

/** One placing of one shard. */
export interface Attempt {
  readonly slot: StoreSlot;
  readonly peer: Peer;
  readonly placement: number;
  state: 'live' | 'won' | 'failed';
  /** Set when the frame is handed to the miner's connection, which may be more than once for one placing. */
  handed: { readonly atMs: number; readonly root: Uint8Array; readonly anchorId: AnchorId } | undefined;
  /** The transport has all of the frame. */
  sent: boolean;
  /** Another miner was asked because this one is behind the others. */
  late: boolean;
  /** It is late, nobody could be asked instead, and nothing bad was known of it. */
  sole: boolean;
  /** Its connection was aborted, its end is on the way. */
  dropped: boolean;
  /** It was sent again in a plain request after its stream broke. */
  repeated: boolean;
  /** It certainly was not stored: the miner said so, or was never reached. */
  notStored: boolean;
}

export interface StoreSlot {
  readonly index: number;
  /** The number of its first placing. */
  readonly firstPlacement: number;
  readonly attempts: Attempt[];
  receipt: StoreReceipt | undefined;
}

export const newSlots = (n: number, firstPlacement = 0): readonly StoreSlot[] =>
  Array.from({ length: n }, (_, index) => ({ index, firstPlacement, attempts: [], receipt: undefined }));

export function addAttempt(slot: StoreSlot, peer: Peer): Attempt {
  const flags = { sent: false, late: false, sole: false, dropped: false, repeated: false, notStored: false };
  const placement = slot.firstPlacement + slot.attempts.length;
  const attempt: Attempt = { slot, peer, placement, state: 'live', handed: undefined, ...flags };
  slot.attempts.push(attempt);
  return attempt;
}

export const attemptsIn = (slots: readonly StoreSlot[], state: Attempt['state']): readonly Attempt[] =>
  slots.flatMap((slot) => slot.attempts.filter((attempt) => attempt.state === state));

/** Miners that hold a shard of the segment or may yet do so. */
export const holdersOf = (slots: readonly StoreSlot[]): readonly Peer[] =>
  slots.flatMap((slot) => slot.attempts.filter((attempt) => attempt.state !== 'failed').map(({ peer }) => peer));

/** Someone else has to be asked: nothing is in, and nobody who is asked is in time. */
export const isOpen = (slot: StoreSlot): boolean =>
  !slot.receipt && !slot.attempts.some((attempt) => attempt.state === 'live' && !attempt.late);

const NO_ROOT = new Uint8Array(HASH_BYTES);
const NO_MINER = 0 as MinerNumber;

/** A slot without a receipt is recorded as lost, with its last placing, so that repair counts on from there. */
function recordOf(slot: StoreSlot): ShardSlot {
  const won = slot.attempts.find((attempt) => attempt.state === 'won');
  if (won?.handed) {
    return { root: won.handed.root, miner: won.peer.number, placement: won.placement, state: 'stored' };
  }
  const last = slot.attempts.at(-1);
  return {
    root: NO_ROOT,
    miner: last?.peer.number ?? NO_MINER,
    placement: last?.placement ?? slot.firstPlacement,
    state: 'lost',
  };
}

export const segmentRecordOf = (slots: readonly StoreSlot[], hash: Uint8Array): SegmentRecord => ({
  hash,
  slots: slots.map(recordOf),
});

/** Everything handed to a miner that may be there and is in no record. */
export function straysOf(slots: readonly StoreSlot[], segment: number, recorded: boolean): readonly Stray[] {
  const strays: Stray[] = [];
  for (const { handed, peer, notStored, state } of slots.flatMap((slot) => slot.attempts)) {
    if (handed && !notStored && !(recorded && state === 'won')) {
      strays.push({ miner: peer.number, anchorId: handed.anchorId, segment });
    }
  }
  return strays;
}
