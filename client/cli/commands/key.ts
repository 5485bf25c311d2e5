/** `filetao key list|new|revoke`. */
import * as edge from '#client/edge-files.ts';
import type { Run } from '../command-spec.ts';
import { connectionTo } from '../settings/connection.ts';
import { chooseEdgeWithKey } from '../settings/edge-choice.ts';
import { formatTable, printable } from '../terminal/table.ts';
import { formatTime } from '../terminal/units.ts';

const open = async (...[cli, given]: Parameters<Run>) => {
  const { url, apiKey } = await chooseEdgeWithKey(cli, given);
  return connectionTo(url, apiKey);
};

export const listKeys: Run = async (cli, given) => {
  const keys = await edge.listKeys(await open(cli, given), cli.signal);
  const rows = keys.map(({ keyId, label, createdAt }) => [keyId, formatTime(createdAt), printable(label)]);
  cli.out.result({ keys }, formatTable([{ title: 'id' }, { title: 'made (UTC)' }, { title: 'label' }], rows));
};

export const newKey: Run = async (cli, given) => {
  const made = await edge.createKey(await open(cli, given), given.args[0] ?? '', cli.signal);
  cli.out.note(`Key ${made.keyId}; keep it: it is not shown again.`);
  cli.out.result(made, made.key);
};

export const revokeKey: Run = async (cli, given) => {
  const keyId = given.one(0, 'the key id');
  await edge.revokeKey(await open(cli, given), keyId, cli.signal);
  cli.out.result({ keyId, revoked: true }, `${keyId} is revoked: it is refused from now on.`);
};
