import { ed25519 } from '@noble/curves/ed25519.js';
import { describe, expect, it } from 'vitest';
import { fromHex, toHex } from '#shared/primitives/bytes.ts';
import { systemRandom } from '#shared/primitives/effects.ts';
import { type Hotkey, hotkeyOf, parseHotkey } from '#shared/primitives/ids.ts';
import vector from '../../test/vectors/btauth-1.json' with { type: 'json' };
import {
  type AuthFailureCode,
  EMPTY_BODY_DIGEST,
  nextNonce,
  type Scheme,
  signedLines,
  signRequest,
  verifyRequest,
} from './btauth.ts';
import { loadSr25519 } from './node-sr25519.ts';
import { ReplayGuard } from './replay-guard.ts';

const { signerFromSeed, verify } = await loadSr25519();
const alice = signerFromSeed(fromHex('e5be9a5092b81bca64be81d212e7f2f9eba183bb7a90954f7b76361f6edb5c0a') as Uint8Array);
const receiver = vector.receiver as Hotkey;
const other = hotkeyOf(new Uint8Array(32).fill(7));

describe('the golden vector', () => {
  const fields = {
    method: vector.method,
    target: vector.target,
    bodyDigestHex: vector.bodySha256,
    nonce: BigInt(vector.nonce),
    receiver,
  };
  it('has our eight lines', () => {
    const lines = signedLines({ ...fields, scheme: 'sr25519', sender: alice.hotkey });
    expect(new TextDecoder().decode(lines).split('\n')).toEqual(vector.signedLinesSr25519);
  });
  it('writes "-" for no receiver', () => {
    const lines = signedLines({ ...fields, receiver: undefined, scheme: 'sr25519', sender: alice.hotkey } as never);
    expect(new TextDecoder().decode(lines).endsWith('\n-')).toBe(true);
  });
  it.each(['sr25519', 'ed25519'] as const)('verifies under %s', async (scheme) => {
    const sender = parseHotkey(vector.sender[scheme]) as Hotkey;
    const signature =
      scheme === 'ed25519'
        ? vector.ed25519Signature
        : `0x${toHex(alice.sign(signedLines({ ...fields, scheme, sender })))}`;
    const headers: Record<string, string> = {
      'x-bittensor-version': '1',
      'x-bittensor-hotkey': sender,
      'x-bittensor-receiver': receiver,
      'x-bittensor-nonce': vector.nonce,
      'x-bittensor-signature': signature,
    };
    const atMs = Number(BigInt(vector.nonce) / 1_000_000n);
    const outcome = await verifyRequest(
      { ...fields, header: (name) => headers[name] },
      { hotkey: receiver, startedAtMs: 0 },
      atMs,
      { verify, schemeOf: () => scheme, claimNonce: () => 'fresh' },
    );
    expect(outcome).toEqual({ ok: true, value: sender });
  });
});

describe('nonces', () => {
  it('grow strictly while the clock stands still or runs back', () => {
    let last = 0n;
    for (const nowMs of [...Array(500).fill(1000), 999, 400, 1001]) {
      const nonce = nextNonce(alice, nowMs, systemRandom);
      expect(nonce > last).toBe(true);
      last = nonce;
    }
  });
  it('carry the millisecond of the clock, and random digits below', () => {
    const fresh = signerFromSeed(new Uint8Array(32).fill(3));
    expect(nextNonce(fresh, 5, () => Uint8Array.of(0, 0, 0))).toBe(5_000_000n);
    expect(nextNonce(fresh, 6, () => Uint8Array.of(255, 255, 255))).toBe(6_999_999n);
  });
});

const NOW = 1_800_000_000_000;
const target = '/v1/shards/read?x=%20';
const digest = 'ab'.repeat(32);

interface Change {
  readonly id: string;
  readonly code: AuthFailureCode;
  readonly headers?: Record<string, string | undefined>;
  readonly nowMs?: number;
  readonly startedAtMs?: number;
  readonly method?: string;
  readonly target?: string;
  readonly bodyDigestHex?: string;
  readonly scheme?: Scheme;
  readonly twice?: boolean;
}

