/** `filetao rm`: deletes files and directories; with --wait until every holder has signed that it dropped its shards. */
import type { Client } from '#client/client.ts';
import type { DeletionAnswer } from '#shared/api/schemas.ts';
import { systemClock } from '#shared/primitives/effects.ts';
import type { Cid } from '#shared/primitives/ids.ts';
import type { Cli, Run } from '../command-spec.ts';
import type { Given } from '../given.ts';
import { chooseEdgeWithKey } from '../settings/edge-choice.ts';
import { fileKind } from '../settings/file-kind.ts';
import { keyringFor } from '../settings/keyring.ts';
import { forgetCid } from '../settings/names-file.ts';
import { openClient } from '../settings/open-client.ts';
import { withTarget } from '../settings/target.ts';
import { printable } from '../terminal/table.ts';

const LOOK_EVERY_MS = 1000;

/** A directory is its listing and the content that no other one shares; to know that, its listing has to be opened. */
async function removeOne(cli: Cli, given: Given, client: Client, cid: Cid): Promise<DeletionAnswer> {
  const keys = await keyringFor(cli, given, 'list');
  const kind = keys && (await fileKind(await chooseEdgeWithKey(cli, given), keys, cid, cli.signal));
  if (kind !== 'tree') return client.delete(cid, cli.signal);
  const { deleted, kept } = await (await openClient(cli, given, 'open')).deleteTree(cid, cli.signal);
  cli.out.note(`a directory: ${deleted} parts of its content are deleted, ${kept} belong to others, too`);
  return client.deletion(cid, cli.signal);
}

export const rm: Run = async (cli, given) => {
  const client = await openClient(cli, given, 'list');
  const deleted: DeletionAnswer[] = [];
  for (const file of given.args) {
    const cid = await withTarget(cli, given, file, (target) => client.resolve(target, cli.signal));
    const deletion = await removeOne(cli, given, client, cid);
    await forgetCid(cli, given, cid);
    cli.out.note(`${printable(file)} is deleted: ${deletion.shards} shards to drop`);
    deleted.push(deletion);
  }
  if (!given.flag('wait')) {
    cli.out.result({ deleted }, '');
    return;
  }
  const finished: DeletionAnswer[] = [];
  for (let deletion of deleted) {
    while (!deletion.complete) {
      await systemClock.sleep(LOOK_EVERY_MS, cli.signal);
      deletion = await client.deletion(deletion.cid as Cid, cli.signal);
    }
    finished.push(deletion);
  }
  cli.out.result({ deleted: finished }, 'Every miner has signed that it dropped its shards.');
};
