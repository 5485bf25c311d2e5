/**
 * The gateway's engine in front of a real Redis: one connection, commands pipelined in order. A broken connection
 * fails what was on the way (nobody knows what ran) and the next request opens a new one.
 */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { type Command, type Engine, isError, type Reply } from './engine.ts';
import { encodeCommand, RespReader } from './resp.ts';

const CONNECT_TIMEOUT_MS = 5_000;
/** A Redis that is silent for so long while replies are due is taken for dead. */
const REPLY_TIMEOUT_MS = 10_000;

interface Waiting {
  readonly count: number;
  readonly replies: Reply[];
  readonly resolve: (replies: Reply[]) => void;
  readonly reject: (reason: unknown) => void;
}

interface Connection {
  send(commands: readonly Command[]): Promise<Reply[]>;
  readonly alive: boolean;
  end(): void;
}

const bytes = (text: string): Uint8Array => Buffer.from(text);

/** @param url `redis://[user:password@]host:port[/database]` or `rediss://` */
export function openRespEngine(url: string): Engine {
  const target = new URL(url);
  if (target.protocol !== 'redis:' && target.protocol !== 'rediss:') throw new Error('REDIS_URL must be redis(s)://');
  let opening: Promise<Connection> | undefined;
  let current: Connection | undefined;
  let closed = false;

  async function connection(): Promise<Connection> {
    if (closed) throw new Error('the engine is closed');
    if (current?.alive) return current;
    opening ??= open(target).finally(() => {
      opening = undefined;
    });
    current = await opening;
    return current;
  }

  return {
    async run(commands, atomic) {
      const open = await connection();
      if (!atomic) return open.send(commands);
      const replies = await open.send([{ name: 'MULTI', args: [] }, ...commands, { name: 'EXEC', args: [] }]);
      const result = replies.at(-1) ?? null;
      if (Array.isArray(result)) return result;
      throw new Error(isError(result) ? result.error : 'EXEC was discarded');
    },
    async close() {
      closed = true;
      current?.end();
    },
  };
}

async function open(target: URL): Promise<Connection> {
  const port = Number(target.port || 6379);
  const host = target.hostname.replace(/^\[|\]$/g, '');
  const socket = target.protocol === 'rediss:' ? connectTls({ port, host, servername: host }) : connectTcp(port, host);
  const opened = target.protocol === 'rediss:' ? 'secureConnect' : 'connect';
  await new Promise<void>((resolve, reject) => {
    const late = setTimeout(() => socket.destroy(new Error('Redis did not accept in time')), CONNECT_TIMEOUT_MS);
    socket.once(opened, () => {
      clearTimeout(late);
      resolve();
    });
    socket.once('close', () => {
      clearTimeout(late);
      reject(new Error('no connection to Redis'));
    });
    socket.on('error', reject);
  });
  const connection = speak(socket);
  const hello: Command[] = [];
  if (target.password) {
    const user = target.username ? [bytes(decodeURIComponent(target.username))] : [];
    hello.push({ name: 'AUTH', args: [...user, bytes(decodeURIComponent(target.password))] });
  }
  if (target.pathname.length > 1) hello.push({ name: 'SELECT', args: [bytes(target.pathname.slice(1))] });
  const failed = hello.length > 0 ? (await connection.send(hello)).find(isError) : undefined;
  if (failed) {
    connection.end();
    throw new Error(`Redis refused: ${failed.error}`);
  }
  return connection;
}

function speak(socket: Socket): Connection {
  const reader = new RespReader();
  const waiting: Waiting[] = [];
  let alive = true;
  socket.setNoDelay(true);
  socket.on('timeout', () => {
    if (waiting.length > 0) socket.destroy(new Error('Redis is silent'));
  });
  socket.on('data', (piece: Buffer) => {
    try {
      for (const reply of reader.push(piece)) take(reply);
    } catch (error) {
      socket.destroy(error instanceof Error ? error : new Error(String(error)));
    }
    if (waiting.length === 0) socket.setTimeout(0);
  });
  socket.on('error', () => {});
  socket.on('close', () => {
    alive = false;
    for (const request of waiting.splice(0)) request.reject(new Error('the connection to Redis broke'));
  });

  function take(reply: Reply): void {
    const request = waiting[0];
    if (!request) throw new Error('Redis sent a reply nobody asked for');
    request.replies.push(reply);
    if (request.replies.length < request.count) return;
    waiting.shift();
    request.resolve(request.replies);
  }

  return {
    get alive() {
      return alive;
    },
    send: (commands) =>
      new Promise((resolve, reject) => {
        if (!alive) return reject(new Error('the connection to Redis broke'));
        if (waiting.length === 0) socket.setTimeout(REPLY_TIMEOUT_MS);
        waiting.push({ count: commands.length, replies: [], resolve, reject });
        socket.write(Buffer.concat(commands.map(encodeCommand)));
      }),
    end: () => void socket.end(),
  };
}
