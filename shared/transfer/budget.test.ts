import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { createBudget } from './budget.ts';

const settled = () => new Promise<void>((resolve) => setTimeout(resolve, 0));

describe('budget', () => {
  it('serves in order: small requests do not overtake a large one', async () => {
    const budget = createBudget(10);
    const first = await budget.acquire(6);
    const order: string[] = [];
    const large = budget.acquire(8).then((release) => {
      order.push('large');
      return release;
    });
    const small = budget.acquire(1).then(() => order.push('small'));
    await settled();
    expect(order).toEqual([]);
    first();
    (await large)();
    await small;
    expect(order).toEqual(['large', 'small']);
    expect(budget.used).toBe(1);
  });

  it('gives back in parts, and once only', async () => {
    const parent = createBudget(100);
    const budget = createBudget(10, parent);
    const release = await budget.acquire(10);
    release(4);
    expect([budget.used, parent.used]).toEqual([4, 4]);
    release(9);
    expect(budget.used).toBe(4);
    release();
    release();
    expect([budget.used, parent.used, budget.peak]).toEqual([0, 0, 10]);
  });

  it('refuses what can never fit, and what is no number of bytes', async () => {
    const budget = createBudget(10);
    await expect(budget.acquire(11)).rejects.toThrow(RangeError);
    await expect(budget.acquire(-1)).rejects.toThrow();
    await expect(budget.acquire(Number.NaN)).rejects.toThrow();
    expect(budget.used).toBe(0);
  });

  it('lets the next one in when a waiting one is aborted', async () => {
    const parent = createBudget(10);
    const budget = createBudget(10, parent);
    const other = await parent.acquire(5);
    const stop = new AbortController();
    const large = budget.acquire(9, stop.signal);
    const small = parent.acquire(3);
    stop.abort(new Error('left'));
    await expect(large).rejects.toThrow('left');
    (await small)();
    other();
    expect([budget.used, parent.used]).toEqual([0, 0]);
    await expect(budget.acquire(1, stop.signal)).rejects.toThrow('left');
  });

  it('never exceeds a limit and ends at zero, whatever comes and goes', async () => {
    const step = fc.record({ child: fc.nat(2), bytes: fc.nat(24), aborted: fc.boolean() });
    await fc.assert(
      fc.asyncProperty(fc.array(step, { maxLength: 40 }), async (steps) => {
        const parent = createBudget(40);
        const children = [createBudget(24, parent), createBudget(24, parent), createBudget(24, parent)];
        const all = steps.map(async ({ child, bytes, aborted }) => {
          const stop = new AbortController();
          const budget = children[child];
          const granted = budget?.acquire(bytes, stop.signal).catch(() => undefined);
          if (aborted) stop.abort();
          const release = await granted;
          expect(parent.used).toBeLessThanOrEqual(40);
          expect(budget?.used).toBeLessThanOrEqual(24);
          await Promise.resolve();
          release?.();
        });
        await Promise.all(all);
        expect([parent, ...children].map(({ used }) => used)).toEqual([0, 0, 0, 0]);
      }),
    );
  });
});
