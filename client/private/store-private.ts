/**
 * Stores a private file: the body encrypted to an identity of its own, then its signed envelope. Both or nothing: when
 * the envelope cannot be set, the body, which nobody could ever open, is deleted again.
 */
import type { FileAnswer } from '#shared/api/schemas.ts';
import type { Random } from '#shared/primitives/effects.ts';
import type { Cid, FileId } from '#shared/primitives/ids.ts';
import { deleteFile } from '../edge-files.ts';
import { watching } from '../file-digest.ts';
import { privateName } from '../keys/account-secrets.ts';
import { type KeyKind, type Keyring, newIdentity, recipientOf } from '../keys/keyring.ts';
import type { BodyOptions, SendPorts } from '../send-body.ts';
import { sendBody } from '../send-body.ts';
import { type Lock, sealStream } from './age-box.ts';
import type { FileKind, PrivateFacts } from './envelope-text.ts';
import { makeEnvelope, sendEnvelope } from './file-envelope.ts';

export interface PrivatePorts extends SendPorts {
  readonly random: Random;
}

export interface PrivateOptions extends BodyOptions {
  /** Recipients beside your own. */
  readonly recipients?: readonly string[] | undefined;
  /** Opens the file instead of any recipient's key. */
  readonly passphrase?: string | undefined;
  readonly kind?: FileKind | undefined;
}

export interface StoredPrivate {
  readonly cid: Cid;
  /** Of the content. */
  readonly bytes: number;
  /** Opens the body; listings of directories keep it. */
  readonly identity: string;
  readonly file: FileAnswer;
}

/**
 * A body is worth a post-quantum identity when everybody whom the envelope goes to has a post-quantum key: one who has
 * not is the weakest way in, and may have a program that reads nothing newer.
 */
const kindFor = (lock: Lock): KeyKind =>
  'recipients' in lock && lock.recipients.every((recipient) => recipient.startsWith('age1pq1')) ? 'hybrid' : 'x25519';

export async function storePrivate(
  ports: PrivatePorts,
  keys: Keyring,
  plain: ReadableStream<Uint8Array>,
  options: PrivateOptions,
): Promise<StoredPrivate> {
  const { name, contentType, recipients = [], passphrase, kind = 'file', ttlSeconds, redundancy, signal } = options;
  const shared = [...new Set(recipients)].filter((recipient) => !keys.recipients.includes(recipient));
  const lock: Lock = passphrase === undefined ? { recipients: [...keys.recipients, ...shared] } : { passphrase };
  const identity = newIdentity(kindFor(lock), ports.random);
  let bytes = 0;
  const counting = watching((piece) => {
    bytes += piece.length;
  });
  const sealed = await sealStream(await recipientOf(identity), plain.pipeThrough(counting));
  const hidden = name === undefined ? undefined : privateName(keys.accountSeed, name);
  const { cid, file } = await sendBody(ports, sealed, { name: hidden, ttlSeconds, redundancy, signal });

  const facts: PrivateFacts = {
    kind,
    bytes,
    ...(name === undefined ? {} : { name }),
    ...(contentType === undefined ? {} : { type: contentType }),
  };
  const metadata = { ...facts, shared, passphrase: passphrase !== undefined };
  try {
    const body = { cid, fileId: file.fileId as FileId, bytes: file.bytes };
    const content = { text: { identity, facts }, lock, metadata, revision: 1 };
    await sendEnvelope(ports.connection, cid, await makeEnvelope(keys, body, content, ports.random), signal);
  } catch (error) {
    // What stays behind if this fails too is listed as a file that nothing opens.
    await deleteFile(ports.connection, { cid }).catch(() => undefined);
    throw error;
  }
  return { cid, bytes, identity, file };
}