function attempt(change: Partial<Change>, guard = new ReplayGuard()) {
  const signed = signRequest({
    signer: alice,
    method: 'POST',
    target,
    bodyDigestHex: digest,
    receiver,
    nowMs: NOW,
    random: systemRandom,
  });
  const headers: Record<string, string | undefined> = { ...signed, ...change.headers };
  const run = () =>
    verifyRequest(
      {
        method: change.method ?? 'POST',
        target: change.target ?? target,
        bodyDigestHex: change.bodyDigestHex ?? digest,
        header: (name) => headers[name],
      },
      { hotkey: receiver, startedAtMs: change.startedAtMs ?? NOW - 60_000 },
      change.nowMs ?? NOW,
      {
        verify,
        schemeOf: () => change.scheme ?? 'sr25519',
        claimNonce: (sender, nonce) => guard.claim(sender, nonce, NOW),
      },
    );
  return run;
}

describe('verifyRequest', () => {
  it.each([
    { id: 'as signed' },
    { id: 'with the scheme spelled out', headers: { 'x-bittensor-crypto': 'sr25519' } },
    { id: 'whatever scheme the header claims', headers: { 'x-bittensor-crypto': 'ed25519' } },
    { id: 'a lowercase method', method: 'post' },
    { id: '9.9 s late', nowMs: NOW + 9900 },
    { id: '1.9 s early', nowMs: NOW - 1900 },
    { id: 'signed in the millisecond of the start', startedAtMs: NOW },
  ])('accepts a request $id', async (change) => {
    expect(await attempt(change)()).toEqual({ ok: true, value: alice.hotkey });
  });

  const ed = ed25519.keygen(new Uint8Array(32).fill(9));
  const refused: Change[] = [
    { id: 'without a version', code: 'unauthorized', headers: { 'x-bittensor-version': undefined } },
    { id: 'of version 2', code: 'unauthorized', headers: { 'x-bittensor-version': '2' } },
    { id: 'without a sender', code: 'unauthorized', headers: { 'x-bittensor-hotkey': undefined } },
    { id: 'from a sender in hex', code: 'unauthorized', headers: { 'x-bittensor-hotkey': toHex(alice.publicKey) } },
    {
      id: 'from a misspelt sender',
      code: 'unauthorized',
      headers: { 'x-bittensor-hotkey': `5${alice.hotkey.slice(2)}` },
    },
    {
      id: 'with a repeated sender',
      code: 'unauthorized',
      headers: { 'x-bittensor-hotkey': `${alice.hotkey}, ${other}` },
    },
    { id: 'without a nonce', code: 'unauthorized', headers: { 'x-bittensor-nonce': undefined } },
    { id: 'with a negative nonce', code: 'unauthorized', headers: { 'x-bittensor-nonce': '-1' } },
    { id: 'with a nonce in exponents', code: 'unauthorized', headers: { 'x-bittensor-nonce': '1e18' } },
    { id: 'with a nonce of 21 digits', code: 'unauthorized', headers: { 'x-bittensor-nonce': '1'.repeat(21) } },
    { id: 'with an unknown scheme', code: 'unauthorized', headers: { 'x-bittensor-crypto': 'ecdsa' } },
    { id: 'without a signature', code: 'unauthorized', headers: { 'x-bittensor-signature': undefined } },
    {
      id: 'with an uppercase signature',
      code: 'unauthorized',
      headers: { 'x-bittensor-signature': `0x${'AB'.repeat(64)}` },
    },
    {
      id: 'with a short signature',
      code: 'unauthorized',
      headers: { 'x-bittensor-signature': `0x${'ab'.repeat(63)}` },
    },
    { id: 'for another receiver', code: 'wrong-receiver', headers: { 'x-bittensor-receiver': other } },
    { id: 'for no receiver', code: 'wrong-receiver', headers: { 'x-bittensor-receiver': '-' } },
    { id: 'that arrives 10.1 s late', code: 'clock-skew', nowMs: NOW + 10_100 },
    { id: 'that arrives 2.1 s early', code: 'clock-skew', nowMs: NOW - 2100 },
    { id: 'with a nonce in milliseconds', code: 'clock-skew', headers: { 'x-bittensor-nonce': String(NOW) } },
    { id: 'signed before the start', code: 'before-start', startedAtMs: NOW + 1 },
    { id: 'with another method', code: 'bad-signature', method: 'GET' },
    { id: 'with another target', code: 'bad-signature', target: '/v1/shards/read?x= ' },
    { id: 'with another body', code: 'bad-signature', bodyDigestHex: EMPTY_BODY_DIGEST },
    { id: 'with another nonce in the window', code: 'bad-signature', headers: { 'x-bittensor-nonce': `${NOW}000001` } },
    { id: 'in another name', code: 'bad-signature', headers: { 'x-bittensor-hotkey': other } },
    {
      id: 'with zeros for a signature',
      code: 'bad-signature',
      headers: { 'x-bittensor-signature': `0x${'00'.repeat(64)}` },
    },
    { id: 'when ed25519 is trusted', code: 'bad-signature', scheme: 'ed25519' },
    {
      id: 'signed by ed25519 when sr25519 is trusted',
      code: 'bad-signature',
      headers: { 'x-bittensor-hotkey': hotkeyOf(ed.publicKey), 'x-bittensor-crypto': 'ed25519' },
    },
    { id: 'a second time', code: 'replayed', twice: true },
  ];
  it.each(refused)('refuses a request $id', async ({ code, twice, ...change }) => {
    const run = attempt(change);
    if (twice) await run();
    expect(await run()).toMatchObject({ ok: false, failure: { code, fault: 'caller' } });
  });

  it('remembers no nonce of a signature that does not hold', async () => {
    const guard = new ReplayGuard();
    await attempt({ method: 'GET' }, guard)();
    expect(guard.size).toBe(0);
  });
  it('says busy when the guard is full', async () => {
    const guard = new ReplayGuard({ holdMs: 12_000, perHotkey: 1, inAll: 10 });
    await attempt({}, guard)();
    expect(await attempt({}, guard)()).toMatchObject({ failure: { code: 'busy' } });
  });
  it('refuses a malleable ed25519 signature', async () => {
    const nonce = BigInt(NOW) * 1_000_000n;
    const sender = hotkeyOf(ed.publicKey);
    const lines = signedLines({
      scheme: 'ed25519',
      method: 'GET',
      target,
      bodyDigestHex: digest,
      nonce,
      sender,
      receiver,
    });
    const signature = ed25519.sign(lines, ed.secretKey);
    const order = 2n ** 252n + 27742317777372353535851937790883648493n;
    let s = order;
    for (let i = 31; i >= 0; i--) s += BigInt(signature[32 + i] as number) << BigInt(8 * i);
    const grown = signature.slice();
    for (let i = 0; i < 32; i++) grown[32 + i] = Number((s >> BigInt(8 * i)) & 0xffn);
    const ask = (bytes: Uint8Array) =>
      verifyRequest(
        {
          method: 'GET',
          target,
          bodyDigestHex: digest,
          header: (name) =>
            ({
              'x-bittensor-version': '1',
              'x-bittensor-hotkey': sender as string,
              'x-bittensor-receiver': receiver as string,
              'x-bittensor-nonce': String(nonce),
              'x-bittensor-signature': `0x${toHex(bytes)}`,
            })[name],
        },
        { hotkey: receiver, startedAtMs: 0 },
        NOW,
        { verify, schemeOf: () => 'ed25519', claimNonce: () => 'fresh' },
      );
    expect((await ask(signature)).ok).toBe(true);
    expect(await ask(grown)).toMatchObject({ failure: { code: 'bad-signature' } });
  });
  it('knows the hash of nothing', async () => {
    expect(toHex(new Uint8Array(await crypto.subtle.digest('SHA-256', new Uint8Array(0))))).toBe(EMPTY_BODY_DIGEST);
  });
});
