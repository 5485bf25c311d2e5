/**
 * A directory as one private file: what is in it, and in which bodies its content lies. Small files share a body (a
 * pack), large ones have their own. The identity of each body stands here, so that who may open the listing may open all.
 *
 *   { "version": 1,
 *     "bodies":  [ { "cid", "identity", "bytes", "storedBytes" } … ],
 *     "entries": [ { "path", "type": "file", "bytes", "mode", "mtimeMs", "tag", "body", "offset" }
 *                | { "path", "type": "folder", "mode", "mtimeMs" }
 *                | { "path", "type": "link", "target", "mtimeMs" } … ] }
 *
 * `tag` is HMAC-SHA-256 of the content under the account's content key, base64url: how unchanged files are known.
 */
import { z } from 'zod';
import { CidText } from '#shared/api/schemas.ts';
import { utf8 } from '#shared/primitives/bytes.ts';
import { ClientError } from '../client-error.ts';
import { isSafePath, parentsOf } from './tree-path.ts';

/** A million short paths; a listing is read whole. */
const MAX_LISTING_BYTES = 256 * 1024 * 1024;
export const TREE_CONTENT_TYPE = 'application/vnd.filetao.tree+json';

const Path = z.string().refine(isSafePath, 'leads out of its folder');
const Bytes = z.int().min(0);
const Mode = z.int().min(0).max(0o7777);
const Time = z.number().min(-8.64e15).max(8.64e15);

const Body = z.object({
  cid: CidText,
  identity: z.string().regex(/^AGE-SECRET-KEY-(?:PQ-)?1[0-9A-Z]{20,200}$/),
  bytes: Bytes,
  storedBytes: Bytes,
});
const FileEntry = z.object({
  path: Path,
  type: z.literal('file'),
  bytes: Bytes,
  mode: Mode,
  mtimeMs: Time,
  tag: z.string().regex(/^[A-Za-z0-9_-]{43}$/),
  body: Bytes,
  offset: Bytes,
});
const FolderEntry = z.object({ path: Path, type: z.literal('folder'), mode: Mode, mtimeMs: Time });
const LinkEntry = z.object({ path: Path, type: z.literal('link'), target: z.string().max(4096), mtimeMs: Time });

const Listing = z.object({
  version: z.literal(1),
  bodies: z.array(Body),
  entries: z.array(z.discriminatedUnion('type', [FileEntry, FolderEntry, LinkEntry])),
});
export type TreeBody = z.output<typeof Body>;
export type TreeFile = z.output<typeof FileEntry>;
export type TreeEntry = z.output<typeof Listing>['entries'][number];
export interface TreeListing {
  readonly version: 1;
  readonly bodies: readonly TreeBody[];
  readonly entries: readonly TreeEntry[];
}

export const writeListing = (listing: TreeListing): Uint8Array => utf8(JSON.stringify(listing));

const refuse = (code: 'bad-record' | 'unsafe-path', why: string) =>
  new ClientError(code, `the directory's listing is not to be believed: ${why}`);

/** @throws ClientError `unsafe-path`, `bad-record` */
export function parseListing(bytes: Uint8Array): TreeListing {
  if (bytes.length > MAX_LISTING_BYTES) throw refuse('bad-record', 'it is too long');
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes));
  } catch {
    throw refuse('bad-record', 'it is not JSON');
  }
  const parsed = Listing.safeParse(value);
  if (!parsed.success) {
    const [issue] = parsed.error.issues;
    const unsafe = issue?.path.at(-1) === 'path';
    throw refuse(unsafe ? 'unsafe-path' : 'bad-record', `${issue?.path.join('.')}: ${issue?.message}`);
  }
  checkPlaces(parsed.data);
  return parsed.data;
}

/** Each path once, folders above files only, and every file inside its body. */
function checkPlaces({ bodies, entries }: TreeListing): void {
  const types = new Map<string, TreeEntry['type']>();
  for (const { path, type } of entries) {
    if (types.has(path)) throw refuse('unsafe-path', 'a path stands in it twice');
    types.set(path, type);
  }
  for (const entry of entries) {
    for (const parent of parentsOf(entry.path)) {
      const type = types.get(parent);
      if (type !== undefined && type !== 'folder')
        throw refuse('unsafe-path', 'something lies below what is no folder');
    }
    if (entry.type !== 'file') continue;
    const body = bodies[entry.body];
    if (!body || entry.offset + entry.bytes > body.bytes) throw refuse('bad-record', 'a file lies outside its body');
  }
}
