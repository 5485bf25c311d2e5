/** `filetao retrieve list`: the names that this machine keeps, as the original printed them. */
import type { Run } from '../command-spec.ts';
import { readNames } from '../settings/names-file.ts';
import { formatTable, printable } from '../terminal/table.ts';

export const listNames: Run = async (cli, given) => {
  const names = await readNames(cli, given);
  const rows = Object.entries(names).map(([name, cid]) => [printable(name), cid]);
  cli.out.result({ names }, formatTable([{ title: 'Name' }, { title: 'CID' }], rows));
};
