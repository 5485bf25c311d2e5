/** What a command's FILE means: a CID as it is; a name as the account knows it, else as this machine does. */
import { isClientError } from '#client/client-error.ts';
import { parseCid } from '#shared/codec/cid.ts';
import type { Cli } from '../command-spec.ts';
import type { Given } from '../given.ts';
import { readNames } from './names-file.ts';

/** The CID that this machine keeps for a name; undefined for CIDs and names that it does not know. */
async function localCid(cli: Cli, given: Given, target: string): Promise<string | undefined> {
  if (parseCid(target)) return undefined;
  const names = await readNames(cli, given);
  // Own properties only: "toString" is a fine name for a file.
  return Object.hasOwn(names, target) ? names[target] : undefined;
}

/** @param use of the library's call; it takes names and CIDs, and rejects with `not-found` */
export async function withTarget<T>(
  cli: Cli,
  given: Given,
  target: string,
  use: (target: string) => Promise<T>,
): Promise<T> {
  try {
    return await use(target);
  } catch (error) {
    const cid = isClientError(error, 'not-found') ? await localCid(cli, given, target) : undefined;
    if (cid === undefined) throw error;
    return use(cid);
  }
}

/** The name that this machine keeps for a CID. */
export async function localNameOf(cli: Cli, given: Given, cid: string): Promise<string | undefined> {
  return Object.entries(await readNames(cli, given)).find(([, known]) => known === cid)?.[0];
}
