/**
 * Who may run what. The tenant's token may run every command that passes the gateway; an edge's token reads
 * everything but writes only under the key families of the files it stores (`shared/index/keys.ts`): never the
 * directory, miners' numbers, the network's series, grants, or the index's identity, and whatever is added later is closed to it until
 * listed. Tokens are compared by digest in constant time.
 */
import { createHash, timingSafeEqual } from 'node:crypto';
import { EDGE_WRITABLE_FAMILIES, familyOf } from '#shared/index/keys.ts';
import { COMMANDS, keysOf } from './commands.ts';
import type { Command, ErrorReply } from './engine.ts';

export type Role = 'tenant' | 'edge';

export interface Tokens {
  readonly tenant: string;
  readonly edge?: string;
}

const digest = (text: string): Buffer => createHash('sha256').update(text).digest();

/** Answers whose token an Authorization header carries. */
export function roleReader(tokens: Tokens): (authorization: string | undefined) => Role | undefined {
  const known: readonly (readonly [Role, Buffer])[] = [
    ['tenant', digest(tokens.tenant)],
    ...(tokens.edge === undefined ? [] : ([['edge', digest(tokens.edge)]] as const)),
  ];
  return (authorization) => {
    const match = /^Bearer ([^\s]+)$/.exec(authorization ?? '');
    const given = digest(match?.[1] ?? '');
    let role: Role | undefined;
    for (const [name, expected] of known) if (timingSafeEqual(given, expected) && match) role = name;
    return role;
  };
}

const writable = new Set<string>(EDGE_WRITABLE_FAMILIES);

/** Why this role may not run this (known, well-formed) command, or undefined. */
export function forbidden(role: Role, command: Command): ErrorReply | undefined {
  if (role === 'tenant') return undefined;
  const access = COMMANDS.get(command.name)?.access;
  if (access === 'tenant') return { error: `NOPERM this token may not run '${command.name.toLowerCase()}'` };
  if (access !== 'write') return undefined;
  for (const key of keysOf(command)) {
    const family = familyOf(Buffer.from(key).toString('latin1'));
    if (!writable.has(family)) return { error: `NOPERM this token may not write '${family}' keys` };
  }
  return undefined;
}
