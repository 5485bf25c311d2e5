/**
 * Erases dropped shards when their hold is over, also when that came while the miner was down. The row becomes a
 * tombstone first and the file goes after: a restore can then never meet a half-erased shard, and a crash in between
 * leaves a file without a row, which recovery removes. One timer, always set for the next erase that is due.
 */
import type { DatabaseSync } from 'node:sqlite';
import type { Log } from '#shared/primitives/effects.ts';
import type { AnchorId } from '#shared/primitives/ids.ts';
import { inTransaction } from './database.ts';
import { unlinkQuietly } from './incoming-shard.ts';
import type { ShardRows } from './shard-rows.ts';

/** Shards of one transaction: keeps the event loop free while thousands are due. */
const ERASE_BATCH = 64;
/** A look at the rows at least this often: timers drift, and clocks are set. */
const LONGEST_WAIT_MS = 60_000;
/**
 * Anchors that were dropped are refused for this long (por/v1 §3). One could only come again from a tenant that goes on
 * from a backup of its index older than that; the rows of ten million are 0.6 GB.
 */
export const TOMBSTONE_KEPT_MS = 400 * 24 * 3_600_000;
/** Tombstones are looked through in so many slices by anchor, one a minute at least: none holds up a request. */
const SLICES = 256;

export interface EraserPorts {
  readonly db: DatabaseSync;
  readonly rows: ShardRows;
  readonly nowMs: () => number;
  readonly log: Log;
  readonly pathOf: (tenantId: number, anchorId: AnchorId) => string;
  /** Told once per erased shard, for the books. */
  readonly onErased: (tenantId: number, bytes: number) => void;
}

export class Eraser {
  readonly #ports: EraserPorts;
  #timer: NodeJS.Timeout | undefined;
  #running: Promise<void> | undefined;
  #stopped = false;
  #slice = 0;
  #slicedAtMs = 0;

  constructor(ports: EraserPorts) {
    this.#ports = ports;
  }

  /** Sets the timer anew: at start, and whenever an order changed what is due. */
  plan(): void {
    clearTimeout(this.#timer);
    if (this.#stopped || this.#running) return;
    const next = this.#ports.rows.nextEraseAtMs();
    const waitMs = next === undefined ? LONGEST_WAIT_MS : next - this.#ports.nowMs();
    this.#timer = setTimeout(() => void this.#run(), Math.min(Math.max(waitMs, 0), LONGEST_WAIT_MS));
    this.#timer.unref();
  }

  async #run(): Promise<void> {
    this.#running = this.eraseDue().then(
      () => undefined,
      (error) => this.#ports.log.error('erase-failed', { error: String(error) }),
    );
    await this.#running;
    this.#running = undefined;
    this.plan();
  }

  /** Erases everything that is due now; the number of shards erased. */
  async eraseDue(): Promise<number> {
    const { db, rows, nowMs, log, pathOf, onErased } = this.#ports;
    let erased = 0;
    for (;;) {
      const due = rows.toErase(nowMs(), ERASE_BATCH);
      if (due.length === 0 || this.#stopped) break;
      inTransaction(db, () => {
        for (const { tenant, shard } of due) rows.bury(tenant, shard.anchorId, nowMs());
      });
      for (const { tenant, shard } of due) {
        try {
          await unlinkQuietly(pathOf(tenant, shard.anchorId));
        } catch (error) {
          log.error('erase-leftover', { anchorId: shard.anchorId, error: String(error) });
        }
        onErased(tenant, shard.bytes);
      }
      erased += due.length;
    }
    if (erased > 0) log.info('erased', { shards: erased });
    if (!this.#stopped && nowMs() - this.#slicedAtMs >= LONGEST_WAIT_MS) this.forgetSlice();
    return erased;
  }

  /** Forgets tombstones of the next slice whose time is over. */
  forgetSlice(): void {
    const { rows, nowMs } = this.#ports;
    this.#slicedAtMs = nowMs();
    rows.forgetTombstones(this.#slice, nowMs() - TOMBSTONE_KEPT_MS);
    this.#slice = (this.#slice + 1) % SLICES;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    clearTimeout(this.#timer);
    await this.#running;
  }
}
