/**
 * Upstash's REST format, both ways: a command is a JSON array of strings and numbers; a reply is `{result}` or
 * `{error}`. With base64 encoding every bulk string and status but `OK` is base64, as the hosted service does it.
 * Source: Upstash REST API; `@upstash/redis` 1.39 `pkg/http.ts` and `pkg/pipeline.ts`.
 */
import { type Command, isError, type Reply } from './engine.ts';

/** Commands of one request: a commit needs about a dozen, a page of files two hundred. */
const MAX_COMMANDS = 2000;
const MAX_ARGUMENTS = 10_000;

type Parsed<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: string };

/** One command: a non-empty array of strings, numbers and booleans. */
export function parseCommand(json: unknown): Parsed<Command> {
  if (!Array.isArray(json) || json.length === 0) return { ok: false, error: 'ERR empty command' };
  if (json.length > MAX_ARGUMENTS) return { ok: false, error: 'ERR too many arguments' };
  const parts: Buffer[] = [];
  for (const part of json) {
    if (typeof part !== 'string' && typeof part !== 'number' && typeof part !== 'boolean') {
      return { ok: false, error: 'ERR arguments must be strings, numbers or booleans' };
    }
    parts.push(Buffer.from(String(part), 'utf8'));
  }
  const [name = Buffer.alloc(0), ...args] = parts;
  return { ok: true, value: { name: name.toString('utf8').toUpperCase(), args } };
}

/** The commands of a pipeline or transaction. */
export function parseCommands(json: unknown): Parsed<readonly Command[]> {
  if (!Array.isArray(json) || json.length === 0) return { ok: false, error: 'ERR empty pipeline request' };
  if (json.length > MAX_COMMANDS) return { ok: false, error: `ERR more than ${MAX_COMMANDS} commands` };
  const commands: Command[] = [];
  for (const [i, item] of json.entries()) {
    const command = parseCommand(item);
    if (!command.ok) return { ok: false, error: `${command.error} (command ${i + 1})` };
    commands.push(command.value);
  }
  return { ok: true, value: commands };
}

function encodeValue(reply: Reply, base64: boolean): unknown {
  if (reply === null || typeof reply === 'number') return reply;
  if (reply instanceof Uint8Array) {
    const buffer = Buffer.from(reply.buffer, reply.byteOffset, reply.length);
    return buffer.toString(base64 ? 'base64' : 'utf8');
  }
  if ('status' in reply) {
    return base64 && reply.status !== 'OK' ? Buffer.from(reply.status).toString('base64') : reply.status;
  }
  // An error inside an array cannot happen with the commands we pass; nil says least that is false.
  return isError(reply) ? null : reply.map((item) => encodeValue(item, base64));
}

export const encodeReply = (reply: Reply, base64: boolean): { result: unknown } | { error: string } =>
  isError(reply) ? { error: reply.error } : { result: encodeValue(reply, base64) };
