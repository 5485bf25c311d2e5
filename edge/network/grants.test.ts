import { describe, expect, test } from 'vitest';
import { concatBytes } from '#shared/primitives/bytes.ts';
import type { Clock } from '#shared/primitives/effects.ts';
import type { Hotkey } from '#shared/primitives/ids.ts';
import { encodeGrant, type Grant } from '#shared/proof/grant.ts';
import { signStatement } from '#shared/proof/statement.ts';
import { signerFromSeed, verify } from '#shared/wire/sr25519-scure.ts';
import { type GrantCache, grantsOf } from './grants.ts';

const tenant = signerFromSeed(new Uint8Array(32).fill(1));
const stranger = signerFromSeed(new Uint8Array(32).fill(2));
const edge = signerFromSeed(new Uint8Array(32).fill(3)).hotkey;
const network = { genesis: new Uint8Array(32), netuid: 21 };
const NOW_MS = 1_800_000_000_000;
const HOUR_MS = 3_600_000;

const right: Grant = {
  validator: tenant.hotkey,
  edge,
  put: true,
  get: true,
  fromMs: NOW_MS - HOUR_MS,
  untilMs: NOW_MS + HOUR_MS,
};
const signed = (change: Partial<Grant> = {}, signer = tenant, where = network) =>
  signStatement(signer, encodeGrant(where, { ...right, ...change }));

function grantsWith(grant: Uint8Array | undefined) {
  let reads = 0;
  let nowMs = NOW_MS;
  const clock: Clock = { nowMs: () => nowMs, sleep: async () => undefined };
  const access = {
    readGrant: async (asked: Hotkey) => {
      expect(asked).toBe(edge);
      reads++;
      return grant;
    },
  };
  const cache: GrantCache = {};
  const open = () => grantsOf(access, { network, tenant: tenant.hotkey, edge }, verify, cache, clock);
  return {
    grants: open(),
    open,
    reads: () => reads,
    pass: (ms: number) => {
      nowMs += ms;
    },
  };
}

test('a right grant is valid until it ends, and is not read at every request', async () => {
  const { grants, open, reads, pass } = grantsWith(signed());
  expect(await grants.state()).toEqual({ state: 'valid', untilMs: right.untilMs });
  expect(await open().signed()).toBeInstanceOf(Uint8Array);
  expect(reads()).toBe(1);
  pass(61_000);
  await open().state();
  expect(reads()).toBe(2);
  pass(HOUR_MS);
  expect(await grants.state()).toEqual({ state: 'expired' });
});

describe('is no valid grant:', () => {
  const tampered = signed().with(60, 1);
  const cases: readonly { id: string; grant: Uint8Array | undefined; state: string }[] = [
    { id: 'none', grant: undefined, state: 'absent' },
    {
      id: 'one of yesterday',
      grant: signed({ fromMs: NOW_MS - 3 * HOUR_MS, untilMs: NOW_MS - HOUR_MS }),
      state: 'expired',
    },
    { id: 'one that ends now', grant: signed({ untilMs: NOW_MS }), state: 'expired' },
    { id: 'one of tomorrow', grant: signed({ fromMs: NOW_MS + 1, untilMs: NOW_MS + HOUR_MS }), state: 'not-yet' },
    { id: 'one for another edge', grant: signed({ edge: stranger.hotkey }), state: 'wrong' },
    { id: 'one of another tenant', grant: signed({ validator: stranger.hotkey }, stranger), state: 'wrong' },
    { id: 'one signed by a stranger', grant: signed({}, stranger), state: 'wrong' },
    { id: 'one naming a stranger', grant: signed({ validator: stranger.hotkey }), state: 'wrong' },
    { id: 'one of another network', grant: signed({}, tenant, { ...network, netuid: 22 }), state: 'wrong' },
    { id: 'a changed one', grant: tampered, state: 'wrong' },
    { id: 'one with a byte more', grant: concatBytes(signed(), Uint8Array.of(0)), state: 'wrong' },
    { id: 'nothing of it', grant: new Uint8Array(0), state: 'wrong' },
  ];
  test.each(cases)('$id', async ({ grant, state }) => {
    expect(await grantsWith(grant).grants.state()).toEqual({ state });
  });
});

test('while there is none it is asked for again soon', async () => {
  const { open, reads, pass } = grantsWith(undefined);
  await open().state();
  pass(2_001);
  await open().state();
  expect(reads()).toBe(2);
});
