/**
 * Small age messages and the age streams of bodies, with our own errors: the one place that calls `age-encryption`.
 * Format: https://age-encryption.org/v1.
 */
import { Decrypter, Encrypter } from 'age-encryption';
import { ClientError } from '../client-error.ts';

/** Who can open a message: age recipients, or one passphrase alone (age allows no mixture). */
export type Lock = { readonly recipients: readonly string[] } | { readonly passphrase: string };

export interface Openers {
  readonly identities?: readonly string[] | undefined;
  readonly passphrase?: string | undefined;
}

/** log₂ of scrypt's cost, age's own default: a second or so. */
const SCRYPT_WORK_FACTOR = 18;

function encrypterFor(lock: Lock, scryptWorkFactor = SCRYPT_WORK_FACTOR): Encrypter {
  const encrypter = new Encrypter();
  if ('passphrase' in lock) {
    encrypter.setScryptWorkFactor(scryptWorkFactor);
    encrypter.setPassphrase(lock.passphrase);
    return encrypter;
  }
  if (lock.recipients.length === 0) throw new ClientError('no-keys', 'nobody to encrypt to: give a recipient');
  for (const recipient of new Set(lock.recipients)) {
    try {
      encrypter.addRecipient(recipient);
    } catch (error) {
      const shown = `${recipient.slice(0, 24)}${recipient.length > 24 ? '…' : ''}`;
      throw new ClientError('bad-request', `"${shown}" is no age recipient (age1… or age1pq1…)`, { cause: error });
    }
  }
  return encrypter;
}

/** True for text that files can be encrypted to. */
export function isRecipient(text: string): boolean {
  try {
    encrypterFor({ recipients: [text] });
    return true;
  } catch {
    return false;
  }
}

function decrypterFor({ identities = [], passphrase }: Openers): Decrypter {
  const decrypter = new Decrypter();
  for (const identity of identities) {
    try {
      decrypter.addIdentity(identity);
    } catch (error) {
      throw new ClientError('bad-request', 'a given identity is none (AGE-SECRET-KEY-1… or AGE-SECRET-KEY-PQ-1…)', {
        cause: error,
      });
    }
  }
  if (passphrase !== undefined) decrypter.addPassphrase(passphrase);
  return decrypter;
}

/** What the age library says when every identity was tried in vain, for recipients and passphrases. */
const NO_MATCH = /no identity matched/;

/** An age failure as ours: a wrong key is told from a broken message. */
export function ageError(error: unknown, what: string): ClientError {
  if (error instanceof ClientError) return error;
  const text = error instanceof Error ? error.message : String(error);
  return NO_MATCH.test(text)
    ? new ClientError('wrong-key', `none of your keys opens ${what}: it was encrypted for somebody else`, {
        cause: error,
      })
    : new ClientError('bad-record', `${what} is broken: ${text}`, { cause: error });
}

/** @param scryptWorkFactor of a passphrase; lower ones are for tests */
export const sealSmall = (lock: Lock, bytes: Uint8Array, scryptWorkFactor?: number): Promise<Uint8Array> =>
  encrypterFor(lock, scryptWorkFactor).encrypt(bytes);

/** @throws ClientError `wrong-key`, `bad-record` */
export async function openSmall(openers: Openers, sealed: Uint8Array, what: string): Promise<Uint8Array> {
  try {
    return await decrypterFor(openers).decrypt(sealed);
  } catch (error) {
    throw ageError(error, what);
  }
}

export const sealStream = (recipient: string, plain: ReadableStream<Uint8Array>): Promise<ReadableStream<Uint8Array>> =>
  encrypterFor({ recipients: [recipient] }).encrypt(plain);

export async function openStream(
  identity: string,
  sealed: ReadableStream<Uint8Array>,
  what: string,
): Promise<ReadableStream<Uint8Array>> {
  try {
    return await decrypterFor({ identities: [identity] }).decrypt(sealed);
  } catch (error) {
    throw ageError(error, what);
  }
}

/** The file key of a whole header, for reading from the middle of a body. */
export async function openHeader(identity: string, header: Uint8Array, what: string): Promise<Uint8Array> {
  try {
    return await decrypterFor({ identities: [identity] }).decryptHeader(header);
  } catch (error) {
    throw ageError(error, what);
  }
}
