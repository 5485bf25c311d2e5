/** Who gets an API key by an account's signature, and who does not. */
import { beforeAll, describe, expect, test } from 'vitest';
import { accountKeyOf, ownerIdOf } from '#shared/account/account.ts';
import { type Login, signLogin } from '#shared/account/account-login.ts';
import { toHex } from '#shared/primitives/bytes.ts';
import { systemRandom } from '#shared/primitives/effects.ts';
import { createTestEdge, type TestEdge } from './testing/test-edge.ts';

let open: TestEdge;
let closed: TestEdge;
beforeAll(async () => {
  open = await createTestEdge({ settings: { openAccounts: true } });
  closed = await createTestEdge();
});

const SEED = new Uint8Array(32).fill(0x33);
const ACCOUNT = accountKeyOf(SEED);
const login = (change: Partial<Login> = {}): Login => ({
  ...{ account: ACCOUNT, nonce: systemRandom(16), timeMs: Date.now(), host: 'edge.test', label: 'laptop' },
  ...change,
});
const bodyOf = (said: Login, signature = signLogin(SEED, said)) => ({
  ...{ account: toHex(said.account), nonce: toHex(said.nonce), timeMs: said.timeMs, label: said.label },
  signature: toHex(signature),
});
async function ask(edge: TestEdge, body: unknown): Promise<Record<string, unknown>> {
  const init = { method: 'POST', body: JSON.stringify(body), headers: { Authorization: '' } };
  return (await edge.fetch('/v1/login', init)).json();
}

describe('a signed login', () => {
  test('gives a key of the account’s owner', async () => {
    const answer = await ask(open, bodyOf(login()));
    expect(answer).toMatchObject({ owner: ownerIdOf(ACCOUNT), label: 'laptop' });
    const account = await open.fetch('/v1/account', { headers: { Authorization: `Bearer ${answer.key}` } });
    expect(await account.json()).toMatchObject({ owner: ownerIdOf(ACCOUNT) });
  });

  test('needs an owner whom somebody let in, where accounts are not open', async () => {
    const calls = closed.index.calls.length;
    expect(await ask(closed, bodyOf(login()))).toMatchObject({ code: 'forbidden', owner: ownerIdOf(ACCOUNT) });
    expect(closed.index.calls.slice(calls)).toEqual(['isKnownOwner']);
    await closed.index.setQuota(ownerIdOf(ACCOUNT), 1000);
    expect(await ask(closed, bodyOf(login()))).toMatchObject({ owner: ownerIdOf(ACCOUNT) });
  });

  test('is good once', async () => {
    const body = bodyOf(login());
    expect(await ask(open, body)).toHaveProperty('key');
    expect(await ask(open, body)).toMatchObject({ code: 'replayed' });
  });

  test.each([
    ['for another edge', () => bodyOf(login({ host: 'other.test' })), 'bad-signature'],
    [
      'by another account',
      () => ({ ...bodyOf(login()), account: toHex(accountKeyOf(new Uint8Array(32))) }),
      'bad-signature',
    ],
    ['with another label', () => ({ ...bodyOf(login()), label: 'x' }), 'bad-signature'],
    ['with another nonce', () => ({ ...bodyOf(login()), nonce: '0'.repeat(32) }), 'bad-signature'],
    ['with another time', () => ({ ...bodyOf(login()), timeMs: Date.now() + 1 + 1000 }), 'bad-signature'],
    ['with no signature', () => bodyOf(login(), new Uint8Array(64)), 'bad-signature'],
    ['of two minutes ago', () => bodyOf(login({ timeMs: Date.now() - 120_000 })), 'clock-skew'],
    ['of in two minutes', () => bodyOf(login({ timeMs: Date.now() + 120_000 })), 'clock-skew'],
    ['by what is no key', () => ({ ...bodyOf(login()), account: 'xyz' }), 'bad-request'],
    ['with a short nonce', () => ({ ...bodyOf(login()), nonce: '00' }), 'bad-request'],
    ['with more than belongs in it', () => ({ ...bodyOf(login()), quota: 5 }), 'bad-request'],
    ['that is nothing', () => ({}), 'bad-request'],
  ])('%s is refused', async (_, make, code) => {
    expect(await ask(open, make())).toMatchObject({ code });
  });
});
