/**
 * The edge's rights as Redis ACL rules, for a hosted Redis that our gateway does not stand before: the same commands and
 * key families as `rights.ts` checks, derived and not repeated. `infra/operate/edge-acl.ts` prints them for an operator.
 */
import { EDGE_WRITABLE_FAMILIES, familyOf, keys, NETWORK_FAMILIES } from '#shared/index/keys.ts';
import type { FileNumber, Hotkey } from '#shared/primitives/ids.ts';
import { COMMANDS } from './commands.ts';

const commandRules = (): readonly string[] => {
  const open = [...COMMANDS].filter(([, { access }]) => access !== 'tenant').map(([name]) => name);
  return ['MULTI', 'EXEC', ...open].map((name) => `+${name.toLowerCase()}`);
};

/** `f:*` for keys that are about something, `n` for a family's only key. */
function patternsOf(families: readonly string[]): readonly string[] {
  const patterns = Object.values(keys).map((key: unknown) => {
    if (typeof key === 'string') return { family: key, pattern: key };
    // Any arguments do: what is wanted is what stands before the colon.
    const family = familyOf((key as (...args: unknown[]) => string)('0', '0', '0', '0'));
    return { family, pattern: `${family}:*` };
  });
  return patterns.filter(({ family }) => families.includes(family)).map(({ pattern }) => pattern);
}

const start = ['reset', 'on', 'resetchannels'];

/** Reads everything, writes what edges write. Needs key permissions (`%R~`, Redis 7). */
export const edgeAclRules = (): readonly string[] => [
  ...start,
  ...commandRules(),
  '%R~*',
  ...patternsOf(EDGE_WRITABLE_FAMILIES).map((pattern) => `~${pattern}`),
];

/**
 * For a Redis whose patterns give reading and writing at once: the keys that edges write, and the few of the tenant's
 * that this edge must read. It can then write those few as well.
 */
export const edgeAclRulesWithoutReadOnly = (edge: Hotkey): readonly string[] => [
  ...start,
  ...commandRules(),
  ...patternsOf(EDGE_WRITABLE_FAMILIES).map((pattern) => `~${pattern}`),
  ...[
    ...[keys.identity, keys.directoryHead, `${familyOf(keys.directoryPage(0, 0))}:*`, keys.grant(edge)],
    `${familyOf(keys.moved(0 as FileNumber))}:*`,
  ].map((key) => `~${key}`),
  ...patternsOf(NETWORK_FAMILIES).map((pattern) => `~${pattern}`),
];
