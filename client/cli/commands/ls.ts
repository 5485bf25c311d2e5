/** `filetao ls`: files, newest first. */
import type { Run } from '../command-spec.ts';
import { parseCount } from '../given.ts';
import { openClient } from '../settings/open-client.ts';
import { formatTable, printable } from '../terminal/table.ts';
import { formatBytes, formatTime } from '../terminal/units.ts';

const atLeastOne = (text: string) => parseCount(text) || undefined;

export const ls: Run = async (cli, given) => {
  const limit = given.parsed('limit', atLeastOne, 'a whole number, at least 1') ?? Number.POSITIVE_INFINITY;
  const client = await openClient(cli, given, 'list');
  const files = [];
  for await (const file of client.list({ signal: cli.signal })) {
    if (files.push(file) >= limit) break;
  }
  const rows = files.map(({ name, bytes, createdAt, expiresAt, cid, kind, problem, ...file }) => [
    problem === undefined ? `${printable(name ?? '')}${kind === 'tree' ? '/' : ''}` : `(${problem})`,
    file.private ? (file.sharedWith.length > 0 ? `shared ${file.sharedWith.length}` : 'private') : 'public',
    formatBytes(bytes),
    formatTime(createdAt),
    expiresAt === null ? '' : formatTime(expiresAt),
    cid,
  ]);
  const columns = [
    { title: 'name' },
    { title: 'for' },
    { title: 'size', align: 'right' as const },
    { title: 'stored (UTC)' },
    { title: 'until' },
    { title: 'cid' },
  ];
  cli.out.result({ files }, files.length > 0 ? formatTable(columns, rows) : '');
  if (files.length === 0) cli.out.note('No files yet: filetao put FILE');
};
