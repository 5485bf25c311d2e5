/**
 * Reading request bodies with a limit on silence. A body that stops or is cut off is an error with a problem's code,
 * never a hang. Used by the server for small bodies and by the two routes that store.
 */
import type { IncomingMessage } from 'node:http';
import { concatBytes } from '#shared/primitives/bytes.ts';

/** The body did not come as it was announced. The server makes it a problem, or a cut when the answer has begun. */
export class BodyFailed extends Error {
  override readonly name = 'BodyFailed';
  readonly code: 'idle' | 'truncated';

  constructor(code: 'idle' | 'truncated', message: string) {
    super(message);
    this.code = code;
  }
}

/**
 * What is gathered before a waiting reader is woken, if as much is due. Measured: workerd sends a streamed body in chunks
 * of 8 KiB; taking each on its own costs a twentieth to a tenth more CPU for a shard of 1 MiB.
 */
const GATHER_BYTES = 64 * 1024;

/**
 * Hands out a body as fast as it is asked for: beyond what one read of the socket brings, what nobody asks for stays
 * in the sender's socket.
 */
export class BodyReader {
  readonly #request: IncomingMessage;
  #parts: Uint8Array[] = [];
  #bytes = 0;
  /** What the reader that waits now is waiting for. */
  #wanted = 1;
  #heardAtMs = 0;
  #ended = false;
  #broken = false;
  #stopped = false;
  #wake: (() => void) | undefined;

  constructor(request: IncomingMessage) {
    this.#request = request;
    const wake = () => this.#wake?.();
    request.on('data', (chunk: Uint8Array) => {
      this.#parts.push(chunk);
      this.#bytes += chunk.length;
      this.#heardAtMs = performance.now();
      if (this.#bytes < this.#wanted) return;
      if (this.#wake) wake();
      else if (this.#bytes >= GATHER_BYTES) request.pause();
    });
    request.on('end', () => {
      this.#ended = true;
      wake();
    });
    // An aborted request reports an error and then closes; a finished one only closes.
    request.on('error', () => {
      this.#broken = true;
      wake();
    });
    request.on('close', () => {
      this.#broken ||= !this.#ended;
      wake();
    });
  }

  /** Ends the wait of `next`, as if the body were over. */
  stop(): void {
    this.#stopped = true;
    this.#wake?.();
  }

  /**
   * The next bytes, some 128 KiB at most; undefined at the end. Of a body that has `dueBytes` more at least, so many come at
   * once, if they are not too many. Rejects with BodyFailed after `idleMs` without a byte or a broken connection.
   */
  async next(idleMs: number, dueBytes = 1): Promise<Uint8Array | undefined> {
    this.#wanted = Math.min(dueBytes, GATHER_BYTES);
    const over = () => this.#ended || this.#broken || this.#stopped;
    if (this.#bytes < this.#wanted && !over()) await this.#something(idleMs);
    if (this.#broken) throw new BodyFailed('truncated', 'the connection broke');
    return this.#bytes > 0 ? this.#take() : undefined;
  }

  #take(): Uint8Array {
    const [first, ...more] = this.#parts;
    const bytes = first && more.length === 0 ? first : concatBytes(...this.#parts);
    this.#parts = [];
    this.#bytes = 0;
    if (this.#request.isPaused()) this.#request.resume();
    return bytes;
  }

  #something(idleMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#heardAtMs = performance.now();
      const look = () => {
        const leftMs = this.#heardAtMs + idleMs - performance.now();
        if (leftMs > 0) {
          timer = setTimeout(look, Math.ceil(leftMs));
          return;
        }
        this.#wake = undefined;
        reject(new BodyFailed('idle', `no byte came for ${idleMs} ms`));
      };
      let timer = setTimeout(look, idleMs);
      this.#wake = () => {
        clearTimeout(timer);
        this.#wake = undefined;
        resolve();
      };
    });
  }

  /** A whole small body of exactly `bytes`. */
  async exactly(bytes: number, idleMs: number): Promise<Uint8Array> {
    const body = new Uint8Array(bytes);
    let at = 0;
    const next = () => this.next(idleMs, Math.max(1, bytes - at));
    for (let chunk = await next(); chunk; chunk = await next()) {
      // The parser of HTTP stops at Content-Length, so that the chunk always fits.
      body.set(chunk, at);
      at += chunk.length;
    }
    if (at < bytes) throw new BodyFailed('truncated', `${at} of ${bytes} bytes came`);
    return body;
  }
}
