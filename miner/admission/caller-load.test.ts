import { describe, expect, it } from 'vitest';
import { KEYS, sr25519 } from '../testing/loopback-miner.ts';
import { CallerLoad, MAX_BYTES_PER_HOTKEY, MAX_REQUESTS_PER_HOTKEY, SecondBudget } from './caller-load.ts';
import { rememberVerified } from './remember-verified.ts';

describe('CallerLoad', () => {
  it('lets a hotkey have so many requests at a time, whatever others have', () => {
    const load = new CallerLoad();
    const slots = Array.from({ length: MAX_REQUESTS_PER_HOTKEY }, () => load.enter(KEYS.edge.hotkey));
    expect(slots.every((slot) => slot !== undefined)).toBe(true);
    expect(load.enter(KEYS.edge.hotkey)).toBeUndefined();
    expect(load.enter(KEYS.tenant.hotkey)).toBeDefined();
    slots[0]?.leave();
    slots[0]?.leave();
    expect(load.enter(KEYS.edge.hotkey)).toBeDefined();
    expect(load.enter(KEYS.edge.hotkey)).toBeUndefined();
  });

  it('lets a hotkey have so many bytes under way, and gives them back', () => {
    const load = new CallerLoad();
    const first = load.enter(KEYS.edge.hotkey);
    const second = load.enter(KEYS.edge.hotkey);
    expect(first?.addBytes(MAX_BYTES_PER_HOTKEY)).toBe(true);
    expect(second?.addBytes(1)).toBe(false);
    first?.leave();
    expect(second?.addBytes(1)).toBe(true);
  });
});

it('SecondBudget gives so many a second', () => {
  const budget = new SecondBudget(2);
  expect([budget.take(0), budget.take(10), budget.take(999), budget.take(1000)]).toEqual([true, true, false, true]);
});

describe('rememberVerified', () => {
  it('checks what it found good only once, and everything else each time', () => {
    let checks = 0;
    const verify = rememberVerified((...args) => {
      checks++;
      return sr25519.verify(...args);
    }, 2);
    const of = (text: string) => {
      const message = new TextEncoder().encode(text);
      return [message, KEYS.edge.sign(message), KEYS.edge.publicKey] as const;
    };
    const [a, b, c] = [of('a'), of('b'), of('c')];
    expect([verify(...a), verify(...a), checks]).toEqual([true, true, 1]);
    expect([verify(a[0], b[1], a[2]), verify(a[0], b[1], a[2]), checks]).toEqual([false, false, 3]);
    expect([verify(b[0], a[1], a[2]), verify(a[0], a[1], KEYS.tenant.publicKey), checks]).toEqual([false, false, 5]);
    // The third pushes the first out.
    expect([verify(...b), verify(...c), verify(...a), checks]).toEqual([true, true, true, 8]);
  });
});
