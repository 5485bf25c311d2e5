/** What a stored file is, by its metadata: readable with the account's key alone, without what opens its content. */

import { isClientError } from '#client/client-error.ts';
import type { Keyring } from '#client/keys/keyring.ts';
import type { FileKind } from '#client/private/envelope-text.ts';
import { fetchEnvelope } from '#client/private/file-envelope.ts';
import { openMetadata } from '#client/private/metadata.ts';
import type { Cid } from '#shared/primitives/ids.ts';
import { connectionTo } from './connection.ts';

/** Undefined where these keys do not tell. */
export async function fileKind(
  edge: { readonly url: string; readonly apiKey: string },
  keys: Pick<Keyring, 'accountSeed'>,
  cid: Cid,
  signal: AbortSignal,
): Promise<FileKind | undefined> {
  const fetched = await fetchEnvelope(connectionTo(edge.url, edge.apiKey), cid, signal);
  if (!fetched) return 'file';
  try {
    const { fileId, metadata } = fetched.signed;
    return (await openMetadata(keys.accountSeed, fileId, metadata)).kind;
  } catch (error) {
    // Another account's metadata.
    if (isClientError(error)) return undefined;
    throw error;
  }
}
