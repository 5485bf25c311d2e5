/**
 * The commands that pass the gateway: exactly those the index adapters use. Everything else (blocking, scripting,
 * administrative, scanning) is refused before an engine sees it. `keys` says which arguments name keys, so that
 * rights can be checked; `arity` counts the arguments after the name and is negative for "at least", as in Redis.
 */
import type { Command, ErrorReply } from './engine.ts';

interface CommandRule {
  readonly arity: number;
  /** `tenant`: tells of the engine itself, which is no edge's business. */
  readonly access: 'read' | 'write' | 'none' | 'tenant';
  /** Which arguments are keys: the first one, all of them, or none. */
  readonly keys: 'first' | 'all' | 'none';
}

const read = (arity: number, keys: CommandRule['keys'] = 'first'): CommandRule => ({ arity, access: 'read', keys });
const write = (arity: number, keys: CommandRule['keys'] = 'first'): CommandRule => ({ arity, access: 'write', keys });

export const COMMANDS: ReadonlyMap<string, CommandRule> = new Map<string, CommandRule>([
  ['PING', { arity: 0, access: 'none', keys: 'none' }],
  // `INFO memory` alone.
  ['INFO', { arity: 1, access: 'tenant', keys: 'none' }],
  ['GET', read(1)],
  ['MGET', read(-1, 'all')],
  ['STRLEN', read(1)],
  ['GETRANGE', read(3)],
  ['EXISTS', read(-1, 'all')],
  ['PTTL', read(1)],
  ['SET', write(-2)],
  ['SETRANGE', write(3)],
  ['INCRBY', write(2)],
  ['DEL', write(-1, 'all')],
  ['BITFIELD', write(-4)],
  ['PEXPIRE', write(2)],
  ['RENAME', write(2, 'all')],
  ['HGET', read(2)],
  ['HMGET', read(-2)],
  ['HGETALL', read(1)],
  ['HLEN', read(1)],
  ['HSET', write(-3)],
  ['HSETNX', write(3)],
  ['HDEL', write(-2)],
  ['HINCRBY', write(3)],
  ['ZSCORE', read(2)],
  ['ZCARD', read(1)],
  ['ZRANGE', read(-3)],
  ['ZADD', write(-3)],
  ['ZREM', write(-2)],
  ['ZREMRANGEBYSCORE', write(3)],
  ['ZREMRANGEBYLEX', write(3)],
  ['LLEN', read(1)],
  ['LRANGE', read(3)],
  ['RPUSH', write(-2)],
  ['LPOP', write(-1)],
  ['LTRIM', write(3)],
]);

/** SETRANGE past this is refused: a few bytes of request must not make an engine allocate 512 MB, as Redis would. */
const MAX_STRING_BYTES = 1024 * 1024;

/**
 * Of BITFIELD only 64-bit fields pass, the first ten of a string: the offset of a single one could make an engine
 * allocate 512 MB.
 */
const FIELD_OPERATIONS = /^(?: (?:get i64 #[0-9]|(?:set|incrby) i64 #[0-9] [^ ]*))+$/i;

/** Most characters of a client's command name that an error repeats (Redis does the same with 128). */
const NAME_IN_ERROR = 128;

/** Why Redis would not even queue this command, or undefined. */
export function refusal(command: Command): ErrorReply | undefined {
  const rule = COMMANDS.get(command.name);
  if (!rule) return { error: `ERR unknown or refused command '${command.name.slice(0, NAME_IN_ERROR)}'` };
  const count = command.args.length;
  const wrong = command.name === 'PING' ? count > 1 : rule.arity < 0 ? count < -rule.arity : count !== rule.arity;
  if (!wrong && command.name === 'INFO') {
    const section = Buffer.from(command.args[0] ?? []).toString('latin1');
    if (section.toLowerCase() !== 'memory') return { error: "ERR only 'INFO memory' is served" };
  }
  if (!wrong && command.name === 'BITFIELD') {
    const operations = command.args.slice(1).map((word) => ` ${Buffer.from(word).toString('latin1')}`);
    if (!FIELD_OPERATIONS.test(operations.join(''))) return { error: 'ERR syntax error' };
  }
  if (!wrong && command.name === 'SETRANGE') {
    const end = Number(Buffer.from(command.args[1] ?? []).toString('latin1')) + (command.args[2]?.length ?? 0);
    if (end > MAX_STRING_BYTES) return { error: 'ERR string exceeds maximum allowed size' };
  }
  return wrong ? { error: `ERR wrong number of arguments for '${command.name.toLowerCase()}' command` } : undefined;
}

/** The keys that a well-formed command touches. */
export function keysOf(command: Command): readonly Uint8Array[] {
  const rule = COMMANDS.get(command.name);
  if (!rule || rule.keys === 'none') return [];
  return rule.keys === 'all' ? command.args : command.args.slice(0, 1);
}
