import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type Hotkey, hotkeyOf } from '#shared/primitives/ids.ts';
import { ReplayGuard } from './replay-guard.ts';

const key = (n: number): Hotkey => hotkeyOf(new Uint8Array(32).fill(n));
const LIMITS = { holdMs: 12_000, perHotkey: 4, inAll: 10 };

describe('ReplayGuard', () => {
  it('lets each nonce of each hotkey pass once', () => {
    const guard = new ReplayGuard();
    expect(guard.claim(key(1), 5n, 0)).toBe('fresh');
    expect(guard.claim(key(1), 5n, 0)).toBe('replayed');
    expect(guard.claim(key(2), 5n, 0)).toBe('fresh');
    expect(guard.claim(key(1), 6n, 0)).toBe('fresh');
  });
  it('holds a nonce for 12 s to the millisecond', () => {
    const guard = new ReplayGuard();
    guard.claim(key(1), 5n, 1000);
    expect(guard.claim(key(1), 5n, 13_000)).toBe('replayed');
    expect(guard.claim(key(1), 5n, 13_001)).toBe('fresh');
  });
  it('is full for one hotkey while others go on', () => {
    const guard = new ReplayGuard(LIMITS);
    for (let i = 0; i < 4; i++) guard.claim(key(1), BigInt(i), 0);
    expect(guard.claim(key(1), 9n, 0)).toBe('full');
    expect(guard.claim(key(2), 9n, 0)).toBe('fresh');
    expect(guard.claim(key(1), 9n, 12_001)).toBe('fresh');
  });
  it('is full in all, and makes room from hotkeys that went quiet', () => {
    const guard = new ReplayGuard(LIMITS);
    for (let i = 0; i < 10; i++) expect(guard.claim(key(i), 1n, 0)).toBe('fresh');
    expect(guard.claim(key(11), 1n, 5000)).toBe('full');
    expect(guard.claim(key(11), 1n, 12_001)).toBe('fresh');
    expect(guard.size).toBe(1);
  });
  it('never grows over its bounds and never lets one pass twice within the hold', () => {
    const steps = fc.array(fc.tuple(fc.nat(5), fc.bigInt({ min: 1n, max: 20n }), fc.nat(4000)), { maxLength: 200 });
    fc.assert(
      fc.property(steps, (claims) => {
        const guard = new ReplayGuard(LIMITS);
        const passed = new Map<string, number>();
        let nowMs = 0;
        for (const [who, nonce, afterMs] of claims) {
          nowMs += afterMs;
          const outcome = guard.claim(key(who), nonce, nowMs);
          const name = `${who}/${nonce}`;
          const before = passed.get(name);
          if (outcome === 'fresh') {
            expect(before === undefined || nowMs - before > LIMITS.holdMs).toBe(true);
            passed.set(name, nowMs);
          }
          expect(guard.size).toBeLessThanOrEqual(LIMITS.inAll);
        }
      }),
    );
  });
});
