/**
 * The index for a machine without Redis: the gateway's commands over one `node:sqlite` file. Requests that arrive
 * together share one transaction and one fsync, and nobody hears of a command before it is on the disk
 * (WAL, synchronous = FULL). A failure of the store rolls the whole group back and every request of it rejects.
 */
import type { Command, Engine, Reply } from '../engine.ts';
import { bitfield } from './bitfields.ts';
import * as hashes from './hashes.ts';
import { Keyspace } from './keyspace.ts';
import * as lists from './lists.ts';
import * as strings from './strings.ts';
import * as zsets from './zsets.ts';

type Handler = (space: Keyspace, args: readonly Uint8Array[]) => Reply;

const HANDLERS: ReadonlyMap<string, Handler> = new Map<string, Handler>([
  ['PING', (_, args) => args[0] ?? { status: 'PONG' }],
  ['INFO', (space) => Buffer.from(`# Memory\r\nused_memory:${space.bytes()}\r\n`)],
  ...Object.entries({ bitfield, ...strings, ...hashes, ...zsets, ...lists })
    .filter(([name]) => name !== 'add' && name !== 'store')
    .map(([name, handler]): [string, Handler] => [name.toUpperCase(), handler as Handler]),
]);

interface Job {
  readonly commands: readonly Command[];
  readonly resolve: (replies: readonly Reply[]) => void;
  readonly reject: (reason: unknown) => void;
}

/** Commands of one transaction; beyond them a group waits for the next, so that nobody waits for long. */
const GROUP_COMMANDS = 4096;
const SWEEP_EVERY_MS = 1000;

/**
 * @param path the database's file, or `:memory:`
 * @param nowMs for expiries
 */
export function openEmbeddedEngine(path: string, nowMs: () => number = Date.now): Engine {
  const space = new Keyspace(path, nowMs);
  const begin = space.sql('BEGIN IMMEDIATE');
  const commit = space.sql('COMMIT');
  const queue: Job[] = [];
  let scheduled = false;
  let closed = false;

  function runGroup(): void {
    scheduled = false;
    const group: Job[] = [];
    for (let count = 0; queue.length > 0 && count < GROUP_COMMANDS; ) {
      const job = queue.shift() as Job;
      group.push(job);
      count += job.commands.length;
    }
    schedule();
    const replies: Reply[][] = [];
    try {
      begin.run();
      for (const job of group) replies.push(job.commands.map((command) => runCommand(space, command)));
      commit.run();
    } catch (error) {
      if (space.database.isTransaction) space.database.exec('ROLLBACK');
      for (const job of group) job.reject(error);
      return;
    }
    for (const [i, job] of group.entries()) job.resolve(replies[i] ?? []);
  }

  function schedule(): void {
    if (scheduled || queue.length === 0) return;
    scheduled = true;
    setImmediate(runGroup);
  }

  const sweeper = setInterval(() => {
    if (queue.length === 0) space.sweep();
  }, SWEEP_EVERY_MS);
  sweeper.unref();

  return {
    // Every group is one transaction on one thread, so all requests are atomic.
    run: (commands) =>
      new Promise((resolve, reject) => {
        if (closed) return reject(new Error('the engine is closed'));
        queue.push({ commands, resolve, reject });
        schedule();
      }),
    async close() {
      if (closed) return;
      closed = true;
      clearInterval(sweeper);
      while (queue.length > 0) runGroup();
      space.database.close();
    },
  };
}

function runCommand(space: Keyspace, command: Command): Reply {
  const handler = HANDLERS.get(command.name);
  return handler ? handler(space, command.args) : { error: `ERR unknown command '${command.name}'` };
}
