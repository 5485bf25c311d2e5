/**
 * Group commit: shards that arrived together share the folder flush and the database commit, so that speed does not
 * fall to one flush a shard. While one batch is committed the next one gathers; there is no timer. Order, per por/v1
 * §9: file flushed (`incoming-shard.ts`), renamed, folder flushed, row and receipt committed, receipt given. A crash
 * between any two leaves either a receipted shard or a file without a row, which recovery removes.
 */
import { rename } from 'node:fs/promises';
import type { DatabaseSync } from 'node:sqlite';
import type { Log } from '#shared/primitives/effects.ts';
import { fail, type Result, succeed } from '#shared/primitives/failure.ts';
import type { AnchorId, Hotkey, OrderId } from '#shared/primitives/ids.ts';
import { inTransaction } from './database.ts';
import { FolderFlusher, type Folders, shardFolder, shardPath } from './folders.ts';
import { type ArrivedShard, diskFailure, type StoreFailure, unlinkQuietly } from './incoming-shard.ts';
import type { ShardRows } from './shard-rows.ts';
import type { Reservation, Space } from './space.ts';

/** One shard as its sender announced it. */
export interface ShardOffer {
  /** Row number of the tenant. */
  readonly tenantId: number;
  readonly tenant: Hotkey;
  readonly caller: Hotkey;
  readonly order: OrderId;
  readonly anchorId: AnchorId;
  readonly bytes: number;
  readonly ref: bigint;
  readonly holdUntilMs: number;
  readonly label: Uint8Array;
}

/** Makes a signed store receipt: statement ‖ signature₆₄. */
export type SignStore = (offer: ShardOffer, seq: number, storedAtMs: number, holdUntilMs: number) => Uint8Array;

export type Committed = Result<Uint8Array, StoreFailure>;

interface Waiting {
  readonly offer: ShardOffer;
  readonly arrived: ArrivedShard;
  readonly reservation: Reservation;
  readonly resolve: (outcome: Committed) => void;
}

/** Most shards of one batch: bounds how long one transaction holds the event loop (a signature each, 0.3 ms). */
const MAX_BATCH = 64;

const DROPPED: StoreFailure = { code: 'dropped', fault: 'caller', message: 'this anchor was dropped by its tenant' };

export interface CommitterPorts {
  readonly db: DatabaseSync;
  readonly rows: ShardRows;
  readonly space: Space;
  readonly folders: Folders;
  readonly sign: SignStore;
  readonly nowMs: () => number;
  readonly log: Log;
}

export class Committer {
  readonly #ports: CommitterPorts;
  readonly #flusher = new FolderFlusher();
  #queue: Waiting[] = [];
  #running: Promise<void> | undefined;

  constructor(ports: CommitterPorts) {
    this.#ports = ports;
  }

  /** Resolves with the signed receipt once the shard is durable. The temporary file is taken over, whatever happens. */
  commit(offer: ShardOffer, arrived: ArrivedShard, reservation: Reservation): Promise<Committed> {
    return new Promise((resolve) => {
      this.#queue.push({ offer, arrived, reservation, resolve });
      this.#running ??= this.#drain();
    });
  }

  /** Waits until everything handed over is decided. Nothing may be handed over after. */
  async close(): Promise<void> {
    await this.#running;
    await this.#flusher.close();
  }

