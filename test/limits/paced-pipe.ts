/**
 * A stretch of network between a Worker and a miner: every piece arrives `delayMs` after it was sent, and pieces
 * leave no faster than the link's bandwidth. Delay costs time, not throughput: up to `WINDOW_BYTES` are under way at
 * once, as with TCP's window scaling.
 */
import { Transform, type TransformCallback } from 'node:stream';

/** Bytes under way before the sender must wait: bandwidth × delay of 50 MB/s over 300 ms. */
const WINDOW_BYTES = 16 * 1024 * 1024;

export interface Link {
  readonly delayMs: number;
  /** Of the whole link, shared by everything that passes it; undefined: as fast as it goes. */
  readonly bytesPerSecond?: number;
  /** When the link is next idle, ms since the epoch: state that all pipes of one link share. */
  idleAtMs: number;
}

export const newLink = (delayMs: number, bytesPerSecond?: number): Link =>
  bytesPerSecond === undefined ? { delayMs, idleAtMs: 0 } : { delayMs, bytesPerSecond, idleAtMs: 0 };

export class PacedPipe extends Transform {
  readonly #link: Link;
  #underWay = 0;
  #lastAtMs = 0;
  #waiting: TransformCallback | undefined;
  #closing: TransformCallback | undefined;
  readonly #timers = new Set<NodeJS.Timeout>();

  constructor(link: Link) {
    super({ readableHighWaterMark: WINDOW_BYTES });
    this.#link = link;
  }

  #arrivalMs(bytes: number): number {
    const link = this.#link;
    const now = performance.now();
    const leaves = Math.max(now, link.idleAtMs);
    link.idleAtMs = leaves + (link.bytesPerSecond === undefined ? 0 : (1000 * bytes) / link.bytesPerSecond);
    return Math.max(this.#lastAtMs, link.idleAtMs + link.delayMs);
  }

  #after(ms: number, then: () => void): void {
    if (ms <= 0) {
      then();
      return;
    }
    const timer = setTimeout(() => {
      this.#timers.delete(timer);
      then();
    }, ms);
    this.#timers.add(timer);
  }

  override _transform(piece: Buffer, _encoding: BufferEncoding, done: TransformCallback): void {
    const arrives = this.#arrivalMs(piece.length);
    this.#lastAtMs = arrives;
    this.#underWay += piece.length;
    this.#after(arrives - performance.now(), () => {
      this.push(piece);
      this.#underWay -= piece.length;
      const waiting = this.#waiting;
      if (waiting && this.#underWay < WINDOW_BYTES) {
        this.#waiting = undefined;
        waiting();
      }
      if (this.#underWay === 0) this.#closing?.();
    });
    if (this.#underWay < WINDOW_BYTES) done();
    else this.#waiting = done;
  }

  override _flush(done: TransformCallback): void {
    if (this.#underWay === 0) this.#after(this.#link.delayMs, () => done());
    else this.#closing = done;
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    for (const timer of this.#timers) clearTimeout(timer);
    this.#timers.clear();
    done(error);
  }
}
