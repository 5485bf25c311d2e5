/**
 * Stores a private file: the body encrypted to an identity of its own, then its signed envelope. Both or nothing: when
 * the envelope cannot be set, the body, which nobody could ever open, is deleted again.
 */
import type { FileAnswer } from '#shared/api/schemas.ts';
import type { Random } from '#shared/primitives/effects.ts';
import type { Cid, FileId } from '#shared/primitives/ids.ts';
import { isClientError } from '../client-error.ts';
import { deleteFile } from '../edge-files.ts';
import { watching } from '../file-digest.ts';
import { privateName } from '../keys/account-secrets.ts';
import { type KeyKind, type Keyring, newIdentity, ownerOf, recipientOf } from '../keys/keyring.ts';
import type { BodyOptions, SendPorts } from '../send-body.ts';
import { sendBody } from '../send-body.ts';
import { type Lock, sealStream } from './age-box.ts';
import type { FileKind } from './envelope-text.ts';
import { checkEnvelope, fetchEnvelope, makeEnvelope, sealEnvelope, sendEnvelope } from './file-envelope.ts';
import type { Metadata } from './metadata.ts';

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

/** A body that is being encrypted, and how to seal what goes beside it once all of it has passed. */
export interface Sealing {
  readonly stream: ReadableStream<Uint8Array>;
  readonly identity: string;
  /** The edge's name of it. */
  readonly hiddenName: string | undefined;
  /** Only after the stream has ended: it tells the length. */
  finish(): Promise<{ readonly envelope: Uint8Array; readonly metadata: Metadata }>;
}

/**
 * A body is worth a post-quantum identity when everybody whom the envelope goes to has a post-quantum key: one who has
 * not is the weakest way in, and may have a program that reads nothing newer.
 */
const kindFor = (lock: Lock): KeyKind =>
  'recipients' in lock && lock.recipients.every((recipient) => recipient.startsWith('age1pq1')) ? 'hybrid' : 'x25519';

export async function sealPrivate(
  random: Random,
  keys: Keyring,
  plain: ReadableStream<Uint8Array>,
  options: PrivateOptions,
): Promise<Sealing> {
  const { name, contentType, recipients = [], passphrase, kind = 'file' } = options;
  const shared = [...new Set(recipients)].filter((recipient) => !keys.recipients.includes(recipient));
  const lock: Lock = passphrase === undefined ? { recipients: [...keys.recipients, ...shared] } : { passphrase };
  const identity = newIdentity(kindFor(lock), random);
  let bytes = 0;
  const counting = watching((piece) => {
    bytes += piece.length;
  });
  return {
    stream: await sealStream(await recipientOf(identity), plain.pipeThrough(counting)),
    identity,
    hiddenName: name === undefined ? undefined : privateName(keys.accountSeed, name),
    async finish() {
      const named = name === undefined ? {} : { name };
      const facts = { kind, bytes, ...named, ...(contentType === undefined ? {} : { type: contentType }) };
      const envelope = await sealEnvelope(lock, { identity, facts });
      return { envelope, metadata: { ...facts, shared, passphrase: passphrase !== undefined } };
    },
  };
}

/**
 * Sets the envelope of a body that was just stored. Safe to repeat: one of ours that is there already was set by an
 * earlier try, or is a later revision of it.
 */
export async function finishPrivate(
  ports: PrivatePorts,
  keys: Pick<Keyring, 'accountSeed'>,
  file: FileAnswer,
  sealed: { readonly envelope: Uint8Array; readonly metadata: Metadata },
  signal: AbortSignal | undefined,
): Promise<void> {
  const cid = file.cid as Cid;
  const body = { cid, fileId: file.fileId as FileId, bytes: file.bytes };
  const signed = await makeEnvelope(keys, body, { ...sealed, revision: 1 }, ports.random);
  try {
    await sendEnvelope(ports.connection, cid, signed, signal);
  } catch (error) {
    const there = isClientError(error, 'conflict') ? await fetchEnvelope(ports.connection, cid, signal) : undefined;
    if (!there) throw error;
    checkEnvelope(there.signed, body, ownerOf(keys).owner);
  }
}

export async function storePrivate(
  ports: PrivatePorts,
  keys: Keyring,
  plain: ReadableStream<Uint8Array>,
  options: PrivateOptions,
): Promise<StoredPrivate> {
  const { ttlSeconds, redundancy, proof, signal } = options;
  const sealing = await sealPrivate(ports.random, keys, plain, options);
  const { cid, file } = await sendBody(ports, sealing.stream, {
    ...{ name: sealing.hiddenName, ttlSeconds, redundancy, proof, signal },
  });
  const sealed = await sealing.finish();
  try {
    await finishPrivate(ports, keys, file, sealed, signal);
  } catch (error) {
    // What stays behind if this fails too is listed as a file that nothing opens.
    await deleteFile(ports.connection, { cid }).catch(() => undefined);
    throw error;
  }
  return { cid, bytes: sealed.metadata.bytes, identity: sealing.identity, file };
}
