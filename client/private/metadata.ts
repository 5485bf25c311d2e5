/**
 * What an owner's machines know of a private file without the key that opens it: name, type, size, and with whom it is
 * shared. AES-256-GCM under a key of the account (`keys/account-secrets.ts`), so that a machine that only stores can
 * still list names:
 *
 *    0  12  nonce, random
 *   12   …  ciphertext of the JSON below, and its tag₁₆
 *           additional data: "filetao/metadata/v1\0" ‖ fileId₁₆
 */
import { z } from 'zod';
import { ByteWriter, concatBytes, utf8 } from '#shared/primitives/bytes.ts';
import type { Random } from '#shared/primitives/effects.ts';
import { type FileId, idBytes } from '#shared/primitives/ids.ts';
import { ClientError } from '../client-error.ts';
import { metadataKey } from '../keys/account-secrets.ts';
import { FileKind } from './envelope-text.ts';

const NONCE_BYTES = 12;
const TAG_BYTES = 16;

/** Recipients beside the owner's own: as many X25519 ones as an envelope has room for, less a few. */
export const MAX_SHARED = 64;

export const Metadata = z.object({
  kind: FileKind,
  bytes: z.int().min(0),
  name: z.string().max(1024).optional(),
  type: z.string().max(255).optional(),
  /** Recipients beside the owner's own. */
  shared: z.array(z.string().max(4096)).max(MAX_SHARED).default([]),
  /** It opens with a passphrase, and with no recipient's key. */
  passphrase: z.boolean().default(false),
});
export type Metadata = z.output<typeof Metadata>;

const aesKey = (accountSeed: Uint8Array, usage: 'encrypt' | 'decrypt'): Promise<CryptoKey> =>
  crypto.subtle.importKey('raw', metadataKey(accountSeed) as Uint8Array<ArrayBuffer>, 'AES-GCM', false, [usage]);

const boundTo = (fileId: FileId) =>
  new ByteWriter(64).tag('filetao/metadata/v1').fixed(idBytes(fileId), 16).finish() as Uint8Array<ArrayBuffer>;

export async function sealMetadata(
  accountSeed: Uint8Array,
  fileId: FileId,
  metadata: Metadata,
  random: Random,
): Promise<Uint8Array> {
  const iv = random(NONCE_BYTES) as Uint8Array<ArrayBuffer>;
  const plain = utf8(JSON.stringify(metadata)) as Uint8Array<ArrayBuffer>;
  const key = await aesKey(accountSeed, 'encrypt');
  const sealed = await crypto.subtle.encrypt({ name: 'AES-GCM', iv, additionalData: boundTo(fileId) }, key, plain);
  return concatBytes(iv, new Uint8Array(sealed));
}

/** @throws ClientError `wrong-key` when it is another account's, `bad-record` when it says nothing understandable */
export async function openMetadata(accountSeed: Uint8Array, fileId: FileId, sealed: Uint8Array): Promise<Metadata> {
  if (sealed.length < NONCE_BYTES + TAG_BYTES) throw new ClientError('bad-record', 'the file has no metadata');
  const iv = sealed.slice(0, NONCE_BYTES);
  const key = await aesKey(accountSeed, 'decrypt');
  let plain: ArrayBuffer;
  try {
    const algorithm = { name: 'AES-GCM', iv, additionalData: boundTo(fileId) };
    plain = await crypto.subtle.decrypt(algorithm, key, sealed.slice(NONCE_BYTES));
  } catch (error) {
    throw new ClientError('wrong-key', 'your account’s key does not open this file’s metadata', { cause: error });
  }
  try {
    return Metadata.parse(JSON.parse(new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(plain)));
  } catch (error) {
    throw new ClientError('bad-record', 'the file’s metadata says nothing understandable', { cause: error });
  }
}
