/** `filetao share` and `unshare`: who can read a private file changes, its body stays where it is. */
import type { SharingChange } from '#client/private/change-private.ts';
import { usageError } from '../command-failed.ts';
import type { Cli, Run } from '../command-spec.ts';
import type { Given } from '../given.ts';
import { openClient } from '../settings/open-client.ts';
import { withTarget } from '../settings/target.ts';

async function change(cli: Cli, given: Given, made: (recipients: readonly string[]) => SharingChange): Promise<void> {
  const [file = '', ...recipients] = given.args;
  const odd = recipients.find((recipient) => !/^age1(pq1)?[a-z0-9]{20,}$/.test(recipient));
  if (odd !== undefined)
    throw usageError(
      `${JSON.stringify(odd)} is no age recipient (age1… or age1pq1…)`,
      'they see theirs with: filetao identity show',
    );
  const client = await openClient(cli, given, 'open');
  const sharedWith = await withTarget(cli, given, file, (target) =>
    client.share(target, { ...made(recipients), signal: cli.signal }),
  );
  const cid = await withTarget(cli, given, file, (target) => client.resolve(target, cli.signal));
  const readers = sharedWith.length === 0 ? 'you alone' : `you and ${sharedWith.length} more: ${sharedWith.join(' ')}`;
  cli.out.result({ cid, sharedWith }, `${cid}\ncan be read by ${readers}`);
}

export const share: Run = (cli, given) => change(cli, given, (add) => ({ add }));
export const unshare: Run = (cli, given) => change(cli, given, (remove) => ({ remove }));
