/**
 * The keys of private files. The account's seed signs and hides names, the recipients are whom new files are encrypted
 * to, the identities open files. A machine that only stores needs no identity: what it stored it cannot read again.
 */
import { bech32 } from '@scure/base';
import { identityToRecipient } from 'age-encryption';
import { accountKeyOf, ownerIdOf } from '#shared/account/account.ts';
import type { Random } from '#shared/primitives/effects.ts';
import type { OwnerId } from '#shared/primitives/ids.ts';

export interface Keyring {
  /** 32 bytes: the seed of the account's ed25519 key. */
  readonly accountSeed: Uint8Array;
  /** `age1…`, `age1pq1…`: your own. */
  readonly recipients: readonly string[];
  /** `AGE-SECRET-KEY-1…`, `AGE-SECRET-KEY-PQ-1…`; absent on a machine that only stores. */
  readonly identities?: readonly string[];
}

/**
 * `x25519` is what every age program reads; `hybrid` (ML-KEM-768 with X25519) also withstands a quantum computer, and
 * needs age 1.3 or newer.
 */
export type KeyKind = 'x25519' | 'hybrid';

const PREFIX: Readonly<Record<KeyKind, string>> = { x25519: 'AGE-SECRET-KEY-', hybrid: 'AGE-SECRET-KEY-PQ-' };

/** @param secret 32 bytes */
export const identityOf = (kind: KeyKind, secret: Uint8Array): string =>
  bech32.encodeFromBytes(PREFIX[kind], secret).toUpperCase();

export const recipientOf = (identity: string): Promise<string> => identityToRecipient(identity);

/** A fresh identity, of one file or of a whole keyring. */
export const newIdentity = (kind: KeyKind, random: Random): string => identityOf(kind, random(32));

/** Keys of their own, for who has no wallet: keep them, nothing else can make them again. */
export async function newKeyring(random: Random, kind: KeyKind = 'x25519'): Promise<Required<Keyring>> {
  const identity = newIdentity(kind, random);
  return { accountSeed: random(32), identities: [identity], recipients: [await recipientOf(identity)] };
}

/** What a machine that only stores may keep. */
export const withoutIdentities = ({ accountSeed, recipients }: Keyring): Keyring => ({ accountSeed, recipients });

/** The owner that an account's key names, and the key itself. */
export function ownerOf({ accountSeed }: Pick<Keyring, 'accountSeed'>): { owner: OwnerId; account: Uint8Array } {
  const account = accountKeyOf(accountSeed);
  return { owner: ownerIdOf(account), account };
}
