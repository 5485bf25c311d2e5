/** `filetao put`: a file, a directory or standard input, private unless it is said otherwise. */
import type { Run } from '../command-spec.ts';
import { putFile } from '../put-file.ts';
import { putFolder } from '../put-folder.ts';
import { openPutSource } from '../put-source.ts';
import { rememberName } from '../settings/names-file.ts';
import { printable } from '../terminal/table.ts';
import { formatBytes, formatDuration, formatRate } from '../terminal/units.ts';

export const put: Run = async (cli, given) => {
  const source = await openPutSource(cli, given);
  const sinceMs = performance.now();
  if (source.kind === 'folder') return putFolder(cli, given, source);
  const stored = await putFile(cli, given, source);
  const ms = performance.now() - sinceMs;
  if (source.name !== undefined) await rememberName(cli, given, source.name, stored.cid);
  const speed = `${formatBytes(stored.bytes)} in ${formatDuration(ms)}, ${formatRate((stored.bytes * 1000) / ms)}`;
  const { cid, bytes } = stored;
  cli.out.note(`${printable(source.name ?? 'standard input')}: ${speed}`);
  const name = source.name === undefined ? {} : { name: source.name };
  const sent = stored.sentBytes === undefined ? {} : { sentBytes: stored.sentBytes };
  cli.out.result({ cid, bytes, ...name, private: stored.private, ...sent, file: stored.file }, cid);
};
