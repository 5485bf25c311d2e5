/**
 * What the gateway needs of a Redis: run commands in order, alone or as one transaction. Two engines stand behind it,
 * a RESP2 client (`resp-engine.ts`) and the embedded one (`embedded/`); one test drives both with the same random
 * commands and compares every reply. Arguments and bulk replies are bytes, as in Redis.
 */

/** A command's name in capitals and its arguments. */
export interface Command {
  readonly name: string;
  readonly args: readonly Uint8Array[];
}

/** Bulk string, nil, integer, status line, error line, or an array of them (RESP2). */
export type Reply = Uint8Array | null | number | StatusReply | ErrorReply | readonly Reply[];

export interface StatusReply {
  readonly status: string;
}

/** `WRONGTYPE …`, `ERR …`: the first word is the kind. */
export interface ErrorReply {
  readonly error: string;
}

export const OK: StatusReply = { status: 'OK' };

export const isError = (reply: Reply): reply is ErrorReply =>
  reply !== null && typeof reply === 'object' && 'error' in reply;

export interface Engine {
  /**
   * One reply per command, in order. With `atomic` nothing else runs in between, and a failing command does not undo
   * the others (MULTI/EXEC). Rejects when the store behind is gone or refuses: what ran is then unknown.
   */
  run(commands: readonly Command[], atomic: boolean): Promise<readonly Reply[]>;
  close(): Promise<void>;
}
