/** `filetao stat`: how a file stands at its miners. */
import type { Run } from '../command-spec.ts';
import { openClient } from '../settings/open-client.ts';
import { withTarget } from '../settings/target.ts';
import { formatPairs } from '../terminal/table.ts';

export const stat: Run = async (cli, given) => {
  const client = await openClient(cli, given, 'list');
  const file = given.one(0, 'the file');
  const status = await withTarget(cli, given, file, (target) => client.status(target, cli.signal));
  const { cid, health, redundancy, proof, shards, survives, concentrated } = status;
  cli.out.result(
    status,
    formatPairs([
      ['cid', cid],
      ['health', health],
      ['shards', `${shards.alive} of ${shards.total} alive; any ${redundancy.k} of ${redundancy.n} rebuild a segment`],
      ['survives', `the loss of any ${survives.miners} more miners, of any ${survives.groups} more owners or networks`],
      ['proofs', proof === 'zk' ? 'zk: they show nothing of it' : 'por: they show leaves of masked shards'],
      ...(concentrated ? [['note', 'concentrated: the network has few independent owners'] as const] : []),
    ]),
  );
};
