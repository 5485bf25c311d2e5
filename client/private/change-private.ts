/**
 * Changes of a private file that leave its body where it is: with whom it is shared, and what it is called. Each is a new
 * revision of the signed envelope; when another machine was faster, it is made anew from what that one wrote.
 */

import type { SignedEnvelope } from '#shared/account/signed-envelope.ts';
import type { Cid } from '#shared/primitives/ids.ts';
import { ClientError, isClientError } from '../client-error.ts';
import { type Keyring, ownerOf } from '../keys/keyring.ts';
import {
  checkEnvelope,
  type FetchedEnvelope,
  fetchEnvelope,
  makeEnvelope,
  openEnvelope,
  sealEnvelope,
  sendEnvelope,
} from './file-envelope.ts';
import { type Metadata, openMetadata } from './metadata.ts';
import type { PrivatePorts } from './store-private.ts';

/** Times that another machine may be faster in a row. */
const ROUNDS = 5;

type Next = (current: FetchedEnvelope, metadata: Metadata) => Promise<{ signed: SignedEnvelope; metadata: Metadata }>;

async function revise(
  ports: PrivatePorts,
  keys: Keyring,
  cid: Cid,
  next: Next,
  signal: AbortSignal | undefined,
): Promise<Metadata> {
  for (let round = 1; ; round++) {
    const current = await fetchEnvelope(ports.connection, cid, signal);
    if (!current) throw new ClientError('bad-request', `${cid} is not a private file`);
    checkEnvelope(current.signed, { cid, bytes: current.bytes }, ownerOf(keys).owner);
    const before = await openMetadata(keys.accountSeed, current.signed.fileId, current.signed.metadata);
    const { signed, metadata } = await next(current, before);
    try {
      await sendEnvelope(ports.connection, cid, signed, signal);
      return metadata;
    } catch (error) {
      if (!isClientError(error, 'conflict') || round >= ROUNDS) throw error;
    }
  }
}

export interface SharingChange {
  readonly add?: readonly string[];
  readonly remove?: readonly string[];
  readonly signal?: AbortSignal;
}

/**
 * @returns recipients beside the owner's own, as they are now. Who was removed opens the file no more with what the
 * network gives out; what they kept of it before, they keep.
 */
export async function changeSharing(
  ports: PrivatePorts,
  keys: Keyring,
  cid: Cid,
  { add = [], remove = [], signal }: SharingChange,
): Promise<readonly string[]> {
  if (!keys.identities?.length)
    throw new ClientError('no-keys', 'sharing opens the envelope: give the key that opens it');
  const openers = { identities: keys.identities };
  const next: Next = async ({ signed, bytes }, before) => {
    if (before.passphrase)
      throw new ClientError('bad-request', 'this file opens with a passphrase: share that, or store it anew');
    const kept = before.shared.filter((recipient) => !remove.includes(recipient));
    const shared = [...new Set([...kept, ...add])].filter((recipient) => !keys.recipients.includes(recipient));
    const text = await openEnvelope(openers, signed, cid);
    const metadata = { ...before, shared };
    const body = { cid, fileId: signed.fileId, bytes };
    const lock = { recipients: [...keys.recipients, ...shared] };
    const envelope = await sealEnvelope(lock, text);
    const content = { envelope, metadata, revision: signed.revision + 1 };
    return { signed: await makeEnvelope(keys, body, content, ports.random), metadata };
  };
  return (await revise(ports, keys, cid, next, signal)).shared;
}

/** The owner's own name of it; those with whom it is shared go on seeing the one it was stored with. */
export async function changeName(
  ports: PrivatePorts,
  keys: Keyring,
  cid: Cid,
  name: string | undefined,
  signal?: AbortSignal,
): Promise<void> {
  const next: Next = async ({ signed, bytes }, { name: _, ...rest }) => {
    const metadata: Metadata = { ...rest, ...(name === undefined ? {} : { name }) };
    const { fileId, envelope } = signed;
    const content = { envelope, metadata, revision: signed.revision + 1 };
    return { signed: await makeEnvelope(keys, { cid, fileId, bytes }, content, ports.random), metadata };
  };
  await revise(ports, keys, cid, next, signal);
}
