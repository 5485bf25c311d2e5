/**
 * Prints the ACL rules of an edge's index token, for `ACL SETUSER` of a hosted Redis: `node infra/operate/edge-acl.ts`.
 * With the edge's hotkey as argument it prints those for a Redis without read-only key patterns instead. How to use
 * them: `docs/run-an-edge.md`.
 */
import process from 'node:process';
import { edgeAclRules, edgeAclRulesWithoutReadOnly } from '#infra/gateway/acl-rules.ts';
import { parseHotkey } from '#shared/primitives/ids.ts';

const [text] = process.argv.slice(2);
const edge = text === undefined ? undefined : parseHotkey(text);
if (text !== undefined && !edge) {
  process.stderr.write('edge-acl: the argument must be the SS58 address of an edge’s hotkey\n');
  process.exit(2);
}
const rules = edge ? edgeAclRulesWithoutReadOnly(edge) : edgeAclRules();
process.stdout.write(`${rules.join(' ')}\n`);
