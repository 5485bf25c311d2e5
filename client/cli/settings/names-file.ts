/**
 * Names of files and their CIDs as this machine knows them: `<folder>/<wallet>.json`, an object from name to CID, the
 * original's own format. The index knows them too; this is what answers when it cannot be asked.
 */
import { homedir } from 'node:os';
import { join, resolve } from 'node:path';
import type { Cli } from '../command-spec.ts';
import type { Given } from '../given.ts';
import { readPrivateJson, writePrivateFile } from './private-file.ts';
import { walletPlace } from './wallet-place.ts';

type Names = Readonly<Record<string, string>>;

export function namesPath(cli: Cli, given: Given): string {
  const folder = given.text('hash_basepath');
  const home = cli.environment.HOME || homedir();
  const base =
    folder === undefined
      ? join(cli.places.data, 'names')
      : resolve(cli.workingFolder, folder.replace(/^~(?=\/|$)/, home));
  return join(base, `${walletPlace(cli, given).wallet}.json`);
}

/** The original kept other things beside the names: only texts are names. */
function checkNames(json: unknown): Names | undefined {
  if (typeof json !== 'object' || json === null || Array.isArray(json)) return undefined;
  return Object.fromEntries(
    Object.entries(json).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  );
}

export const readNames = async (cli: Cli, given: Given): Promise<Names> =>
  (await readPrivateJson(namesPath(cli, given), checkNames)) ?? {};

export async function rememberName(cli: Cli, given: Given, name: string, cid: string): Promise<void> {
  const names = await readNames(cli, given);
  if (names[name] === cid) return;
  await writePrivateFile(namesPath(cli, given), `${JSON.stringify({ ...names, [name]: cid }, undefined, 2)}\n`);
}

/** Takes away every name of this file. */
export async function forgetCid(cli: Cli, given: Given, cid: string): Promise<void> {
  const names = await readNames(cli, given);
  const kept = Object.entries(names).filter(([, known]) => known !== cid);
  if (kept.length === Object.keys(names).length) return;
  await writePrivateFile(namesPath(cli, given), `${JSON.stringify(Object.fromEntries(kept), undefined, 2)}\n`);
}
