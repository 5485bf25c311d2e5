/** Reading a private file: its envelope fetched, checked and opened, then its body decrypted as it comes. */
import type { Cid, OwnerId } from '#shared/primitives/ids.ts';
import { ClientError } from '../client-error.ts';
import { iterableStream } from '../file-source.ts';
import { type Keyring, ownerOf } from '../keys/keyring.ts';
import { type ByteRange, type ReadPorts, readBody } from '../read-body.ts';
import { ageError, type Openers, openStream } from './age-box.ts';
import { readSealedRange } from './age-range.ts';
import type { EnvelopeText } from './envelope-text.ts';
import { checkEnvelope, type FetchedEnvelope, openEnvelope, type Trust } from './file-envelope.ts';

export interface OpenOptions extends Openers {
  /** Whose signature is believed; by default your own account's, or anyone's when you have none. */
  readonly from?: Trust | undefined;
  readonly signal?: AbortSignal | undefined;
}

export interface OpenedPrivate {
  readonly text: EnvelopeText;
  readonly signer: OwnerId;
  readonly storedBytes: number;
}

export async function openPrivate(
  keys: Keyring | undefined,
  cid: Cid,
  { signed, bytes }: FetchedEnvelope,
  options: OpenOptions,
): Promise<OpenedPrivate> {
  const trust = options.from ?? (keys ? ownerOf(keys).owner : 'anyone');
  const { signer } = checkEnvelope(signed, { cid, bytes }, trust);
  const identities = [...(keys?.identities ?? []), ...(options.identities ?? [])];
  if (identities.length === 0 && options.passphrase === undefined) {
    throw new ClientError('no-keys', 'this is a private file: give the key that opens it');
  }
  const text = await openEnvelope({ identities, passphrase: options.passphrase }, signed, cid);
  return { text, signer, storedBytes: bytes };
}

/** The decrypted body, or a range of it. Ends with an error if what came was not the whole, right body. */
export async function readPrivateBody(
  ports: ReadPorts,
  cid: Cid,
  body: { readonly identity: string; readonly bytes: number; readonly storedBytes: number },
  options: { readonly range?: ByteRange | undefined; readonly signal?: AbortSignal | undefined },
): Promise<ReadableStream<Uint8Array>> {
  const what = `the body of ${cid}`;
  if (options.range) return readSealedRange(ports, cid, body, options.range, options.signal);
  const { stream, bytes } = await readBody(ports, cid, { signal: options.signal });
  if (bytes !== body.storedBytes) {
    await stream.cancel();
    throw new ClientError(
      'wrong-bytes',
      `${cid} has ${bytes} bytes here, and ${body.storedBytes} by its signed record`,
    );
  }
  const failed: { error?: unknown } = {};
  const plain = await openStream(body.identity, remembering(stream, failed), what);
  return iterableStream(named(plain, failed, what));
}

/** What broke below an age stream comes out of it as something else: keep the first cause. */
function remembering(stream: ReadableStream<Uint8Array>, failed: { error?: unknown }): ReadableStream<Uint8Array> {
  async function* pieces() {
    const reader = stream.getReader();
    try {
      for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
    } catch (error) {
      failed.error = error;
      throw error;
    } finally {
      await reader.cancel().catch(() => undefined);
    }
  }
  return iterableStream(pieces());
}

async function* named(stream: ReadableStream<Uint8Array>, failed: { error?: unknown }, what: string) {
  const reader = stream.getReader();
  try {
    for (let next = await reader.read(); !next.done; next = await reader.read()) yield next.value;
  } catch (error) {
    throw failed.error ?? ageError(error, what);
  } finally {
    await reader.cancel().catch(() => undefined);
  }
}
