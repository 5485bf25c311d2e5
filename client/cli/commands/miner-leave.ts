/**
 * `filetao miner leave`: the announcement is a file in the miner's data folder, which the running miner sees within a
 * second and a restart does not forget. From then on it takes nothing new, and its shards are moved elsewhere.
 */
import { existsSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { CommandFailed, usageError } from '../command-failed.ts';
import type { Run } from '../command-spec.ts';
import { EXIT } from '../exit-codes.ts';

/** As `miner/leaving.ts` names it. */
export const LEAVING_FILE = 'leaving';

export const leaveNetwork: Run = async (cli, given) => {
  const folder = given.args[0] ?? cli.environment.FILETAO_MINER_DATA_DIR;
  if (!folder) throw usageError('which miner? Give its data folder, or set FILETAO_MINER_DATA_DIR');
  const dataDir = resolve(cli.workingFolder, folder);
  if (!statSync(dataDir, { throwIfNoEntry: false })?.isDirectory() || !existsSync(join(dataDir, 'shards'))) {
    throw new CommandFailed('no-miner', `${dataDir} is no miner's data folder`, EXIT.notFound);
  }
  const file = join(dataDir, LEAVING_FILE);
  if (given.flag('undo')) {
    rmSync(file, { force: true });
    cli.out.result({ dataDir, leaving: false }, 'It stays: it takes new shards again.');
    return;
  }
  if (!given.flag('yes')) {
    const agreed = await cli.prompt.confirm('It takes nothing new any more, and its shards move elsewhere. Leave?');
    if (agreed === undefined) throw usageError('there is nobody to ask: give --yes');
    if (!agreed) throw new CommandFailed('not-agreed', 'it stays', EXIT.refused);
  }
  writeFileSync(file, '', { mode: 0o600 });
  cli.out.result(
    { dataDir, leaving: true },
    'Announced. Keep it running until it holds no shards (filetao network --miners); then stop it.\nfiletao miner leave --undo takes it back.',
  );
};
