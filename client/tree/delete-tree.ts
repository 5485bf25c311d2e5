/**
 * Deletes a directory: its listing, and those of its bodies that no other directory of the owner's uses. If one of those
 * others cannot be read, nothing is deleted: its content could be among what would go.
 */
import type { Cid } from '#shared/primitives/ids.ts';
import type { Connection } from '../api-call.ts';
import { ClientError, isClientError } from '../client-error.ts';
import { deleteFile } from '../edge-files.ts';
import type { ListedFile } from '../private/list-private.ts';
import type { OpenTree } from './read-tree.ts';

export interface DeleteTreePorts {
  readonly connection: Connection;
  /** All files of the owner, trees among them. */
  list(): AsyncIterable<ListedFile>;
  openTree(cid: Cid): Promise<OpenTree>;
}

/** @returns how many bodies went, and how many stay because another directory uses them */
export async function deleteTree(
  { connection, list, openTree }: DeleteTreePorts,
  cid: Cid,
  signal?: AbortSignal,
): Promise<{ readonly deleted: number; readonly kept: number }> {
  const tree = await openTree(cid);
  const used = new Set<string>();
  for await (const other of list()) {
    if (other.cid === cid) continue;
    if (other.problem !== undefined) {
      throw new ClientError(
        'conflict',
        `${other.cid} cannot be read (${other.problem}), and may be a directory that shares content`,
      );
    }
    if (other.kind !== 'tree') continue;
    for (const body of (await openTree(other.cid)).listing.bodies) used.add(body.cid);
  }
  await deleteFile(connection, { cid }, signal);
  const going = tree.listing.bodies.filter((body) => !used.has(body.cid));
  for (const body of going) {
    try {
      await deleteFile(connection, { cid: body.cid }, signal);
    } catch (error) {
      if (!isClientError(error, 'not-found')) throw error;
    }
  }
  return { deleted: going.length, kept: tree.listing.bodies.length - going.length };
}
