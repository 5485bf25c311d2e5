import { describe, expect, it } from 'vitest';
import { toBase64 } from '#shared/primitives/bytes.ts';
import { encodeGrant, type Grant } from '#shared/proof/grant.ts';
import { signStatement } from '#shared/proof/statement.ts';
import { checkGrant, type GrantFailure } from './check-grant.ts';
import { loadSr25519 } from './node-sr25519.ts';

const { signerFromSeed, verify } = await loadSr25519();
const signer = (n: number) => signerFromSeed(new Uint8Array(32).fill(n));
const tenant = signer(1);
const edge = signer(2);
const stranger = signer(3);
const network = { genesis: new Uint8Array(32).fill(5), netuid: 21 };
const NOW = 1_800_000_000_000;
const HOUR = 3_600_000;
const grant: Grant = {
  validator: tenant.hotkey,
  edge: edge.hotkey,
  put: true,
  get: false,
  fromMs: NOW - HOUR,
  untilMs: NOW + HOUR,
};

const header = (change: Partial<Grant> = {}, by = tenant, net = network) =>
  toBase64(signStatement(by, encodeGrant(net, { ...grant, ...change })));
const ask = (text: string | undefined, caller = edge.hotkey, right: 'put' | 'get' = 'put', nowMs = NOW) =>
  checkGrant({ network, grant: text, caller, isTenant: (hotkey) => hotkey === tenant.hotkey, right, nowMs, verify });

describe('checkGrant', () => {
  it('needs none of the tenant itself', () => {
    expect(ask(undefined, tenant.hotkey)).toEqual({ ok: true, value: tenant.hotkey });
  });
  it.each([
    { id: 'in the middle of its time', text: header() },
    { id: 'in its last millisecond', text: header({ untilMs: NOW + 1 }) },
    { id: 'that begins within the clocks’ skew', text: header({ fromMs: NOW + 2000 }) },
  ])('takes a grant $id', ({ text }) => {
    expect(ask(text)).toEqual({ ok: true, value: tenant.hotkey });
  });
  const flipped = header().replace(/^./, 'X');
  const refused: { id: string; code: GrantFailure['code']; outcome: () => ReturnType<typeof ask> }[] = [
    { id: 'no grant of a stranger', code: 'grant-missing', outcome: () => ask(undefined, stranger.hotkey) },
    { id: 'an empty header', code: 'grant-invalid', outcome: () => ask('') },
    { id: 'no base64', code: 'grant-invalid', outcome: () => ask('%%%') },
    { id: 'an endless header', code: 'grant-invalid', outcome: () => ask('A'.repeat(4096)) },
    { id: 'another statement', code: 'grant-invalid', outcome: () => ask(flipped) },
    { id: 'a cut grant', code: 'grant-invalid', outcome: () => ask(header().slice(0, -4)) },
    {
      id: 'a grant of another network',
      code: 'grant-invalid',
      outcome: () => ask(header({}, tenant, { ...network, netuid: 22 })),
    },
    { id: 'a grant signed by the edge', code: 'grant-invalid', outcome: () => ask(header({}, edge)) },
    { id: 'a grant for another edge', code: 'grant-invalid', outcome: () => ask(header(), stranger.hotkey) },
    { id: 'a grant of 25 hours', code: 'grant-invalid', outcome: () => ask(header({ untilMs: NOW + 24 * HOUR })) },
    {
      id: 'a grant of no tenant',
      code: 'not-tenant',
      outcome: () => ask(header({ validator: stranger.hotkey }, stranger)),
    },
    { id: 'a grant at its end', code: 'grant-expired', outcome: () => ask(header({ untilMs: NOW })) },
    { id: 'a grant too early', code: 'grant-expired', outcome: () => ask(header({ fromMs: NOW + 2001 })) },
    { id: 'a right that it does not give', code: 'grant-rights', outcome: () => ask(header(), edge.hotkey, 'get') },
  ];
  it.each(refused)('refuses $id', ({ code, outcome }) => {
    expect(outcome()).toMatchObject({ ok: false, failure: { code, fault: 'caller' } });
  });
});
