/** `filetao rm`: deletes files; with --wait until every holder has signed that it dropped its shards. */

import { systemClock } from '#shared/primitives/effects.ts';
import type { Cid } from '#shared/primitives/ids.ts';
import type { Run } from '../command-spec.ts';
import { forgetCid } from '../settings/names-file.ts';
import { openClient } from '../settings/open-client.ts';
import { withTarget } from '../settings/target.ts';
import { printable } from '../terminal/table.ts';

const LOOK_EVERY_MS = 1000;

export const rm: Run = async (cli, given) => {
  const client = await openClient(cli, given, 'list');
  const deleted = [];
  for (const file of given.args) {
    const deletion = await withTarget(cli, given, file, (target) => client.delete(target, cli.signal));
    await forgetCid(cli, given, deletion.cid);
    cli.out.note(`${printable(file)} is deleted: ${deletion.shards} shards to drop`);
    deleted.push(deletion);
  }
  if (!given.flag('wait')) {
    cli.out.result({ deleted }, '');
    return;
  }
  const finished = [];
  for (let deletion of deleted) {
    const bar = cli.out.progress(`dropping ${deletion.cid}`, undefined);
    while (!deletion.complete) {
      await systemClock.sleep(LOOK_EVERY_MS, cli.signal);
      deletion = await client.deletion(deletion.cid as Cid, cli.signal);
    }
    bar.done();
    finished.push(deletion);
  }
  cli.out.result({ deleted: finished }, 'Every miner has signed that it dropped its shards.');
};
