/**
 * Reading request bodies with a limit on silence. A body that stops or is cut off is an error with a problem's code,
 * never a hang. Used by the server for small bodies and by the two routes that store.
 */
import type { IncomingMessage } from 'node:http';

/** The body did not come as it was announced. The server makes it a problem, or a cut when the answer has begun. */
export class BodyFailed extends Error {
  override readonly name = 'BodyFailed';
  readonly code: 'idle' | 'truncated';

  constructor(code: 'idle' | 'truncated', message: string) {
    super(message);
    this.code = code;
  }
}

/** Hands out a body chunk by chunk, as fast as it is asked for: what nobody asks for stays in the sender's socket. */
export class BodyReader {
  readonly #request: IncomingMessage;
  #ended = false;
  #broken = false;
  #stopped = false;
  #wake: (() => void) | undefined;

  constructor(request: IncomingMessage) {
    this.#request = request;
    const wake = () => this.#wake?.();
    request.on('readable', wake);
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

  /** The next bytes; undefined at the end. Rejects with BodyFailed after `idleMs` of silence or a broken connection. */
  async next(idleMs: number): Promise<Uint8Array | undefined> {
    for (;;) {
      const chunk = this.#ended || this.#broken ? null : (this.#request.read() as Uint8Array | null);
      if (chunk) return chunk;
      if (this.#broken) throw new BodyFailed('truncated', 'the connection broke');
      if (this.#ended || this.#stopped) return undefined;
      await this.#something(idleMs);
    }
  }

  #something(idleMs: number): Promise<void> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#wake = undefined;
        reject(new BodyFailed('idle', `no byte came for ${idleMs} ms`));
      }, idleMs);
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
    for (let chunk = await this.next(idleMs); chunk; chunk = await this.next(idleMs)) {
      // The parser of HTTP stops at Content-Length, so that the chunk always fits.
      body.set(chunk, at);
      at += chunk.length;
    }
    if (at < bytes) throw new BodyFailed('truncated', `${at} of ${bytes} bytes came`);
    return body;
  }
}
