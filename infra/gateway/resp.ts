/**
 * RESP2, the wire format of Redis: commands out, replies in. The reader takes pieces as they come from the socket and
 * yields whole replies; anything that is no RESP2 throws, and the connection is given up.
 * Source: https://redis.io/docs/latest/develop/reference/protocol-spec/
 */
import type { Command, Reply } from './engine.ts';

const CRLF = Buffer.from('\r\n');
/** Replies larger than this are a broken peer, not data of ours. */
const MAX_BULK_BYTES = 64 * 1024 * 1024;
const MAX_ITEMS = 1_000_000;
/** JSON numbers carry the larger ones rounded, as the hosted service does. */
const INT64 = 2 ** 63;

export function encodeCommand(command: Command): Buffer {
  const parts: Uint8Array[] = [Buffer.from(`*${command.args.length + 1}\r\n`)];
  for (const part of [Buffer.from(command.name), ...command.args]) {
    parts.push(Buffer.from(`$${part.length}\r\n`), part, CRLF);
  }
  return Buffer.concat(parts);
}

export class RespReader {
  #pending: Buffer = Buffer.alloc(0);

  /** The replies that are whole now. */
  push(piece: Buffer): Reply[] {
    this.#pending = this.#pending.length === 0 ? piece : Buffer.concat([this.#pending, piece]);
    const replies: Reply[] = [];
    let at = 0;
    for (;;) {
      const parsed = parseReply(this.#pending, at);
      if (!parsed) break;
      replies.push(parsed.reply);
      at = parsed.end;
    }
    this.#pending = this.#pending.subarray(at);
    return replies;
  }
}

/** The reply that starts at `at`, or undefined while some of it is missing. */
function parseReply(buffer: Buffer, at: number): { reply: Reply; end: number } | undefined {
  const lineEnd = buffer.indexOf(CRLF, at);
  if (lineEnd < 0) return undefined;
  const line = buffer.toString('utf8', at + 1, lineEnd);
  const end = lineEnd + 2;
  switch (String.fromCharCode(buffer[at] ?? 0)) {
    case '+':
      return { reply: { status: line }, end };
    case '-':
      return { reply: { error: line }, end };
    case ':':
      return { reply: length(line, -INT64, INT64), end };
    case '$': {
      const bytes = length(line, -1, MAX_BULK_BYTES);
      if (bytes < 0) return { reply: null, end };
      if (buffer.length < end + bytes + 2) return undefined;
      return { reply: Uint8Array.prototype.slice.call(buffer, end, end + bytes), end: end + bytes + 2 };
    }
    case '*': {
      const count = length(line, -1, MAX_ITEMS);
      if (count < 0) return { reply: null, end };
      const items: Reply[] = [];
      let next = end;
      for (let i = 0; i < count; i++) {
        const item = parseReply(buffer, next);
        if (!item) return undefined;
        items.push(item.reply);
        next = item.end;
      }
      return { reply: items, end: next };
    }
    default:
      throw new Error('not a RESP2 reply');
  }
}

function length(line: string, min: number, max: number): number {
  const value = /^-?[0-9]+$/.test(line) ? Number(line) : Number.NaN;
  if (!(value >= min && value <= max)) throw new Error('not a RESP2 length');
  return value;
}
