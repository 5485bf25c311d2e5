/**
 * Reads a stored directory: its listing, and the content of all or some of its files. A body that is wanted by more than
 * half is read once and cut up; of others only the wanted ranges travel.
 */
import type { Cid, OwnerId } from '#shared/primitives/ids.ts';
import { ClientError } from '../client-error.ts';
import { openSource, readWhole } from '../file-source.ts';
import { readPrivateBody } from '../private/open-private.ts';
import type { ReadPorts } from '../read-body.ts';
import type { TreeBody, TreeEntry, TreeFile, TreeListing } from './listing.ts';

/** Bodies on their way at once. */
const BODIES_AT_ONCE = 3;
/** Files of one body handed over at once: a disk writes several faster. */
const FILES_AT_ONCE = 8;

export interface OpenTree {
  readonly cid: Cid;
  readonly name: string | undefined;
  readonly signer: OwnerId;
  readonly listing: TreeListing;
  /** The entry at this path and, if it is a folder, all below it; everything for ''. */
  entries(path?: string): readonly TreeEntry[];
  open(file: TreeFile, signal?: AbortSignal): Promise<ReadableStream<Uint8Array>>;
  /** Hands over the content of each of these files, in whatever order is fastest, a few at once. */
  read(files: readonly TreeFile[], take: TakeContent, signal?: AbortSignal): Promise<void>;
}
export type TakeContent = (file: TreeFile, content: ReadableStream<Uint8Array>) => Promise<void>;

export function openTreeOf(ports: ReadPorts, tree: Pick<OpenTree, 'cid' | 'name' | 'signer' | 'listing'>): OpenTree {
  const { listing } = tree;
  const open: OpenTree['open'] = async (file, signal) => {
    const body = bodyOf(listing, file);
    if (file.bytes === 0) return openSource(new Uint8Array()).stream;
    const whole = file.offset === 0 && file.bytes === body.bytes;
    const range = whole ? undefined : { from: file.offset, to: file.offset + file.bytes };
    return readPrivateBody(ports, body.cid, body, { range, signal });
  };
  return {
    ...tree,
    entries: (path = '') =>
      listing.entries.filter((entry) => path === '' || entry.path === path || entry.path.startsWith(`${path}/`)),
    open,
    async read(files, take, signal) {
      const waiting = [...Map.groupBy(files, ({ body }) => body).values()];
      const work = async () => {
        for (let group = waiting.shift(); group; group = waiting.shift()) {
          signal?.throwIfAborted();
          await readGroup(ports, listing, group, open, take, signal);
        }
      };
      await Promise.all(Array.from({ length: BODIES_AT_ONCE }, work));
    },
  };
}

function bodyOf({ bodies }: TreeListing, { body }: TreeFile): TreeBody {
  const found = bodies[body];
  if (!found) throw new ClientError('bad-record', 'the listing lacks a body');
  return found;
}

/** The wanted files of one body. */
async function readGroup(
  ports: ReadPorts,
  listing: TreeListing,
  files: readonly TreeFile[],
  open: OpenTree['open'],
  take: TakeContent,
  signal: AbortSignal | undefined,
): Promise<void> {
  const [first] = files;
  if (!first) return;
  const body = bodyOf(listing, first);
  const wanted = files.reduce((sum, { bytes }) => sum + bytes, 0);
  if (files.length === 1 || wanted * 2 < body.bytes) {
    for (const file of files) await take(file, await open(file, signal));
    return;
  }
  const content = await readWhole(await readPrivateBody(ports, body.cid, body, { signal }));
  const waiting = [...files];
  const work = async () => {
    for (let file = waiting.shift(); file; file = waiting.shift()) {
      await take(file, openSource(content.subarray(file.offset, file.offset + file.bytes)).stream);
    }
  };
  await Promise.all(Array.from({ length: FILES_AT_ONCE }, work));
}
