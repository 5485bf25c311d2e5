/** A few commands to a Redis, spoken directly (RESP2): what a doctor needs, and no more. */
import { connect as connectPlain, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';

const TIMEOUT_MS = 5000;
const DEFAULT_PORT = 6379;

export type Reply = string | number | null | readonly Reply[] | { readonly error: string };

export const isErrorReply = (reply: Reply): reply is { readonly error: string } =>
  typeof reply === 'object' && reply !== null && 'error' in reply;

/** One reply from the front of a text, and how many characters it took; undefined while it is not whole. Pure. */
export function parseReply(text: string, at = 0): { readonly reply: Reply; readonly end: number } | undefined {
  const lineEnd = text.indexOf('\r\n', at);
  if (lineEnd < 0) return undefined;
  const line = text.slice(at + 1, lineEnd);
  const next = lineEnd + 2;
  switch (text[at]) {
    case '+':
      return { reply: line, end: next };
    case '-':
      return { reply: { error: line }, end: next };
    case ':':
      return { reply: Number(line), end: next };
    case '$': {
      const length = Number(line);
      if (length < 0) return { reply: null, end: next };
      if (text.length < next + length + 2) return undefined;
      return { reply: text.slice(next, next + length), end: next + length + 2 };
    }
    case '*': {
      const replies: Reply[] = [];
      let end = next;
      for (let count = Number(line); count > 0; count--) {
        const parsed = parseReply(text, end);
        if (!parsed) return undefined;
        replies.push(parsed.reply);
        end = parsed.end;
      }
      return { reply: replies, end };
    }
    default:
      throw new Error('what answers is no Redis');
  }
}

export class RedisSession {
  readonly #socket: Socket;
  #held = '';
  readonly #waiting: { resolve(reply: Reply): void; reject(error: Error): void }[] = [];

  private constructor(socket: Socket) {
    this.#socket = socket;
    // One character a byte: lengths in the protocol count bytes.
    socket.setEncoding('latin1');
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
    socket.on('data', (data: string) => this.#take(data));
    const end = (error: Error) => {
      for (const { reject } of this.#waiting.splice(0)) reject(error);
    };
    socket.on('error', end);
    socket.on('close', () => end(new Error('the connection was closed')));
  }

  /** Connected, not yet authenticated. */
  static open(url: URL): Promise<RedisSession> {
    const options = { host: url.hostname.replace(/^\[|\]$/g, ''), port: Number(url.port || DEFAULT_PORT) };
    const secure = url.protocol === 'rediss:';
    return new Promise((resolve, reject) => {
      const socket: Socket = secure ? connectTls({ ...options, servername: options.host }) : connectPlain(options);
      socket.once('error', reject);
      socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error(`no answer within ${TIMEOUT_MS / 1000} s`)));
      socket.once(secure ? 'secureConnect' : 'connect', () => {
        socket.off('error', reject);
        resolve(new RedisSession(socket));
      });
    });
  }

  send(...words: readonly string[]): Promise<Reply> {
    const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#socket.write(`*${words.length}\r\n${parts.join('')}`);
    });
  }

  #take(data: string): void {
    this.#held += data;
    try {
      for (let parsed = parseReply(this.#held); parsed; parsed = parseReply(this.#held)) {
        this.#held = this.#held.slice(parsed.end);
        this.#waiting.shift()?.resolve(parsed.reply);
      }
    } catch (error) {
      this.#socket.destroy(error as Error);
    }
  }

  close(): void {
    this.#socket.destroy();
  }
}
