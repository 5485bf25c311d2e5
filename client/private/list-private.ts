/**
 * A listing as its owner reads it: names and types of private files decrypted with the account's key, each record's
 * signature checked. One that does not hold is listed with what is wrong, and spoils no other.
 */
import type { FileAnswer } from '#shared/api/schemas.ts';
import { parseCid } from '#shared/codec/cid.ts';
import { fromBase64Url } from '#shared/primitives/bytes.ts';
import type { Cid } from '#shared/primitives/ids.ts';
import { ClientError } from '../client-error.ts';
import { type Keyring, ownerOf } from '../keys/keyring.ts';
import type { FileKind } from './envelope-text.ts';
import { checkEnvelope, parseEnvelope } from './file-envelope.ts';
import { openMetadata } from './metadata.ts';

export interface ListedFile {
  readonly cid: Cid;
  readonly private: boolean;
  /** `tree`: a directory; `pack`: content of directories, which `list` leaves out unless asked. */
  readonly kind: FileKind;
  readonly name?: string;
  readonly contentType?: string;
  /** Of the content; of a private file that this account cannot read, those stored. */
  readonly bytes: number;
  readonly storedBytes: number;
  readonly createdAt: string;
  /** null: kept until deleted. */
  readonly expiresAt: string | null;
  /** Recipients beside your own. */
  readonly sharedWith: readonly string[];
  /** Why a private file's record is not believed or not read. */
  readonly problem?: string;
  readonly file: FileAnswer;
}

export async function listedFile(keys: Keyring | undefined, file: FileAnswer): Promise<ListedFile> {
  const cid = parseCid(file.cid)?.cid;
  if (!cid) throw new ClientError('bad-answer', 'the edge lists something that is no CID');
  const { bytes, createdAt, expiresAt, envelope } = file;
  const base = { cid, kind: 'file', bytes, storedBytes: bytes, createdAt, expiresAt, sharedWith: [], file } as const;
  if (envelope === undefined) {
    const { name, contentType } = file;
    return {
      ...base,
      private: false,
      ...(name === undefined ? {} : { name }),
      ...(contentType === undefined ? {} : { contentType }),
    };
  }
  if (!keys) return { ...base, private: true, problem: 'no-keys' };
  try {
    const signed = parseEnvelope(fromBase64Url(envelope) ?? new Uint8Array());
    checkEnvelope(signed, { cid, bytes }, ownerOf(keys).owner);
    const metadata = await openMetadata(keys.accountSeed, signed.fileId, signed.metadata);
    const { name, type: contentType, kind, shared: sharedWith } = metadata;
    return {
      ...base,
      private: true,
      kind,
      bytes: metadata.bytes,
      sharedWith,
      ...(name === undefined ? {} : { name }),
      ...(contentType === undefined ? {} : { contentType }),
    };
  } catch (error) {
    if (!(error instanceof ClientError)) throw error;
    return { ...base, private: true, problem: error.code };
  }
}