  async #drain(): Promise<void> {
    // A turn of the event loop lets the shards whose flush ended together into the first batch.
    await new Promise((resolve) => setImmediate(resolve));
    while (this.#queue.length > 0) {
      const batch = this.#queue.splice(0, MAX_BATCH);
      const outcomes = await this.#commitBatch(batch);
      for (const [index, item] of batch.entries()) item.resolve(outcomes[index] as Committed);
    }
    this.#running = undefined;
  }

  async #commitBatch(batch: readonly Waiting[]): Promise<readonly Committed[]> {
    const moved = await Promise.all(batch.map((item) => this.#move(item)));
    const failures = await this.#flush(batch, moved);
    const outcomes = this.#write(batch, failures);
    await this.#tidy(batch, outcomes);
    return outcomes;
  }

  async #move({ offer, arrived }: Waiting): Promise<StoreFailure | undefined> {
    try {
      await rename(arrived.temporaryPath, shardPath(this.#ports.folders, offer.tenant, offer.anchorId));
      return undefined;
    } catch (error) {
      this.#ports.log.error('rename-failed', { anchorId: offer.anchorId, error: String(error) });
      return diskFailure(error);
    }
  }

  /** Flushes every folder of the batch once; a folder that fails takes its shards with it. */
  async #flush(
    batch: readonly Waiting[],
    moved: readonly (StoreFailure | undefined)[],
  ): Promise<readonly (StoreFailure | undefined)[]> {
    const flushes = new Map<string, Promise<StoreFailure | undefined>>();
    return Promise.all(
      batch.map(({ offer }, index) => {
        if (moved[index]) return moved[index];
        const folder = shardFolder(this.#ports.folders, offer.tenant, offer.anchorId);
        let flush = flushes.get(folder);
        if (!flush) {
          flush = this.#flusher.flush(folder).then(() => undefined, diskFailure);
          flushes.set(folder, flush);
        }
        return flush;
      }),
    );
  }

  /** One transaction for the batch. If it fails, no receipt of it was given and none will be. */
  #write(batch: readonly Waiting[], failures: readonly (StoreFailure | undefined)[]): readonly Committed[] {
    const stored: Waiting[] = [];
    let outcomes: Committed[];
    try {
      outcomes = inTransaction(this.#ports.db, () =>
        batch.map((item, index) => {
          const failure = failures[index];
          return failure ? fail(failure) : this.#decide(item, stored);
        }),
      );
    } catch (error) {
      this.#ports.log.error('commit-failed', { shards: batch.length, error: String(error) });
      return batch.map(() => fail(diskFailure(error)));
    }
    // Only after the commit: a rolled-back shard has used nothing.
    for (const { reservation, offer } of stored) reservation.use(offer.bytes);
    return outcomes;
  }

  #decide(item: Waiting, stored: Waiting[]): Committed {
    const { offer } = item;
    const { rows, sign, nowMs } = this.#ports;
    const { tenantId, anchorId, order, caller } = offer;
    const row = rows.find(tenantId, anchorId);
    if (row?.dropped || (!row && rows.buried(tenantId, anchorId))) return fail(DROPPED);
    const storedAtMs = row && !row.lost ? row.storedAtMs : nowMs();
    if (!row || row.lost) {
      rows.insert(tenantId, { ...offer, storedAtMs });
      rows.putMaterial(tenantId, anchorId, item.arrived.material);
      stored.push(item);
    } else {
      const known = rows.receipt(tenantId, anchorId, order, caller);
      if (known && known.holdUntilMs >= offer.holdUntilMs) return succeed(known.signed);
      rows.extendHold(tenantId, anchorId, offer.holdUntilMs);
    }
    const seq = rows.nextSeq();
    const signed = sign(offer, seq, storedAtMs, offer.holdUntilMs);
    rows.addReceipt(tenantId, anchorId, order, caller, { seq, holdUntilMs: offer.holdUntilMs, signed });
    return succeed(signed);
  }

  /** Removes what failed shards left: the temporary file, or the renamed one when no row stands for it. */
  async #tidy(batch: readonly Waiting[], outcomes: readonly Committed[]): Promise<void> {
    for (const [index, { offer, arrived }] of batch.entries()) {
      if (outcomes[index]?.ok) continue;
      try {
        await unlinkQuietly(arrived.temporaryPath);
        const row = this.#ports.rows.find(offer.tenantId, offer.anchorId);
        if (!row || row.lost) await unlinkQuietly(shardPath(this.#ports.folders, offer.tenant, offer.anchorId));
      } catch (error) {
        // Recovery removes it at the next start.
        this.#ports.log.warn('leftover', { anchorId: offer.anchorId, error: String(error) });
      }
    }
  }
}
