/** `filetao ls`: files, newest first. */
import type { Cli, Run } from '../command-spec.ts';
import { openStoredFolder } from '../get-folder.ts';
import type { Given } from '../given.ts';
import { parseCount } from '../given.ts';
import { openClient } from '../settings/open-client.ts';
import { formatTable, printable } from '../terminal/table.ts';
import { formatBytes, formatTime } from '../terminal/units.ts';

const atLeastOne = (text: string) => parseCount(text) || undefined;

const ENTRY_MARKS = { file: '', folder: '/', link: '@' } as const;

/** What is in a stored directory. */
async function listFolder(cli: Cli, given: Given, file: string): Promise<void> {
  const tree = await openStoredFolder(cli, given, file);
  const rows = tree.listing.entries.map((entry) => [
    entry.type === 'file' ? formatBytes(entry.bytes) : '',
    entry.type === 'link' ? '' : entry.mode.toString(8).padStart(3, '0'),
    formatTime(new Date(entry.mtimeMs).toISOString()),
    `${printable(entry.path)}${ENTRY_MARKS[entry.type]}${entry.type === 'link' ? ` → ${printable(entry.target)}` : ''}`,
  ]);
  const columns = [
    { title: 'size', align: 'right' as const },
    { title: 'mode' },
    { title: 'changed (UTC)' },
    { title: 'path' },
  ];
  const entries = tree.listing.entries.map(({ path, type, ...entry }) => ({
    ...{ path, type, mtime: new Date(entry.mtimeMs).toISOString() },
    ...('bytes' in entry && { bytes: entry.bytes }),
    ...('target' in entry && { target: entry.target }),
  }));
  cli.out.result({ cid: tree.cid, name: tree.name, entries }, formatTable(columns, rows));
}

export const ls: Run = async (cli, given) => {
  const [folder] = given.args;
  if (folder !== undefined) return listFolder(cli, given, folder);
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
  const listed = files.map(({ file: { fileId }, ...rest }) => ({ ...rest, fileId }));
  cli.out.result({ files: listed }, files.length > 0 ? formatTable(columns, rows) : '');
  if (files.length === 0) cli.out.note('No files yet: filetao put FILE');
};
