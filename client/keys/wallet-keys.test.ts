import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '#shared/primitives/bytes.ts';
import { privateName } from './account-secrets.ts';
import { ownerOf, recipientOf, withoutIdentities } from './keyring.ts';
import { walletKeyring, walletSecrets } from './wallet-keys.ts';

interface Known {
  readonly secretSeed: string;
  readonly generation: number;
  readonly x25519: string;
  readonly x25519Recipient: string;
  readonly hybrid: string;
  readonly accountSeed: string;
  readonly account: string;
  readonly ownerId: string;
  readonly nameOf: string;
  readonly privateName: string;
}
const { cases }: { readonly cases: readonly Known[] } = JSON.parse(
  readFileSync(new URL('../../test/vectors/wallet-keys-v1.json', import.meta.url), 'utf8'),
);

describe('keys of a wallet', () => {
  it.each(cases)('are the known ones: $secretSeed, $generation', async (known) => {
    const secrets = walletSecrets(fromHex(known.secretSeed) ?? new Uint8Array(), known.generation);
    expect(secrets).toEqual({
      accountSeed: fromHex(known.accountSeed),
      x25519: known.x25519,
      hybrid: known.hybrid,
    });
    expect(await recipientOf(secrets.x25519)).toBe(known.x25519Recipient);
    const { owner, account } = ownerOf(secrets);
    expect([owner, toHex(account)]).toEqual([known.ownerId, known.account]);
    expect(privateName(secrets.accountSeed, known.nameOf)).toBe(known.privateName);
    expect(privateName(secrets.accountSeed, known.nameOf.normalize('NFD'))).toBe(known.privateName);
  });

  it.each([0, 31, 33, 64])('are not made of %i bytes', (bytes) => {
    expect(() => walletSecrets(new Uint8Array(bytes))).toThrow(RangeError);
  });

  it('open both kinds, and store for the chosen one', async () => {
    const seed = new Uint8Array(32).fill(5);
    const [classic, quantum] = [await walletKeyring(seed), await walletKeyring(seed, 'hybrid')];
    expect(classic.identities).toEqual(quantum.identities);
    expect(classic.recipients[0]).toMatch(/^age1[02-9a-z]{58}$/);
    expect(quantum.recipients[0]).toMatch(/^age1pq1/);
    expect(withoutIdentities(classic)).not.toHaveProperty('identities');
  });
});
