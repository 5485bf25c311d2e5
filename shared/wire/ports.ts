/**
 * What callers need of a miner, one method a request of the miner's API (`docs/protocol.md`). The client checks all
 * that can be checked without knowing why it was asked: status, lengths, receipt signatures against what was sent.
 * Nothing here retries: engines decide.
 */

import type { Failure, Result } from '#shared/primitives/failure.ts';
import type { AnchorId, Hotkey, OrderId } from '#shared/primitives/ids.ts';
import type { ChallengeBody } from './challenge-body.ts';

/** A miner to talk to: who it must prove to be, and where requests go (made by the host pattern port). */
export interface MinerPeer {
  readonly hotkey: Hotkey;
  /** Origin without a trailing slash, e.g. `http://127.0.0.1:9001`. */
  readonly url: string;
}

export type MinerFailureCode =
  | 'unreachable' /** no connection, or it broke, or it stayed silent too long */
  | 'full' /** 507 */
  | 'refused' /** a 4xx: our signature, grant or request is not to its liking; `problem` says which */
  | 'absent' /** 404 for a shard or receipt */
  | 'dropped' /** 410 */
  | 'broken' /** it answered against the protocol: wrong length, wrong signature, redirect, encoding */
  | 'forged' /** its receipt for a shard does not verify: not its connection, the miner itself */
  | 'busy' /** 429 or 503 */
  | 'cancelled'; /** our own abort signal */

export interface MinerFailure extends Failure {
  readonly code: MinerFailureCode;
  readonly miner: Hotkey;
  /** The problem's stable code, when the miner sent one. */
  readonly problem?: string;
}

/** One shard on its way to a miner. */
export interface ShardFrame {
  readonly anchorId: AnchorId;
  readonly ref: bigint;
  readonly holdUntilMs: number;
  /** At most 160 opaque bytes. */
  readonly label: Uint8Array;
  readonly shard: Uint8Array;
  /** Makes it a shard of anchor type 2 (zk/v1): 32 bytes that go before it, to this miner alone. Only `putShard`. */
  readonly blindKey?: Uint8Array;
}

/** A store receipt whose signature, order, anchor, bytes, tenant and caller were checked. */
export interface StoreReceipt {
  readonly anchorId: AnchorId;
  /** statement ‖ signature, as the miner sent it. */
  readonly signed: Uint8Array;
  readonly seq: number;
}

/** One `POST /v1/shards`: frames go out while receipts come back. */
export interface ShardStream {
  /**
   * Sends one shard and resolves with its receipt, whenever that comes. Rejects never. Order of receipts is free.
   * The promise `sent` of the handle resolves when the transport took the whole frame: the caller may then count the
   * buffer as handed over.
   */
  send(frame: ShardFrame): {
    readonly sent: Promise<void>;
    readonly receipt: Promise<Result<StoreReceipt, MinerFailure>>;
  };
  /** Ends the stream after the frames sent so far; resolves when the miner has answered all of them or failed. */
  finish(): Promise<void>;
  /** Breaks the stream: open receipts fail as `cancelled`. */
  abort(): void;
}

export interface ShardListing {
  readonly anchorId: AnchorId;
  readonly bytes: number;
  readonly ref: bigint;
  readonly holdUntilMs: number;
  readonly label: Uint8Array;
  readonly state: 'held' | 'dropped';
}

export interface MinerHealth {
  readonly hotkey: Hotkey;
  readonly version: string;
  readonly role: 'miner';
  readonly freeBytes: number;
  readonly capacityBytes: number;
  readonly shards: number;
  readonly draining: boolean;
  /** It goes for good, and waits until its shards lie elsewhere. */
  readonly leaving?: true;
}

export interface DroppedShard {
  readonly anchorId: AnchorId;
  readonly state: 'held' | 'erased' | 'absent' | 'restored';
}

/** Told of a request that has to queue for one of the runtime's slots, and of its turn; of no other. */
export interface Turn {
  waits(): void;
  comes(): void;
}

export interface MinerClient {
  /** Opens a stream for one upload; resolves when the miner's early 202 is there. `maxBytes`: shard bytes to reserve. */
  openStream(
    miner: MinerPeer,
    order: OrderId,
    maxBytes: number,
    signal: AbortSignal,
  ): Promise<Result<ShardStream, MinerFailure>>;
  /** The same for a single shard, in one plain request: the fallback when streams break. */
  putShard(
    miner: MinerPeer,
    order: OrderId,
    frame: ShardFrame,
    signal: AbortSignal,
  ): Promise<Result<StoreReceipt, MinerFailure>>;
  /** The receipt of a shard of this order, for when its answer was lost. */
  readReceipt(
    miner: MinerPeer,
    order: OrderId,
    anchorId: AnchorId,
    bytes: number,
    signal: AbortSignal,
  ): Promise<Result<StoreReceipt, MinerFailure>>;
  /** Several shards in one request; yields in the order asked, one result each, exactly as many as asked. */
  readShards(
    miner: MinerPeer,
    shards: readonly { readonly anchorId: AnchorId; readonly bytes: number }[],
    signal: AbortSignal,
    turn?: Turn,
  ): AsyncIterable<Result<Uint8Array, MinerFailure>>;
  headShard(
    miner: MinerPeer,
    anchorId: AnchorId,
    signal: AbortSignal,
  ): Promise<Result<{ readonly bytes: number }, MinerFailure>>;
  health(miner: MinerPeer, signal: AbortSignal): Promise<Result<MinerHealth, MinerFailure>>;
  /** Proves that the miner at this URL has this hotkey and claims this address. */
  hello(
    miner: MinerPeer,
    address: { readonly ip: string; readonly port: number },
    signal: AbortSignal,
  ): Promise<Result<void, MinerFailure>>;
  /** The tenant's shards on this miner, page by page (tenant only). */
  listShards(
    miner: MinerPeer,
    cursor: string | undefined,
    limit: number,
    signal: AbortSignal,
  ): Promise<Result<{ readonly items: readonly ShardListing[]; readonly next?: string }, MinerFailure>>;
  /** Sends a signed drop or restore order (tenant only) and checks the miner's receipt for it. */
  drop(
    miner: MinerPeer,
    anchors: readonly AnchorId[],
    action: 'drop' | 'restore',
    reason: number,
    signal: AbortSignal,
  ): Promise<Result<readonly DroppedShard[], MinerFailure>>;
  /**
   * Asks for proofs (tenant only) and resolves with the whole answer as it came, unjudged: `verifyAnswer` judges it.
   * `unreachable` when it is not there within `challengeDeadlineMs(answerBytes)`; `broken` when it is longer than a
   * right one.
   * @param answerBytes of a complete answer (`RoundPlan.answerBytes`)
   */
  challenge(
    miner: MinerPeer,
    challenge: ChallengeBody,
    answerBytes: number,
    signal: AbortSignal,
  ): Promise<Result<Uint8Array, MinerFailure>>;
}
