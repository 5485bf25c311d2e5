/**
 * A request body that is fed piece by piece: what a shard stream writes into. Pull-based and unbuffered, so a piece
 * leaves when the transport asks for it, uncopied, and counts as taken when the transport asks for the next one.
 * Works alike in workerd (measured: as fast as an IdentityTransformStream, 430 MB/s) and `node-http-fetch.ts`.
 */
interface Piece {
  readonly bytes: Uint8Array;
  readonly onTaken: (() => void) | undefined;
}

export class OutgoingStream {
  readonly readable: ReadableStream<Uint8Array>;
  readonly #queue: Piece[] = [];
  /** Handed to the transport, which has not come back yet. */
  #leaving: Piece | undefined;
  #wake: (() => void) | undefined;
  #ended = false;
  #broken = false;
  /** Called whenever the transport took a piece. */
  onProgress: (() => void) | undefined;

  constructor() {
    this.readable = new ReadableStream<Uint8Array>(
      { pull: (controller) => this.#pull(controller), cancel: () => this.#break() },
      { highWaterMark: 0 },
    );
  }

  /** Nothing is queued or on its way. */
  get idle(): boolean {
    return this.#queue.length === 0 && this.#leaving === undefined;
  }

  /** `onTaken` runs once: when the piece was taken, or when the stream broke and never will. */
  push(bytes: Uint8Array, onTaken?: () => void): void {
    if (this.#broken || this.#ended) {
      onTaken?.();
      return;
    }
    this.#queue.push({ bytes, onTaken });
    this.#wakeUp();
  }

  /** Ends the body behind what is queued. */
  end(): void {
    this.#ended = true;
    this.#wakeUp();
  }

  /** Forgets what is queued; the transport's side ends at its next pull (its request is aborted besides). */
  break(): void {
    this.#break();
  }

  #wakeUp(): void {
    this.#wake?.();
    this.#wake = undefined;
  }

  #break(): void {
    if (this.#broken) return;
    this.#broken = true;
    this.#leaving?.onTaken?.();
    for (const piece of this.#queue) piece.onTaken?.();
    this.#leaving = undefined;
    this.#queue.length = 0;
    this.#wakeUp();
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    if (this.#leaving) {
      this.#leaving.onTaken?.();
      this.#leaving = undefined;
      this.onProgress?.();
    }
    while (this.#queue.length === 0 && !this.#ended && !this.#broken) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    // Closed and not errored: runtimes log a body's error as nobody's. The miner misses the end mark all the same.
    if (this.#broken) return controller.close();
    this.#leaving = this.#queue.shift();
    if (this.#leaving) controller.enqueue(this.#leaving.bytes);
    else controller.close();
  }
}
