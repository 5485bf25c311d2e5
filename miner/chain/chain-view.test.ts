import { describe, expect, it } from 'vitest';
import { type Hotkey, hotkeyOf } from '#shared/primitives/ids.ts';
import { type ChainView, FORMER_TENANT_MS, type Look, nextView } from './chain-view.ts';

const key = (number: number): Hotkey => hotkeyOf(new Uint8Array(32).fill(number));
const [ada, bob] = [key(1), key(2)] as const;
const NEW: ChainView = {
  genesisHash: 'ab'.repeat(32),
  netuid: 21,
  block: 0,
  tenants: [],
  uid: undefined,
  leftMs: undefined,
};
const RAO = 1_000_000_000n;
const look = (change: Partial<Look>): Look => ({ block: 10, validators: [], uid: 3, nowMs: 1000, ...change });
const validator = (hotkey: Hotkey, stake: bigint) => ({ uid: 0, hotkey, stake });
const named = (view: ChainView) => view.tenants.map(({ hotkey, current }) => [hotkey, current]);

describe('tenants', () => {
  it('are validators with stake, at least as much as is asked', () => {
    const validators = [validator(ada, 5n * RAO), validator(bob, 0n)];
    expect(named(nextView(NEW, look({ validators }), 0n))).toEqual([[ada, true]]);
    expect(named(nextView(NEW, look({ validators }), 5n * RAO))).toEqual([[ada, true]]);
    expect(named(nextView(NEW, look({ validators }), 5n * RAO + 1n))).toEqual([]);
  });

  it('keep what they have for a week after they lost their permit, and are tenants again when it is back', () => {
    const permitted = nextView(NEW, look({ validators: [validator(ada, RAO)] }), 0n);
    const lost = nextView(permitted, look({ block: 11, nowMs: 1000 + FORMER_TENANT_MS - 1 }), 0n);
    expect(named(lost)).toEqual([[ada, false]]);
    expect(named(nextView(lost, look({ block: 12, nowMs: 1000 + FORMER_TENANT_MS }), 0n))).toEqual([]);
    expect(named(nextView(lost, look({ block: 12, validators: [validator(ada, RAO)] }), 0n))).toEqual([[ada, true]]);
  });
});

describe('our place', () => {
  it('is lost when it was there before, from when it was first seen missing', () => {
    const had = nextView(NEW, look({}), 0n);
    const gone = nextView(had, look({ block: 11, uid: undefined, nowMs: 2000 }), 0n);
    expect([had.leftMs, gone.leftMs]).toEqual([undefined, 2000]);
    expect(nextView(gone, look({ block: 12, uid: undefined, nowMs: 3000 }), 0n).leftMs).toBe(2000);
    expect(nextView(gone, look({ block: 12, uid: 7 }), 0n)).toMatchObject({ uid: 7, leftMs: undefined });
  });

  it('cannot be lost before there was one', () => {
    expect(nextView(NEW, look({ uid: undefined }), 0n).leftMs).toBeUndefined();
  });

  it('is not judged by a node that lags behind', () => {
    const had = nextView(NEW, look({}), 0n);
    expect(nextView(had, look({ block: 9, uid: undefined }), 0n)).toBe(had);
  });
});
